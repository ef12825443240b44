// Package latency times single requests. Timing a million of them together answers another question.
//
// A mean over a batch hides the one request in a thousand that met a page fault or a collection, and users notice that
// one. But reading the clock takes 25 to 50 ns, as long as a request. Three things follow. Only one request in
// Config.Every is timed, so that most requests run as in a batch, with the branch predictor and the caches in the same
// state. The clock itself is timed beside every sample, by two readings with nothing between them, and its distribution
// is reported too: every service time includes one reading. Nothing is subtracted, because the distribution of a
// difference is not the difference of the distributions. And the pass is separate from the rounds, whose batches it
// would disturb.
//
// In a closed loop the next request waits for the one before. If that one stalls for a millisecond, a closed loop
// records one slow request, while a client that sends a million a second would have seen a thousand: coordinated
// omission (Gil Tene, "How NOT to measure latency", 2013). With a rate the loop is open: request i has the intended
// start i/rate and is sent then, or at once if that moment has passed. Service time counts from the real start,
// response time from the intended one. Both are kept: the first shows what the engine did, the second what a client
// would see. In an open loop every request is timed, because each has to wait for its start anyway.
//
// Values are recorded in HDR histograms (3 significant digits, 1 ns to a minute). Recording takes a few nanoseconds
// after the second reading of the clock and allocates nothing, and the histograms of several machines can be added.
package latency
