package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// EventLockType says what kind of lock guards an EventList: KSEVENTS_LOCKTYPE (E-15).
type EventLockType uint32

const (
	EventLockNone            EventLockType = iota // KSEVENTS_NONE: no lock; whoever uses the list sees to it that nobody else does
	EventLockSpin                                 // KSEVENTS_SPINLOCK: a sync.Locker, as for the types up to EventLockFastMutexUnsafe
	EventLockMutex                                // KSEVENTS_MUTEX
	EventLockFastMutex                            // KSEVENTS_FMUTEX
	EventLockFastMutexUnsafe                      // KSEVENTS_FMUTEXUNSAFE
	EventLockInterrupt                            // KSEVENTS_INTERRUPT: an Interrupt, through which all work on the list runs
	EventLockResource                             // KSEVENTS_ERESOURCE: a sync.Locker, such as a *sync.RWMutex, locked exclusively
)

// Interrupt is an interrupt object: what it runs does not overlap with the driver's interrupt routine.
type Interrupt interface {
	// Synchronize calls routine before it returns: KeSynchronizeExecution.
	Synchronize(routine func())
}

// EventListError says why NewEventList refused a lock.
type EventListError struct {
	LockType EventLockType
	Status   ks.Status // what a host answers to a request with such a lock (E-15)
	Reason   string
}

func (e *EventListError) Error() string {
	return fmt.Sprintf("engine: event list with lock type %d: %s", uint32(e.LockType), e.Reason)
}

// eventLock runs work on a list under its lock. Both fields are nil for EventLockNone.
type eventLock struct {
	locker    sync.Locker
	interrupt Interrupt
	holder    *atomic.Uint64 // checked builds only: the goroutine that has the lock
}

// newEventLock is E-15.
func newEventLock(kind EventLockType, lock any) (l eventLock, err error) {
	refuse := func(reason string) (eventLock, error) {
		return eventLock{}, &EventListError{LockType: kind, Status: ks.StatusInvalidParameter, Reason: reason}
	}
	if invariants.Enabled {
		l.holder = new(atomic.Uint64)
	}
	var ok bool
	switch kind {
	case EventLockNone:
		if lock != nil {
			return refuse("there is a lock, but EventLockNone uses none (E-15)")
		}
		return l, nil
	case EventLockSpin, EventLockMutex, EventLockFastMutex, EventLockFastMutexUnsafe, EventLockResource:
		if l.locker, ok = lock.(sync.Locker); !ok {
			return refuse("the lock must be a sync.Locker, such as a *sync.Mutex; only EventLockNone has none (E-15)")
		}
	case EventLockInterrupt:
		if l.interrupt, ok = lock.(Interrupt); !ok {
			return refuse("the lock must be an Interrupt (E-15)")
		}
	default:
		return refuse("there is no such type (E-15)")
	}
	return l, nil
}

// boundOp is an operation that an interrupt object can call. They are kept, as a closure for each would be an allocation.
type boundOp struct {
	op      listOp
	routine func()
}

var boundOps = sync.Pool{New: func() any {
	b := new(boundOp)
	b.routine = b.op.runLocked
	return b
}}

// run does op under the lock.
func (l *eventLock) run(op *listOp) {
	if invariants.Enabled && l.holder.Load() == invariants.Goroutine() {
		panic(invariants.Violation("engine: a handler or callback that an EventList calls under its lock calls that list: a deadlock (E-16)"))
	}
	if l.interrupt != nil {
		b := boundOps.Get().(*boundOp)
		b.op = *op
		defer func() {
			*op, b.op = b.op, listOp{}
			boundOps.Put(b)
		}()
		l.interrupt.Synchronize(b.routine)
		return
	}
	if l.locker == nil {
		op.run()
		return
	}
	l.locker.Lock()
	defer l.locker.Unlock()
	op.runLocked()
}

// runLocked is run under a lock, of which checked builds note who has it.
func (op *listOp) runLocked() {
	if invariants.Enabled {
		holder := op.list.lock.holder
		holder.Store(invariants.Goroutine())
		defer holder.Store(0)
	}
	op.run()
}
