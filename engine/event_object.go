package engine

import (
	"context"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Object is what clients name by a number that FileObject.Handles resolves: what an enabled event signals, a *SyncEvent, a *Semaphore, a
// *WorkItem or a *Callback, or a *FileObject.
type Object interface {
	// reference counts the enabled events and handles that keep the object, by n more or fewer.
	reference(n int32)
}

// ObjectType is what kind of object a client expects behind a handle: one that an event signals, or a pin that is connected to.
type ObjectType uint8

const (
	ObjectTypeEvent     ObjectType = iota + 1 // *SyncEvent or *Callback
	ObjectTypeSemaphore                       // *Semaphore or *Callback
	ObjectTypeWorkItem                        // *WorkItem
	ObjectTypeFile                            // *FileObject
)

// ModifyState is the access that signalling an object needs: EVENT_MODIFY_STATE and SEMAPHORE_MODIFY_STATE, which have the same
// value.
const ModifyState uint32 = 0x0002

// Handles resolves the numbers by which clients name objects (S-23). HandleTable is the usual one.
type Handles interface {
	// Resolve returns the object of a handle for a caller of that mode who needs the access, or the status of the failure:
	// ObReferenceObjectByHandle. The event keeps the object, not the handle. Resolve is called concurrently.
	Resolve(handle uint64, want ObjectType, access uint32, mode Mode) (Object, ks.Status)
}

// references counts who keeps an object. Nothing is freed at zero, as Go does that: it is there to be checked (S-23).
type references struct{ n atomic.Int32 }

func (r *references) reference(n int32) { r.add(n) }

// add returns how many keep the object then.
func (r *references) add(n int32) int32 {
	now := r.n.Add(n)
	if now < 0 {
		panic("engine: an object of an event was dereferenced more often than referenced")
	}
	return now
}

// SyncEvent is a synchronization event: KEVENT. Set makes it signalled, and the one wait that is satisfied resets it. It is safe
// for concurrent use; make it with NewSyncEvent.
//
// An event that nobody ever waited for is one word that Set and TryWait change. The first call of C or Wait turns it into a
// channel for good.
type SyncEvent struct {
	references
	state atomic.Uint32
	c     chan struct{} // of one signal
}

// The states of a SyncEvent.
const (
	eventClear   = iota
	eventSet     // signalled
	eventChannel // the channel says
)

// NewSyncEvent returns an event that is not signalled.
func NewSyncEvent() *SyncEvent { return &SyncEvent{c: make(chan struct{}, 1)} }

// Set signals the event: KeSetEvent. Setting a signalled event does nothing.
func (e *SyncEvent) Set() {
	if !e.state.CompareAndSwap(eventClear, eventSet) && e.state.Load() == eventChannel {
		e.send()
	}
}

func (e *SyncEvent) send() {
	select {
	case e.c <- struct{}{}:
	default:
	}
}

// TryWait takes the signal if there is one, and reports whether there was.
func (e *SyncEvent) TryWait() bool {
	if e.state.CompareAndSwap(eventSet, eventClear) {
		return true
	}
	if e.state.Load() == eventChannel {
		select {
		case <-e.c:
			return true
		default:
		}
	}
	return false
}

// C returns the channel that delivers the signals from now on, for select. Receiving from it takes the signal.
func (e *SyncEvent) C() <-chan struct{} {
	if e.state.Swap(eventChannel) == eventSet {
		e.send()
	}
	return e.c
}

// Wait takes the signal as soon as there is one: KeWaitForSingleObject. The error is that of ctx.
func (e *SyncEvent) Wait(ctx context.Context) error {
	select {
	case <-e.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Semaphore counts signals: KSEMAPHORE. It is safe for concurrent use; make it with NewSemaphore.
type Semaphore struct {
	references
	limit   int64
	count   atomic.Int64
	waiting atomic.Int32
	wake    chan struct{} // a hint for one of those who wait
}

// NewSemaphore returns a semaphore with count 0 that can count to limit, at least 1.
func NewSemaphore(limit int32) *Semaphore {
	return &Semaphore{limit: int64(max(limit, 1)), wake: make(chan struct{}, 1)}
}

// Release raises the count by n, which is positive: KeReleaseSemaphore. Where that exceeds the limit, it changes nothing and
// returns ks.StatusSemaphoreLimitExceeded.
func (s *Semaphore) Release(n int32) ks.Status {
	for {
		old := s.count.Load()
		if old+int64(n) > s.limit {
			return ks.StatusSemaphoreLimitExceeded
		}
		if s.count.CompareAndSwap(old, old+int64(n)) {
			s.hint()
			return ks.StatusSuccess
		}
	}
}

// hint wakes one of those who wait, if there are any.
func (s *Semaphore) hint() {
	if s.waiting.Load() != 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// TryWait lowers the count by one unless it is 0, and reports whether it did.
func (s *Semaphore) TryWait() bool {
	for {
		old := s.count.Load()
		if old == 0 {
			return false
		}
		if s.count.CompareAndSwap(old, old-1) {
			return true
		}
	}
}

// Drain lowers the count to 0 and returns what it was.
func (s *Semaphore) Drain() int { return int(s.count.Swap(0)) }

// Wait lowers the count by one as soon as it is not 0: KeWaitForSingleObject. The error is that of ctx.
func (s *Semaphore) Wait(ctx context.Context) error {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	for {
		if s.TryWait() {
			if s.count.Load() != 0 {
				s.hint() // Release gave one hint for what may be several counts
			}
			return nil
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			s.hint() // the hint may have come meanwhile and be meant for another
			return ctx.Err()
		}
	}
}

// Count returns the count: KeReadStateSemaphore.
func (s *Semaphore) Count() int { return int(s.count.Load()) }
