//go:build invariants && !race

package engine

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ending is the completion that counted for the last request of an IRP: what it takes to name one that does not count.
type ending struct {
	by     uint64 // the goroutine, 0 before there is one
	status uint32
}

// begin forgets the completion of the request before.
func (x *ending) begin() { atomic.StoreUint64(&x.by, 0) }

// note notes the completion that has just become the one that counts.
func (x *ending) note(status ks.Status) {
	atomic.StoreUint32(&x.status, uint32(status))
	atomic.StoreUint64(&x.by, invariants.Goroutine())
}

// ender returns the goroutine that completed the request, and with what; 0 if none did.
func (irp *IRP) ender() (goroutine uint64, status ks.Status) {
	for atomic.LoadUint32(&irp.state)&stateCompleting != 0 && atomic.LoadUint64(&irp.ending.by) == 0 {
		runtime.Gosched() // it is about to be noted
	}
	goroutine = atomic.LoadUint64(&irp.ending.by)
	return goroutine, ks.Status(atomic.LoadUint32(&irp.ending.status))
}

// surplus panics because a completion does not count, unless it lost to Close or another who cancels: that is nobody's mistake.
func (irp *IRP) surplus() {
	switch by, status := irp.ender(); {
	case by == 0:
		panic(invariants.Violation("engine: Complete of a request that is not pended: no handler has it, or its handler has returned " +
			"something else than STATUS_PENDING (AS-2)"))
	case status != ks.StatusCancelled:
		panic(invariants.Violation(fmt.Sprintf("engine: Complete of a request that goroutine %d has completed with %v: "+
			"one completion counts (AS-2)", by, status)))
	}
}

// handedOver returns the violation of a handler whose request another goroutine has completed and that does not return STATUS_PENDING:
// had it returned earlier, both would have counted.
func (irp *IRP) handedOver() invariants.Violation {
	by, status := irp.ender()
	if by == 0 || by == invariants.Goroutine() {
		return ""
	}
	return invariants.Violation(fmt.Sprintf("engine: a handler handed its request over and did not return STATUS_PENDING, "+
		"while goroutine %d completed it with %v: both may count (AS-1)", by, status))
}
