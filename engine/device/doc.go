// Package device simulates one Kernel Streaming object as an application sees it: a device that is opened, sent
// DeviceIoControl requests, and closed.
//
// A [Device] has a dispatcher, which all its handles share. A [Handle] is one open of the device and has what a request
// needs: an IRP, a file object and an arena. A handle sends one request after the other. Any number of handles may be
// in use at the same time; they share nothing that a request writes.
//
// # The way of a request
//
// [Handle.IoControl] fills the handle's IRP and calls the dispatcher with an allocator that takes the buffer of a GET
// or SET from the handle's arena. That makes the handle the filter of P-13: on a status that is not an error it copies
// min(Information, output length) bytes of an out-verb to the caller, and it frees the buffer. Other verbs use a pool
// buffer of the same arena, which completion copies and frees (N-1). IoControl passes the caller's two buffers along
// and never stores them, so arrays on the caller's stack stay there and a request allocates nothing on the heap.
//
// A handler may return STATUS_PENDING. As in a synchronous DeviceIoControl, IoControl then waits until the handler's
// owner calls IRP.Complete.
//
// # Filters
//
// [NewFilter] makes a device of a filter with its pin factories, its topology and its nodes. Each open is a filter
// instance. [Handle.CreatePin] creates a pin on an instance; the pin has a handle of its own and answers
// KSPROPSETID_Connection. In a handler, [PinOf] and [FilterOf] find the objects of a request. Pins keep their filter
// instance alive.
//
// Config.Control of a filter or a pin answers control codes beyond the four of KS, such as those of streams. A driver
// keeps the stream requests that it finishes later in [Pin.Requests], where STOP, a reset and closing the pin end them.
//
// # Many requests at once
//
// [Device.OpenOverlapped] opens a handle that serves any number of requests, from any goroutine. The caller gives each
// an [Overlapped], and then waits for its end, has it called back, or takes it from a [Port] together with others.
// [Handle.Overlapped] does the same to the file object of a pin, and [OverlappedHandle.CreatePin] creates such a pin. Requests
// are cancelled one by one, all of a handle, or all that one simulated thread sent ([OverlappedHandle.CancelThread]).
//
// # Lives and deaths
//
// [Device.Remove] ends requests at once, as a surprise removal does, and tells the hook of [Device.OnRemove].
// [Device.Shutdown] waits for requests in flight, and [Device.Stop] holds new requests until [Device.Start].
// [Device.Swap] replaces the dispatcher of a device in use, [Device.SwapFilter] a whole filter.
//
// # Events
//
// An application enables an event with ks.IoctlEnableEvent and a KSEVENTDATA that names an object of [Device.Handles]
// to be signalled, and disables it with the same memory ([NewEventData]). The driver generates events on
// [Device.Events]. Closing a handle disables the events that were enabled through it.
//
// # Observation
//
// [Observe] wraps the handlers of a declaration, before the device is made, to count and time requests and to count and
// log refusals. Its result is an expvar.Var. engine.Config.Wrap adds middleware of a program's own.
//
// docs/conformance.md lists the rules that this package and package engine cite; the primary source of N-1 is
// https://learn.microsoft.com/windows-hardware/drivers/kernel/using-ntstatus-values.
package device
