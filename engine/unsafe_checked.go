//go:build purego || invariants || race

package engine

import (
	"reflect"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// split is documented in unsafe.go.
func split(buffer []byte, out int) (request, data []byte) {
	clear(buffer[:8])
	return buffer[8 : 8+ks.SizeIdentifier : 8+ks.SizeIdentifier], buffer[:out:out]
}

// first is documented in unsafe.go.
func first(b []byte) *byte { return &b[0] }

// addressOf is documented in unsafe.go. What package reflect is asked about moves to the heap, and so do buffers that would be on
// a caller's stack: a purego build allocates them.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(reflect.ValueOf(&b[0]).Pointer())
}
