// Package latency times single requests, which is another question than how long a million of them take.
//
// A mean over a batch hides the one request in a thousand that met a page fault or a collection; users feel that one. But
// a reading of the clock takes 25 to 50 ns here, as long as a request. Three things follow. Only one request in [Config].Every
// is timed, so that most of them run as in a batch, with the branch predictor and the caches as they are then. The clock
// itself is timed with every sample, two readings with nothing between them, and its distribution is kept beside: whatever
// a service says includes one reading, and nothing is subtracted, because the distribution of a difference is not the
// difference of distributions. And the pass is separate from the rounds, whose batches it would disturb.
//
// In a closed loop the next request waits for the one before. If that one stalls for a millisecond, a closed loop
// records one slow request, where a client that sends a million a second would have seen a thousand: coordinated omission
// (Gil Tene, "How NOT to measure latency", 2013). With a rate the loop is open: request i has the intended start i/rate, and
// is sent then, or at once if that is past. Its service is the time from the real start, its response the time from the
// intended one. Both are kept, as neither is wrong: the first says what the engine did, the second what a client would see.
// Every request is timed then, because each has its start to wait for.
//
// Values go into HDR histograms (3 significant digits, 1 ns to a minute): recording one takes some nanoseconds after the
// second reading of the clock, allocates nothing, and histograms of several machines can be added.
package latency
