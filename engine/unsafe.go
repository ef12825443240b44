//go:build !(purego || invariants || race)

package engine

import "unsafe"

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// window is what a buffer of the short way is seen as: slicing an array costs a comparison with a constant, slicing a slice
// also the length and the capacity of what is left (12 instructions a request).
type window = [express]byte

// split returns the two parts of the buffer of a request, data and the copied request (P-6). Both are shorter than express,
// as IoControl checked, or slicing panics; that they lie within buffer, which TryAlloc made at+inLen long, is not checked
// here. Reaching beyond would be seen by the twin, in every test that sends a request.
func split(buffer []byte, outLen, at, inLen uint) (data, request []byte) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	return (*window)(p)[:outLen:outLen], (*window)(unsafe.Add(p, at))[:inLen:inLen]
}

// addressOf returns the address of a client's buffer as a name for what it holds, 0 for an empty one. It is compared with other
// such names and leads nowhere: not to memory, and not the garbage collector. A buffer on the stack of its goroutine moves with
// it, so clients keep what names an event elsewhere.
func addressOf(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}
