package engine

import "sync/atomic"

// Worker runs the functions of work items, one at a time and in the order of their signals, on a goroutine of its own: the
// thread that runs DPCs, or a work queue. Make it with NewWorker and end it with Close.
//
// Entries that have signals to deliver form a list through the entries themselves, pushed by whoever generates and taken whole
// by the worker (Treiber's stack), so that a signal allocates nothing and waits for nobody.
type Worker struct {
	head atomic.Pointer[EventEntry] // the newest first; &closedWorker after Close
	wake chan struct{}
	last chan *EventEntry // what Close found on the list, once
	done chan struct{}
}

// closedWorker stands in Worker.head for a worker that takes no more signals.
var closedWorker EventEntry

// NewWorker starts a worker.
func NewWorker() *Worker {
	w := &Worker{wake: make(chan struct{}, 1), last: make(chan *EventEntry, 1), done: make(chan struct{})}
	go w.run(backlog{})
	return w
}

// Close delivers what was signalled before it and ends the worker. Signals that come later are lost, and the generate that
// they come from fails with ks.StatusUnsuccessful. Close waits, so it must not be called by a work item of this worker.
func (w *Worker) Close() {
	if last := w.head.Swap(&closedWorker); last != &closedWorker {
		w.last <- last
		close(w.last)
		w.nudge()
	}
	<-w.done
}

// Flush waits until everything that was signalled before it has been delivered: KeFlushQueuedDpcs. It must not be called by a
// work item of this worker.
func (w *Worker) Flush() {
	done := make(chan struct{})
	item := w.NewWorkItem(func(*EventEntry) { close(done) })
	last := &EventEntry{object: item}
	last.refs.Store(1) // it belongs to no pool, so it is never freed
	if !item.queue(last) {
		<-w.done
		return
	}
	<-done
}

// nudge makes the worker look at its list.
func (w *Worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it has not looked since the last nudge
	}
}

// run delivers b, then what is signalled. A routine that ends its goroutine, as the FailNow of a test does, ends no more than
// itself: another goroutine goes on after it.
func (w *Worker) run(b backlog) {
	ended := false
	defer func() {
		if ended {
			close(w.done)
		} else {
			go w.run(b)
		}
	}()
	for {
		b.deliver()
		switch newest := w.head.Load(); {
		case newest == nil:
			<-w.wake
		case newest == &closedWorker:
			last, more := <-w.last
			if ended = !more; ended {
				return
			}
			b.take(last)
		case w.head.CompareAndSwap(newest, nil):
			b.take(newest)
		}
	}
}

// backlog is what a worker has taken and not delivered.
type backlog struct {
	next  *EventEntry // the oldest signal first, by workNext
	entry *EventEntry // that is being delivered
	calls int32       // of its routine, yet to be made
}

// take turns a list around. The backlog is empty.
func (b *backlog) take(newest *EventEntry) {
	for e := newest; e != nil; {
		older := e.workNext
		e.workNext, b.next = b.next, e
		e = older
	}
}

// deliver runs the functions. Each call is counted before it is made: it may not return.
func (b *backlog) deliver() {
	for {
		for b.calls > 0 {
			b.calls--
			b.entry.object.(*WorkItem).call(b.entry)
		}
		if b.next == nil {
			return
		}
		b.entry = b.next
		b.next = b.entry.workNext // read before pending is 0, as the entry may be pushed again from then on
		b.calls = b.entry.pending.Swap(0)
	}
}

// WorkItem is a function that an event runs on a worker: KDPC, WORK_QUEUE_ITEM. Each signal is one call. In Windows a signal
// that finds the item still queued is lost; here it is not, as nothing could be wanted from that.
type WorkItem struct {
	references
	worker  *Worker
	routine func(entry *EventEntry)
}

// NewWorkItem returns a work item that runs routine on w. routine is given the entry that was signalled, which exists until
// the routine returns, even if the event was disabled meanwhile (E-20). A panic in it is reported as one of a handler of that
// event, and runtime.Goexit ends that call alone.
func (w *Worker) NewWorkItem(routine func(entry *EventEntry)) *WorkItem {
	required(routine != nil, "NewWorkItem: routine")
	return &WorkItem{worker: w, routine: routine}
}

// call runs the routine for one signal.
func (item *WorkItem) call(e *EventEntry) {
	defer e.release()
	defer func() {
		if value := recover(); value != nil {
			e.owner.report(e.item.index+firstEvent, value)
		}
	}()
	item.routine(e)
}

// queue asks the worker to call the routine with e once more, and reports whether it will.
func (item *WorkItem) queue(e *EventEntry) bool {
	w := item.worker
	e.refs.Add(1) // released by deliver
	if e.pending.Add(1) > 1 {
		return true // it is on the list already
	}
	for {
		old := w.head.Load()
		if old == &closedWorker {
			for range e.pending.Swap(0) {
				e.release()
			}
			return false
		}
		e.workNext = old
		if w.head.CompareAndSwap(old, e) {
			w.nudge()
			return true
		}
	}
}
