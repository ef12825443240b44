package device

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// OverlappedHandle is an open file object that serves any number of requests at once: a handle of FILE_FLAG_OVERLAPPED. It is safe
// for concurrent use. The goroutine that sends a request dispatches it, and requests have no order among each other (AS-22). A
// pended request takes its memory from its Overlapped.
type OverlappedHandle struct {
	handle *Handle
	port   *Port
	gate   atomic.Uint32 // not 0: requests are not simply dispatched
	mode   atomic.Uint32
	skip   atomic.Bool
	over   func(o *Overlapped, n uint32, status ks.Status, pended bool) // OnComplete

	mu    sync.Mutex
	known []*mark // of the requests that were sent on this handle last, in flight or not
	room  int     // how many more may be in flight, at least, while gateMany is set
}

// Bits of OverlappedHandle.gate.
const (
	gateClosed = 1 << iota
	gateGone   // what the handle is open on is, or its device (AS-34)
	gatePhase  // the device is not running
	gateMany   // there are more than MaxPending requests, in flight or not
)

// MaxPending is how many requests of one handle may be in flight. One more is STATUS_INSUFFICIENT_RESOURCES (S-37).
const MaxPending = 1 << 16

// OpenOverlapped is Open for a handle that serves many requests at once. Completed requests are queued in port; without one, nil,
// Overlapped.Wait and Overlapped.Callback tell of them.
func (dev *Device) OpenOverlapped(port *Port) (*OverlappedHandle, error) {
	h, err := dev.Open()
	if err != nil {
		return nil, err
	}
	return h.Overlapped(port)
}

// Overlapped makes the file object of a handle serve overlapped requests as well, such as that of a pin. Closing one of the two closes
// the other. It fails if that was done before, or the handle is closed.
func (h *Handle) Overlapped(port *Port) (*OverlappedHandle, error) {
	a := &OverlappedHandle{handle: h, port: port}
	a.mode.Store(uint32(h.irp.RequestorMode))
	l := &h.device.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase != running {
		a.gate.Or(gatePhase)
	}
	if h.gone {
		a.gate.Or(gateGone)
	}
	if !h.overlapped.CompareAndSwap(nil, a) {
		return nil, errors.New("device: the handle is closed or serves overlapped requests already")
	}
	return a, nil
}

// neverOverlapped is in the place of the overlapped handle of one that was closed without.
var neverOverlapped = new(OverlappedHandle)

// CreatePin is Handle.CreatePin for a pin that serves overlapped requests, which are queued in port. It may be called from any goroutine;
// the mode is that of this handle's requests.
func (h *OverlappedHandle) CreatePin(connect []byte, port *Port) (*OverlappedHandle, ks.Status) {
	pin, status := h.handle.createPin(engine.Mode(h.mode.Load()), connect)
	if status != ks.StatusSuccess {
		return nil, status
	}
	a, err := pin.Overlapped(port)
	if err != nil { // a hook of the pin has closed it, or made its handle an overlapped one
		_ = pin.Close()
		return nil, ks.StatusInvalidHandle
	}
	return a, ks.StatusSuccess
}

// Handle returns the handle for requests that are waited for, which belongs to one goroutine, and for what is created on the object.
func (h *OverlappedHandle) Handle() *Handle { return h.handle }

// SetMode sets the requestor mode of later requests; a handle starts in engine.UserMode.
func (h *OverlappedHandle) SetMode(mode engine.Mode) { h.mode.Store(uint32(mode)) }

// SkipPortOnSuccess keeps requests that succeed at once out of the port: FILE_SKIP_COMPLETION_PORT_ON_SUCCESS. A warning, such as a size
// answer, is not a success. There is no way back (AS-21).
func (h *OverlappedHandle) SkipPortOnSuccess() { h.skip.Store(true) }

// OnComplete has f called for each later request when it completes, before anybody else learns of it. Whatever observes all
// requests of a handle, such as a recorder, can look at the output buffer there. pended says whether IoControl has answered
// STATUS_PENDING, or will. f is not called for a request that was refused because its Overlapped was in use. The goroutine that
// completes the request calls f and waits for it. Without f, nil, nobody is told. Call OnComplete before the first request.
func (h *OverlappedHandle) OnComplete(f func(o *Overlapped, n uint32, status ks.Status, pended bool)) {
	h.over = f
}

