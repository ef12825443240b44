package engine

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// eventPool is the memory of entries: the entries themselves, which hold Go pointers and so come from slabs, and their bytes,
// which come from an arena. What was freed is used again, so that a steady number of enabled events allocates nothing.
//
// It has a lock of its own because entries are made and discarded without the lock of the list, which may be any kind of lock
// and held for long.
type eventPool struct {
	mu    sync.Mutex
	free  *EventEntry // by next
	items *queueItem  // free ones
	bytes *arena.Arena
	live  int // entries, for the tests
}

// slabSize is how many entries, or queue items, are allocated at a time.
const slabSize = 32

// get returns a zeroed entry with extra bytes, or nil where there is no memory.
func (p *eventPool) get(extra uint32) *EventEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		slab := make([]EventEntry, slabSize)
		for i := range slab {
			slab[i].next, p.free = p.free, &slab[i]
		}
	}
	e := p.free
	var b []byte
	if extra != 0 {
		if b = p.alloc(int(extra)); b == nil {
			return nil
		}
		clear(b)
	}
	p.free, e.next = e.next, nil
	e.pool, e.extra = p, b
	e.discarded = false
	p.live++
	return e
}

// put takes a discarded entry back.
func (p *eventPool) put(e *EventEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.extra != nil {
		p.bytes.Free(e.extra)
	}
	*e = EventEntry{next: p.free, discarded: true} // until it is used again, a driver that discards twice does no harm
	p.free = e
	p.live--
}

// alloc returns n bytes, or nil. p.mu is held.
func (p *eventPool) alloc(n int) []byte {
	if p.bytes == nil {
		var err error
		if p.bytes, err = arena.New(arena.Config{}); err != nil {
			return nil
		}
	}
	b, err := p.bytes.AllocUninit(n)
	if err != nil {
		return nil
	}
	return b
}

// eventQueue is what a buffered event has queued, the oldest first. eventPool.mu guards it, so that QUERYBUFFER and discard
// need no more than that.
type eventQueue struct {
	first, last *queueItem
	n, bytes    int
}

type queueItem struct {
	next *queueItem
	data []byte // nil for no bytes
}

// enqueue appends a copy of data unless the queue is full or there is no memory (E-24, S-24).
func (p *eventPool) enqueue(e *EventEntry, data []byte, limits *queueLimits) (queued bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := &e.queue
	if q.n >= limits.items || len(data) > limits.bytes-q.bytes {
		return false
	}
	if e.file != nil {
		if e.file.queued.Add(int64(len(data))) > int64(limits.fileBytes) {
			e.file.queued.Add(-int64(len(data)))
			return false
		}
		defer func() {
			if !queued {
				e.file.queued.Add(-int64(len(data)))
			}
		}()
	}
	var b []byte
	if len(data) != 0 {
		if b = p.alloc(len(data)); b == nil {
			return false
		}
		copy(b, data)
	}
	if p.items == nil {
		slab := make([]queueItem, slabSize)
		for i := range slab {
			slab[i].next, p.items = p.items, &slab[i]
		}
	}
	item := p.items
	p.items = item.next
	*item = queueItem{data: b}
	if q.last == nil {
		q.first = item
	} else {
		q.last.next = item
	}
	q.last = item
	q.n++
	q.bytes += len(data)
	return true
}

// dequeue copies the oldest of what is queued to dst and forgets it. Where there is none, or dst is too short or empty, it
// says so and changes nothing; size is that of the oldest (E-26).
func (p *eventPool) dequeue(e *EventEntry, dst []byte) (size int, status ks.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := &e.queue
	item := q.first
	switch {
	case item == nil:
		return 0, ks.StatusNoMoreEntries
	case len(dst) == 0:
		return len(item.data), ks.StatusBufferOverflow
	case len(dst) < len(item.data):
		return 0, ks.StatusBufferTooSmall
	}
	size = copy(dst, item.data)
	if q.first = item.next; q.first == nil {
		q.last = nil
	}
	q.n--
	q.bytes -= size
	if e.file != nil {
		e.file.queued.Add(-int64(size))
	}
	p.freeItem(item)
	return size, ks.StatusSuccess
}

// drop empties the queue.
func (p *eventPool) drop(e *EventEntry) {
	q := &e.queue
	if q.first == nil { // nobody queues any more: the entry is on no list
		return
	}
	if e.file != nil {
		e.file.queued.Add(-int64(q.bytes))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for item := q.first; item != nil; {
		next := item.next
		p.freeItem(item)
		item = next
	}
	*q = eventQueue{}
}

func (p *eventPool) freeItem(item *queueItem) {
	if item.data != nil {
		p.bytes.Free(item.data)
	}
	*item = queueItem{next: p.items}
	p.items = item
}
