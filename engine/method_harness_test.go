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

// wantMethod sends q through every path and checks status, Information and the whole output. The answer is that of Method.
func (h *host) wantMethod(q request, status ks.Status, info uint64, out []byte) answer {
	h.Helper()
	var first answer
	for i, p := range paths {
		a := h.viaMethod(p, q)
		if a.status != status || a.info != info || !bytes.Equal(a.out, out) {
			h.Errorf("%s %v: %v, Information %d, output % x; want %v, %d, % x (decided by %s)", p, q, a.status, a.info, a.out, status, info, out,
				a.rule)
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
