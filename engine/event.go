package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// EnableEvent answers a request of IOCTL_KS_ENABLE_EVENT: KsEnableEvent. The request is a KSEVENT, or a KSE_NODE with TOPOLOGY;
// for the enables the output buffer carries a KSEVENTDATA and the parameters of the event in. Entries go on list, which may be
// nil where every event has an Add handler. irp.EventData names the event for its client, together with irp.FileObject; an object
// to be signalled is looked up in irp.FileObject.Handles.
//
// The result is the status, as with Property; Information is 0 for an enable, and set for SETSUPPORT and QUERYBUFFER (E-1).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksenableevent
func (d *Dispatcher) EnableEvent(irp *IRP, list *EventList) ks.Status {
	return d.EnableEventWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, list, nil)
}

// EnableEventWithAllocator is EnableEvent with the buffer of an enable or QUERYBUFFER provided by allocator; nil is EnableEvent:
// KsEnableEventWithAllocator. The caller copies back and frees that buffer (P-13, E-14).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksenableeventwithallocator
func (d *Dispatcher) EnableEventWithAllocator(irp *IRP, list *EventList, allocator Allocator) ks.Status {
	return d.EnableEventWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, list, allocator)
}

const (
	enableVerbs = ks.EventTypeEnable | ks.EventTypeOneShot | ks.EventTypeEnableBuffered
	eventVerbs  = enableVerbs | ks.EventTypeSetSupport | ks.EventTypeBasicSupport | ks.EventTypeQueryBuffer
)

// EnableEventWithBuffers is EnableEventWithAllocator for a caller whose buffers must not be retained: see PropertyWithBuffers.
// The steps are in the order of P-23.
func (d *Dispatcher) EnableEventWithBuffers(irp *IRP, in, out []byte, list *EventList, allocator Allocator) ks.Status {
	irp.IoStatus.Information = 0
	irp.index = noItem
	irp.forgetEntry()
	if irp.InputBufferLength == 0 {
		return d.noEventRequest(irp, out)
	}
	if status := d.identifyEvent(irp, in); status != ks.StatusSuccess {
		return status
	}
	d, status := d.routed(irp)
	if d == nil {
		return status
	}
	return d.identifiedEvent(irp, in, out, list, allocator)
}

// identifyEvent is identify for an event (E-2).
func (d *Dispatcher) identifyEvent(irp *IRP, in []byte) ks.Status {
	status := irp.identify(in, ruleE2)
	if status != ks.StatusSuccess && irp.rule == ruleE2 {
		return d.compat.ShortEventRequest
	}
	return status
}

// identifiedEvent is EnableEventWithBuffers for a request whose identifier was read.
func (d *Dispatcher) identifiedEvent(irp *IRP, in, out []byte, list *EventList, allocator Allocator) ks.Status {
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	q := &irp.ident
	verb := q.flags() &^ ks.EventTypeTopology
	if verb == 0 || verb&(verb-1) != 0 || verb&eventVerbs == 0 {
		return irp.decide(ruleE3, ks.StatusInvalidParameter)
	}
	irp.layout.dir = dataOut
	if verb == ks.EventTypeSetSupport {
		if q.lo|q.hi != 0 && d.events.setTable.Lookup(q.lo, q.hi, 0) == nil {
			return irp.decide(ruleP31, ks.StatusPropsetNotFound)
		}
		return d.runEvent(irp, eventRequest{verb: verb}, nil, in, out) // calls nobody who could leave it pending
	}
	slot, status := d.lookupEvent(irp)
	if slot == nil {
		return status
	}
	switch verb {
	case ks.EventTypeBasicSupport:
		allocator = nil // P-14
	case ks.EventTypeQueryBuffer:
		if inLen < ks.SizeQueryBuffer {
			return irp.decide(ruleE26, ks.StatusInvalidBufferSize)
		}
	default:
		irp.layout.dir = dataIn
		if outLen < slot.dataInput {
			return irp.decide(ruleE5, d.compat.ShortEventData)
		}
		if list == nil && slot.item.decl.Add == nil {
			return irp.decide(ruleE12, ks.StatusInvalidParameter)
		}
	}
	irp.own(d) // with index: what asks for the event finds it in this dispatcher, though no handler is called
	irp.index = slot.item.index + firstEvent
	before := irp.loadState()
	return irp.settled(d.runEvent(irp, eventRequest{verb: verb, item: slot.item, list: list}, allocator, in, out), before)
}