// IoControl sends one request: DeviceIoControl with an OVERLAPPED. It may be called from any number of goroutines. in and out are
// as for Handle.IoControl. If the status is ks.StatusPending the request goes on, and until o is complete out belongs to the
// engine, for an event in too. Any other status is the answer, and n is BytesReturned. An answer that is not an error is also in o,
// and queued in the port like that of a pended request; an error is not (AS-5).
//
// o must not be in use; if it is, IoControl returns ks.StatusDeviceBusy and leaves it alone. A closed handle returns
// ks.StatusInvalidHandle. If o is nil IoControl waits for the request, as Handle.IoControl does (AS-23), and queues nothing.
func (h *OverlappedHandle) IoControl(o *Overlapped, code uint32, in, out []byte) (n uint32, status ks.Status) {
	if o == nil {
		return h.ioControlWait(code, in, out)
	}
	idle, r := o.state.Load(), o.req.Load()
	known := r != nil && r.handle.Load() == h && r.thread.Load() == o.Thread
	state := uint64(stateBusy)
	if !known {
		state = stateTaken
	}
	if !o.begin(idle, state) {
		return 0, ks.StatusDeviceBusy
	}
	if !known || r.pins.Load() != 0 || h.gate.Load() != 0 {
		if r, status = h.admit(o); r == nil {
			h.refuse(o, status)
			return 0, status
		}
		if h.gate.Load()&(gatePhase|gateGone) != 0 {
			if status = h.hold(r, code, in, out); status != ks.StatusSuccess {
				return 0, status
			}
		}
	}
	r.out = out
	r.irp.RequestorMode = engine.Mode(h.mode.Load())
	if !invariants.Enabled {
		n, status = h.handle.Dispatcher().IoControl(&r.irp, code, in, out)
	} else {
		n, status = h.dispatchChecked(r, code, in, out)
	}
	if status == ks.StatusPending { // another has the request, and o
		r.cancelLate(idle + oneRequest + stateBusy)
		return 0, status
	}
	if len(in)+len(out) > requestKeep {
		o.req.Store(nil)
	}
	if h.over != nil {
		defer h.answered(o, status, n) // also if over panics
		h.over(o, n, status, false)
	} else {
		h.answered(o, status, n)
	}
	return n, status
}

// dispatchChecked sends a request in a build that may panic on misuse when it has ended, and gives the Overlapped up then.
func (h *OverlappedHandle) dispatchChecked(r *request, code uint32, in, out []byte) (n uint32, status ks.Status) {
	o := r.owner
	began := o.state.Load()
	r.left.Store(false)
	returned := false
	defer func() {
		if !returned && !r.left.Load() && o.state.CompareAndSwap(began, began-stateBusy) {
			o.tell()
		}
	}()
	n, status = h.handle.Dispatcher().IoControl(&r.irp, code, in, out)
	returned = true
	return n, status
}

// answered ends a request that IoControl has answered.
func (h *OverlappedHandle) answered(o *Overlapped, status ks.Status, n uint32) {
	switch {
	case status.IsError():
		o.done()
	case h.port == nil && o.Callback == nil, status.IsSuccess() && h.skip.Load():
		o.status, o.bytes = status, n
		o.done()
	default:
		h.publish(o, status, n)
	}
}

// refuse ends a request that is answered with an error before it is dispatched.
func (h *OverlappedHandle) refuse(o *Overlapped, status ks.Status) {
	defer o.done()
	if h.over != nil {
		h.over(o, 0, status, false)
	}
}

// hold leaves a request to its device, which is not running: STATUS_PENDING, unless it is refused, or the device is running again.
func (h *OverlappedHandle) hold(r *request, code uint32, in, out []byte) ks.Status {
	x := &holding{}
	x.done = func(status ks.Status) {
		r.mark.pended = nil
		r.holding.Store(nil)
		n := uint32(0)
		if status == ks.StatusSuccess {
			r.out = out
			began := r.owner.state.Load()
			if n, status = h.dispatchChecked(r, code, in, out); status == ks.StatusPending {
				r.cancelLate(began)
				return
			}
		}
		h.ended(r.owner, status, n)
	}
	r.mark.pended = r
	r.holding.Store(x)
	r.irp.RequestorMode = engine.Mode(h.mode.Load())
	status := h.handle.device.life.hold(h.handle, x)
	switch {
	case status != ks.StatusPending:
		if x.over.CompareAndSwap(false, true) {
			r.mark.pended = nil
			r.holding.Store(nil)
			if status != ks.StatusSuccess {
				h.refuse(r.owner, status)
			}
			return status
		}
		return ks.StatusPending // it was cancelled meanwhile
	case h.gate.Load()&gateClosed != 0, r.isCancelled(): // before it could be found here (AS-9)
		x.end(ks.StatusCancelled)
	}
	return status
}

