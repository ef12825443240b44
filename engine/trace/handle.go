package trace

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Handle is a device.Handle whose requests are recorded. Like that it belongs to one goroutine at a time, but for Cancel and Close. A
// request that is refused because another is in flight on the handle (S-15) is not recorded: a handler may have sent it.
type Handle struct {
	inner  *device.Handle
	stream stream
	kernel Flags
	pended bool // the handler of the request in flight left it pending
	onPend func(irp *engine.IRP, data []byte)
	closed sync.Once
	lanes  atomic.Pointer[OverlappedHandle]
}

// handle returns a handle that records.
func (r *Recorder) handle(inner *device.Handle) *Handle {
	h := &Handle{inner: inner}
	r.mu.Lock()
	defer r.mu.Unlock()
	h.stream.init(r, r.config.Buffer)
	if p := r.config.Pends; p != nil {
		p.watch(inner.File(), h.left)
	}
	return h
}

// Device returns the handle of the device itself; what is sent through it is not recorded.
func (h *Handle) Device() *device.Handle { return h.inner }

// OnPend has f called when the handler of a later request leaves it pending, with the data that it was given, on the goroutine of the
// handler: whoever drives the device may complete it. It needs Config.Pends.
func (h *Handle) OnPend(f func(irp *engine.IRP, data []byte)) { h.onPend = f }

// left is told that a request of the handle was left pending.
func (h *Handle) left(irp *engine.IRP, data []byte) {
	if irp.UserEvent != nil { // an overlapped request, which nobody waits for, has none
		h.pended = true
		h.stream.recorder.mark()
	}
	if h.onPend != nil {
		h.onPend(irp, data)
	}
}

// SetMode sets the requestor mode of later requests.
func (h *Handle) SetMode(mode engine.Mode) {
	h.inner.SetMode(mode)
	h.kernel = modeFlag(mode)
}

// IoControl is device.Handle.IoControl. What the client has in its buffers is copied before, so memory that another goroutine
// changes meanwhile may be recorded as it was and answered as it is.
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	s := &h.stream
	if !s.isPlain(code, in, out) || h.inner.Busy() {
		return h.record(code, in, out)
	}

	// From here on these are the lines of record for a plain request.
	r := s.recorder
	s.count++
	to := (*[plainRecord]byte)(s.memory[s.at:])
	putIdentifier((*[ks.SizeIdentifier]byte)(to[recordHeader:]), (*[ks.SizeIdentifier]byte)(in))
	begin, at := r.order.Load(), time.Duration(r.now.Load())
	n, status = h.inner.IoControl(code, in, out)
	if h.pended {
		s.takenPlain(code, out, h.kernel, begin, at)
		h.finish(out, n, status)
		return n, status
	}
	var digest uint64
	if n == 4 && len(out) >= 4 && !status.IsError() {
		digest = digest4(binary.LittleEndian.Uint32(out))
	} else if n != 0 {
		digest = Digest(out, n, status)
	}
	var took uint32
	if now := time.Duration(r.now.Load()); now != at {
		took = putDuration(now-at, 0)
	}
	head := (*[recordHeader]byte)(to[:])
	putBegin(head, KindRequest, h.kernel, code, at, ks.SizeIdentifier, uint32(len(out)))
	putResult(head, status, n, digest)
	putEnd(head, r.order.Add(1), begin, took)
	s.at += plainRecord
	s.show()
	return n, status
}

// record is IoControl for any request.
//
//go:noinline
func (h *Handle) record(code uint32, in, out []byte) (n uint32, status ks.Status) {
	if h.inner.Busy() || !h.stream.take(code, in, out, h.kernel) {
		return h.inner.IoControl(code, in, out)
	}
	n, status = h.inner.IoControl(code, in, out)
	h.finish(out, n, status)
	return n, status
}

// finish ends the record of a request.
func (h *Handle) finish(out []byte, n uint32, status ks.Status) {
	if h.pended {
		h.pended = false
		h.stream.taken.flags |= FlagPended
	}
	h.stream.finish(out, n, status)
}

// CreatePin is device.Handle.CreatePin. Requests to the pin are recorded.
func (h *Handle) CreatePin(connect []byte) (*Handle, ks.Status) {
	return h.create(h.inner.CreatePin, connect, 0)
}

// Create is device.Handle.Create. Requests to what is created are recorded.
func (h *Handle) Create(name []byte) (*Handle, ks.Status) {
	return h.create(h.inner.Create, name, FlagNamed)
}

func (h *Handle) create(create func([]byte) (*device.Handle, ks.Status), in []byte, flags Flags) (made *Handle, status ks.Status) {
	r := h.stream.recorder
	rec := Record{Kind: KindCreate, Begin: r.order.Load(), Time: time.Since(r.start), Parent: h.stream.handle, Flags: flags | h.kernel}
	if len(in) <= maxConnect {
		rec.In = append([]byte(nil), in...)
	}
	inner, status := create(in)
	if rec.Status = status; inner != nil {
		made = r.handle(inner)
		made.kernel = h.kernel
		rec.Handle = made.stream.handle
	}
	switch {
	case len(in) > maxConnect: // refused for its length (OB-1)
		r.dropped.Add(1)
	case made == nil:
		r.add(rec, nil)
	default:
		r.add(rec, &made.stream)
	}
	return made, status
}

// maxConnect is more bytes than anything has that creates something.
const maxConnect = 64 << 10

// Cancel is device.Handle.Cancel, from any goroutine.
func (h *Handle) Cancel() int { return h.stream.cancel(h.inner.Cancel) }

// Close is device.Handle.Close.
func (h *Handle) Close() error {
	r := h.stream.recorder
	rec := Record{Kind: KindClose, Begin: r.mark(), Time: time.Since(r.start), Handle: h.stream.handle}
	err := h.inner.Close()
	h.closed.Do(func() {
		if p := r.config.Pends; p != nil {
			p.forget(h.inner.File())
		}
		r.add(rec, nil)
		h.stream.finished.Store(true)
		if lanes := h.lanes.Load(); lanes != nil {
			lanes.finish()
		}
	})
	return err
}
