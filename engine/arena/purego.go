//go:build purego

package arena

import (
	"reflect"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// AllocUninit is documented in unsafe.go, whose twin this file is.
func (a *Arena) AllocUninit(n int) ([]byte, error) {
	off := (a.off - uint(n)) &^ (granule - 1)
	if invariants.Enabled || off >= a.off {
		return a.allocSlow(n)
	}
	a.off = off
	a.allocs++
	return a.mem[off : off+uint(n) : off+uint(n)], nil
}

// Free is documented in unsafe.go.
func (a *Arena) Free(b []byte) {
	if invariants.Enabled || cap(b) == 0 || &b[:1][0] != &a.mem[a.off] {
		a.freeSlow(b)
		return
	}
	a.off += roundUp(uint(cap(b)))
	a.frees++
}

func address(b []byte) uintptr { return reflect.ValueOf(&b[:1][0]).Pointer() }
