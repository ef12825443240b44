// Package device simulates one Kernel Streaming object as an application sees it: a device that is opened, sent
// DeviceIoControl requests, and closed.
//
// A [Device] has a dispatcher, shared by everybody. A [Handle] is one open of it and has what a request needs: an IRP, a
// file object and an arena. Requests through one handle are sent one after the other; any number of handles may be used
// at the same time, and they share nothing that a request writes.
//
// # The way of a request
//
// [Handle.IoControl] fills the handle's IRP and calls the dispatcher with an allocator that takes the buffer of a GET or
// SET from the handle's arena. That makes the handle the filter of P-13: on a status that is not an error it copies
// min(Information, output length) bytes of an out-verb to the caller, and it frees the buffer. Other verbs use a pool
// buffer of the same arena, which completion copies and frees (N-1). The caller's two buffers are passed along and never
// stored, so that arrays on the caller's stack stay there and a request allocates nothing on the heap.
//
// A handler may return STATUS_PENDING. As in a synchronous DeviceIoControl, IoControl then waits until the handler's owner
// calls IRP.Complete.
//
// # Filters
//
// [NewFilter] makes a device of a filter with its pin factories, its topology and its nodes. Each open of it is a filter instance.
// [Handle.CreatePin] creates a pin on one, which has a handle of its own and answers KSPROPSETID_Connection; [PinOf] and [FilterOf]
// find the objects of a request in a handler. Pins keep their filter instance.
//
// Config.Control of a filter or a pin answers control codes beyond the four of KS, such as those of streams. A driver keeps the stream
// requests that it finishes later in [Pin.Requests], where STOP, a reset and closing the pin end them.
//
// # Many requests at once
//
// [Device.OpenOverlapped] opens a handle that serves any number of requests, from any goroutine. Each has an [Overlapped] of the caller's,
// and its end is waited for, called back, or taken from a [Port] with others. [Handle.Overlapped] does the same to the file object of a
// pin.
//
// # Lives and deaths
//
// [Device.Remove] is a surprise, [Device.Shutdown] waits for what is in flight, and [Device.Stop] holds requests until [Device.Start].
// [Device.Swap] replaces the dispatcher of a device in use.
//
// # Events
//
// An application enables an event with ks.IoctlEnableEvent and a KSEVENTDATA, which names an object of [Device.Handles] that is
// to be signalled, and disables it with the same memory ([NewEventData]). The driver generates on [Device.Events]. Closing a
// handle disables what was enabled through it.
//
// # Observation
//
// [Observe] has the handlers of a declaration counted and timed, and what is refused counted and logged. It is chosen before the device
// is made. The result is an expvar.Var. Middleware of one's own is engine.Config.Wrap.
//
// The rules cited here and in package engine are numbered in the behaviour notes of the project; the primary source of
// N-1 is https://learn.microsoft.com/windows-hardware/drivers/kernel/using-ntstatus-values.
package device
