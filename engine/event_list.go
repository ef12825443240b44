package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// EventListConfig describes an EventList. A limit of 0 means the default.
type EventListConfig struct {
	LockType EventLockType
	Lock     any // of that type (E-15)

	MaxPerFile int // entries that one file object may have, on all lists together (S-24); 65,536
	MaxQueued  int // what a buffered entry may have queued (S-24); 1,024

	MaxQueuedBytes        int // bytes that a buffered entry may have queued (S-24); 1 MiB
	MaxQueuedBytesPerFile int // bytes that the entries of one file object may have queued, on all lists together (S-24); 16 MiB
}

const (
	defaultMaxPerFile = 1 << 16
)

// queueLimits bound what buffered entries have queued.
type queueLimits struct{ items, bytes, fileBytes int }

var defaultQueueLimits = queueLimits{items: 1 << 10, bytes: 1 << 20, fileBytes: 16 << 20}

// EventList holds the enabled events of an object, with the lock that guards them: the EventsList, EventsFlags and EventsLock
// that go with a call in C. Events that have no Add handler are put on it, and those that have one may be, with Add. It owns the
// memory of its entries. A list is safe for concurrent use, except one of EventLockNone.
type EventList struct {
	lock       eventLock
	head, tail *EventEntry
	n          int
	index      eventIndex
	pool       eventPool
	maxPerFile int
	limits     queueLimits
}

// NewEventList returns an empty list. The error is an *EventListError.
func NewEventList(config EventListConfig) (*EventList, error) {
	lock, err := newEventLock(config.LockType, config.Lock)
	if err != nil {
		return nil, err
	}
	l := &EventList{lock: lock, maxPerFile: config.MaxPerFile,
		limits: queueLimits{config.MaxQueued, config.MaxQueuedBytes, config.MaxQueuedBytesPerFile}}
	if l.maxPerFile <= 0 {
		l.maxPerFile = defaultMaxPerFile
	}
	for _, x := range []struct {
		limit *int
		usual int
	}{
		{&l.limits.items, defaultQueueLimits.items},
		{&l.limits.bytes, defaultQueueLimits.bytes},
		{&l.limits.fileBytes, defaultQueueLimits.fileBytes},
	} {
		if *x.limit <= 0 {
			*x.limit = x.usual
		}
	}
	l.index.init()
	return l, nil
}

// Add puts an entry at the end of the list, under the lock: what an Add handler does with its entry. It fails only where
// Compat.SecondEnable refuses a client that enables twice.
func (l *EventList) Add(entry *EventEntry) ks.Status {
	op := listOp{list: l, work: workAdd, entry: entry}
	op.perform()
	return op.status
}

// Remove takes an entry off the list: what a Remove handler does. The lock is held already when that is called. An entry that is
// not on the list is left alone.
func (l *EventList) Remove(entry *EventEntry) {
	if entry.list == l {
		l.unlink(entry)
	}
}

// Do calls work with the lock of the list held, which GenerateEvent wants. work must not call a method of the list that takes
// the lock, which are all but Remove. A panic in it goes on after the lock was released.
func (l *EventList) Do(work func()) {
	required(work != nil, "Do: work")
	op := listOp{list: l, work: workDo, do: work}
	op.perform()
}

// Len returns the number of entries.
func (l *EventList) Len() int {
	op := listOp{list: l, work: workCount}
	op.perform()
	return op.size
}

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

// Generate signals every entry of an event: KsGenerateEventList. set nil means the events of that id in any set (E-23). The lock
// of the list is held meanwhile. What C does not return is the first failure: of a semaphore at its limit, a full queue, a
// closed worker, or a panic in a Remove handler; the other entries are signalled all the same.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksgenerateeventlist
func (l *EventList) Generate(set *ks.GUID, id uint32) ks.Status {
	return l.GenerateData(set, id, nil, nil)
}

// GenerateData is Generate for the entries that match lets through, nil for all, and with data for those that are buffered, which
// queue a copy of it: KsGenerateEvents. match runs with the lock of the list held. A panic in it ends the walk and becomes
// the status (S-13).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksgenerateevents
func (l *EventList) GenerateData(set *ks.GUID, id uint32, data []byte, match func(entry *EventEntry) bool) ks.Status {
	op := listOp{list: l, work: workSignal, anySet: set == nil, id: id, data: data, match: match}
	if set != nil {
		op.lo, op.hi = binary.LittleEndian.Uint64(set[:8]), binary.LittleEndian.Uint64(set[8:])
	}
	op.perform()
	return op.status
}

// GenerateEvent signals one entry: KsGenerateEvent (E-21). The caller holds the lock of the list that the entry is on, if there
// is one, and has not removed it: see EventList.Do. An entry that was enabled for one signal is discarded then, so that an
// enumeration goes on to the next entry first (E-22). A signal that fails, of a semaphore at its limit for instance, is returned
// and leaves the entry as it was.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksgenerateevent
func GenerateEvent(entry *EventEntry) ks.Status { return GenerateDataEvent(entry, nil) }

// GenerateDataEvent is GenerateEvent with data for a buffered entry, which queues a copy of it; other entries are signalled and
// the data is dropped: KsGenerateDataEvent (E-24). A queue that is full is ks.StatusInsufficientResources (S-24).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksgeneratedataevent
func GenerateDataEvent(entry *EventEntry, data []byte) ks.Status {
	if entry.flags&ks.EventEntryDeleted != 0 {
		return ks.StatusUnsuccessful
	}
	op := listOp{list: entry.list}
	defer op.discard()
	if status := op.signal(entry, data); status != ks.StatusSuccess {
		return status
	}
	return op.status
}

// link puts e at the end. The lock is held.
func (l *EventList) link(e *EventEntry) {
	e.list, e.prev, e.next = l, l.tail, nil
	if l.tail == nil {
		l.head = e
	} else {
		l.tail.next = e
	}
	l.tail = e
	l.n++
	l.index.add(e, l)
}

// unlink takes e off. The lock is held.
func (l *EventList) unlink(e *EventEntry) {
	if e.prev == nil {
		l.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	l.n--
	l.index.remove(e)
	e.list, e.prev, e.next = nil, nil, nil
}
