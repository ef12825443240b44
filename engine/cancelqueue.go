package engine

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// CancelQueue is a queue of pended requests that can be cancelled at any time: a list for KsAddIrpToCancelableQueue and its kin,
// with its spin lock. Its zero value is empty and ready. A handler pends its request with
//
//	return queue.Add(irp)
//
// and whoever has what the request waits for completes it, from any goroutine, with
//
//	if irp := queue.Remove(); irp != nil {
//		irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), samples)))
//	}
//
// A request in the queue has a cancel routine, and is there until somebody takes that: Remove, which gives the request to its caller,
// or Cancel, which ends it with STATUS_CANCELLED. One of them gets it (AS-7). Requests are of any files, dispatchers and families.
//
// A CancelQueue is safe for concurrent use, allocates nothing for a request, and calls nothing of its users with its lock held. It
// must not be copied.
type CancelQueue struct {
	mu          sync.Mutex
	first, last *IRP
	n           int
}

// place is the place of an IRP in a queue. queue changes with the lock of the queue and the latch of the IRP held, and is read with either;
// the rest is the queue's.
type place struct {
	queue      *CancelQueue
	next, prev *IRP
	acquired   bool // by Acquire: the IRP is somebody's, though it is in the queue
}

// End is an end of a CancelQueue: KSLIST_ENTRY_LOCATION.
type End uint8

const (
	Head End = iota // Head: KsListEntryHead, where Remove takes
	Tail            // Tail: KsListEntryTail, where Add adds
)

// Removal says how Take takes a request: KSIRP_REMOVAL_OPERATION.
type Removal uint8

const (
	// AcquireAndRemove takes the first request that can be had out of the queue.
	AcquireAndRemove Removal = iota
	// AcquireOnly leaves it in its place, where nobody else takes or cancels it. Release gives it back, RemoveIRP takes it out.
	AcquireOnly
	// AcquireAndRemoveSingle is AcquireAndRemove for the request at the end alone.
	AcquireAndRemoveSingle
	// AcquireOnlySingle is AcquireOnly for the request at the end alone.
	AcquireOnlySingle
)

// Add adds a request at the tail that its handler is about to leave pending, and returns STATUS_PENDING for the handler to return.
// It is Insert without a cancel routine.
func (q *CancelQueue) Add(irp *IRP) ks.Status { return q.Insert(irp, Tail, nil) }

// Insert adds a request at one end, with a cancel routine: KsAddIrpToCancelableQueue (AS-11). The routine gets the request when it
// has left the queue, and completes it then or later. Without one, nil, the request is completed with STATUS_CANCELLED, and the
// entry of a pended enable is discarded (AS-10). A request that was cancelled before is cancelled at once (AS-9). One that is
// already in a queue moves, and one that was completed is not added.
//
// Insert returns STATUS_PENDING, for the handler to return. From then on anybody may complete the request, so the handler must not
// touch it. AVStream calls its routines while the request is still in the list, and they remove it there (AS-15).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksaddirptocancelablequeue
func (q *CancelQueue) Insert(irp *IRP, at End, routine func(*IRP)) ks.Status {
	for added, held := false, false; !added; {
		q.mu.Lock()
		if !irp.latch(stateOpen) {
			q.mu.Unlock()
			break
		}
		if added = irp.more().place.queue == nil; added {
			q.link(irp, at)
			held = irp.arm(routine)
		} else {
			irp.change(0, stateLocked)
		}
		q.mu.Unlock()
		switch {
		case held:
			irp.cancelHeld()
		case !added:
			irp.unlink()
		}
	}
	return ks.StatusPending
}

// Remove takes the first available request out of the queue, for its caller to complete, or returns nil if there is none.
func (q *CancelQueue) Remove() *IRP { return q.Take(Head, AcquireAndRemove) }

// Take takes the first available request from one end: KsRemoveIrpFromCancelableQueue (AS-12). It skips requests that are acquired
// or being cancelled; with a Single it returns nil if the request at the end is one of these. The caller has to complete the
// request, and Cancel only marks it. The result is nil if no request is available.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksremoveirpfromcancelablequeue
func (q *CancelQueue) Take(from End, how Removal) *IRP {
	q.mu.Lock()
	defer q.mu.Unlock()
	for irp := q.at(from); irp != nil; irp = irp.extra.place.after(from) {
		if irp.latch(stateOpen) {
			taken := irp.extra.routine != nil
			if taken {
				irp.extra.routine = nil
				if irp.extra.place.acquired = how == AcquireOnly || how == AcquireOnlySingle; !irp.extra.place.acquired {
					q.unlink(irp)
				}
			}
			irp.change(0, stateLocked)
			if taken {
				return irp
			}
		}
		if how >= AcquireAndRemoveSingle {
			break
		}
	}
	return nil
}

