package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Refusal is a request that a dispatcher has answered with an error before any handler had it.
type Refusal struct {
	Code       uint32  // the control code
	Set        ks.GUID // of the request, as it was read; zero, with ID and Flags, where none was
	ID, Flags  uint32
	In, Out    int // lengths of the buffers
	FileObject *FileObject
	Status     ks.Status
	Rule       string // that decided, as IRP.Rule says; "" for lengths beyond 32 bits
}

// refused tells Config.OnRefuse of a request that no handler had, unless it came too late for the handle.
func (d *Dispatcher) refused(irp *IRP, code uint32, in, out int, status ks.Status) {
	const had = stateOpen | stateCompleting | stateCompleted
	if d.onRefuse == nil || !status.IsError() || irp.isClosed() || irp.loadState()&had != 0 || irp.rule == ruleP21 {
		return
	}
	r := Refusal{Code: code, In: in, Out: out, FileObject: irp.FileObject, Status: status, Rule: irp.Rule()}
	var b [ks.SizeIdentifier]byte
	irp.ident.write(b[:])
	id, _ := ks.DecodeIdentifier(b[:])
	r.Set, r.ID, r.Flags = id.Set, id.ID, id.Flags
	defer logPanic("OnRefuse")
	d.onRefuse(r)
}
