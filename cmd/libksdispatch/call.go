package main

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A call is a ksd_call and the request that is in it. A plain handle has one, which its requests use in turn; a concurrent one makes
// as many as it has had requests in handlers at once. They end with the handle.
type call struct {
	c      *C.ksd__call // C's memory
	handle *handle
	number uint64 // in calls
	uses   uint32 // how often it was used
	irp    *engine.IRP
	cancel func(*engine.IRP) // the cancel routine of its requests
	left   atomic.Int32      // of two who had a request that another completes, or will

	// token names the request for ksd_complete. While one who got the right to complete the request does so it is ending(token), and 0
	// afterwards.
	token atomic.Uint64
}

// ending is no token, as that has the kind of its table in its lowest bits.
func ending(token uint64) uint64 { return token &^ 3 }

var calls = numbers[call]{kind: 3}

// handler returns a handler that calls a function of C, or nil for NULL.
func handler(function C.uintptr_t, item *C.ksd__item) engine.Handler {
	if function == 0 {
		return nil
	}
	context := item.context
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		return callHandler(function, context, irp, verbOf(request), request, data)
	}
}

// controlHandler is handler for a control code.
func controlHandler(function, context C.uintptr_t) engine.ControlHandler {
	return func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
		return callHandler(function, context, irp, code, in, out)
	}
}

// callHandler calls a function of C for a request.
func callHandler(function, context C.uintptr_t, irp *engine.IRP, verb uint32, request, data []byte) ks.Status {
	h := irp.FileObject.Context.(*handle)
	var c *call
	if h.many == nil && h.calls != nil {
		c = h.calls[0]
	} else {
		c = h.takeCall()
	}
	c.uses++
	token := uint64(c.uses)<<32 | c.number&0xffffffff
	c.irp = irp
	k := c.c
	k.verb = C.uint32_t(verb)
	k.context = context
	k.request, k.request_len = address(request), C.uint32_t(len(request))
	k.data, k.data_len = address(data), C.uint32_t(len(data))
	k.information = 0
	k.token = C.uint64_t(token)
	c.token.Store(token)

	status := ks.Status(C.ksd__handle(function, C.uintptr_t(uintptr(unsafe.Pointer(k)))))

	if status == ks.StatusPending {
		irp.SetCancelRoutine(c.cancel) // of one that is completed already this is refused
		c.leave()
		return status
	}
	irp.IoStatus.Information = uint64(k.information)
	if c.token.CompareAndSwap(token, 0) {
		c.release() // as no other can have it
		return status
	}
	for c.token.Load() == ending(token) { // it was completed, and then answered all the same: irp must not serve another yet
		runtime.Gosched()
	}
	c.leave()
	return status
}

// address is where bytes of the arena are, which is no memory of Go.
func address(b []byte) C.uintptr_t {
	if len(b) == 0 {
		return 0
	}
	return C.uintptr_t(uintptr(unsafe.Pointer(&b[0])))
}

//export ksd_complete
func ksd_complete(token C.uint64_t, status C.ksd_status, information C.uint64_t) C.ksd_status {
	if ks.Status(status) == ks.StatusPending {
		return result(ks.StatusInvalidParameter)
	}
	if !complete(uint64(token), ks.Status(status), uint64(information)) {
		return result(ks.StatusInvalidHandle)
	}
	return result(ks.StatusSuccess)
}

// complete ends the request of a token, and reports whether it did. Of those who try, one gets the right to.
func complete(token uint64, status ks.Status, information uint64) bool {
	c := calls.at(token)
	if c == nil || !c.token.CompareAndSwap(token, ending(token)) {
		return false
	}
	counted := c.irp.Complete(status, information)
	c.token.CompareAndSwap(ending(token), 0) // else the next request of a plain handle uses it
	c.leave()
	return counted
}

// leave is called by the handler's caller and by whoever completes the request. After both the call may serve another.
func (c *call) leave() {
	if c.handle.many != nil && c.left.Add(1) == 2 {
		c.left.Store(0)
		c.release()
	}
}

// release makes the call free. That of a plain handle always is when its next request comes.
func (c *call) release() {
	if h := c.handle; h.many != nil {
		h.callsMu.Lock()
		h.freeCalls = append(h.freeCalls, c)
		h.callsMu.Unlock()
	}
}

// takeCall returns a call for a request of a handle that serves many, or the first of another.
func (h *handle) takeCall() *call {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	if n := len(h.freeCalls); n != 0 {
		c := h.freeCalls[n-1]
		h.freeCalls = h.freeCalls[:n-1]
		return c
	}
	c := &call{c: (*C.ksd__call)(C.calloc(1, C.sizeof_ksd_call)), handle: h}
	c.cancel = func(*engine.IRP) { complete(c.token.Load(), ks.StatusCancelled, 0) }
	c.c.size, c.c.file, c.c.handle = C.sizeof_ksd_call, h.file, C.ksd_handle(h.number)
	c.number = calls.add(c)
	h.calls = append(h.calls, c)
	return c
}

// endCalls ends the calls of a handle that has no requests any more.
func (h *handle) endCalls() {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	for _, c := range h.calls {
		c.token.Store(0)
		calls.remove(c.number)
		C.free(unsafe.Pointer(c.c))
	}
	h.calls, h.freeCalls = nil, nil
}
