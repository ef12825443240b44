package engine_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Flags of methods, short enough for tables.
const (
	send          = ks.MethodTypeSend
	methodSupport = ks.MethodTypeBasicSupport
	methodSets    = ks.MethodTypeSetSupport
	none          = ks.MethodTypeNone
	reads         = ks.MethodTypeRead
	writes        = ks.MethodTypeWrite
	modifies      = ks.MethodTypeModify
	source        = ks.MethodTypeSource
)

// methodKinds are the rows and columns of M-4.
var methodKinds = []uint32{none, reads, writes, modifies, none | source, reads | source, writes | source, modifies | source}

// oneMethod is a host with one method of setA whose handlers are recorded.
func oneMethod(t testing.TB, item engine.MethodItem) *host {
	t.Helper()
	h := &host{TB: t}
	for _, f := range []*engine.Handler{&item.Handler, &item.Support} {
		if *f != nil {
			*f = h.wrap(*f)
		}
	}
	h.recompile(engine.Config{MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{item}}}})
	return h
}

// method returns a request for method 1 of setA.
func method(flags uint32, out []byte, extra ...byte) request {
	return request{set: setA, id: 1, flags: flags, out: out, extra: extra}
}

// viaMethod is via for methods. What the output is to be is the caller's to check.
func (h *host) viaMethod(p path, q request) answer {
	h.Helper()
	var a answer
	irp := h.irp(q)
	if p == viaDevice {
		h.device.SetMode(q.mode)
		n, status := h.device.IoControl(ks.IoctlMethod, irp.Type3InputBuffer, irp.UserBuffer)
		a = answer{status: status, info: uint64(n), out: irp.UserBuffer}
	} else {
		before, calls := h.pool.Stats(), len(h.allocs)
		if p == viaProperty {
			a.status = h.Method(irp)
		} else {
			a.status = h.MethodWithAllocator(irp, h.allocator)
		}
		if a.status == ks.StatusPending {
			h.Fatalf("%s %v: the harness does not wait", p, q)
		}
		if irp.IoStatus.Status != untouchedStatus {
			h.Errorf("%s %v: the dispatcher wrote IoStatus.Status (P-1)", p, q)
		}
		a.info, a.flags, a.rule = irp.IoStatus.Information, irp.Flags, irp.Rule()
		a.buffers = int(h.pool.Stats().Allocs-before.Allocs) + len(h.allocs) - calls
		if n := irp.Finish(a.status, irp.UserBuffer); a.status.IsError() && n != 0 || !a.status.IsError() && uint64(n) != a.info {
			h.Errorf("%s %v: Finish(%v) returns %d, Information %d", p, q, a.status, n, a.info)
		}
		if len(h.allocs) != calls {
			irp.SystemBuffer = nil // the owner of P-13
		}
		a.out = irp.UserBuffer
		if irp.SystemBuffer != nil || irp.Flags != 0 || h.pool.Stats().Live != before.Live {
			h.Errorf("%s %v: after completion SystemBuffer %d bytes, Flags %#x, %d buffers live, before %d (S-9)", p, q,
				len(irp.SystemBuffer), irp.Flags, h.pool.Stats().Live, before.Live)
		}
	}
	if a.status.IsError() && a.info != 0 {
		h.Errorf("%s %v: %v with Information %d (N-1)", p, q, a.status, a.info)
	}
	if !bytes.Equal(irp.Type3InputBuffer, q.bytes()) {
		h.Errorf("%s %v: the input was written", p, q)
	}
	return a
}

// wantMethod sends q through every path and checks status, Information and the whole output. The answer is that of Method.
func (h *host) wantMethod(q request, status ks.Status, info uint64, out []byte) answer {
	h.Helper()
	var first answer
	for i, p := range paths {
		a := h.viaMethod(p, q)
		if a.status != status || a.info != info || !bytes.Equal(a.out, out) {
			h.Errorf("%s %v: %v, Information %d, output % x; want %v, %d, % x (decided by %s)", p, q, a.status, a.info, a.out, status, info, out, a.rule)
		}
		if i == 0 {
			first = a
		}
	}
	return first
}

// wantUnwritten is wantMethod for a request that leaves the output alone.
func (h *host) wantUnwritten(q request, status ks.Status, info uint64) answer {
	h.Helper()
	return h.wantMethod(q, status, info, slices.Clone(q.out))
}

// fills writes value over all of the data, and says that so many bytes are produced.
func fills(value byte, information uint64) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		for i := range data {
			data[i] = value
		}
		irp.IoStatus.Information = information
		return ks.StatusSuccess
	}
}

// lockable is memory that lends its output, and counts.
type lockable struct {
	*memory
	kernelRange     bool // addresses that only the kernel may use (S-8)
	locks, unlocks  int
	access          []engine.LockOperation
	modes           []engine.Mode
	short, panicked bool
}

func (m *lockable) LockOutput(n uint32, access engine.LockOperation, mode engine.Mode) ([]byte, ks.Status) {
	m.access, m.modes = append(m.access, access), append(m.modes, mode)
	if m.panicked {
		panic("memory")
	}
	switch {
	case m.kernelRange && mode == engine.UserMode, m.readOnly && access != engine.ReadAccess, uint64(n) > uint64(m.outLimit):
		return nil, m.fault
	}
	m.locks++
	if m.short {
		return m.out[:n-1], ks.StatusSuccess
	}
	return m.out, ks.StatusSuccess
}

func (m *lockable) UnlockOutput() { m.unlocks++ }

// inLockable returns the IRP of q with its buffers in a memory that lends them.
func (h *host) inLockable(q request) (*engine.IRP, *lockable) {
	irp, m := h.inMemory(q)
	l := &lockable{memory: m}
	irp.Memory = l
	return irp, l
}
