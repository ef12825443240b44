package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Detach makes IoControl return STATUS_PENDING for a request of the IRP that its handler leaves pending, instead of waiting: an
// overlapped request. pended is called before that, on the goroutine of IoControl. From the time that it returns on, ended is called
// once, when the request is completed: on the goroutine that completes it or, if that does so while the handler runs, on that of
// IoControl, which answers STATUS_PENDING then too (AS-1). ended calls Finish with IoStatus.Status and the caller's output buffer, which
// ends the request. Then the IRP may be used again, though Complete or IoControl may not have returned: they do not touch it
// any more (S-16). A request that is answered at once calls neither. Detach an IRP before its first request.
func (irp *IRP) Detach(pended, ended func(*IRP)) {
	required(pended != nil, "Detach: pended")
	required(ended != nil, "Detach: ended")
	x := irp.more()
	x.pended, x.ended = pended, ended
	irp.detached = true
	irp.UserEvent, x.event = detachedEvent, detachedEvent // so that requests take the short path
}

// detachedEvent is the UserEvent of all detached IRPs. Nobody waits on it.
var detachedEvent = make(chan struct{}, 1)

// pend leaves a detached request to whoever completes it, and returns what is then left to do.
func (irp *IRP) pend() (last func(*IRP)) {
	irp.ownPool()
	irp.extra.pended(irp)
	s := atomic.LoadUint32(&irp.state)
	for s&(stateOpen|stateCancel) == stateOpen && !irp.isEnded() {
		if atomic.CompareAndSwapUint32(&irp.state, s, s&^stateServed|statePended) {
			if irp.isEnded() { // by one who may have seen it before
				return (*IRP).end
			}
			return nil
		}
		s = atomic.LoadUint32(&irp.state)
	}
	return irp.pendEnded()
}

// pendEnded is pend for a request that is completed, cancelled or to be ended. It keeps the request until all is said about it: as long as
// stateServed is set a completion only notes the result. If one has, ended is for the sender to call.
func (irp *IRP) pendEnded() (ended func(*IRP)) {
	irp.change(statePended, 0)
	irp.cancelEarly(irp)
	for {
		s := atomic.LoadUint32(&irp.state)
		if s&stateOpen == 0 {
			break // it is completed
		}
		if atomic.CompareAndSwapUint32(&irp.state, s, s&^stateServed) {
			return nil
		}
	}
	irp.outcome()
	irp.change(0, stateServed)
	return irp.extra.ended
}

// desertDetached ends a detached request whose goroutine ends (AS-19): its owner waits elsewhere.
func (irp *IRP) desertDetached() {
	if irp.shut() {
		if irp.loadState()&stateCancelable != 0 {
			irp.disarm()
			irp.awaitHolds()
		}
		irp.IoStatus = IoStatus{Status: ks.StatusCancelled}
		irp.change(stateCompleted, 0)
	} else {
		irp.outcome()
	}
	irp.change(0, stateServed)
	irp.extra.ended(irp)
}
