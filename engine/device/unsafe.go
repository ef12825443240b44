//go:build !(purego || invariants || race)

package device

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine"
)

// This is the package's only file with package unsafe. unsafe_checked.go is its twin, for purego, invariants and race builds.

// ordered says that the processor lets all others see stores in the order in which it made them.
const ordered = runtime.GOARCH == "amd64"

// setState stores a state, with what was stored before. An atomic store also waits until all stores are seen, which takes 6 ns.
func (o *Overlapped) setState(s uint64) {
	if ordered {
		*(*uint64)(unsafe.Pointer(&o.state)) = s
	} else {
		o.state.Store(s)
	}
}

// counter is where one meter counts, in each shard.
type counter struct {
	first        unsafe.Pointer // to its counter in the first
	stride, mask uintptr        // in bytes: from one to the next, and what is an offset of one from the first
}

// counter returns the counter of a meter.
func (c *counters) counter(meter int) counter {
	const size = unsafe.Sizeof(atomic.Uint64{})
	stride := uintptr(c.stride) * size
	return counter{unsafe.Pointer(&c.all[meter]), stride, uintptr(len(c.all))*size - stride}
}

// of is the counter in one of the shards, among which the requests of different handles are spread by where their IRPs are: an IRP has
// more than 256 bytes. The offset is a multiple of stride and not more than mask, so that the counter is one of counters.all: looking its
// index up there takes 0.4 ns of the 3 that counting takes.
func (c counter) of(irp *engine.IRP) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Add(c.first, uintptr(unsafe.Pointer(irp))>>8*c.stride&c.mask))
}
