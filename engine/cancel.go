package engine

import (
	"runtime"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A pended request is cancelled through its cancel routine. Whoever takes that off the IRP, with an exchange that has one winner,
// completes the request; the others leave it alone (AS-7). The routine is exchanged under stateLocked, which is held for a few
// instructions. Whoever needs the request to stay what it is for longer, as Cancel does while it calls a routine, holds it: a request
// that is held and completed is reported when the last one lets go, so that an IRP serves no other request meanwhile.

// SetCancelRoutine makes routine, which may be nil, the cancel routine of the request and returns the one before it:
// IoSetCancelRoutine, an atomic exchange (AS-7). A handler that pends its request sets one before it hands the request on; whoever
// wants to complete the request takes it back with nil. Of all who take it one gets it, and completes. Who gets nil leaves the
// IRP alone: the cancel routine has run or will, or another completes the request. Complete takes what is left.
//
// Cancel may come first (AS-9). So look at Cancelled afterwards, and if it is true and the routine can be taken back, call it or
// complete with STATUS_CANCELLED. A CancelQueue does all that; so does IoControl when a handler returns STATUS_PENDING.
//
// A request that was completed or is none is left alone, and the result nil. SetCancelRoutine does not block, and is safe for
// concurrent use while the request is its caller's.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcancelroutine
func (irp *IRP) SetCancelRoutine(routine func(*IRP)) (previous func(*IRP)) {
	if !irp.latch(stateOpen) {
		return nil
	}
	x := irp.more()
	previous, x.routine = x.routine, routine
	if routine != nil {
		irp.change(stateCancelable, stateLocked)
	} else {
		irp.change(0, stateLocked)
	}
	return previous
}

// Cancel cancels the request that is in flight on the IRP: IoCancelIrp (AS-6). It notes that the request is cancelled, and if the
// request has a cancel routine, takes it off, calls it and returns true. The routine completes the request, at once or later, with
// STATUS_CANCELLED and no information (AS-8). A request without one is left to its owner, who may look at Cancelled, and may well
// succeed: Cancel returns false. It does so too where there is no request, where it was completed, and where the sender calls the routine
// because it sees first that the request was cancelled (AS-9).
//
// Cancel may be called from any goroutine and inside handlers, and does not wait for the request to end. It acts on the request that is
// in flight when it is called: who means one of several that the IRP serves in turn sees to that. A panic in a cancel routine ends
// the request with STATUS_CANCELLED, and is reported as one of a handler (P-21).
//
// The request does not end before its cancel routine has returned: IoControl returns, and Completion is called, afterwards. So a
// cancel routine must not wait for the sender.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocancelirp
func (irp *IRP) Cancel() bool {
	_, called := irp.cancel()
	return called
}

// CancelIo is Cancel, and reports whether it has found a request in flight, with a cancel routine or without: CancelIoEx (AS-18). One
// that it has found knows that it is cancelled, or is being completed.
//
// https://learn.microsoft.com/windows/win32/fileio/cancelioex-func
func (irp *IRP) CancelIo() bool {
	found, _ := irp.cancel()
	return found
}

// cancel is Cancel: whether there is a request, and whether its cancel routine was called.
func (irp *IRP) cancel() (found, called bool) {
	for {
		s := atomic.LoadUint32(&irp.state)
		next := s | stateCancel
		switch {
		case s&(stateCompleting|stateCompleted) != 0:
			return true, false
		case s&stateNested != 0:
			if atomic.CompareAndSwapUint32(&irp.state, s, next) {
				return true, irp.extra.inner.Cancel()
			}
		case s&stateOpen != 0 && s&stateCancelable != 0:
			if irp.hold(stateCancel, stateCancelable) {
				return true, irp.cancelHeld()
			}
		case s&stateOpen != 0, s&stateLong != 0 && s&stateCancelable == 0:
			if atomic.CompareAndSwapUint32(&irp.state, s, next) {
				return true, false
			}
		case s&stateEntered != 0 && s&stateCancelable == 0:
			runtime.Gosched() // the short path is a few instructions from its handler, or from the end of the request
		default:
			return s != 0, false
		}
	}
}

// Cancelled reports that the request in flight was cancelled: the field Cancel of IRP. A handler that works for long may look at it, and
// end the request with STATUS_CANCELLED.
func (irp *IRP) Cancelled() bool { return atomic.LoadUint32(&irp.state)&stateCancel != 0 }

// cancelHeld takes the cancel routine of a request that its caller holds, calls it and lets go of the request. It reports whether there
// was one.
func (irp *IRP) cancelHeld() bool {
	defer irp.letGo()
	routine := irp.SetCancelRoutine(nil)
	if routine == nil {
		return false
	}
	irp.unlink()
	irp.callRoutine(routine)
	return true
}

// callRoutine calls a cancel routine. If it ends otherwise than by returning, nobody else would complete the request.
func (irp *IRP) callRoutine(routine func(*IRP)) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		irp.conclude(0, 0, ks.StatusCancelled, 0)
		if d := irp.owner; d != nil && value != nil {
			d.report(irp.index, value)
		}
	}()
	routine(irp)
	returned = true
}

