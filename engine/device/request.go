package device

import (
	"runtime"
	"sync/atomic"
	"weak"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// request is what the request of an Overlapped is made with. It has an arena of its own, as the buffer of a request that is pended
// outlives those that come and go meanwhile: no goroutine waits for the memory of another, and what a driver writes too late reaches
// nobody else (S-34).
type request struct {
	irp    engine.IRP
	memory *arena.Arena
	owner  *Overlapped
	out    []byte

	handle atomic.Pointer[OverlappedHandle] // whose requests it is among
	place  atomic.Int64                     // there
	thread atomic.Uint32                    // owner's, when the request was sent
	pins   atomic.Int32                     // of those who may yet cancel it: meanwhile its IRP is not used again

	holding   atomic.Pointer[holding] // while a device that is stopped holds it
	cancelled atomic.Uint64           // the state of owner in which it was, last

	left atomic.Bool // pending, since its sender looked: in checked builds
	mark *mark
}

// mark is what the handles know a request by.
type mark struct {
	request weak.Pointer[request] // not of owner: thousands in one array, which a user may have, take the runtime seconds
	pended  *request              // while it is pended: so the handle keeps it. Only the collector reads it.
}

// requestChunk is how much memory in bytes a request takes for its buffer at a time, and requestKeep the length of input and output
// from which on it is not kept.
const (
	requestChunk = 256
	requestKeep  = 64 << 10
)

// newRequest makes the memory for the requests of o.
func newRequest(o *Overlapped, config arena.Config) (*request, error) {
	config.ChunkSize = requestChunk
	a, err := arena.New(config)
	if err != nil {
		return nil, err
	}
	r := &request{memory: a, owner: o}
	r.mark = &mark{request: weak.Make(r)}
	r.irp.Pool = a
	r.irp.KeepBuffer()
	r.irp.Detach(r.pended, r.ended)
	if config.OffHeap { // the collector has no eye on that
		runtime.AddCleanup(r, func(a *arena.Arena) { _ = a.Close() }, a)
	}
	return r, nil
}

// pended is told that the request is left pending by its handler, before anybody can complete it.
func (r *request) pended(*engine.IRP) {
	h := r.handle.Load()
	if invariants.Enabled {
		r.left.Store(true)
	}
	r.mark.pended = r
	if h.gate.Load()&(gateClosed|gateGone) != 0 {
		r.abort() // AS-25
	}
}

// cancelLate cancels the request if that was asked for while it was in flight, in that state of its Overlapped, and not yet found
// in its IRP (AS-9). It is called when IoControl has left the request to others, which is seen before what is loaded here.
func (r *request) cancelLate(state uint64) {
	if r.cancelled.Load() != state {
		return
	}
	r.pins.Add(1)
	defer r.pins.Add(-1) // also if a cancel routine ends the goroutine
	if o := r.owner; o.req.Load() == r && o.state.Load() == state {
		r.irp.Cancel()
	}
}

// cancel cancels the request, which is pinned, in that state of its Overlapped, and unpins it. It reports whether another has taken its
// place, which may not have been told.
func (r *request) cancel(state uint64) (replaced bool) {
	defer r.pins.Add(-1)     // also if a cancel routine ends the goroutine
	r.cancelled.Store(state) // for one that is found neither among those that are held nor in its IRP, as it is on its way there (AS-9)
	if !cancelHeld(&r.holding) {
		r.irp.Cancel()
	}
	return r.owner.req.Load() != r
}

// isCancelled reports that the request that is in flight was cancelled.
func (r *request) isCancelled() bool { return r.cancelled.Load() == r.owner.state.Load() }

// abort ends the request if it is pended or will be. Its driver may not know that it has lost it: the IRP is not used again.
func (r *request) abort() {
	r.pins.Add(1)
	r.irp.Abort()
}

// ended is told that the request, which IoControl has answered with STATUS_PENDING, is complete.
func (r *request) ended(irp *engine.IRP) {
	o, h, status := r.owner, r.handle.Load(), irp.IoStatus.Status
	large := len(r.out)+int(irp.InputBufferLength) > requestKeep
	n := uint32(0)
	defer func() { // also if a checked build finds misuse
		r.out = nil
		r.mark.pended = nil
		if large {
			o.req.Store(nil)
		}
		h.ended(o, status, n)
	}()
	n = irp.Finish(status, r.out)
}

// ended is told that a request, which IoControl has answered with STATUS_PENDING, is complete.
func (h *OverlappedHandle) ended(o *Overlapped, status ks.Status, n uint32) {
	defer h.publish(o, status, n) // also if over panics
	if h.over != nil {
		h.over(o, n, status, true)
	}
}

// publish says what the request of o was completed with.
func (h *OverlappedHandle) publish(o *Overlapped, status ks.Status, n uint32) {
	o.status, o.bytes = status, n
	switch callback := o.Callback; {
	case callback != nil:
		o.done()
		callback(o)
	case h.port == nil || o.NoPacket:
		o.done()
	default:
		h.port.post(o)
		o.tell()
	}
}
