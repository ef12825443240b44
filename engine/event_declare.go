package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// SizeEventItem is sizeof(KSEVENT_ITEM) in bytes on x64, the ABI that is modelled on every host.
const SizeEventItem = 40

// EventSet declares the events of one GUID: KSEVENT_SET. Several sets may have one GUID and different ids.
type EventSet struct {
	Set   ks.GUID
	Items []EventItem
}

// EventItem declares one event: KSEVENT_ITEM.
type EventItem struct {
	ID uint32
	// DataInput is the least length in bytes of what a client enables the event with: a KSEVENTDATA, 32 bytes, and the
	// parameters of the event behind it. Under 32 counts as 32 (E-5).
	DataInput uint32
	// ExtraEntryData is how many bytes an entry has for the driver, EventEntry.Extra (E-9).
	ExtraEntryData uint32
	Add            AddEvent    // nil: the entry is put on the EventList of the request (E-12)
	Remove         RemoveEvent // nil: the entry is taken off its list (E-16)
	Support        Handler     // SupportHandler, consulted by BASICSUPPORT first (E-3); nil for none
	Context        any         // the driver's

	around AddEvent // Add with middleware around it, or around the default (wrap.go); nil for none
}

// AddEvent is asked to enable an event: PFNKSADDEVENT. data is the captured KSEVENTDATA and what follows it,
// OutputBufferLength bytes; it lies in irp.SystemBuffer and is the handler's until the request is complete.
//
// A success means that the handler has put the entry where it will find it, usually with EventList.Add, and that the event is
// enabled. Any other status discards the entry. STATUS_PENDING leaves the entry with the driver, who later completes the IRP,
// after DiscardEvent if the event is not to be enabled (E-11). The handler is called concurrently for different requests, and
// without a lock.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksaddevent
type AddEvent func(irp *IRP, data []byte, entry *EventEntry) ks.Status

// RemoveEvent is told that an event is over and takes the entry off its list: PFNKSREMOVEEVENT. It is called with the lock of
// the list held (E-16), so it calls EventList.Remove, or leaves that to the engine. What takes that lock must not be called here, nor
// in the callback of EventList.GenerateData: it would wait for itself. That is EventList.Add, Do, Len, Free, Generate and GenerateData,
// EnableEvent and DisableEvent with that list, IoControl with their codes and closing of handles whose file object has the list.
// Checked builds (-tags invariants) panic then. After it returned the entry is discarded.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksremoveevent
type RemoveEvent func(file *FileObject, entry *EventEntry)

// eventSlot is what a request needs of its item beside the item itself, on one cache line with the key.
type eventSlot struct {
	item      *eventItem
	dataInput uint32 // at least 32 (E-5)
}

// eventItem is one item as compiled. An entry points to it.
type eventItem struct {
	decl   *EventItem
	lo, hi uint64 // the set
	index  uint32 // in Dispatcher.events.items
	set    uint32 // in Dispatcher.events.sets
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

// eventItem returns the event that the request was dispatched to, or nil.
func (irp *IRP) eventItem() *eventItem {
	if irp.owner == nil || irp.index < firstEvent {
		return nil
	}
	return &irp.owner.events.items[irp.index-firstEvent]
}
