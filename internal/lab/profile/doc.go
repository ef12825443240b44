// Package profile writes down what the engine does under load, as profiles that anybody can open, and checks what they say.
//
// # What is recorded
//
// Each workload sends at least 10,000,000 requests to a dispatcher of 20 sets of 12 items, from as many goroutines as
// there are processors (at least two), each with a handle of its own, all with one dispatcher. It does so three times, because one
// profile disturbs another:
//
//	cpu               at the default rate, for at least five seconds
//	heap mutex block  every allocation, every contention, every wait, from before the requests to after them
//	trace             an execution trace of all requests
//
// The heap, mutex and block profiles are differences: what was counted up to the start is taken away, so that what is left
// happened while the requests were under way. Beside each file stands a sidecar that says how it was made and what is in it.
//
// # What is checked
//
// No allocation, no contention, no wait and no collection may belong to the dispatch path: to a stack through the loop
// that sends the requests, or through a package of the engine. An empty profile would pass such a check, so each
// carries a witness: while the requests run, another goroutine allocates, contends and waits a known number of times, and a
// collection runs before the requests, inside of the trace. A profile that does not show its witness is refused. A CPU
// profile must have samples in the loop and in the function that the workload is about.
//
// A sidecar must agree with its file: its checksum, its size, and every count, which is made again. Every function of this
// module that a profile names must exist in the source, so that a profile of code that is gone is noticed.
//
// Contention that the runtime meets while it preempts a goroutine inside of the loop is the scheduler's and is not counted;
// it has the preemption in its stack.
package profile
