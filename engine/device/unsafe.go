//go:build !(purego || invariants || race)

package device

import (
	"runtime"
	"unsafe"
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
