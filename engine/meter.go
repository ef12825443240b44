package engine

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Meter is told of the requests of one handler that are more than counted: for package device, and who measures otherwise.
type Meter interface {
	// Time answers a request whose time is to be taken: it returns what next does, or panics with what next panics with.
	Time(next Handler, irp *IRP, request, data []byte) ks.Status
	// Returned is told what the handler has returned to any other request, if that is not STATUS_SUCCESS, and of each that it panicked in
	// the status that this becomes (P-21). It must return; a panic in it is logged.
	Returned(status ks.Status)
}

// Count has the requests of handlers counted. It asks of once for each handler that Wrap would wrap, and leaves those alone for which
// that is nil; Counts.Requests knows the others by their place among them. Of the requests of a handler through one handle, one in every
// goes through Meter.Time; every is rounded up to a power of two, and 0 is 1.
//
// A meter is around what the declaration has when Count is called, and within what is put around it later, like middleware of Wrap. Yet it
// costs a GET or SET of 4 or 8 bytes no second call of a handler: IoControl counts it by itself.
func (config *Config) Count(every uint64, of func(HandlerOf) Meter) *Counts {
	required(of != nil, "Count: of")
	c := &Counts{mask: 1<<bits.Len64(max(every, 1)-1) - 1, meters: make([]*meter, 1)}
	config.wrapEach(func(handler HandlerOf, next Handler) (Handler, *meter) {
		told := of(handler)
		if told == nil {
			return nil, nil
		}
		m := &meter{Meter: told, counts: c, at: uint32(len(c.meters))}
		c.meters = append(c.meters, m)
		return next, m
	})
	c.stride = (len(c.meters) + lineCounters - 1) &^ (lineCounters - 1)
	c.shards = 1 << bits.Len(uint(runtime.GOMAXPROCS(0)-1))
	c.shared = make([]atomic.Uint64, c.shards*c.stride)
	if bits.UintSize == 64 { // else storing a counter takes two instructions
		c.left.Store(int32(max(tallyMemory/(8*c.stride), c.shards)))
	}
	return c
}

const (
	// tallyMemory is how many bytes the tallies of a declaration take, unless that is less than one for each processor.
	tallyMemory = 1 << 20
	// lineCounters is how many counters are on a cache line.
	lineCounters = 8
)

// Counts are how many requests the handlers of a declaration had. They are safe for concurrent use.
//
// A handle counts in a tally of its own. As it has one request in flight at a time, plain stores do: a locked instruction takes up to a
// third of a request. A tally goes back when its handle is closed, and another goes on where it stopped. So nothing is moved from one
// counter to another, no reader sees a count fall, and the sum is exact when no request is in flight. There are no more tallies than a
// bound; IRPs without one, as those of an Overlapped are, share counters in shards and add to them atomically.
type Counts struct {
	mask   uint64
	meters []*meter // by their places in a shard or tally; nobody is at 0

	shared []atomic.Uint64
	stride int // of a shard or tally: whole cache lines
	shards int // as many as processors can be at once; a power of two

	left    atomic.Int32 // how many may yet get a tally; changed under mu
	mu      sync.Mutex
	tallies []*tally // all that there are
	free    []*tally
}

// Every is how many requests of a handler there are to one whose time is taken.
func (c *Counts) Every() uint64 { return c.mask + 1 }