// RemoveIRP takes a request out of the queue that its caller has acquired, KsRemoveSpecificIrpFromCancelableQueue (AS-13), or one
// that is available. It completes nothing: if the result is true the caller has to complete the request. If it is false the request
// is not in the queue, or is being cancelled.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksremovespecificirpfromcancelablequeue
func (q *CancelQueue) RemoveIRP(irp *IRP) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !irp.latch(stateOpen) {
		return false
	}
	taken := irp.more().place.queue == q && (irp.extra.place.acquired || irp.extra.routine != nil)
	if taken {
		irp.extra.routine = nil
		q.unlink(irp)
	}
	irp.change(0, stateLocked)
	return taken
}

// Release gives back a request that its caller has acquired, with a cancel routine as for Insert: KsReleaseIrpOnCancelableQueue.
// The request can be taken again, and is cancelled if Cancel was called meanwhile (AS-13).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksreleaseirponcancelablequeue
func (q *CancelQueue) Release(irp *IRP, routine func(*IRP)) {
	q.mu.Lock()
	held := false
	if irp.latch(stateOpen) {
		if p := &irp.more().place; p.queue == q && p.acquired {
			p.acquired = false
			held = irp.arm(routine)
		} else {
			irp.change(0, stateLocked)
		}
	}
	q.mu.Unlock()
	if held {
		irp.cancelHeld()
	}
}

// CancelFile cancels the requests of one file object, or for nil the requests without one, and leaves all others (S-33). It returns
// how many it cancelled; a request that somebody has acquired is only marked, and ends as its owner decides (AS-14), and one whose sender
// sees first that it was cancelled ends without being counted (AS-9).
func (q *CancelQueue) CancelFile(file *FileObject) int {
	return q.cancel(func(irp *IRP) bool { return irp.FileObject == file })
}

// CancelAll is CancelFile for all requests: KsCancelIo (AS-14).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kscancelio
func (q *CancelQueue) CancelAll() int { return q.cancel(func(*IRP) bool { return true }) }

// cancel cancels those of the requests now in the queue that match says. They are held until they are, so that none of them serves
// another request by then.
func (q *CancelQueue) cancel(match func(*IRP) bool) (n int) {
	held := newList()
	defer held.free()
	q.mu.Lock()
	for irp := q.first; irp != nil; irp = irp.extra.place.next {
		if match(irp) && irp.hold(stateCancel, 0) {
			held.irps = append(held.irps, irp)
		}
	}
	q.mu.Unlock()
	return cancelHeld(held.irps)
}

// cancelHeld cancels requests that its caller holds, all of them, even if a cancel routine ends the goroutine.
func cancelHeld(irps []*IRP) (n int) {
	done := 0
	defer func() {
		if done < len(irps) {
			n += cancelHeld(irps[done:])
		}
	}()
	for _, irp := range irps {
		done++
		if irp.cancelHeld() {
			n++
		}
	}
	return n
}

// list is some of a queue, for who must not hold its lock while he goes through them. Lists are used again, as those of a busy queue are
// long.
type list struct{ irps []*IRP }

var lists = sync.Pool{New: func() any { return new(list) }}

func newList() *list { return lists.Get().(*list) }

func (l *list) free() {
	clear(l.irps)
	l.irps = l.irps[:0]
	lists.Put(l)
}

// moving is held while the locks of two queues are.
var moving sync.Mutex

// Move moves requests to another queue, or within this one: KsMoveIrpsOnCancelableQueue (AS-16). It calls move for each request
// that is in the queue at the time, acquired or not, from one end on. STATUS_SUCCESS moves the request and STATUS_NO_MATCH leaves
// it; any other status leaves it and ends Move, which returns it. After the last request Move calls move with nil, and returns an
// error from that call. The requests keep their order: from the head they are added at the tail, from the tail at the head.
//
// Move holds no lock while move runs. A request that is cancelled or taken meanwhile does not move, and one that is completed
// meanwhile ends when move has returned.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksmoveirpsoncancelablequeue
func (q *CancelQueue) Move(to *CancelQueue, from End, move func(*IRP) ks.Status) ks.Status {
	required(move != nil, "Move: move")
	there := newList()
	defer there.free()
	q.mu.Lock()
	for irp := q.at(from); irp != nil; irp = irp.extra.place.after(from) {
		there.irps = append(there.irps, irp)
	}
	q.mu.Unlock()
	for _, irp := range there.irps {
		if status := q.moveOne(irp, to, from, move); status != ks.StatusSuccess && status != ks.StatusNoMatch {
			return status
		}
	}
	if status := move(nil); status != ks.StatusNoMatch {
		return status
	}
	return ks.StatusSuccess
}