// waited are Overlappeds for requests that are sent with none.
var waited = sync.Pool{New: func() any { return &Overlapped{NoPacket: true, waited: true} }}

// ioControlWait is IoControl without an Overlapped.
func (h *OverlappedHandle) ioControlWait(code uint32, in, out []byte) (n uint32, status ks.Status) {
	o := waited.Get().(*Overlapped)
	defer waited.Put(o)
	n, status = h.IoControl(o, code, in, out)
	if status == ks.StatusPending {
		_ = o.Wait(context.Background())
		n, status = o.bytes, o.status
	}
	return n, status
}

// admit makes the request of o one of this handle's that is in flight, or says why there can be none.
func (h *OverlappedHandle) admit(o *Overlapped) (*request, ks.Status) {
	was := o.req.Load()
	r := was
	if was == nil || was.pins.Load() != 0 {
		var err error
		if r, err = newRequest(o, h.handle.device.arenas); err != nil {
			return nil, ks.StatusInsufficientResources
		}
	}
	r.thread.Store(o.Thread)
	if r.handle.Load() != h {
		h.mu.Lock()
		h.know(r)
		o.req.Store(r)
		h.mu.Unlock()
	}
	if r != was && was != nil && was.isCancelled() { // by one who does not find r in its place (AS-9)
		r.cancelled.Store(o.state.Load())
	}
	o.become(stateBusy)
	switch gate := h.gate.Load(); { // after o is in flight: whoever closes the gate finds it
	case gate&gateClosed != 0:
		return nil, ks.StatusInvalidHandle
	case gate&gateMany != 0 && !h.hasRoom():
		return nil, ks.StatusInsufficientResources
	}
	return r, ks.StatusSuccess
}

// hasRoom takes the room of a request that is in flight. When there is none it counts: that no request is counted before there are more
// than may be in flight saves two locked instructions of each that pends.
func (h *OverlappedHandle) hasRoom() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room == 0 {
		h.room = MaxPending + 1 // one of those in flight is the caller's
		for i, m := range h.known {
			if r := m.request.Value(); r != nil && r.place.Load() == int64(i) && h.inFlight(r.owner) && h.room > 0 {
				h.room--
			}
		}
		if h.room == 0 {
			return false
		}
	}
	h.room--
	return true
}

// know adds a request to those of the handle, with mu held. Those that are so no longer, or whose Overlapped is gone, are dropped when
// the list is full: it is at most twice as long as it has to be.
func (h *OverlappedHandle) know(r *request) {
	if h.gate.Load()&gateClosed != 0 {
		return
	}
	if len(h.known) == cap(h.known) {
		all := h.known
		h.known = h.known[:0]
		for i, m := range all {
			if r := m.request.Value(); r != nil && r.owner.req.Load() == r && r.handle.Load() == h && r.place.Load() == int64(i) {
				r.place.Store(int64(len(h.known)))
				h.known = append(h.known, m)
			}
		}
		clear(all[len(h.known):])
		if n := len(h.known); n > cap(h.known)/2 {
			h.known = append(make([]*mark, 0, 2*n), h.known...)
		}
		if len(h.known) < MaxPending {
			h.gate.And(^uint32(gateMany))
			h.room = 0
		}
	}
	r.irp.FileObject = &h.handle.file
	r.handle.Store(h)
	r.place.Store(int64(len(h.known)))
	h.known = append(h.known, r.mark)
	if len(h.known) > MaxPending {
		h.gate.Or(gateMany)
	}
}

