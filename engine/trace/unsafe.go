//go:build !(purego || invariants || race)

package trace

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
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

// publish is used.Store without its locked instruction, which waits until all that was stored before is seen: 4 ns of the 18 that recording
// took. On amd64 stores are seen in their order, so who sees this one sees the record. What is loaded after it may be older than it, which
// retire allows for.
func publish(used *atomic.Uint32, at uint32) {
	if runtime.GOARCH != "amd64" {
		used.Store(at)
		return
	}
	*(*uint32)(unsafe.Pointer(used)) = at
}

func plainStore(p *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }
