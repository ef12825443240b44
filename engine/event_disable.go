package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// DisableEvent answers a request of IOCTL_KS_DISABLE_EVENT: KsDisableEvent. irp.EventData is the address of the KSEVENTDATA that
// the event was enabled with, which nothing reads: the first entry of list with that address and irp.FileObject is removed
// (E-13, E-17). With no input buffer all entries of irp.FileObject are (E-19). Information is always 0.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksdisableevent
func (d *Dispatcher) DisableEvent(irp *IRP, list *EventList) ks.Status {
	irp.IoStatus.Information = 0
	irp.index = noItem
	irp.forgetEntry()
	switch n := irp.InputBufferLength; {
	case n == 0:
		irp.rule = ruleE19
		if list == nil {
			return ks.StatusSuccess
		}
		return list.Free(irp.FileObject)
	case n < ks.SizeEventData:
		return irp.decide(ruleE17, ks.StatusInvalidBufferSize)
	case list == nil:
		return irp.decide(ruleE17, ks.StatusUnsuccessful)
	}
	op := listOp{list: list, work: workDisable, file: irp.FileObject, eventData: irp.EventData}
	op.perform()
	return irp.decide(ruleE17, op.status)
}

// Free removes all entries of a file object: KsFreeEventList, called when the file object is closed (E-19). Entries that are
// added meanwhile may be missed. It returns success, or the status of the first panic in a Remove handler.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksfreeeventlist
func (l *EventList) Free(file *FileObject) ks.Status {
	op := listOp{list: l, work: workFree, file: file}
	op.perform()
	return op.status
}
