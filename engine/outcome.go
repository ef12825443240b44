package engine

import (
	"log/slog"
	"runtime"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// checked is check for what most handlers return, without a call.
func (irp *IRP) checked(status ks.Status, out uint32, dir direction) ks.Status {
	if status == ks.StatusSuccess && irp.IoStatus.Information <= uint64(out) {
		return status
	}
	return irp.check(status, out, dir)
}

// check applies P-17, P-18 and P-20 to what a handler returned for a request with out bytes of output.
func (irp *IRP) check(status ks.Status, out uint32, dir direction) ks.Status {
	switch {
	case status == ks.StatusPending:
	case status == ks.StatusSomeNotMapped:
		irp.IoStatus.Information = 0
		return irp.decide(ruleP18, ks.StatusNotFound)
	case status.IsError():
		irp.IoStatus.Information = 0
	case dir&dataOut != 0 && out != 0 && irp.IoStatus.Information > uint64(out):
		irp.IoStatus.Information = 0
		return irp.decide(ruleP20, ks.StatusBufferTooSmall)
	}
	return status
}

// unreturned is the status of a handler that has not returned: one that never leaves the dispatcher (P-18).
const unreturned = ks.StatusSomeNotMapped

// guard is deferred around a call of a handler or an allocator, and turns its panic into the status of the request (P-21).
// *returned is set when the call has returned. Hot paths have this written out, since deferred it takes 15 instructions more.
func (d *Dispatcher) guard(irp *IRP, returned *bool, status *ks.Status) {
	if !*returned {
		*status = d.recovered(irp, recover())
	}
}

// Call calls f as a handler of irp is called: a panic in it is its status (P-21). It is for callbacks that are in no table.
func (d *Dispatcher) Call(irp *IRP, f func() ks.Status) (status ks.Status) {
	returned := false
	defer d.guard(irp, &returned, &status)
	status = f()
	returned = true
	return status
}

// recovered is what a panic becomes (P-21): the status that was thrown, or an access violation. A nil value is
// runtime.Goexit: the goroutine ends, so that nobody will finish the request, and its buffer is freed here, unless the request
// was completed: then whoever is told of that finishes it (AS-1).
func (d *Dispatcher) recovered(irp *IRP, value any) ks.Status {
	if value == nil {
		if irp.shut() {
			irp.releaseBuffer()
		}
		return ks.StatusUnsuccessful // not seen: unwinding goes on
	}
	irp.IoStatus.Information = 0
	index := irp.index
	if irp.owner != d {
		index = noItem // the handler passed the request on: it is the number of another dispatcher's item
	}
	d.report(index, value)
	return irp.decide(ruleP21, recoveredStatus(value))
}

// recoveredStatus is the status of a panic value. STATUS_PENDING would be waited for in vain, and STATUS_SOME_NOT_MAPPED never leaves
// the dispatcher (P-18): neither is an exception.
func recoveredStatus(value any) ks.Status {
	if status, ok := value.(ks.Status); ok && status != ks.StatusPending && status != ks.StatusSomeNotMapped {
		return status
	}
	return ks.StatusAccessViolation
}

// report tells Config.OnPanic of a panic, or the log, once per item.
func (d *Dispatcher) report(index uint32, value any) {
	invariants.Rethrow(value)
	if d.onPanic != nil {
		defer logPanic("OnPanic")
		d.onPanic(value, stack())
		return
	}
	if index == noItem {
		slog.Error("ksdispatch: a handler panicked; the request fails", "panic", value, "stack", string(stack()))
	} else if set, id, once := d.named(index); once.panicked.CompareAndSwap(false, true) {
		slog.Error("ksdispatch: a handler panicked; the request fails, and further panics of this item are not logged",
			"set", set.String(), "item", id, "panic", value, "stack", string(stack()))
	}
}

// logPanic is deferred around a call of a hook of Config that only observes: a panic in it changes no request.
func logPanic(hook string) {
	if value := recover(); value != nil {
		invariants.Rethrow(value)
		slog.Error("ksdispatch: a hook panicked; the request goes on", "hook", hook, "panic", value, "stack", string(stack()))
	}
}

// stack returns the stack of a panic, innermost calls first. A tool that replays hostile requests panics often: debug.Stack,
// which grows its buffer and unwinds again until all fits, was half of its time.
func stack() []byte {
	b := make([]byte, 16<<10)
	return b[:runtime.Stack(b, false)]
}