// eventRequest is a request that is well-formed: what is left is the part that can allocate and can panic.
type eventRequest struct {
	verb uint32
	item *eventItem // nil for SETSUPPORT
	list *EventList
}

// runEvent gives the request its buffer and does what its verb says.
func (d *Dispatcher) runEvent(irp *IRP, r eventRequest, allocator Allocator, in, out []byte) (status ks.Status) {
	returned := false
	defer d.guardEvent(irp, r.list, &returned, &status)
	if r.verb == ks.EventTypeBasicSupport {
		status = d.eventSupport(irp, r, allocator, in, out)
	} else if status = d.run(irp, nil, allocator, in, out); status != ks.StatusSuccess {
		status = irp.check(status, irp.OutputBufferLength, irp.layout.dir)
	} else {
		switch r.verb {
		case ks.EventTypeSetSupport:
			status = d.listEventSets(irp)
		case ks.EventTypeQueryBuffer:
			status = irp.queryBuffer(r.list)
		default:
			status = d.enable(irp, r)
		}
	}
	returned = true
	return status
}

// guardEvent is guard for a request that may have made an entry.
func (d *Dispatcher) guardEvent(irp *IRP, list *EventList, returned *bool, status *ks.Status) {
	if *returned {
		return
	}
	value := recover()
	if e := irp.EventEntry(); e != nil {
		irp.forgetEntry()
		e.retract(list)
		e.release()
	}
	*status = d.recovered(irp, value)
}

// enable makes the entry and enables it (E-6 to E-12). The captured KSEVENTDATA is at the start of the system buffer.
func (d *Dispatcher) enable(irp *IRP, r eventRequest) ks.Status {
	data, _ := ks.DecodeEventData(irp.SystemBuffer)
	object, adjustment, status := irp.notificationTarget(&data)
	if status != ks.StatusSuccess {
		return status
	}
	object.reference(1) // before there is an entry: an object that is none panics
	e := d.newEntry(irp, r)
	if e == nil {
		object.reference(-1)
		return irp.decide(ruleS24, ks.StatusInsufficientResources)
	}
	e.object, e.kind, e.adjustment = object, data.NotificationType, adjustment
	if data.NotificationType > ks.NotificationSemaphoreHandle {
		e.increment = data.Increment
	}
	e.refs.Add(1) // Add may publish e, and others end it, before we know whether it failed
	irp.more().entry = e
	irp.rule = ruleE12
	if add := r.item.decl.add(); add == nil {
		status = r.list.Add(e)
	} else {
		irp.rule = ruleE11
		irp.extra.list = r.list
		irp.open()
		n := irp.layout.out
		switch status = add(irp, irp.SystemBuffer[:n:n], e); status {
		case ks.StatusPending:
			e.release()
			return status // S-16
		case ks.StatusSomeNotMapped:
			status = irp.decide(ruleP18, ks.StatusNotFound)
		}
		irp.IoStatus.Information = 0 // E-1
	}
	if !status.IsSuccess() {
		irp.forgetEntry()
		e.retract(r.list)
	}
	e.release()
	return status
}

// newEntry makes the entry of a request, or returns nil if there is no memory or the client has too many (E-9, S-24).
func (d *Dispatcher) newEntry(irp *IRP, r eventRequest) *EventEntry {
	pool, limit := &d.entries, defaultMaxPerFile
	if r.list != nil {
		pool, limit = &r.list.pool, r.list.maxPerFile
	}
	file := irp.FileObject
	if file != nil && int(file.events.Add(1)) > limit {
		file.events.Add(-1)
		return nil
	}
	e := pool.get(r.item.decl.ExtraEntryData)
	if e == nil {
		if file != nil {
			file.events.Add(-1)
		}
		return nil
	}
	e.item, e.owner, e.file, e.eventData = r.item, d, file, irp.EventData
	e.lo, e.hi, e.id = r.item.lo, r.item.hi, r.item.decl.ID
	switch r.verb {
	case ks.EventTypeOneShot:
		e.flags = ks.EventEntryOneShot
	case ks.EventTypeEnableBuffered:
		e.flags = ks.EventEntryBuffered
	}
	return e
}
