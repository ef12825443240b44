package main

// #include <stdint.h>
import "C"

import (
	"math"
	"unsafe"
)

// memory returns n values of C's at p, or false for NULL, and where no memory could be that long. With the length 0, p is not looked at.
func memory[T any](p unsafe.Pointer, n C.uint32_t) (values []T, ok bool) {
	if n == 0 {
		return nil, true
	}
	size := uint64(n) * uint64(unsafe.Sizeof(*new(T)))
	if p == nil || size > math.MaxInt || uintptr(size-1) > ^uintptr(p) {
		return nil, false
	}
	return unsafe.Slice((*T)(p), n), true
}