// end is what Close and Abort do to a request that they find pended, and to one that is pended later (AS-24, AS-25, AS-34). A
// request that has, or has had, a cancel routine is its driver's: the routine is called, or whoever has taken it completes. Any other
// is ended here.
func (irp *IRP) end() {
	target := irp
	if atomic.LoadUint32(&irp.state)&stateNested != 0 {
		target = irp.extra.inner
	}
	if s := atomic.LoadUint32(&target.state); s&stateOpen != 0 && !irp.Cancel() {
		target.conclude(statePended, stateCancelable, ks.StatusCancelled, 0)
	}
}

// cancelEarly is Cancel, Close or Abort for a request that is pended after they were called (AS-9, AS-25).
func (irp *IRP) cancelEarly(root *IRP) {
	switch {
	case root.isEnded():
		irp.end()
	case root.Cancelled(), irp.Cancelled():
		irp.Cancel()
	}
}

// disarm takes what may cancel off a request that ends otherwise: its routine, and its place in a queue.
func (irp *IRP) disarm() {
	if !irp.latch(^uint32(0)) {
		return
	}
	x := irp.more()
	x.routine = nil
	queued := x.place.queue != nil
	irp.change(0, stateLocked)
	if queued {
		irp.unlink()
	}
}

// latch locks the cancel routine and the queue of the request, unless its state has none of the bits of need.
func (irp *IRP) latch(need uint32) bool {
	for {
		s := atomic.LoadUint32(&irp.state)
		switch {
		case s&need == 0:
			return false
		case s&stateLocked != 0:
			runtime.Gosched()
		case atomic.CompareAndSwapUint32(&irp.state, s, s|stateLocked):
			return true
		}
	}
}

// hold keeps the request from ending until letGo, and sets bits of its state, if it can be completed and its state has the bits of need.
func (irp *IRP) hold(set, need uint32) bool {
	need |= stateOpen
	for {
		s := atomic.LoadUint32(&irp.state)
		switch next := (s | set) + oneHold; {
		case s&need != need:
			return false
		case next < s:
			runtime.Gosched() // as many hold it as can
		case atomic.CompareAndSwapUint32(&irp.state, s, next):
			return true
		}
	}
}

// letGo ends a hold. The last one tells of a completion that came meanwhile.
func (irp *IRP) letGo() {
	for {
		s := atomic.LoadUint32(&irp.state)
		if s < oneHold {
			return // the sender's goroutine ended: nobody is to be told
		}
		var completion func(*IRP)
		var waiter chan struct{}
		if s < 2*oneHold && s&stateCompleted != 0 {
			completion, waiter = irp.waiting(s)
		}
		if atomic.CompareAndSwapUint32(&irp.state, s, s-oneHold) {
			irp.tell(completion, waiter)
			return
		}
	}
}

// waiting returns who is to be told that a request with state s was completed. It is asked while the IRP cannot serve another yet.
func (irp *IRP) waiting(s uint32) (completion func(*IRP), waiter chan struct{}) {
	switch {
	case irp.detached && s&stateServed == 0:
		return irp.extra.ended, nil
	case s&(stateServed|statePended) == stateServed|statePended:
		return nil, irp.extra.completed // nil for one that is detached: its sender looks
	case s&stateServed != 0: // its sender has not begun to wait, and looks
		return nil, nil
	case irp.Completion != nil:
		return irp.Completion, nil
	}
	return nil, irp.UserEvent
}

func (irp *IRP) tell(completion func(*IRP), waiter chan struct{}) {
	if completion != nil {
		completion(irp)
	} else {
		signal(waiter)
	}
}
