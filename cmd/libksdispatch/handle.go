package main

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A handle is what ksd_handle names.
type handle struct {
	number uint64
	object *object
	file   C.uintptr_t // what ksd_open was given

	many *many // KSD_CONCURRENT; else nil

	mu     sync.Mutex // held by the one who sends a request, without KSD_CONCURRENT
	device opened
	closed atomic.Bool
	events signals

	only      *call // of a plain handle that has had one; under mu
	callsMu   sync.Mutex
	calls     []*call // all that were made
	freeCalls []*call
}

var handles = numbers[handle]{kind: 2}

//export ksd__open
func ksd__open(number C.ksd_object, file C.uintptr_t, flags C.uint32_t) C.ksd_handle {
	o := objects.get(uint64(number))
	if o == nil {
		return 0
	}
	d, err := o.open()
	if err != nil {
		return 0
	}
	return C.ksd_handle(newHandle(o, d, file, flags))
}

// newHandle returns the number of a handle for one of package device.
func newHandle(o *object, d opened, file C.uintptr_t, flags C.uint32_t) uint64 {
	h := &handle{object: o, file: file, device: d}
	if flags&C.KSD_CONCURRENT != 0 {
		h.many = &many{handle: h}
	}
	if flags&C.KSD_KERNEL_MODE != 0 {
		d.SetMode(engine.KernelMode)
	}
	d.File().Context, d.File().Handles = h, &h.events
	h.number = handles.add(h)
	return h.number
}

//export ksd_close
func ksd_close(number C.ksd_handle) {
	h := handles.remove(uint64(number))
	if h == nil {
		return
	}
	h.closed.Store(true)
	_ = h.device.Close()
	if h.many != nil {
		h.many.leave(0)
	} else if h.mu.TryLock() {
		h.ended()
		h.mu.Unlock()
	}
	h.events.drain()
}

// ended is called with mu, when a request has ended: if the handle was closed, it was the last.
func (h *handle) ended() {
	if h.closed.Load() {
		h.endCalls()
	}
}

//export ksd__send
func ksd__send(number C.ksd_handle, requests *C.ksd_request, count C.uint32_t) C.uint32_t {
	h := handles.get(uint64(number))
	if h == nil {
		return 0
	}
	entered := ks.StatusSuccess
	if h.many != nil || !h.mu.TryLock() {
		entered = h.enter()
	}
	for i := range uintptr(count) {
		r := (*C.ksd_request)(unsafe.Add(unsafe.Pointer(requests), i*C.sizeof_ksd_request))
		n, status := uint32(0), entered
		if entered == ks.StatusSuccess {
			n, status = h.send(r)
		}
		r.returned, r.status = C.uint32_t(n), result(status)
	}
	if entered == ks.StatusSuccess {
		h.leave()
	}
	return count
}

// enter waits until a handle that has a request in flight has none, unless it serves many. Whoever is called by a handler of that
// request would wait forever.
func (h *handle) enter() ks.Status {
	if h.many != nil {
		return ks.StatusSuccess
	}
	if C.ksd__inside(C.ksd_handle(h.number)) != 0 {
		return ks.StatusDeviceBusy
	}
	h.mu.Lock()
	return ks.StatusSuccess
}

func (h *handle) leave() {
	if h.many != nil {
		return
	}
	h.ended()
	h.mu.Unlock()
}

// send sends one request and waits for its end.
func (h *handle) send(r *C.ksd_request) (n uint32, status ks.Status) {
	in, readable := memory[byte](r.in, r.in_len) // as in buffers, which the compiler does not inline
	out, writable := memory[byte](r.out, r.out_len)
	switch {
	case !readable || !writable:
		return 0, ks.StatusAccessViolation
	case h.many != nil:
		return h.many.ioControl(uint32(r.code), in, out)
	}
	if recorded := h.device.recorded; recorded != nil {
		return recorded.IoControl(uint32(r.code), in, out)
	}
	return h.device.Handle.IoControl(uint32(r.code), in, out)
}

// buffers returns the buffers of a request, unless one cannot be.
func buffers(r *C.ksd_request) (in, out []byte, ok bool) {
	if in, ok = memory[byte](r.in, r.in_len); ok {
		out, ok = memory[byte](r.out, r.out_len)
	}
	return in, out, ok
}
