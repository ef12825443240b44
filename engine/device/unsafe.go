//go:build !(purego || invariants || race)

package device

import (
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
)

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// shardOf is a number by which the requests of different handles are spread: it leads nowhere. An IRP has more than 256 bytes.
func shardOf(irp *engine.IRP) uint { return uint(uintptr(unsafe.Pointer(irp)) >> 8) }
