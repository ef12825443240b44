package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// extra is what few requests need. An IRP makes one when it first does, and keeps it.
type extra struct {
	inner IRP                     // for the requests of P-43
	entry *EventEntry             // of an enable: DriverContext[0] (E-10)
	head  [ks.SizeIdentifier]byte // where Memory reads an identifier to: a local array would be moved to the heap each time
	view  []byte                  // the data of a SOURCE method (M-4)
}

func (irp *IRP) more() *extra {
	if irp.extra == nil {
		irp.extra = new(extra)
	}
	return irp.extra
}
