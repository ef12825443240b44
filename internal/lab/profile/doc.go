// Package profile records what the engine does under load, as profiles that anybody can open, and checks what they
// show.
//
// # What is recorded
//
// Each workload sends at least 10,000,000 requests to a dispatcher of 20 sets of 12 items, from as many goroutines as
// there are processors (at least two). Each goroutine has a handle of its own; all share one dispatcher. Profiles
// disturb each other, so each workload runs three times:
//
//	cpu               at the default rate, for at least five seconds
//	heap mutex block  every allocation, every contention, every wait, from before the requests to after them
//	trace             an execution trace of all requests
//
// The heap, mutex and block profiles are differences: counts from before the start are subtracted, so what remains
// happened during the requests. Beside each file stands a sidecar that says how it was made and what it contains.
//
// # What is checked
//
// No allocation, contention, wait or collection may belong to the dispatch path: to a stack through the loop that sends
// the requests, or through a package of the engine. An empty profile would pass such a check, so each profile carries a
// witness: during the requests another goroutine allocates, contends and waits a known number of times, and a
// collection runs inside the trace before the requests. A profile that does not show its witness is refused. A CPU
// profile must have samples in the loop and in the function that the workload exercises.
//
// A sidecar must agree with its file: in checksum, size, and every count, which the check computes again. Every
// function of this module that a profile names must exist in the source, so that a profile of code that is gone is
// noticed.
//
// The runtime may contend while it preempts a goroutine inside the loop. That contention belongs to the scheduler,
// shows the preemption in its stack, and is not counted.
package profile