// Cancel requests the end of the request of o, or if o is nil of all requests of the file object, that which Handle waits for included:
// CancelIoEx. It returns how many were in flight, cancelable or not, and waits for none: each completes in its time, with
// ks.StatusCancelled or otherwise (AS-18).
//
// https://learn.microsoft.com/windows/win32/fileio/cancelioex-func
func (h *OverlappedHandle) Cancel(o *Overlapped) (n int) {
	if o == nil {
		return h.handle.Cancel()
	}
	return h.cancel(o, anyThread)
}

// CancelThread is Cancel for the requests that a simulated thread sent, by Overlapped.Thread: CancelIo, or the end of that thread
// (AS-17, AS-19). A request that IoControl sent without an Overlapped, or that a Handle waits for, is synchronous and not touched.
//
// https://learn.microsoft.com/windows/win32/fileio/cancelio
func (h *OverlappedHandle) CancelThread(thread uint32) (n int) {
	return h.cancelEach(func(r *request) bool { return !r.owner.waited && r.thread.Load() == thread })
}

// cancelEach is Cancel for those meant of the requests that have an Overlapped.
func (h *OverlappedHandle) cancelEach(meant func(*request) bool) (n int) {
	each(h.all(), func(o *Overlapped) { n += h.cancel(o, meant) })
	return n
}

func anyThread(*request) bool { return true }

// all returns whose request is among those of the handle.
func (h *OverlappedHandle) all() (list []*Overlapped) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.known {
		if r := m.request.Value(); r != nil {
			list = append(list, r.owner)
		}
	}
	return list
}

// pin returns the request of o if it is in flight on the handle, and the state of o that says so. Its IRP stays with it until it is
// unpinned.
func (h *OverlappedHandle) pin(o *Overlapped) (r *request, state uint64) {
	for {
		if r = o.req.Load(); r == nil {
			return nil, 0
		}
		r.pins.Add(1)
		state = o.state.Load()
		if o.req.Load() == r {
			if r.handle.Load() == h && state%oneRequest == stateBusy {
				return r, state
			}
			r.pins.Add(-1)
			return nil, 0
		}
		r.pins.Add(-1) // another has taken its place
	}
}

// cancel is Cancel for one, if its request is one of those meant.
func (h *OverlappedHandle) cancel(o *Overlapped, meant func(*request) bool) int {
	r, state := h.pin(o)
	if r == nil {
		return 0
	}
	if !meant(r) {
		r.pins.Add(-1)
		return 0
	}
	for r.cancel(state) { // its sender has made another in its place: again for that one
		var now uint64
		if r, now = h.pin(o); r == nil {
			return 1
		}
		if now != state { // it is for the next request
			r.pins.Add(-1)
			return 1
		}
	}
	return 1
}

// abort ends what is pended, or will be.
func (h *OverlappedHandle) abort(list []*Overlapped) {
	each(list, func(o *Overlapped) {
		if r, _ := h.pin(o); r != nil {
			defer r.pins.Add(-1)
			if !cancelHeld(&r.holding) {
				r.abort()
			}
		}
	})
}

// Close ends pended requests with ks.StatusCancelled, waits for running handlers, and closes the file object: CloseHandle. Later
// requests get ks.StatusInvalidHandle. Completed requests stay in their port. It is the same as Handle.Close.
func (h *OverlappedHandle) Close() error { return h.handle.Close() }

// shut refuses later requests.
func (h *OverlappedHandle) shut(bit uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate.Or(bit)
}

// drain ends all requests of a handle that is shut.
func (h *OverlappedHandle) drain() {
	list := h.all()
	defer h.emptied(list) // also if a cancel routine ends the goroutine
	h.abort(list)
}

// emptied waits for the requests that drain ends.
func (h *OverlappedHandle) emptied(list []*Overlapped) {
	for _, o := range list {
		_ = await(context.Background(), func() bool { return h.inFlight(o) || h.isPosting(o) }) // which does not end
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known = nil
}

// isPosting reports that the request of o, which is one of the handle's, is complete, and its packet not yet in the port.
func (h *OverlappedHandle) isPosting(o *Overlapped) bool {
	r := o.req.Load()
	return h.port != nil && r != nil && r.handle.Load() == h && o.state.Load()%oneRequest == stateQueued && h.port.isPosting(o)
}

// inFlight reports that the request of o is in flight on the handle.
func (h *OverlappedHandle) inFlight(o *Overlapped) bool {
	r := o.req.Load()
	return r != nil && r.handle.Load() == h && o.busy()
}
