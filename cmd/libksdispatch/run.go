package main

// #include "bridge.h"
import "C"

import "runtime"

//export ksd__run_there
func ksd__run_there(f, context C.uintptr_t) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: what f leaves on the thread ends with it
		C.ksd__run(f, context)
	}()
	<-done
}
