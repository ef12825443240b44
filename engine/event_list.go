package engine

import (
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// EventListConfig describes an EventList. A limit of 0 means the default.
type EventListConfig struct {
	LockType EventLockType
	Lock     any // of that type (E-15)

	MaxPerFile int // entries that one file object may have, on all lists together (S-24); 65,536
	MaxQueued  int // what a buffered entry may have queued (S-24); 1,024
}

const (
	defaultMaxPerFile = 1 << 16
	defaultMaxQueued  = 1 << 10
)

// EventList holds the enabled events of an object, with the lock that guards them: the EventsList, EventsFlags and EventsLock
// that go with a call in C. Events that have no Add handler are put on it, and those that have one may be, with Add. It owns the
// memory of its entries. A list is safe for concurrent use, except one of EventsNone.
type EventList struct {
	lock       eventLock
	head, tail *EventEntry
	n          int
	index      eventIndex
	pool       eventPool
	maxPerFile int
	maxQueued  int
}

// NewEventList returns an empty list. The error is an *EventListError.
func NewEventList(config EventListConfig) (*EventList, error) {
	lock, err := newEventLock(config.LockType, config.Lock)
	if err != nil {
		return nil, err
	}
	l := &EventList{lock: lock, maxPerFile: config.MaxPerFile, maxQueued: config.MaxQueued}
	if l.maxPerFile <= 0 {
		l.maxPerFile = defaultMaxPerFile
	}
	if l.maxQueued <= 0 {
		l.maxQueued = defaultMaxQueued
	}
	l.index.init()
	return l, nil
}

// Add puts an entry at the end of the list, under the lock: what an Add handler does with its entry. It fails only where
// Compat.E13 refuses a client that enables twice.
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
	op := listOp{list: l, work: workDo, do: work}
	op.perform()
}

// Len returns the number of entries.
func (l *EventList) Len() int {
	op := listOp{list: l, work: workCount}
	op.perform()
	return op.size
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
