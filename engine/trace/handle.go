package trace

import (
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Handle is a device.Handle whose requests are recorded. Like that it belongs to one goroutine at a time, but for Close. A request that
// is refused because another is in flight on the handle (S-15) is not recorded: a handler may have sent it.
type Handle struct {
	inner  *device.Handle
	stream stream
	kernel Flags
	count  uint32
	busy   bool // a request is in flight
	pended bool // and its handler left it pending
	onPend func(irp *engine.IRP, data []byte)
	closed sync.Once
}

// handle returns a handle that records.
func (r *Recorder) handle(inner *device.Handle) *Handle {
	h := &Handle{inner: inner}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handles++
	h.stream = stream{recorder: r, handle: r.handles, space: make(chan struct{}, 1)}
	for i := range h.stream.chunks {
		h.stream.chunks[i].written = blockHeader
	}
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

// left is told that the request in flight was left pending.
func (h *Handle) left(irp *engine.IRP, data []byte) {
	h.pended = true
	if h.onPend != nil {
		h.onPend(irp, data)
	}
}

// SetMode sets the requestor mode of later requests.
func (h *Handle) SetMode(mode engine.Mode) {
	h.inner.SetMode(mode)
	h.kernel = 0
	if mode == engine.KernelMode {
		h.kernel = FlagKernel
	}
}

// IoControl is device.Handle.IoControl. What the client has in its buffers is copied before, so memory that another goroutine
// changes meanwhile may be recorded as it was and answered as it is.
func (h *Handle) IoControl(code uint32, in, out []byte) (n uint32, status ks.Status) {
	if h.busy {
		return h.inner.IoControl(code, in, out)
	}
	flags, size := h.kernel, recordHeader+pad(len(in))
	if carries(code, in) {
		flags |= FlagCarried
		size += pad(len(out))
		if code == ks.IoctlEnableEvent || code == ks.IoctlDisableEvent {
			flags |= FlagEvent
			size += 8
		}
	}
	if (uint64(len(in))|uint64(len(out)))>>32 != 0 {
		size = maxPayload + 1 // refused by the device, and too long for a trace
	}
	to := h.stream.reserve(size)
	if to == nil {
		return h.inner.IoControl(code, in, out)
	}
	if len(in) != 0 && len(out) != 0 && &in[0] == &out[0] {
		flags |= FlagAliased
	}
	r := h.stream.recorder
	end := putBytes(to, recordHeader, in)
	if flags&FlagCarried != 0 {
		h.carry(to, end, code, flags, in, out)
	}
	begin, at := r.order.Load(), time.Duration(r.now.Load())
	if h.count++; h.count&r.every == 0 {
		flags |= FlagExact
		at = time.Since(r.start)
	}
	putBegin(to, KindRequest, code, at, uint32(len(in)), uint32(len(out)))
	h.busy = true
	defer func() { h.busy = false }() // a handler may end its goroutine
	n, status = h.inner.IoControl(code, in, out)
	var took time.Duration
	if flags&FlagExact != 0 {
		took = time.Since(r.start) - at
	} else {
		took = time.Duration(r.now.Load()) - at
	}
	if h.pended {
		flags |= FlagPended
		to, size, flags = h.produce(to, size, flags, out, n, status)
	}
	if to != nil {
		putEnd(to, flags, r.order.Add(1), begin, took, status, n, Digest(out, n, status))
		h.stream.commit(size)
	}
	return n, status
}

// carry records the output buffer of a request as it was sent.
func (h *Handle) carry(to []byte, at int, code uint32, flags Flags, in, out []byte) {
	if flags&FlagEvent != 0 {
		data := out
		if code == ks.IoctlDisableEvent {
			data = in
		}
		putAddress(to, at, data)
		at += 8
	}
	putBytes(to, at, out)
}

// produce records what a pended request produced, with which a replay completes it.
func (h *Handle) produce(to []byte, size int, flags Flags, out []byte, n uint32, status ks.Status) ([]byte, int, Flags) {
	h.pended = false
	if flags&FlagCarried != 0 || n == 0 || status.IsError() {
		return to, size, flags
	}
	out = out[:min(uint64(n), uint64(len(out)))]
	whole := size + pad(len(out))
	more := h.stream.reserve(whole)
	if more == nil {
		return nil, 0, 0
	}
	copy(more, to[:size])
	putBytes(more, size, out)
	return more, whole, flags | FlagProduced
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
	rec := Record{Kind: KindCreate, Begin: r.order.Load(), Time: time.Since(r.start), Parent: h.stream.handle, Flags: flags | h.kernel,
		In: append([]byte(nil), in...)}
	inner, status := create(in)
	if rec.Status = status; inner != nil {
		made = r.handle(inner)
		made.kernel = h.kernel
		rec.Handle = made.stream.handle
	}
	if len(in) <= maxConnect {
		r.add(rec, made)
	} else {
		r.dropped.Add(1) // refused for its length (OB-1)
	}
	return made, status
}

// maxConnect is more bytes than anything has that creates something.
const maxConnect = 64 << 10

// Close is device.Handle.Close.
func (h *Handle) Close() error {
	r := h.stream.recorder
	rec := Record{Kind: KindClose, Begin: r.order.Load(), Time: time.Since(r.start), Handle: h.stream.handle}
	err := h.inner.Close()
	h.closed.Do(func() {
		if p := r.config.Pends; p != nil {
			p.forget(h.inner.File())
		}
		r.add(rec, nil)
		h.stream.finished.Store(true)
	})
	return err
}
