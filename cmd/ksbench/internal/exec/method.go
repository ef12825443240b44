package exec

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// LockOutput is engine.LockableMemory: the output buffer itself for a method that writes to it, a copy for one that reads, so
// that nothing comes back. A buffer of which only the beginning is there is made whole for it.
func (m *callerMemory) LockOutput(n uint32, access engine.LockOperation, _ engine.Mode) ([]byte, ks.Status) {
	m.observe()
	if m.faultOut {
		return nil, ks.StatusAccessViolation
	}
	if n > m.limit {
		return nil, ks.StatusInsufficientResources
	}
	if view := whole(m.out, n); access != engine.ReadAccess || uint64(len(m.out)) < uint64(n) {
		return view, ks.StatusSuccess
	}
	return append([]byte(nil), m.out...), ks.StatusSuccess
}

// UnlockOutput has nothing to do: what was lent is in place.
func (m *callerMemory) UnlockOutput() {}
