//go:build !purego

package arena

import (
	"math"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// The fast paths, and the only file of the package that imports unsafe. purego.go is its twin without; allocSlow and
// freeSlow are the checked twins, which serve everything in invariant builds.

// TryAlloc returns a buffer like AllocUninit does if that takes no more than moving the bump offset, else nil: then the
// caller asks AllocUninit. It is for callers who decide for themselves what comes when it does not.
func (a *Arena) TryAlloc(n int) []byte {
	// With the bump offset falling, one comparison decides: n = 0, a negative n, an n beyond the chunk and an n that wraps
	// all give an offset that is not below the old one.
	off := (a.off - uint(n)) &^ (granule - 1)
	if invariants.Enabled || off >= a.off {
		return nil
	}
	a.off = off
	a.allocs++
	// off+n <= the old a.off < len(cur.mem), so these are the chunk's bytes, and nobody else's: everything below the bump
	// offset is free. Slicing cur.mem instead takes a third longer for the pair, and unsafe.Slice checks more than slicing an array.
	// TestModel would see overlapping buffers.
	return (*[reach]byte)(unsafe.Add(unsafe.Pointer(a.start), off))[:n:n]
}

// reach is more bytes than any chunk has, and few enough for the type of an array: 1<<47, on 32-bit hosts all that there are.
const reach = math.MaxInt >> (16 * (^uint(0) >> 63))

// TryFree frees b like Free does if b is the newest buffer and that takes no more than moving the bump offset; else it
// returns false and does nothing: then the caller asks Free.
func (a *Arena) TryFree(b []byte) bool {
	// The newest buffer begins at the bump offset. a.off < len(cur.mem) even if nothing is allocated, because of the slack,
	// so the address is the chunk's own; both sides are compared, never followed. That does not yet make b a buffer: it may have
	// no capacity, or be one of a closed arena whose mapping lay here, and end beyond the chunk.
	//
	// The address is found from a.off, not a.off from the address: the processor has what it stored last at once, but waits for sums.
	end := a.off + (uint(cap(b))+granule-1)&^(granule-1) // roundUp, which as a call takes too much of Free's budget
	if invariants.Enabled || unsafe.Pointer(unsafe.SliceData(b)) != unsafe.Add(unsafe.Pointer(a.start), a.off) || end > a.top || end == a.off {
		return false
	}
	a.off = end
	a.frees++
	return true
}

// Newest reports that the newest buffer begins at p. It is for callers who keep a buffer for their next request, and want to know that
// neither Reset, Close nor a Free has ended it since. Builds with the tag invariants, which watch each buffer, always say no.
func (a *Arena) Newest(p *byte) bool {
	return !invariants.Enabled && unsafe.Pointer(p) == unsafe.Add(unsafe.Pointer(a.start), a.off)
}

// address returns where b begins, for comparing with other addresses only: nothing turns it into a pointer again. Chunks
// are heap objects or mapped memory, which do not move; a stack may, but holds no chunk.
func address(b []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// memoryAt returns the n bytes that the operating system mapped at addr. The garbage collector does not manage them, so
// that addr is as good as a pointer; the detour through a pointer to addr says so to vet.
//
//lint:ignore U1000 used on windows, whose calls return addresses
func memoryAt(addr uintptr, n int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), n)
}

// view returns the n values of type T in b, which has their size (Make) and an alignment fit for any type (granule). T
// holds no pointers, or the garbage collector would not see them (pointerIn).
func view[T any](b []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// unview is the inverse of view, over the whole capacity of s.
func unview[T any](s []T) []byte {
	var v T
	n := cap(s) * int(unsafe.Sizeof(v))
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), n)
}
