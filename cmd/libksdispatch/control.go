package main

// #include "bridge.h"
import "C"

import (
	"sync"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// controls has the handlers of an object's control codes beyond the four of KS.
type controls struct{ handlers sync.Map } // of uint32 to engine.ControlHandler

// answer is the object's engine.ControlHandler.
func (c *controls) answer(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
	if h, ok := c.handlers.Load(code); ok {
		return h.(engine.ControlHandler)(irp, code, in, out)
	}
	return ks.StatusInvalidDeviceRequest
}

// has reports whether there is a handler.
func (c *controls) has(code uint32) bool {
	_, ok := c.handlers.Load(code)
	return ok
}

//export ksd__object_on_ioctl
func ksd__object_on_ioctl(number C.ksd_object, code C.uint32_t, handler, context C.uintptr_t) C.ksd_status {
	o := objects.get(uint64(number))
	switch c := uint32(code); {
	case o == nil:
		return result(ks.StatusInvalidHandle)
	case c == ks.IoctlProperty || c == ks.IoctlMethod || c == ks.IoctlEnableEvent || c == ks.IoctlDisableEvent:
		return result(ks.StatusInvalidParameter) // those have sets
	case handler == 0:
		o.declared.Load().controls.handlers.Delete(c)
	default:
		o.declared.Load().controls.handlers.Store(c, engine.ControlHandler(function{handler, context}.answerControl))
	}
	return result(ks.StatusSuccess)
}

//export ksd__create_pin
func ksd__create_pin(number C.ksd_handle, connect C.ksd__in, length C.uint32_t, file C.uintptr_t, flags C.uint32_t,
	pin *C.ksd_handle) C.ksd_status {
	h := handles.get(uint64(number))
	request, ok := memory[byte](unsafe.Pointer(connect), length)
	switch {
	case h == nil:
		return result(ks.StatusInvalidHandle)
	case pin == nil || !ok:
		return result(ks.StatusAccessViolation)
	}
	*pin = 0
	made, status := h.device.CreatePin(request)
	if status == ks.StatusSuccess {
		*pin = C.ksd_handle(newHandle(h.object, made, file, flags))
	}
	return result(status)
}
