//go:build !purego

package arena

import (
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// AllocUninit returns a buffer like Alloc does, whose contents are undefined: what a former owner left, in invariant
// builds 0xCC.
//
// One comparison decides: with the bump offset falling, n = 0, a negative n, an n beyond the chunk and an n that wraps
// all give an offset that is not below the old one, and go to allocSlow.
func (a *Arena) AllocUninit(n int) ([]byte, error) {
	off := (a.off - uint(n)) &^ (granule - 1)
	if invariants.Enabled || off >= a.off {
		return a.allocSlow(n)
	}
	a.off = off
	a.allocs++
	// off+n <= the old a.off <= len(a.mem), so the bytes are the chunk's. allocSlow is the checked twin: it slices.
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.mem)), off)), n), nil
}

// Free gives the buffer b back. b must be a slice that this arena returned, or a reslice of it that kept its start and
// capacity. The newest buffer's memory is handed out next; any other's when its whole chunk is free.
//
// A nil or empty b is ignored. So is, in production builds, a b that does not come from this arena or is not the start of
// a live range: Stats.Strays counts it. Freeing a buffer twice is an error that production builds cannot always see;
// invariant builds panic on all of these.
func (a *Arena) Free(b []byte) {
	// The newest buffer begins at the bump offset. The address is inside the chunk's memory even if nothing is allocated,
	// because of the slack at its end, so no other memory can have it.
	if invariants.Enabled || unsafe.Pointer(unsafe.SliceData(b)) != unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.mem)), a.off) {
		a.freeSlow(b)
		return
	}
	a.off += roundUp(uint(cap(b)))
	a.frees++
}

// address returns where b begins, for comparing with other addresses only. The memory cannot move while that happens:
// chunks are heap objects or mapped memory, and what the stack may move is never found among them.
func address(b []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// view returns the n values of type T that b holds. b is aligned for any type (granule) and large enough (Make).
func view[T any](b []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
