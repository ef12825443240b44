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
// # Request lines
//
// A line is one JSON object. Every key may be absent:
//
//	i             a number, which the outcome repeats
//	op            property, fast_property, method, fast_method, enable_event, disable_event, generate, complete,
//	              dispatch_specific or close, and for handles open, create_pin, cancel or remove; without it property
//	object        the manifest's object that is asked; without it the first, or what Options say
//	set id flags  the KSPROPERTY, KSMETHOD or KSEVENT; zero. A set may be a name, KSPROPSETID_Audio, flags names, GET|TOPOLOGY
//	in out        the lengths of the caller's buffers in bytes; in is 24 and the length of extra, out is 0
//	extra         what follows the KSPROPERTY in the input, in hexadecimal
//	data          what the output holds before, in hexadecimal; of enable_event, what it holds behind notification; of
//	              complete, what the owner of the request writes to it; of generate, what buffered events queue
//	alias         true: input and output are one buffer
//	entry         with_allocator (KsPropertyHandlerWithAllocator) or plain (KsPropertyHandler)
//	allocator     the caller's: arena serves, fail refuses, nobuffer succeeds without a buffer, none is no allocator
//	memory        ok, fault_in or fault_out: reading the input, or reading, probing and writing the output, raises an exception
//	prepared      false, true or "forged": what SystemBuffer holds before
//	mode          user or kernel
//	file          the number of the file object, opened by its first use; 1
//	info0         IoStatus.Information before; 0
//	tag           the name of a request that is left pending, for complete and dispatch_specific
//	status information    what complete ends the request with
//	program       the handler that dispatch_specific runs (manifest.ParseProgram)
//	event_data    the number that stands for the address of KSEVENTDATA in enable_event and disable_event; 0
//	notification  its NotificationType in enable_event, the first four bytes of the output; 1, KSEVENTF_EVENT_HANDLE
//	count         how many times generate generates, at most 1,000,000; 1
//	handle        the open object that is asked, in place of object and file; open and create_pin give it its name
//	parent connect  the filter's handle that create_pin creates on, and the KSPIN_CONNECT with its format, in hexadecimal
//	overlapped    true: requests through the handle may pend beside each other
//
// Bytes of the input and the output that no key gives are zero.
//
// # Methods
//
// The calls of a method's handler have the verb "method". A method with KSMETHOD_TYPE_SOURCE has its data in a buffer of its
// own, whose data_offset is 0, and its pool buffer holds the request alone (M-4, M-5). The bytes that such a handler writes are in the
// output at once, whatever the status; what is locked for reading is a copy, of which nothing comes back. An object with a
// property_item_size has methods with as much private storage, so item_slot is true for them too.
//
// # Events
//
// Each object has one list of enabled events, and each enable signals an object of its own, whatever handle its KSEVENTDATA
// names: every number is a handle of the type that is wanted. So signals are told apart by event_data, and generate answers
// with the signals of each, in the order of the list, taken after every round:
//
//	{"op":"enable_event","set":"dd4f192e-3b78-49ad-a534-2c315b822000","id":0,"flags":1,"out":32,"event_data":7}
//	{"op":"generate","set":"dd4f192e-3b78-49ad-a534-2c315b822000","id":0,"count":2}
//	{"status":"0x00000000",...,"signals":[{"event_data":7,"count":2}]}
//
// generate without a set, or with the set of zeros, is that of an id in every set. A QUERYBUFFER is an enable_event with flags
// 0x400 and at least 40 bytes of input; the address in its KSQUERYBUFFER is event_data, unless extra says something else.
// disable_event wants 32 bytes of input, or none, which disables all events of the file. close closes the file object, and
// removes its events from every object's list.
//
// # Handles
//
// A line that names an object goes to that object's own sets. Through a handle, objects are what applications see: open opens a filter,
// or an object that stands alone, and create_pin a pin on a filter (KsCreatePin). A filter's handle answers for its pins and its
// topology too, a pin's handle KSPROPSETID_Connection, and both with TOPOLOGY the sets of a node (AT-10 to AT-13):
//
//	{"op":"open","handle":"speaker","object":"filter SpeakerWave"}
//	{"handle":"speaker","set":"KSPROPSETID_Pin","id":1,"flags":"GET","out":4}
//	{"op":"create_pin","handle":"stream","parent":"speaker","connect":"..."}
//	{"handle":"stream","set":"KSPROPSETID_Connection","id":0,"flags":"SET","out":4,"data":"02000000"}
//
// A line that names a handle that no line opened, or opens one that is open already, is malformed. A handle that was
// closed is STATUS_INVALID_HANDLE, and its name may be given again. A second request beside one that is pended is STATUS_DEVICE_BUSY,
// but on an overlapped handle. Values and events are the object's, whichever handle they are reached through; generate names an object.
//
// cancel ends the pended request with a tag, or all of a handle, and answers with their number. close with a handle ends what is pended
// on it, and remove what is pended on all handles of an object, whose requests are then STATUS_DEVICE_REMOVED. Each request that
// ends so has an outcome of its own, with its i and tag, behind that of the line, in the order in which they were sent.
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
// Nothing is probed for the kernel (P-8, S-22). So with "mode":"kernel" a GET with "memory":"fault_out" succeeds on the IRP path:
// the output is first touched when the request is complete, and what faults there is lost without a word (N-1). The fast path,
// whose handler writes to the caller's memory itself, declines the same request.
//
// # Prepared requests
//
// "prepared": true sends the IRP through another dispatcher first, whose only item has the request's set and id and whose
// handlers decline with STATUS_NOT_FOUND, as a class driver does that does not know a property: what the second pass finds
// was laid out by the engine itself (P-15). The first pass is not listed and meets no faults. A request that no table can
// prepare, for instance one with two verbs, reaches the second pass as it is. "forged" sets SystemBuffer by hand.
//
// # Details
//
// Each input line has an outcome, so an empty line is a malformed line. A line that has a key twice, a value of another type
// or more than 16 MiB is malformed too, and nothing of it happens. Keys that the op does not use are checked for their type
// and then ignored.
//
// "i" may be any number and is echoed digit for digit; without it the outcome has none. A status without a name has "".
//
// "complete" wants a tag that is pended; without "status" the owner completes with STATUS_SUCCESS. It cannot complete with
// STATUS_PENDING. Its data may not be longer than the output of the pended request. "dispatch_specific" of a tag that is
// not pended is a request that no dispatcher laid out, which the engine answers (P-50, M-9); the request stays pended, so there
// is no output. A tag that is pended twice means the later request; the earlier one, like a pended request without a tag, ends with its
// handle, or without one can no longer be named by any line, and its buffer is freed.
//
// "close" without a handle answers STATUS_SUCCESS. Events of the file are gone; pended requests of the file object stay pended until they
// are completed, as a file object lives until its last IRP is gone and cancelling is the business of the handler's owner. A line that
// names an object is answered after its removal, too, as it goes through no handle.
//
// The fast path knows caller memory as slices only. A request in memory that faults is given to it as no request at all,
// and data that faults is answered here: both are FALSE, as the IRP path then finds the exact status (F-4, S-20).
package exec
