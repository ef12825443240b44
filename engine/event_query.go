package engine

import (
	"encoding/binary"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// eventSupport is BASICSUPPORT: the support handler, or success without data (E-3).
func (d *Dispatcher) eventSupport(irp *IRP, r eventRequest, allocator Allocator, in, out []byte) ks.Status {
	n, support := irp.OutputBufferLength, r.item.decl.Support
	switch status := d.run(irp, support, allocator, in, out); {
	case status == ks.StatusPending:
		return status
	case support == nil && status == ks.StatusSuccess:
	case status == ks.StatusSomeNotMapped && support != nil && !irp.isCompleted():
	default:
		return irp.check(status, n, dataOut)
	}
	return irp.produced(ruleE3, 0)
}

// listEventSets is SETSUPPORT (E-3).
func (d *Dispatcher) listEventSets(irp *IRP) ks.Status {
	sets := d.events.sets
	return irp.setSupport(ruleP31, ruleP32, len(sets), func(i int) *ks.GUID { return &sets[i].Set })
}

// noEventRequest is SETSUPPORT of all sets for a request without an input buffer (E-2). With no output buffer either there is
// nothing to buffer.
func (d *Dispatcher) noEventRequest(irp *IRP, out []byte) ks.Status {
	n := irp.OutputBufferLength
	irp.ident = ident{}
	if irp.hasBuffer() {
		if n == 0 || !irp.wasPrepared() {
			return irp.decide(ruleP15, ks.StatusInvalidParameter) // S-15
		}
	} else {
		irp.layout = layout{out: n, dir: dataOut}
		irp.Flags = 0
		size := (uint64(n) + 7) &^ 7
		switch {
		case size > math.MaxUint32:
			return irp.decide(ruleP5, ks.StatusInvalidBufferSize)
		case size == 0:
		case !irp.takePool(uint32(size)):
			return irp.decide(ruleP10, ks.StatusInsufficientResources)
		default:
			irp.anchored(irp.SystemBuffer)
			irp.change(stateLaid, 0)
			if status := irp.captureData(irp.SystemBuffer, out); status != ks.StatusSuccess {
				irp.releaseBuffer()
				return irp.decide(ruleP9, status)
			}
		}
	}
	return irp.decide(ruleE2, d.listEventSets(irp))
}

// queryBuffer is QUERYBUFFER: the oldest of what the named event has queued (E-26).
func (irp *IRP) queryBuffer(list *EventList) ks.Status {
	if list == nil {
		return irp.decide(ruleE26, ks.StatusNotFound)
	}
	request := irp.SystemBuffer[irp.layout.requestOffset():]
	op := listOp{list: list, work: workQuery, file: irp.FileObject, eventData: binary.LittleEndian.Uint64(request[ks.SizeIdentifier:]),
		lo: irp.ident.lo, hi: irp.ident.hi, id: irp.ident.id(), data: irp.output()}
	op.perform()
	irp.IoStatus.Information = uint64(op.size)
	return irp.decide(ruleE26, op.status)
}
