package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

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
