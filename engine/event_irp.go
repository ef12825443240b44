package engine

// EventEntry returns the entry of an enable: KSEVENT_ENTRY_IRP_STORAGE, DriverContext[0] (E-10). It is nil for every other
// request, a basic support query of events included (S-7), and after an enable that failed.
func (irp *IRP) EventEntry() *EventEntry {
	if irp.eventItem() == nil || irp.extra == nil {
		return nil
	}
	return irp.extra.entry
}

// forgetEntry empties that slot, for an IRP that is used again.
func (irp *IRP) forgetEntry() {
	if irp.extra != nil {
		irp.extra.entry = nil
	}
}

// eventItem returns the event that the request was dispatched to, or nil.
func (irp *IRP) eventItem() *eventItem {
	if irp.owner == nil || irp.index < firstEvent {
		return nil
	}
	return &irp.owner.events.items[irp.index-firstEvent]
}

// EventSet returns the set of a basic support query: KSEVENT_SET_IRP_STORAGE, DriverContext[0] (E-10). It is nil for every other
// request; that of an enable is EventEntry.Set. The set is the compiled one and must not be changed.
func (irp *IRP) EventSet() *EventSet {
	it := irp.eventItem()
	if it == nil || irp.EventEntry() != nil {
		return nil
	}
	return &irp.owner.events.sets[it.set]
}

// EventItem returns the event that the request was dispatched to: KSEVENT_ITEM_IRP_STORAGE, DriverContext[3]. It is nil unless
// the table has extended items (E-10); that of an enable is EventEntry.Item in any case.
func (irp *IRP) EventItem() *EventItem {
	it := irp.eventItem()
	if it == nil || irp.owner.events.itemSize == 0 {
		return nil
	}
	return it.decl
}
