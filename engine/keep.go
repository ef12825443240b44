package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// An IRP with a pool of its own keeps the buffer of a short request for the next one: the arena is asked for nothing, and SystemBuffer
// changes its length only. What is kept must be the newest buffer of the pool still, or the next request takes another. It is left over
// in SystemBuffer meanwhile, so that whatever is no short request frees it first.

// keptSize is how long such a buffer is: enough for most requests.
const keptSize = 128

// KeepBuffer says that Pool is the IRP's own, as that of a handle is: IoControl then keeps a buffer of 128 bytes from one short
// request to the next, in place of allocating one for each. It is live until the pool is closed. A handler that sets Pool changes
// nothing: it is put back. Call KeepBuffer before the first request, and send all by IoControl, a Ref or a batch.
func (irp *IRP) KeepBuffer() {
	x := irp.more()
	x.keeps, x.pool = true, irp.Pool
	atomic.OrUint32(&irp.closed, closedKeeps)
}

// takeShort gives a request on the short path a buffer of n bytes. It returns false if that is not simply the arena's next one.
func (irp *IRP) takeShort(n int) bool {
	if irp.kept {
		irp.freeBuffer().Raise()
	}
	size, keeps := n, n <= keptSize && irp.extra != nil && irp.extra.keeps
	if keeps {
		size = keptSize
	}
	b := irp.Pool.TryAlloc(size)
	if b == nil {
		return false
	}
	irp.SystemBuffer = b[:n] // the pool frees what has its capacity
	irp.base.set(b)
	irp.kept = keeps
	return true
}

// freeBuffer frees the request's buffer.
func (irp *IRP) freeBuffer() (misuse invariants.Violation) {
	b := irp.SystemBuffer
	if irp.kept {
		b, irp.kept = irp.base.buffer(keptSize), false // a handler may have changed SystemBuffer
		irp.ownPool()
	}
	irp.SystemBuffer = nil
	return free(irp.Pool, b)
}

// freeOlder frees a buffer that is not the newest one of irp.Pool.
//
//go:noinline
func (irp *IRP) freeOlder(b []byte) {
	irp.ownPool()
	irp.Pool.Free(b)
}

// ownPool puts back the pool that is an IRP's own, if a handler changed it. A kept buffer is not the newest one of another pool, nor is
// one that is freed: so requests that find all as it should be need not look.
func (irp *IRP) ownPool() {
	if invariants.Enabled {
		return // the arena names a buffer that is not its own
	}
	if x := irp.extra; x != nil && x.keeps && x.pool != irp.Pool {
		irp.Pool = x.pool
	}
}
