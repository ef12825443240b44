package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// EventEntry is one enabled event: KSEVENT_ENTRY. Drivers see it in their handlers. It is theirs to look at until it is
// discarded; then its memory serves another event.
type EventEntry struct {
	// What a generate reads of each entry of a list, on one cache line.
	next       *EventEntry
	object     Object
	lo, hi     uint64 // the set
	id         uint32
	flags      uint32 // ks.EventEntryDeleted and so on; under the list's lock once it is on a list
	kind       uint32 // ks.NotificationEventHandle and so on
	adjustment int32  // of a semaphore
	prev       *EventEntry

	key       uint64 // hash of eventData and file
	eventData uint64
	file      *FileObject
	item      *eventItem
	owner     *Dispatcher
	list      *EventList // that it is on; under the list's lock
	chain     link       // in the list's index
	extra     []byte
	increment int32
	queue     eventQueue
	pool      *eventPool
	refs      atomic.Int32 // beside that of the event: one of each signal that a worker has yet to deliver; -1 when freed
	discarded bool
	pending   atomic.Int32              // signals that a worker has yet to deliver
	workNext  *EventEntry               // in the worker's list
	added     atomic.Pointer[EventList] // the last list that its Add handler, if it has one, put it on
}

// Set returns the set of the event. It is the compiled one and must not be changed.
func (e *EventEntry) Set() *EventSet { return &e.owner.events.sets[e.item.set] }

// Item returns the event: KSEVENT_ENTRY.EventItem. It is the compiled one and must not be changed.
func (e *EventEntry) Item() *EventItem { return e.item.decl }

// FileObject returns the open handle that enabled the event.
func (e *EventEntry) FileObject() *FileObject { return e.file }

// EventData returns the address of the client's KSEVENTDATA, which is the name of the enabled event for that client and
// nothing to read from (E-6).
func (e *EventEntry) EventData() uint64 { return e.eventData }

// Notification returns how the client is told, one of the ks.Notification constants.
func (e *EventEntry) Notification() uint32 { return e.kind }

// Flags returns ks.EventEntryOneShot or ks.EventEntryBuffered, as the event was enabled, or 0.
func (e *EventEntry) Flags() uint32 { return e.flags &^ ks.EventEntryDeleted }

// Increment returns the priority increment of the object types: KSEVENT_ENTRY.Reserved (E-9). Nothing here uses it.
func (e *EventEntry) Increment() int32 { return e.increment }

// Extra returns the driver's own bytes, EventItem.ExtraEntryData of them, zero at first (E-9).
func (e *EventEntry) Extra() []byte { return e.extra }

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

// discard is KsDiscardEvent for an entry that is on no list any more: once, the object is dereferenced, what is queued is
// dropped, and the memory goes back as soon as no signal is on its way (E-20).
func (e *EventEntry) discard() {
	if e.discarded {
		return
	}
	e.discarded = true
	e.object.reference(-1)
	if e.file != nil {
		e.file.events.Add(-1)
	}
	e.pool.drop(e)
	e.release()
}

// retract is discard for an entry that its Add handler may have put on a list before it failed: one of the driver's own, or the
// one of the request. It may be ended by others meanwhile, so the lock of that list decides who discards it.
func (e *EventEntry) retract(l *EventList) {
	if added := e.added.Load(); added != nil {
		l = added
	}
	if l == nil {
		e.discard()
		return
	}
	op := listOp{list: l, work: workRetract, entry: e}
	op.perform()
}

// release gives up one reference; the last one frees the entry. That of an event is mostly the only one, and as no more come
// once the entry is off its list, looking is enough then.
func (e *EventEntry) release() {
	if e.refs.Load() == 0 || e.refs.Add(-1) < 0 {
		e.pool.put(e)
	}
}

// DiscardEvent ends an entry that a driver's Add handler left pending or kept off every EventList: KsDiscardEvent. It must be
// on no list. Discarding twice does nothing, unless the memory serves another event by then.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksdiscardevent
func DiscardEvent(entry *EventEntry) { entry.discard() }
