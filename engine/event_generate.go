package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

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
