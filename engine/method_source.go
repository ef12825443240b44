package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// LockOperation is LOCK_OPERATION: what a driver is to do with a buffer that it locks.
type LockOperation uint8

const (
	ReadAccess   LockOperation = iota // IoReadAccess
	WriteAccess                       // IoWriteAccess
	ModifyAccess                      // IoModifyAccess
)

// LockableMemory is Memory that can lend its output buffer to the handler of a SOURCE method: what an MDL is for (M-4).
// With any other Memory such a handler works on a copy.
type LockableMemory interface {
	Memory
	// LockOutput checks that the first n bytes of the output buffer, n > 0, may be accessed so by a caller of that mode,
	// and returns them: MmProbeAndLockPages and MmGetSystemAddressForMdlSafe. A status other than ks.StatusSuccess is that of
	// the exception, and nothing is locked (S-8).
	LockOutput(n uint32, access LockOperation, mode Mode) ([]byte, ks.Status)
	// UnlockOutput ends what LockOutput began, once, when the request is complete: MmUnlockPages and IoFreeMdl (S-9).
	UnlockOutput()
}

// runSource is run for a method with KSMETHOD_TYPE_SOURCE: the system buffer has the request alone, and the data is the
// caller's buffer, locked for what the item's flags say the handler does with it. Without such flags, or an output buffer,
// there is no MDL and no data (M-4, M-5).
func (d *Dispatcher) runSource(irp *IRP, handler Handler, flags uint32, in, out []byte) ks.Status {
	if !irp.hasBuffer() {
		if status := irp.prepareSource(flags, in, out); status != ks.StatusSuccess {
			return status
		}
	} else if !irp.layout.source || !irp.wasPrepared() {
		return irp.decide(ruleP15, ks.StatusInvalidParameter) // S-15
	}
	irp.own(d)
	irp.rule = ruleP17
	irp.open()
	n := irp.layout.in
	return handler(irp, irp.SystemBuffer[:n:n], irp.view())
}

// prepareSource obtains the buffer, captures the request, and locks the output.
func (irp *IRP) prepareSource(flags uint32, in, out []byte) ks.Status {
	irp.layout = layout{in: irp.InputBufferLength, out: irp.OutputBufferLength}
	if !irp.takePool(irp.layout.in) {
		return irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	irp.layout.source = true
	irp.anchored(irp.SystemBuffer)
	irp.change(stateLaid, 0)
	irp.rule = ruleP9
	irp.ident.write(irp.SystemBuffer)
	status := irp.writeRest(irp.SystemBuffer[:irp.layout.in], in)
	if access := flags & ks.MethodTypeModify; status == ks.StatusSuccess && access != 0 && irp.layout.out != 0 {
		status = irp.lock(LockOperation(access-1), out)
	}
	if status != ks.StatusSuccess {
		irp.releaseBuffer()
	}
	return status
}

// lock makes the view of the caller's output buffer. A handler that only reads gets a copy also where it could have the caller's
// slice, as what it writes to a view for reading must not reach the caller.
func (irp *IRP) lock(access LockOperation, out []byte) (status ks.Status) {
	n := irp.layout.out
	x := irp.more()
	if m, ok := irp.Memory.(LockableMemory); ok {
		if x.view, status = m.LockOutput(n, access, irp.RequestorMode); status != ks.StatusSuccess {
			return status
		}
		irp.layout.hold = holdLocked
		if uint64(len(x.view)) < uint64(n) {
			return ks.StatusAccessViolation
		}
		x.view = x.view[:n:n]
		return ks.StatusSuccess
	}
	if irp.Memory == nil {
		if uint64(len(out)) < uint64(n) {
			return ks.StatusAccessViolation
		}
		if access != ReadAccess && len(irp.UserBuffer) >= len(out) && &irp.UserBuffer[0] == &out[0] {
			x.view, irp.layout.hold = irp.UserBuffer[:n:n], holdCaller
			return ks.StatusSuccess
		}
	} else if access != ReadAccess && irp.RequestorMode == UserMode {
		if status = irp.Memory.ProbeOutput(n); status != ks.StatusSuccess {
			return status
		}
	}
	if x.view = irp.allocPool(n); x.view == nil {
		return irp.decide(ruleP10, ks.StatusInsufficientResources)
	}
	irp.layout.hold = holdCopy
	if irp.Memory != nil {
		status = irp.Memory.ReadOutput(x.view)
	} else {
		copy(x.view, out)
	}
	if access != ReadAccess && status == ks.StatusSuccess {
		irp.layout.hold = holdBoth
	}
	return status
}

// unlock ends a SOURCE request, whoever completes it: once, as layout says afterwards that there is none (S-9). out is where
// a copy is written back to; a fault then is the caller's own doing.
func (irp *IRP) unlock(out []byte) (misuse invariants.Violation) {
	h := irp.layout.hold
	irp.layout = layout{in: irp.layout.in} // SystemBuffer has no more, which counts if the caller's memory panics
	if h == holdNone {
		return ""
	}
	x := irp.extra
	view := x.view
	x.view = nil
	switch h {
	case holdLocked:
		if m, ok := irp.Memory.(LockableMemory); ok {
			m.UnlockOutput()
		}
	case holdCopy, holdBoth:
		defer func() { // also if the caller's memory panics
			if irp.Pool != nil {
				misuse = free(irp.Pool, view)
			}
		}()
		if h == holdCopy {
			break
		}
		if irp.Memory != nil {
			_ = irp.Memory.WriteOutput(view)
		} else {
			copy(out, view)
		}
	}
	return ""
}

// view is the data of a SOURCE request: the system address of its MDL, or nil without one.
func (irp *IRP) view() []byte {
	if irp.layout.hold == holdNone {
		return nil
	}
	return irp.extra.view
}
