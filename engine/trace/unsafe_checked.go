//go:build purego || invariants || race

package trace

import (
	"encoding/binary"
	"reflect"
)

// putAddress is documented in unsafe.go.
func putAddress(to []byte, at int, b []byte) {
	var name uint64
	if len(b) != 0 {
		name = uint64(reflect.ValueOf(&b[0]).Pointer())
	}
	binary.LittleEndian.PutUint64(to[at:], name)
}