// Requests returns how many requests a handler had, with those that it has now.
func (c *Counts) Requests(handler int) (n uint64) {
	at := handler + 1
	for i := range c.shards {
		n += c.shared[i*c.stride+at].Load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tallies {
		n += atomic.LoadUint64(&t.counts[at])
	}
	return n
}

// meter counts the requests of one handler.
type meter struct {
	Meter
	counts *Counts
	at     uint32
}

// around is a handler with the meter around it. A nil meter leaves it as it is.
func (m *meter) around(next Handler) Handler {
	if m == nil || next == nil {
		return next
	}
	return func(irp *IRP, request, data []byte) ks.Status {
		unwinds := true
		defer func() {
			if unwinds {
				m.unwound(recover())
			}
		}()
		var status ks.Status
		if m.add(irp)&m.counts.mask == 0 {
			status = m.Time(next, irp, request, data)
		} else if status = next(irp, request, data); status != ks.StatusSuccess {
			m.returned(status)
		}
		unwinds = false
		return status
	}
}

// unwound tells the meter of a panic in its handler, which goes on: its stack is below that of the second.
func (m *meter) unwound(value any) {
	if value == nil { // the goroutine ends
		return
	}
	m.returned(recoveredStatus(value))
	panic(value)
}

func (m *meter) returned(status ks.Status) {
	defer logPanic("Meter.Returned")
	m.Returned(status)
}

// add counts a request, and returns how many there were in the same place.
func (m *meter) add(irp *IRP) uint64 {
	c := m.counts
	if atomic.LoadUint32(&irp.closed)&closedKeeps != 0 { // else extra may be about to be made
		t := irp.extra.tally
		if t == nil || t.of != c {
			t = c.assign(irp, t)
		}
		if t != nil {
			return bump(t.counter(m.at))
		}
	}
	return c.shared[shardOf(irp)&(c.shards-1)*c.stride+int(m.at)].Add(1)
}

// tally is where the requests of one IRP are counted.
type tally struct {
	of     *Counts
	d      *Dispatcher // whose short requests IoControl counts here
	mask   uint64      // that of the Counts
	counts []uint64    // by meter; written by who has the request
	misses uint32      // requests that were for others since the IRP got it
}

// bump adds 1 to a counter of a tally, which others read. Checked builds show that to the race detector, and find who else adds to it.
func bump(n *uint64) uint64 {
	if !invariants.Enabled {
		*n++
		return *n
	}
	next := atomic.LoadUint64(n) + 1
	invariants.Yield()
	if !atomic.CompareAndSwapUint64(n, next-1, next) {
		panic(invariants.Violation("engine: two goroutines count requests of one IRP at once"))
	}
	return next
}

// takes counts a short request without its meter, unless its time is to be taken.
func (t *tally) takes(at uint32) bool {
	n := t.counter(at)
	if (*n+1)&t.mask == 0 {
		return false
	}
	bump(n)
	return true
}

// patience is how many requests an IRP may send to others than those whose tally it has before it gives that back: its device may have been
// swapped, or its nodes be counted apart.
const patience = 1024

// missed counts a request that is not for t, the IRP's tally or nil, and gives t back when there were too many of these. It reports whether
// the IRP has a tally still.
func (t *tally) missed(irp *IRP) bool {
	if t == nil {
		return false
	}
	if t.misses++; t.misses < patience {
		return true
	}
	irp.dropTally()
	return false
}

// other has IoControl look at the tally of an IRP whose request is for d, when that is not the dispatcher whose requests it counts there.
//
//go:noinline
func (t *tally) other(d *Dispatcher, irp *IRP) {
	switch d.counts {
	case t.of:
		t.d = d
	case nil:
		t.missed(irp)
	}
}

// assign gives a tally to the IRP of a handle, which has t or none, if there is one left.
//
//go:noinline
func (c *Counts) assign(irp *IRP, t *tally) *tally {
	if irp.detached || t.missed(irp) || c.left.Load() == 0 || irp.isClosed() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left.Load() == 0 {
		return nil
	}
	c.left.Add(-1)
	if last := len(c.free) - 1; last >= 0 {
		t, c.free = c.free[last], c.free[:last]
	} else {
		t = &tally{of: c, mask: c.mask, counts: make([]uint64, c.stride)}
		c.tallies = append(c.tallies, t)
	}
	if d := irp.owner; d != nil && d.counts == c {
		t.d = d
	}
	irp.extra.tally = t
	atomic.OrUint32(&irp.closed, closedCounted)
	return t
}

// dropTally gives back the tally of an IRP that has no request in flight but the caller's.
func (irp *IRP) dropTally() {
	x := irp.extra
	if x == nil || x.tally == nil {
		return
	}
	t := x.tally
	x.tally = nil
	atomic.AndUint32(&irp.closed, ^uint32(closedCounted))
	t.d, t.misses = nil, 0
	c := t.of
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, t)
	c.left.Add(1)
}

// bare is a handler of a property without its meter, which is at that place in a tally.
type bare struct {
	handler Handler
	at      uint32 // 0: the handler has no meter of Dispatcher.counts
}

// compileCounts notes where the GETs and SETs of properties are counted. Of several Counts in a declaration that was merged, they are those
// of one.
func (d *Dispatcher) compileCounts() {
	items := d.properties.items
	for i := range items {
		for _, m := range items[i].decl.meters {
			if d.counts == nil && m != nil {
				d.counts, d.bare = m.counts, make([][2]bare, len(items))
			}
		}
	}
	for i := range d.bare {
		decl := items[i].decl
		for verb, handler := range [2]Handler{decl.Get, decl.Set} {
			b := bare{handler: items[i].slot.handlers[verb]}
			if m := decl.meters[verb]; m != nil && m.counts == d.counts {
				b = bare{handler, m.at}
			}
			d.bare[i][verb] = b
		}
	}
}

// returned tells the meter at that place, if there is one, what short returned for a request that was counted without it.
//
//go:noinline
func (d *Dispatcher) returned(code uint64, at uint32) {
	if status := ks.Status(code); at != 0 && status != ks.StatusSuccess {
		d.counts.meters[at].returned(status)
	}
}
