//go:build !(purego || invariants || race)

package engine

import (
	"encoding/binary"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// window is what a buffer of the short path is seen as: slicing an array costs a comparison with a constant, slicing a slice
// also the length and the capacity of what is left (12 instructions a request).
type window = [8 + ks.SizeIdentifier]byte

// split returns the parts of the buffer of a request with 1 to 8 bytes of output and no more than an identifier, and clears its
// data. That they lie within buffer, which TryAlloc made 32 bytes long, is not checked here: the twin does.
func split(buffer []byte, out int) (request, data []byte) {
	p := (*window)(unsafe.Pointer(unsafe.SliceData(buffer)))
	binary.LittleEndian.PutUint64(p[:], 0)
	return p[8:], p[:out:out]
}

// first returns &b[0].
func first(b []byte) *byte { return unsafe.SliceData(b) }

// addressOf returns the address of a client's buffer as a name for what it holds, 0 for an empty one. It is compared with other
// such names and leads nowhere: not to memory, and not the garbage collector. A buffer on the stack of its goroutine moves with
// it, so clients keep what names an event elsewhere.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}