func (q *CancelQueue) moveOne(irp *IRP, to *CancelQueue, from End, move func(*IRP) ks.Status) ks.Status {
	q.mu.Lock()
	there := irp.queued() == q && irp.hold(0, 0)
	q.mu.Unlock()
	if !there {
		return ks.StatusNoMatch
	}
	defer irp.letGo()
	status := move(irp)
	if status == ks.StatusSuccess {
		q.pass(irp, to, Tail-from)
	}
	return status
}

// pass passes a request on to another queue, if it is still in this one.
func (q *CancelQueue) pass(irp *IRP, to *CancelQueue, at End) {
	moving.Lock()
	defer moving.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if to != q {
		to.mu.Lock()
		defer to.mu.Unlock()
	}
	if irp.latch(stateOpen) {
		if irp.extra.place.queue == q {
			acquired := irp.extra.place.acquired
			q.unlink(irp)
			to.link(irp, at)
			irp.extra.place.acquired = acquired
		}
		irp.change(0, stateLocked)
	}
}

// Len returns how many requests are in the queue, acquired ones included.
func (q *CancelQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

// at returns the request at an end.
func (q *CancelQueue) at(e End) *IRP {
	if e == Head {
		return q.first
	}
	return q.last
}

// after returns the request behind this one, seen from an end.
func (p *place) after(e End) *IRP {
	if e == Head {
		return p.next
	}
	return p.prev
}

// link puts a latched IRP into the queue, whose lock is held.
func (q *CancelQueue) link(irp *IRP, at End) {
	p := &irp.extra.place
	p.queue, p.acquired = q, false
	if at == Head {
		p.prev, p.next = nil, q.first
	} else {
		p.prev, p.next = q.last, nil
	}
	q.join(p.prev, irp)
	q.join(irp, p.next)
	q.n++
}

// unlink takes a latched IRP out of the queue, whose lock is held.
func (q *CancelQueue) unlink(irp *IRP) {
	p := &irp.extra.place
	q.join(p.prev, p.next)
	*p = place{}
	q.n--
}

// join makes two requests neighbours; nil is the end of the queue.
func (q *CancelQueue) join(a, b *IRP) {
	if a != nil {
		a.extra.place.next = b
	} else {
		q.first = b
	}
	if b != nil {
		b.extra.place.prev = a
	} else {
		q.last = a
	}
}

// arm gives a latched IRP its cancel routine and ends the latch. If the request was cancelled before, it is held for the caller to cancel.
func (irp *IRP) arm(routine func(*IRP)) (held bool) {
	if routine == nil {
		routine = completeCancelled
	}
	irp.extra.routine = routine
	held = irp.change(stateCancelable, 0)&stateCancel != 0 && irp.hold(0, 0)
	irp.change(0, stateLocked)
	return held
}

// completeCancelled is the cancel routine of most requests: KsCancelRoutine. The entry of an enable that an Add handler left pending goes
// with it (AS-10). It is nobody's mistake that another has completed the request.
func completeCancelled(irp *IRP) {
	e := irp.EventEntry()
	if irp.conclude(0, 0, ks.StatusCancelled, 0) && e != nil {
		e.discard()
	}
}

// queued returns the queue that the IRP is in, or nil.
func (irp *IRP) queued() *CancelQueue {
	if !irp.latch(^uint32(0)) {
		return nil
	}
	defer irp.change(0, stateLocked)
	return irp.more().place.queue
}

// unlink takes the IRP out of the queue that it is in, if it is in one.
func (irp *IRP) unlink() {
	for q := irp.queued(); q != nil; q = irp.queued() { // it may be moved meanwhile
		q.mu.Lock()
		if irp.latch(^uint32(0)) {
			if irp.extra.place.queue == q {
				q.unlink(irp)
			}
			irp.change(0, stateLocked)
		}
		q.mu.Unlock()
	}
}
