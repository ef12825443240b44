//go:build !(purego || invariants || race)

package trace

import (
	"encoding/binary"
	"unsafe"
)

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// putAddress writes the address of a client's buffer, as a name for what it holds; 0 for an empty one.
func putAddress(to []byte, at int, b []byte) {
	var name uint64
	if len(b) != 0 {
		name = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	}
	binary.LittleEndian.PutUint64(to[at:], name)
}
