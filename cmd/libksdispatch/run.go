package main

// #include "bridge.h"
import "C"

import (
	"runtime"
	"unsafe"
)

//export ksd_run
func ksd_run(f C.ksd__function, context unsafe.Pointer) {
	if f == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: what f leaves on the thread ends with it
		C.ksd__run(f, context)
	}()
	<-done
}
