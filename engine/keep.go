package engine

import "github.com/ksdispatch/ksdispatch/engine/internal/invariants"

// An IRP with a pool of its own keeps the buffer of a short request for the next one: the arena is asked for nothing, and SystemBuffer
// changes its length only. What is kept must be the newest buffer of the pool still, or the next request takes another. It is left over
// in SystemBuffer meanwhile, so that whatever is no short request frees it first.

// keptSize is how long such a buffer is: enough for most requests.
const keptSize = 128

// KeepBuffer says that Pool is the IRP's own, as that of a handle is: IoControl then keeps a buffer of 128 bytes from one short request
// to the next, in place of allocating one for each. It is live until the pool is closed. Call KeepBuffer before the first request, and
// send all by IoControl, a Ref or a batch.
func (irp *IRP) KeepBuffer() { irp.more().keeps = true }

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
	if irp.kept = keeps; keeps {
		irp.extra.pool = irp.Pool
	}
	return true
}

// freeBuffer frees the request's buffer.
func (irp *IRP) freeBuffer() (misuse invariants.Violation) {
	b := irp.SystemBuffer
	if irp.kept {
		b, irp.kept = irp.base.buffer(keptSize), false // a handler may have changed SystemBuffer
	}
	irp.SystemBuffer = nil
	return free(irp.Pool, b)
}
