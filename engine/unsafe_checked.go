//go:build purego || invariants || race

package engine

import "reflect"

// split is documented in unsafe.go.
func split(buffer []byte, outLen, at, inLen uint) (data, request []byte) {
	return buffer[:outLen:outLen], buffer[at : at+inLen : at+inLen]
}

// addressOf is documented in unsafe.go. What package reflect is asked about moves to the heap, and so do buffers that would be on
// a caller's stack: a purego build allocates them.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(reflect.ValueOf(&b[0]).Pointer())
}
