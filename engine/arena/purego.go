//go:build purego

package arena

import (
	"reflect"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// The twin of unsafe.go for builds that may not import unsafe. Make needs unsafe and is absent; so is memory off the heap.

// TryAlloc is documented in unsafe.go.
func (a *Arena) TryAlloc(n int) []byte {
	off := (a.off - uint(n)) &^ (granule - 1)
	if invariants.Enabled || off >= a.off {
		return nil
	}
	a.off = off
	a.allocs++
	return a.cur.mem[off : off+uint(n) : off+uint(n)]
}

// TryFree is documented in unsafe.go.
func (a *Arena) TryFree(b []byte) bool {
	end := a.off + roundUp(uint(cap(b)))
	if invariants.Enabled || end > a.top || end == a.off || &b[:1][0] != &a.cur.mem[a.off] {
		return false
	}
	a.off = end
	a.frees++
	return true
}

// Newest is documented in unsafe.go.
func (a *Arena) Newest(p *byte) bool { return !invariants.Enabled && p == &a.cur.mem[a.off] }

// address returns where b, whose capacity is not 0, begins.
func address(b []byte) uintptr { return reflect.ValueOf(&b[:1][0]).Pointer() }
