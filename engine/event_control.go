package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// controlEvent is IoControl for an event. The list is that of the file object. The name of an event is the address of the
// client's KSEVENTDATA: the output buffer of an enable, the input buffer of a disable.
func (d *Dispatcher) controlEvent(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	var list *EventList
	if irp.FileObject != nil {
		list = irp.FileObject.Events
	}
	if code == ks.IoctlDisableEvent {
		irp.EventData = addressOf(in)
		irp.layout.dir = 0 // nothing is produced
		return irp.finish(d.DisableEvent(irp, list), nil, out)
	}
	irp.EventData = addressOf(out)
	event := irp.UserEvent
	return irp.finish(d.EnableEventWithBuffers(irp, in, out, list, fromPool), event, out)
}
