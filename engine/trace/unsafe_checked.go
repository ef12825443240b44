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

// recordAt, wordAt and cut are documented in unsafe.go.
func recordAt(b []byte, at uint64) *[recordHeader]byte { return (*[recordHeader]byte)(b[at:]) }

func wordAt(b []byte, at uint64) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

func cut(b []byte, at uint64, n uint32) []byte { return b[at : at+uint64(n) : at+uint64(n)] }
