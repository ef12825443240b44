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

// A call is a ksd_call and the request that is in it. A plain handle has one, which its requests use in turn; a concurrent one makes
// as many as it has had requests in handlers at once. They end with the handle.
//
// A request that its handler answers, as most are, costs no atomic exchange: its token is c.running while the handler runs, and nobody's
// afterwards. Who completes it in that time leaves the result in early, and it ends when the handler returns.
type call struct {
	c      *C.ksd__call // C's memory
	handle *handle
	number uint64 // in calls
	uses   uint32 // how often it was used
	irp    *engine.IRP
	cancel func(*engine.IRP) // the cancel routine of its requests
	left   atomic.Int32      // of two who had a request that another completes, or will

	mu          sync.Mutex    // of those who complete, and of a handler's caller that they may meet
	ended       bool          // c is free
	pended      uint64        // the token of a request whose handler has left it pending, until one gets the right to complete it
	early       atomic.Uint64 // the last token that was completed while its handler ran
	status      ks.Status     // of early
	information uint64
}

var calls = numbers[call]{kind: 3}

// A function of C answers requests.
type function struct{ pointer, context C.uintptr_t }

// handler returns a handler that calls a function of C, or nil for NULL.
func handler(pointer C.uintptr_t, item *C.ksd__item) engine.Handler {
	if pointer == 0 {
		return nil
	}
	return function{pointer, item.context}.answer
}

func (f function) answer(irp *engine.IRP, request, data []byte) ks.Status {
	return f.call(irp, verbOf(request), request, data)
}

// answerControl is answer for a control code.
func (f function) answerControl(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
	return f.call(irp, code, in, out)
}

// call calls the function for a request.
func (f function) call(irp *engine.IRP, verb uint32, request, data []byte) ks.Status {
	h := irp.FileObject.Context.(*handle)
	c := h.only
	if c == nil {
		c = h.takeCall()
	}
	c.uses++
	token := uint64(c.uses)<<32 | c.number&0xffffffff
	c.irp = irp
	k := c.c
	k.size, k.verb = C.sizeof_ksd_call, C.uint32_t(verb) // all of it: a handler may have written to it
	k.context, k.file, k.handle = f.context, h.file, C.ksd_handle(h.number)
	k.request, k.request_len = address(request), C.uint32_t(len(request))
	k.data, k.data_len = address(data), C.uint32_t(len(data))
	k.information = 0
	k.token = C.uint64_t(token)
	k.handler = f.pointer

	C.ksd__handle(C.uintptr_t(uintptr(unsafe.Pointer(k))))

	status := ks.Status(k.status)
	if status != ks.StatusPending && c.early.Load() != token {
		irp.IoStatus.Information = uint64(k.information)
		c.release()
		return status
	}
	return c.returned(token, status)
}

// returned is what follows on a handler that has left its request pending, or whose request another has completed.
func (c *call) returned(token uint64, status ks.Status) ks.Status {
	irp := c.irp
	c.mu.Lock()
	atomic.StoreUint64(running(c.c), 0)
	if c.early.Load() == token {
		result, information := c.status, c.information
		c.mu.Unlock()
		irp.Complete(result, information)
		c.release()
		return status
	}
	c.pended = token
	c.mu.Unlock()
	irp.SetCancelRoutine(c.cancel) // of one that is completed already this is refused
	c.leave()
	return status
}

func running(c *C.ksd__call) *uint64 { return (*uint64)(unsafe.Pointer(&c.running)) }

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
	if c := calls.at(uint64(token)); c == nil || !c.complete(uint64(token), ks.Status(status), uint64(information)) {
		return result(ks.StatusInvalidHandle)
	}
	return result(ks.StatusSuccess)
}

// complete ends the request of a token, or has it ended when its handler returns. It reports whether it is the one who did.
func (c *call) complete(token uint64, status ks.Status, information uint64) bool {
	c.mu.Lock()
	switch {
	case c.pended == token:
		return c.completePended(status, information)
	case !c.ended && atomic.LoadUint64(running(c.c)) == token && c.early.Load() != token:
		c.status, c.information = status, information
		c.early.Store(token)
		c.mu.Unlock()
		return true
	}
	c.mu.Unlock()
	return false
}

// completePended is called with mu.
func (c *call) completePended(status ks.Status, information uint64) bool {
	irp := c.irp
	c.pended = 0
	c.mu.Unlock()
	counted := irp.Complete(status, information)
	c.leave()
	return counted
}

// cancelled is the cancel routine. The call may have a request of another IRP by now.
func (c *call) cancelled(irp *engine.IRP) {
	c.mu.Lock()
	if c.pended == 0 || c.irp != irp {
		c.mu.Unlock()
		return
	}
	c.completePended(ks.StatusCancelled, 0)
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
	c := &call{c: (*C.ksd__call)(C.calloc(1, C.sizeof_ksd__call)), handle: h}
	C.ksd__ignore(unsafe.Pointer(c.c))
	c.cancel = c.cancelled
	c.number = calls.add(c)
	h.calls = append(h.calls, c)
	if h.many == nil {
		h.only = c
	}
	return c
}

// endCalls ends the calls of a handle that has no requests any more.
func (h *handle) endCalls() {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	for _, c := range h.calls {
		calls.remove(c.number)
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		C.free(unsafe.Pointer(c.c))
	}
	h.only, h.calls, h.freeCalls = nil, nil, nil
}
