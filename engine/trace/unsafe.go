//go:build !(purego || invariants || race)

package trace

import (
	"encoding/binary"
	"math"
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

// recordAt, wordAt and cut are what a batch is gathered with: the header of a record, 8 bytes, and n bytes at an offset of b. Who calls
// them has seen that these lie within b, and that there is at least one, so that nothing points behind b: the compiler, which does not
// follow such sums, would check it again (25 instructions a request). The twin does.
func recordAt(b []byte, at uint64) *[recordHeader]byte {
	return (*[recordHeader]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))
}

func wordAt(b []byte, at uint64) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))[:])
}

func cut(b []byte, at uint64, n uint32) []byte {
	return (*[math.MaxUint32 & math.MaxInt]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))[:n:n]
}
