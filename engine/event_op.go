package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// listWork is what is done with a list under its lock.
type listWork uint8

const (
	workAdd     listWork = iota // put entry on it
	workDisable                 // remove the entry of eventData and file (E-17)
	workFree                    // remove all entries of file (E-19)
	workSignal                  // signal all entries of an event (E-23)
	workQuery                   // fetch from the queue of a buffered entry (E-26)
	workRetract                 // remove entry, which was not enabled after all
	workCount
	workDo
)

// listOp is one piece of work on a list, its arguments and its results. Drivers' code may run in it: whatever that does, the
// lock is released and what was removed is discarded, once (S-13).
type listOp struct {
	list      *EventList
	work      listWork
	anySet    bool
	id        uint32
	lo, hi    uint64
	entry     *EventEntry // to add, or that match looks at
	file      *FileObject
	eventData uint64
	data      []byte // to signal with, or where to put what was queued
	match     func(*EventEntry) bool
	do        func()

	status ks.Status
	size   int
	gone   *EventEntry // removed and to be discarded, by next
}

// perform does the work under the lock, then discards what it removed (E-16).
func (op *listOp) perform() {
	defer op.discard()
	op.list.lock.run(op)
}

// discard ends the entries that were removed.
func (op *listOp) discard() {
	for e := op.gone; e != nil; e = op.gone {
		op.gone, e.next = e.next, nil
		e.discard()
	}
}

// run does the work. The lock is held.
func (op *listOp) run() {
	defer func() {
		if op.work == workDo {
			return // not ours to answer
		}
		if value := recover(); value != nil {
			invariants.Rethrow(value)
			op.status = recoveredStatus(value)
			op.entry.owner.report(op.entry.item.index+firstEvent, value)
		}
	}()
	l := op.list
	switch op.work {
	case workAdd:
		op.add()
	case workDisable:
		e := l.index.find(op.eventData, op.file, nil)
		if e == nil {
			op.status = ks.StatusUnsuccessful
			return
		}
		op.remove(e)
	case workFree:
		op.free()
	case workSignal:
		op.signalAll()
	case workQuery:
		op.query()
	case workRetract:
		if e := op.entry; e.flags&ks.EventEntryDeleted == 0 && (e.list == nil || e.list == l) {
			e.flags |= ks.EventEntryDeleted
			op.takeOff(e)
		}
	case workCount:
		op.size = l.n
	case workDo:
		op.do()
	}
}

func (op *listOp) add() {
	l, e := op.list, op.entry
	if refused := e.owner.compat.SecondEnable; refused != 0 && l.index.find(e.eventData, e.file, nil) != nil {
		op.status = refused
		return
	}
	if e.list == nil {
		if e.item.decl.add() != nil {
			e.added.Store(l)
		}
		l.link(e)
	}
}

// free removes the entries of a file. It ends early once it removed as many as the file has.
func (op *listOp) free() {
	left := int32(-1) // a request without a file object: nobody counted
	if op.file != nil {
		left = op.file.events.Load()
	}
	for e := op.list.head; e != nil && left != 0; {
		next := e.next
		if e.file == op.file && e.flags&ks.EventEntryDeleted == 0 {
			op.remove(e)
			left--
		}
		e = next
	}
}

// remove is the protocol of E-16: DELETED decides who removes an entry, the Remove handler or the list takes it off, and after
// the lock was released it is discarded.
func (op *listOp) remove(e *EventEntry) {
	e.flags |= ks.EventEntryDeleted
	defer op.takeOff(e)
	if e.item.decl.Remove != nil {
		if status := e.callRemove(); status != ks.StatusSuccess && op.status == ks.StatusSuccess {
			op.status = status
		}
	}
}

// takeOff takes e off the list, if its handler did not, and keeps it for discard.
func (op *listOp) takeOff(e *EventEntry) {
	if e.list != nil {
		e.list.unlink(e)
	}
	e.next, op.gone = op.gone, e
}

// callRemove calls the Remove handler of e. A panic in it does not keep the event enabled (S-13).
func (e *EventEntry) callRemove() (status ks.Status) {
	defer func() {
		if value := recover(); value != nil {
			e.owner.report(e.item.index+firstEvent, value)
			status = recoveredStatus(value)
		}
	}()
	e.item.decl.Remove(e.file, e)
	return ks.StatusSuccess
}

// signalAll signals every entry of an event that match lets through. The first failure is the status, the others are signalled
// all the same.
func (op *listOp) signalAll() {
	for e := op.list.head; e != nil; {
		next := e.next // before a oneshot entry is gone (E-22)
		if e.id == op.id && (op.anySet || e.lo == op.lo && e.hi == op.hi) && e.flags&ks.EventEntryDeleted == 0 &&
			(op.match == nil || op.matches(e)) {
			if status := op.signal(e, op.data); status != ks.StatusSuccess && op.status == ks.StatusSuccess {
				op.status = status
			}
		}
		e = next
	}
}

func (op *listOp) matches(e *EventEntry) bool {
	op.entry = e
	return op.match(e)
}

// signal signals one entry, and removes it if it was enabled for one signal (E-22). One that could not be signalled stays.
func (op *listOp) signal(e *EventEntry, data []byte) ks.Status {
	status := e.signal(data)
	if e.flags&ks.EventEntryOneShot != 0 && status == ks.StatusSuccess {
		op.remove(e)
	}
	return status
}

// query is the part of QUERYBUFFER that needs the lock (E-26).
func (op *listOp) query() {
	for e := op.list.index.find(op.eventData, op.file, nil); e != nil; e = op.list.index.find(op.eventData, op.file, e) {
		if e.lo == op.lo && e.hi == op.hi && e.id == op.id {
			if e.flags&ks.EventEntryBuffered == 0 {
				op.status = ks.StatusInvalidParameter
				return
			}
			op.size, op.status = e.pool.dequeue(e, op.data)
			return
		}
	}
	op.status = ks.StatusNotFound
}
