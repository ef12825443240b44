// Package exec answers requests written as JSON lines with outcomes written as JSON lines, so that anybody, in any
// language, can ask the dispatcher anything.
//
// It drives package engine and has no rules of its own: every status, size and offset that it prints was returned by the
// dispatcher or seen by a handler. A [Session] is a driver's objects with their state, which lasts for the run: stored
// values, pended requests, open file objects. [Session.Run] reads lines until the input ends:
//
//	{"set":"45ffaaa0-6e1b-11d0-bcf2-444553540000","id":4,"flags":1,"out":4}
//	{"status":"0x00000000","name":"STATUS_SUCCESS","information":4,"calls":[{"verb":"get",...}],...,"output":"00000000"}
//
// # How things are seen
//
//	calls         every handler is wrapped (manifest.Options): the wrapper notes what the IRP says while the handler runs,
//	              and where request and data lie in its SystemBuffer. Requests of P-43 have an IRP of their own.
//	allocations   the caller's allocator is ours and notes its arguments. A pool buffer is found in the IRP when the
//	              dispatcher returns; where the capture then faulted and freed it, the faulting memory saw it before.
//	irp_flags     IRP.Flags when the dispatcher returns, before IRP.Finish.
//	output        the caller's memory after IRP.Finish.
//
// # Caller memory
//
// Inputs and outputs up to 65,536 bytes are plain slices, one slice for both with "alias". Longer ones, and those that are
// to fault, are an [engine.Memory] that holds what the request line gave and makes up the zeros behind it, so that a
// request with 4 GiB of output that fails its checks costs nothing.
//
// # Prepared requests
//
// "prepared": true sends the IRP through another dispatcher first, whose only item has the request's set and id and whose
// handlers decline with STATUS_NOT_FOUND, as a class driver does that does not know a property: what the second pass finds
// was laid out by the engine itself (P-15). The first pass is not listed and meets no faults. A request that no table can
// prepare, for instance one with two verbs, reaches the second pass as it is. "forged" sets SystemBuffer by hand.
//
// # Where the format is silent
//
// Each input line has one outcome, so an empty line is a malformed line. What a line says twice, or says in another type,
// or says beyond 16 MiB, is malformed too, and nothing of such a line happens. Keys that the op does not use are checked
// for their type and then ignored.
//
// "i" may be any number and is echoed digit for digit; without it the outcome has none. A status without a name has "".
//
// "complete" wants a tag that is pended; without "status" the owner completes with STATUS_SUCCESS. It cannot complete with
// STATUS_PENDING. Its data may not be longer than the output of the pended request. "dispatch_specific" of a tag that is
// not pended is a request that no dispatcher laid out, which the engine answers (P-50); the request stays pended, so there
// is no output. A tag that is pended twice means the later request; the earlier one, like a pended request without a tag,
// can no longer be named by any line, and its buffer is freed.
//
// "close" answers STATUS_SUCCESS. Pended requests of the file object stay pended until they are completed, as a file
// object lives until its last IRP is gone and cancelling is the business of the handler's owner.
//
// The fast path knows caller memory as slices only. A request in memory that faults is given to it as no request at all,
// and data that faults is answered here: both are FALSE, as the IRP path then finds the exact status (F-4, S-20).
package exec
