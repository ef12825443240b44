package trace

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// OverlappedHandle is a device.OverlappedHandle whose requests are recorded. It is safe for concurrent use. Its requests are in as many
// lanes as there are at once, of which each is to a trace what a handle is: it has one request at a time.
type OverlappedHandle struct {
	handle *Handle
	inner  *device.OverlappedHandle

	over func(o *device.Overlapped, n uint32, status ks.Status, pended bool) // OnComplete

	mu     sync.Mutex
	kernel Flags
	all    []*lane
	free   []*lane
	lanes  map[*device.Overlapped]*lane // of requests that are in flight
}

// lane has the request of one Overlapped at a time.
type lane struct {
	stream stream
	out    []byte
	turn   uint64            // how many requests it has had
	waited device.Overlapped // for requests that come without one
}

// OpenOverlapped opens a device for overlapped requests, which are recorded. See Open, and device.Device.OpenOverlapped.
func (r *Recorder) OpenOverlapped(dev *device.Device, object string, port *device.Port) (*OverlappedHandle, error) {
	h, err := r.Open(dev, object)
	if err != nil {
		return nil, err
	}
	lanes, err := h.Overlapped(port)
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return lanes, nil
}

// Overlapped is device.Handle.Overlapped.
func (h *Handle) Overlapped(port *device.Port) (*OverlappedHandle, error) {
	inner, err := h.inner.Overlapped(port)
	if err != nil {
		return nil, err
	}
	o := &OverlappedHandle{handle: h, inner: inner, kernel: h.kernel, lanes: make(map[*device.Overlapped]*lane)}
	inner.OnComplete(o.completed)
	h.lanes.Store(o)
	return o, nil
}

// Handle returns the handle for requests that are waited for. See device.OverlappedHandle.Handle.
func (h *OverlappedHandle) Handle() *Handle { return h.handle }

// SetMode sets the requestor mode of later requests.
func (h *OverlappedHandle) SetMode(mode engine.Mode) {
	h.inner.SetMode(mode)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kernel = modeFlag(mode)
}

// SkipPortOnSuccess is device.OverlappedHandle.SkipPortOnSuccess.
func (h *OverlappedHandle) SkipPortOnSuccess() { h.inner.SkipPortOnSuccess() }

// OnComplete is device.OverlappedHandle.OnComplete.
func (h *OverlappedHandle) OnComplete(f func(o *device.Overlapped, n uint32, status ks.Status, pended bool)) {
	h.over = f
}

// IoControl is device.OverlappedHandle.IoControl. A request is recorded when it is complete.
func (h *OverlappedHandle) IoControl(o *device.Overlapped, code uint32, in, out []byte) (n uint32, status ks.Status) {
	l, turn := h.enter(o, code, in, out)
	if l == nil {
		return h.inner.IoControl(o, code, in, out)
	}
	wait := o == nil
	if wait {
		o = &l.waited
	}
	n, status = h.inner.IoControl(o, code, in, out)
	switch {
	case status == ks.StatusDeviceBusy:
		h.leave(o, l, turn) // the Overlapped is in use, unless its request is complete
	case status == ks.StatusPending:
		h.handle.stream.recorder.mark()
		if wait {
			_ = o.Wait(context.Background())
			n, status = o.BytesReturned(), o.Status()
		}
	}
	if wait {
		h.release(l)
	}
	return n, status
}

// enter begins the record of a request in a lane. It is nil if o has a request in flight.
func (h *OverlappedHandle) enter(o *device.Overlapped, code uint32, in, out []byte) (l *lane, turn uint64) {
	h.mu.Lock()
	if o != nil && h.lanes[o] != nil {
		h.mu.Unlock()
		return nil, 0
	}
	if n := len(h.free); n != 0 {
		l, h.free = h.free[n-1], h.free[:n-1]
	} else {
		l = h.newLane()
		h.all = append(h.all, l)
	}
	if o == nil {
		o = &l.waited
	}
	h.lanes[o] = l
	l.turn++
	turn, kernel := l.turn, h.kernel
	h.mu.Unlock()
	l.out = out
	l.stream.take(code, in, out, kernel)
	return l, turn
}

// newLane returns another lane.
func (h *OverlappedHandle) newLane() *lane {
	r, parent := h.handle.stream.recorder, h.handle.stream.handle
	l := new(lane)
	l.waited.NoPacket = true
	rec := Record{Kind: KindCreate, Begin: r.order.Load(), Time: time.Since(r.start), Parent: parent, Flags: FlagLane}
	r.mu.Lock()
	l.stream.init(r, r.config.Buffer/64)
	r.mu.Unlock()
	rec.Handle = l.stream.handle
	r.add(rec, &l.stream)
	return l
}

// completed is told that a request is complete, while its Overlapped is still in use.
func (h *OverlappedHandle) completed(o *device.Overlapped, n uint32, status ks.Status, pended bool) {
	h.record(o, n, status, pended)
	if h.over != nil {
		h.over(o, n, status, pended)
	}
}

// record ends the record of a request.
func (h *OverlappedHandle) record(o *device.Overlapped, n uint32, status ks.Status, pended bool) {
	h.mu.Lock()
	l := h.lanes[o]
	h.mu.Unlock()
	if l == nil {
		return
	}
	turn := l.turn
	if pended {
		l.stream.taken.flags |= FlagPended
	}
	if l.stream.taken.size != 0 {
		l.stream.finish(l.out, n, status)
	}
	h.leave(o, l, turn)
}

// leave ends a request of a lane, unless it has ended.
func (h *OverlappedHandle) leave(o *device.Overlapped, l *lane, turn uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lanes[o] != l || l.turn != turn {
		return
	}
	delete(h.lanes, o)
	l.out, l.stream.taken.size = nil, 0
	if o != &l.waited { // that is in use until IoControl has the answer
		h.free = append(h.free, l)
	}
}

// release makes a lane free whose request was waited for.
func (h *OverlappedHandle) release(l *lane) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = append(h.free, l)
}

// Cancel is device.OverlappedHandle.Cancel.
func (h *OverlappedHandle) Cancel(o *device.Overlapped) int {
	if o == nil {
		return h.handle.stream.cancel(func() int { return h.inner.Cancel(nil) })
	}
	h.mu.Lock()
	l := h.lanes[o]
	h.mu.Unlock()
	if l == nil {
		return h.inner.Cancel(o)
	}
	return l.stream.cancel(func() int { return h.inner.Cancel(o) })
}

// CancelThread is device.OverlappedHandle.CancelThread. It is recorded as a cancel of each request.
func (h *OverlappedHandle) CancelThread(thread uint32) (n int) {
	var all []*device.Overlapped
	h.mu.Lock()
	for o, l := range h.lanes {
		if o != &l.waited && o.Thread == thread {
			all = append(all, o)
		}
	}
	h.mu.Unlock()
	for _, o := range all {
		n += h.Cancel(o)
	}
	return n
}

// Close is device.OverlappedHandle.Close.
func (h *OverlappedHandle) Close() error { return h.handle.Close() }

// finish has the writer forget the lanes when it has written what they have.
func (h *OverlappedHandle) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.all {
		l.stream.finished.Store(true)
	}
}
