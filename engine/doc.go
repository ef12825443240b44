// Package engine dispatches Kernel Streaming requests (properties, methods and events) in user space, with the
// statuses, sizes and byte layouts of Windows' KsPropertyHandlerWithAllocator family (ks.h), from any number of
// goroutines and without a heap allocation.
//
// It is for programs that simulate what a driver does: virtual audio and camera devices, driver test farms, fuzzers,
// protocol models. They declare sets, compile them once, and hand requests to the result:
//
//	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{
//		Set:   volume,
//		Items: []engine.PropertyItem{{ID: 4, Get: getLevel, Set: setLevel, MinData: 4}},
//	}}})
//	...
//	status := d.Property(irp)
//
// Package device wraps this into open handles with a DeviceIoControl of their own; most programs should start there.
//
// # Terms
//
// A property set is a GUID with items; an item has an id, handlers, sizes, values and relations. A request has an input
// buffer, a KSPROPERTY of 24 bytes that names the set, the id and a verb (GET, SET, SETSUPPORT, BASICSUPPORT, ...), and
// an output buffer, which for the in-verbs (SET, UNSERIALIZESET, UNSERIALIZERAW) carries data in. In is the length of
// the input, Out that of the output, and al8(n) is n rounded up to a multiple of 8; all are in bytes. An IRP is one
// request on its way.
//
// Methods and events come in sets of items too. A method has one handler, and flags that say whether it reads its
// buffer, writes it or both. An event has no value; clients enable it, each with an object to be signalled.
//
// The rules of behaviour have numbers: N-1 for completion, P-1 to P-73 for properties, F-1 to F-7 for the fast path,
// M-1 to M-10 for methods, E-1 to E-26 for events, PN-1 to PN-23 for the properties of pins, OB-1 to OB-24 for creating
// and ending filters, pins and nodes, AT-1 to AT-14 for merged tables and routing, AS-1 to AS-36 for requests that
// pend, and S-1 to S-41 for what hostile callers must not achieve. Code and tests cite them.
//
// # The way of a request
//
// A request is checked in the order of P-23: the lengths, the identifier, which is read once, its verb, the item that
// it names, and the sizes that the item requires. Only then does the request get a buffer, and the handler works on a
// copy. A request that fails before that allocates nothing. No step looks anything up twice, and none reads the
// caller's memory twice, so a caller who changes it meanwhile gains nothing.
//
// [Dispatcher.Property], [Dispatcher.Method] and [Dispatcher.EnableEvent] leave completion to their caller, who calls
// [IRP.Finish]. [Dispatcher.IoControl] includes completion, for a caller that waits. [Ref] skips the lookup, and
// [Dispatcher.PropertyBatch] and [Dispatcher.MethodBatch] answer many requests under one guard.
//
// # The buffer
//
// Handlers never see caller memory. One buffer holds both parts (P-6):
//
//	0              Out   al8(Out)                al8(Out)+In
//	| data          | 0   | captured request      |
//
// The request is at a multiple of 8 because the identifier contains a 64-bit member. For a GET or SET the buffer comes
// from the caller's [Allocator], if there is one. For other verbs, and without an allocator, it comes from [IRP].Pool,
// and completion frees it.
//
// # Statuses carry sizes
//
// A caller asks for a size with an empty output buffer. The answer must be a warning, STATUS_BUFFER_OVERFLOW, because
// completion drops Information on an error (N-1). A buffer that is too small gets the error STATUS_BUFFER_TOO_SMALL.
//
// # Concurrency
//
// A [Dispatcher] is immutable. An [IRP], its arena and a [FileObject] belong to one goroutine at a time. Handlers of
// one item run concurrently for different requests.
//
// # Functions
//
// A function of a declaration may be nil: there is no such handler, or its default. A function that is an argument may be nil where its
// documentation says so. Anywhere else the call that is given nil panics, at once and with the argument's name.
//
// # Sources
//
// The behaviour is that of the Windows driver documentation, cited beside each function, and of the public headers.
// Where they are silent, the text of the rule says what was chosen and why, and [Compat] can override the choice.
package engine
