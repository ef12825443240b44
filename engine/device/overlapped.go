package device

import (
	"context"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Overlapped is what a request is known by while it is in flight, and its result afterwards: OVERLAPPED. It is the caller's, who uses
// it for one request after the other, on whatever handles: it keeps the memory of its request, 1 to 2 KB, so that the next one
// allocates nothing. Its zero value is ready. It must not be copied.
//
// It is in use from IoControl until the request is complete and, if that queues a packet, until Port.Wait returns it. Only Status,
// BytesReturned and Wait may be called meanwhile, from any goroutine.
type Overlapped struct {
	// Key is the caller's.
	Key uint64
	// Callback is called in place of queueing a packet, when the Overlapped may be used again: by the goroutine that completes the
	// request. Closing the handle does not wait for it. Without one, and without a port, Wait tells.
	Callback func(o *Overlapped)
	// NoPacket keeps the request out of the handle's port: the low bit of OVERLAPPED.hEvent.
	NoPacket bool

	waited bool // it is for requests that are sent without one

	// Thread stands for the thread that sends the request, which OverlappedHandle.CancelThread cancels by. It is the caller's to choose.
	Thread uint32

	state  atomic.Uint64
	status ks.Status
	bytes  uint32
	req    atomic.Pointer[request] // nil before the first request, and when another must not have its memory
	wait   atomic.Pointer[chan struct{}]
	next   *Overlapped // in its port
}

// The state of an Overlapped, and above it the number of its request, so that who cancels one does not cancel the next.
const (
	stateIdle   = iota
	stateBusy   // its request is in flight
	stateQueued // the request is complete, and its packet in a port, or about to be
	stateTaken  // it is taken for a request that becomes one of another handle, or thread, and is not in flight yet
	stateListed // the packet is in its place in the port

	oneRequest = 8
)

// begin takes an Overlapped that is idle for a request.
func (o *Overlapped) begin(idle, state uint64) bool {
	return idle%oneRequest == stateIdle && o.state.CompareAndSwap(idle, idle+oneRequest+state)
}

// goOn is become where what was stored before is all that others are to see with the new state: they may go on to see the old one for a
// while, and what its caller loads next may be older.
func (o *Overlapped) goOn(state uint64) { o.setState(o.state.Load()&^(oneRequest-1) | state) }

// busy reports that the request is in flight, or about to be.
func (o *Overlapped) busy() bool { return o.state.Load()%2 != 0 }

// become goes on to another state of the same request.
func (o *Overlapped) become(state uint64) { o.state.Store(o.state.Load()&^(oneRequest-1) | state) }

// Status is the status of the last request, STATUS_PENDING while that is in flight: OVERLAPPED.Internal. A request that is answered
// with an error at once leaves it as it was (AS-5).
func (o *Overlapped) Status() ks.Status {
	if o.busy() {
		return ks.StatusPending
	}
	return o.status
}

// BytesReturned is what goes with Status, in bytes: OVERLAPPED.InternalHigh. It is 0 for an error.
func (o *Overlapped) BytesReturned() uint32 {
	if o.busy() {
		return 0
	}
	return o.bytes
}

// Wait waits until the request is complete: GetOverlappedResult. If ctx ends first, Wait returns its error and cancels nothing
// (AS-20); Status has the outcome of the request. If the request queues a packet, it stays in its port.
//
// https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresultex
func (o *Overlapped) Wait(ctx context.Context) error {
	for o.busy() {
		c := o.wait.Load()
		if c == nil {
			made := make(chan struct{}, 1)
			o.wait.CompareAndSwap(nil, &made)
			continue // look again, now that a completion would tell
		}
		select {
		case <-*c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	o.tell() // others that wait
	return nil
}

// tell wakes one that waits for the request. The state says what it was woken for.
func (o *Overlapped) tell() {
	if c := o.wait.Load(); c != nil {
		select {
		case *c <- struct{}{}:
		default:
		}
	}
}

// done ends a request that was answered at once, without a packet.
func (o *Overlapped) done() {
	o.become(stateIdle)
	o.tell()
}
