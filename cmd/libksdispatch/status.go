package main

// #include "bridge.h"
import "C"

import (
	"strings"
	"sync"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

//export ksd_abi
func ksd_abi() C.uint32_t { return C.KSD_ABI }

//export ksd_win32
func ksd_win32(status C.ksd_status) C.uint32_t { return C.uint32_t(ks.Status(status).Win32()) }

// statusNames has C's copies of the names of statuses, which are never freed.
var statusNames sync.Map // of ks.Status to *C.char

var unnamed = lasting("")

//export ksd_status_name
func ksd_status_name(status C.ksd_status) C.ksd__text {
	s := ks.Status(status)
	if name, ok := statusNames.Load(s); ok {
		return C.ksd__text(name.(*C.char))
	}
	text := s.String()
	if !strings.HasPrefix(text, "STATUS_") {
		return C.ksd__text(unnamed)
	}
	name, _ := statusNames.LoadOrStore(s, lasting(text))
	return C.ksd__text(name.(*C.char))
}

// lasting returns a text that is C's for good.
func lasting(text string) *C.char {
	s := C.CString(text)
	C.ksd__ignore(unsafe.Pointer(s))
	return s
}

// result is a status as C has it.
func result(s ks.Status) C.ksd_status { return C.ksd_status(s) }
