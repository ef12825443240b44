//go:build purego || invariants || race

package trace

import (
	"encoding/binary"
	"reflect"
	"sync/atomic"
)

// putAddress is documented in unsafe.go.
func putAddress(to []byte, at int, b []byte) {
	var name uint64
	if len(b) != 0 {
		name = uint64(reflect.ValueOf(&b[0]).Pointer())
	}
	binary.LittleEndian.PutUint64(to[at:], name)
}

// publish is documented in unsafe.go.
func publish(used *atomic.Uint32, at uint32) { used.Store(at) }
