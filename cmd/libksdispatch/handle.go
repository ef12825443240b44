package main

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A handle is what ksd_handle names.
type handle struct {
	number uint64
	file   unsafe.Pointer // what ksd_open was given

	many *many // KSD_CONCURRENT; else nil

	mu     sync.Mutex // held by the one who sends a request, without KSD_CONCURRENT
	device *device.Handle
	closed atomic.Bool
	events signals

	callsMu   sync.Mutex
	calls     []*call // all that were made
	freeCalls []*call
}

var handles = numbers[handle]{kind: 2}

//export ksd_open
func ksd_open(number C.ksd_object, file unsafe.Pointer, flags C.uint32_t) C.ksd_handle {
	o := objects.get(uint64(number))
	if o == nil {
		return 0
	}
	d, err := o.device.Open()
	if err != nil {
		return 0
	}
	return C.ksd_handle(newHandle(d, file, flags))
}

// newHandle returns the number of a handle for one of package device.
func newHandle(d *device.Handle, file unsafe.Pointer, flags C.uint32_t) uint64 {
	h := &handle{file: file, device: d}
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
	h.device.Close()
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

//export ksd_ioctl
func ksd_ioctl(number C.ksd_handle, code C.uint32_t, in C.ksd__in, inLen C.uint32_t, out unsafe.Pointer, outLen C.uint32_t,
	returned *C.uint32_t) C.ksd_status {
	var n uint32
	status := ks.StatusInvalidHandle
	if h := handles.get(uint64(number)); h != nil {
		if status = h.enter(); status == ks.StatusSuccess {
			n, status = h.send(uint32(code), unsafe.Pointer(in), uint32(inLen), out, uint32(outLen))
			h.leave()
		}
	}
	if returned != nil {
		*returned = C.uint32_t(n)
	}
	return result(status)
}

//export ksd_ioctl_batch
func ksd_ioctl_batch(number C.ksd_handle, requests *C.ksd_request, count C.uint32_t) C.uint32_t {
	h := handles.get(uint64(number))
	if h == nil || requests == nil {
		return 0
	}
	entered := h.enter()
	for i := range unsafe.Slice(requests, count) {
		r := (*C.ksd_request)(unsafe.Add(unsafe.Pointer(requests), uintptr(i)*C.sizeof_ksd_request))
		var n uint32
		status := entered
		if status == ks.StatusSuccess {
			n, status = h.send(uint32(r.code), r.in, uint32(r.in_len), r.out, uint32(r.out_len))
		}
		r.returned, r.status = C.uint32_t(n), result(status)
	}
	if entered == ks.StatusSuccess {
		h.leave()
	}
	return count
}

// enter waits until the handle has no request in flight, unless it serves many. Whoever is called by a handler of that request would
// wait forever.
func (h *handle) enter() ks.Status {
	if h.many != nil {
		return ks.StatusSuccess
	}
	if !h.mu.TryLock() {
		if C.ksd__inside(C.ksd_handle(h.number)) != 0 {
			return ks.StatusDeviceBusy
		}
		h.mu.Lock()
	}
	return ks.StatusSuccess
}

func (h *handle) leave() {
	if h.many != nil {
		return
	}
	h.ended()
	h.mu.Unlock()
}

func (h *handle) send(code uint32, in unsafe.Pointer, inLen uint32, out unsafe.Pointer, outLen uint32) (n uint32, status ks.Status) {
	if in == nil && inLen != 0 || out == nil && outLen != 0 {
		return 0, ks.StatusAccessViolation
	}
	from, to := unsafe.Slice((*byte)(in), inLen), unsafe.Slice((*byte)(out), outLen)
	if h.many != nil {
		return h.many.ioControl(code, from, to)
	}
	return h.device.IoControl(code, from, to)
}
