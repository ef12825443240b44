package lab

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// guarded is bare with each handler called under a deferred recover. P-21 and F-6 make an answer of a panic, so that no dispatch can
// take less.
func (b *bed) guarded(n int) (failed uint64) {
	reqs, out, irp := b.requests, b.out, &b.irp
	for i := range n {
		r := &reqs[i&(Requests-1)]
		in := r.in[:24]
		if binary.LittleEndian.Uint32(in[20:]) == 0 {
			failed++
		}
		if guard(irp, in, out[:r.out], b.calls[in[16]%16]) != ks.StatusSuccess {
			failed++
		}
	}
	return failed
}

// guard is the cheapest that was found: the engine's own.
func guard(irp *engine.IRP, request, data []byte, handler engine.Handler) (status ks.Status) {
	status = ks.StatusSomeNotMapped
	defer func() {
		if status == ks.StatusSomeNotMapped && recover() != nil {
			status = ks.StatusAccessViolation
		}
	}()
	status = handler(irp, request, data)
	return status
}
