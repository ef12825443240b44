package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// methodQuery answers SETSUPPORT and BASICSUPPORT (M-8), in the order of P-23. As for properties, their buffers come from
// the pool and they ask nothing of MinMethod and MinData.
func (d *Dispatcher) methodQuery(irp *IRP, verb uint32, in, out []byte) (status ks.Status) {
	q := &irp.ident
	var slot *methodSlot // nil: about a set
	if verb == ks.MethodTypeSetSupport {
		if q.lo|q.hi != 0 && d.methods.setTable.Lookup(q.lo, q.hi, 0) == nil {
			return irp.decide(ruleM8, ks.StatusPropsetNotFound)
		}
	} else {
		e := d.methods.table.Lookup(q.lo, q.hi, q.id())
		if e == nil || e.Tag == noItem {
			return d.missMethod(irp)
		}
		if slot = &e.Value; slot.handler == nil && slot.support == nil {
			return irp.decide(ruleM8, d.compat.NoMethodHandler)
		}
		irp.owner = nil // an earlier dispatcher does not know the item; run names this one if a handler is called (P-22)
		irp.index = firstMethod + e.Tag
	}
	before := irp.loadState()
	return irp.settled(d.runMethodQuery(irp, slot, in, out), before)
}

// runMethodQuery is answerMethod with its panics turned into statuses.
func (d *Dispatcher) runMethodQuery(irp *IRP, slot *methodSlot, in, out []byte) (status ks.Status) {
	returned := false
	defer d.guard(irp, &returned, &status)
	status = d.answerMethod(irp, slot, in, out)
	returned = true
	return status
}

// answerMethod asks the support handler, if there is one, and else, or when that says so, answers itself.
func (d *Dispatcher) answerMethod(irp *IRP, slot *methodSlot, in, out []byte) ks.Status {
	var support Handler
	if slot != nil {
		support = slot.support
	}
	n := irp.OutputBufferLength
	switch status := d.runMethod(irp, support, nil, ks.MethodTypeWrite, in, out); {
	case status == ks.StatusPending:
		return status
	case support == nil && status == ks.StatusSuccess:
	case status == ks.StatusSomeNotMapped && support != nil && !irp.isCompleted():
		irp.IoStatus.Information = 0 // what the handler set is dropped, as in P-36
	default:
		if irp.rule == ruleP17 {
			irp.rule = ruleM8Support
		}
		return irp.check(status, n, dataOut)
	}
	switch data := irp.output(); {
	case slot == nil:
		sets := d.methods.sets
		return irp.setSupport(ruleM8, ruleM8, len(sets), func(i int) *ks.GUID { return &sets[i].Set })
	case slot.handler == nil:
		return irp.decide(ruleM8, d.compat.NoMethodHandler)
	case len(data) < 4:
		return irp.tooShort(ruleM8, uint64(len(data)), 4)
	default:
		binary.LittleEndian.PutUint32(data, slot.flags)
		return irp.produced(ruleM8, 4)
	}
}
