package trace

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Config says how to record. Its zero value is ready.
type Config struct {
	// Sources name what the devices were made from, for the one who replays: nothing is checked by it.
	Sources []Source
	// Buffer is how many bytes wait for the writer at most, for each handle; 0 is 1 MiB, less than 16 KiB is that. The writer is woken when
	// half of it is full. A handle takes a sixteenth of it with its first request, but no less than 4 KiB, and more as it needs it. A
	// request that is longer takes its length until it is written, and no more than four wait.
	Buffer int
	// Wait makes requests wait for the writer when the buffer of their handle is full. Else they are dropped and counted.
	Wait bool
	// Flush is how long a record stays in memory at most; 0 is 100 milliseconds.
	Flush time.Duration
	// ClockEvery is how many requests of a handle there are to one whose time is read from the clock; 0 is 64, 1 is all. It is rounded
	// up to a power of two.
	ClockEvery int
	// PartSize is the number of bytes after which the trace goes on in the writer that Next returns; 0 is never. Each part can be read
	// by itself, and parts that are put together are one trace.
	PartSize int64
	// Next is called by the goroutine that writes, when the part before has been written. part is 1 for the first call.
	Next func(part int) (io.Writer, error)
	// Pends marks requests that are pended. Its Wrap is around the handlers of the devices; nil marks none.
	Pends *Pends
}

// continued is a handle that is opened in the parts, too, that follow the one with its open.
type continued struct {
	handle   uint32
	parent   uint32 // that it was created on; 0 for none
	record   []byte // its open
	children int    // handles created on it that are continued
	retired  bool   // it has no more requests, but maybe children
}

// Source is a manifest that recorded devices were made from.
type Source struct {
	Name   string `json:"name"`   // of the driver
	Digest string `json:"digest"` // xxhash64 of the file, in hexadecimal
}

// Header says how a trace was recorded.
type Header struct {
	Version    int           `json:"version"`     // of the format
	ID         string        `json:"id"`          // the same in all parts of a trace, and in no other
	Part       int           `json:"part"`        // from 0
	OS         string        `json:"os"`          // as Go names it
	Arch       string        `json:"arch"`        // as Go names it
	Processors int           `json:"processors"`  // that Go used
	Go         string        `json:"go"`          // version
	Sources    []Source      `json:"sources"`     // never null
	Start      time.Time     `json:"start"`       // 0 of the times of records
	Tick       time.Duration `json:"tick"`        // of the clock that most times are of, in nanoseconds
	ClockEvery int           `json:"clock_every"` // see Config
}

const (
	tick          = time.Millisecond
	defaultBuffer = 1 << 20
	defaultFlush  = 100 * time.Millisecond
	defaultEvery  = 64
	minChunk      = 4 << 10
)

// Recorder records what goes through the handles that it opens. It is safe for concurrent use.
type Recorder struct {
	config Config
	header Header
	every  uint32
	start  time.Time

	order   atomic.Uint64 // records and marks that were made
	_       [56]byte      // keeps what is only read off the line that every request writes
	now     atomic.Int64  // the clock that ticks
	dropped atomic.Uint64

	wake  chan struct{} // something is to be written
	stop  chan struct{}
	ended chan struct{} // nothing will be written any more
	once  sync.Once

	mu      sync.Mutex
	streams []*stream
	control []byte                // records of no handle that are to be written
	first   uint64                // the Order of the first of them
	opens   []*continued          // of those among the records of control
	open    map[uint32]*continued // those whose opens are written and that may have more requests, by handle
	devices map[*device.Device]uint32
	handles uint32 // numbers that were given
	err     error

	// Of the writer.
	out   blocks
	look  []*stream // what there is to look at: memory that is kept
	part  int64     // bytes
	parts int
	lost  uint64 // controls that were dropped
}

// NewRecorder begins a trace in w. Close ends it; w is the caller's to close, after that. The error is that of the first write.
func NewRecorder(w io.Writer, config Config) (*Recorder, error) {
	if config.PartSize > 0 && config.Next == nil {
		return nil, errors.New("trace: PartSize without Next; say where the parts that follow go")
	}
	if config.Buffer <= 0 {
		config.Buffer = defaultBuffer
	}
	if config.Flush <= 0 {
		config.Flush = defaultFlush
	}
	if config.ClockEvery <= 0 {
		config.ClockEvery = defaultEvery
	}
	every := 1
	for every < config.ClockEvery && every < 1<<30 {
		every *= 2
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	r := &Recorder{
		config: config, every: uint32(every) - 1, start: time.Now(), out: blocks{to: w},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		open: make(map[uint32]*continued), devices: make(map[*device.Device]uint32),
	}
	sources := config.Sources
	if sources == nil {
		sources = []Source{}
	}
	r.header = Header{Version: Version, ID: hex.EncodeToString(id[:]), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		Processors: runtime.GOMAXPROCS(0), Sources: sources, Start: r.start.UTC().Round(0), Tick: tick, ClockEvery: every}
	if err := r.begin(); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	go r.ticks()
	go r.run()
	return r, nil
}

// Open opens a device, whose requests are recorded. object is the name that a replay opens it by.
func (r *Recorder) Open(dev *device.Device, object string) (*Handle, error) {
	begin, at := r.order.Load(), time.Since(r.start)
	inner, err := dev.Open()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	number, ok := r.devices[dev]
	if !ok {
		number = uint32(len(r.devices) + 1)
		r.devices[dev] = number
	}
	r.mu.Unlock()
	h := r.handle(inner)
	r.add(Record{Kind: KindOpen, Begin: begin, Time: at, Handle: h.stream.handle, Parent: number, In: []byte(object)}, &h.stream)
	return h, nil
}

// mark counts what is no record, so that what begins before can be told from what begins after: that a request is left pending, or that
// a cancel or a close begins, which end requests.
func (r *Recorder) mark() uint64 { return r.order.Add(1) }

// Generate generates an event on a device, as engine.EventList.GenerateData does for all that are enabled, and records it. A set that is
// nil is any.
func (r *Recorder) Generate(dev *device.Device, set *ks.GUID, id uint32, data []byte) ks.Status {
	begin, at := r.order.Load(), time.Since(r.start)
	status, n := generate(dev, set, id, data)
	rec := Record{Kind: KindGenerate, Begin: begin, Time: at, Code: id, Status: status, Information: n, Out: data,
		OutBytes: uint32(len(data)), Flags: FlagCarried}
	if set != nil {
		rec.In = set[:]
	}
	r.mu.Lock()
	rec.Parent = r.devices[dev]
	r.mu.Unlock()
	r.add(rec, nil)
	return status
}

// Dropped returns how many records have been lost because the writer was too slow, or failed.
func (r *Recorder) Dropped() uint64 { return r.dropped.Load() }

// Close writes what was recorded, and ends the trace. Requests that are in flight, or come later, are answered and not recorded. The
// error is the first of those who write; what came after it is lost, and counted.
func (r *Recorder) Close() error {
	r.once.Do(func() { close(r.stop) })
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// maxControl is how many bytes of generated events and cancels wait for the writer.
const maxControl = 1 << 20

// add records something that is no request. A handle that it opened is one of a later part, too.
func (r *Recorder) add(rec Record, opened *stream) {
	rec.Duration = time.Since(r.start) - rec.Time
	rec.Flags |= FlagExact
	r.mu.Lock()
	defer r.mu.Unlock()
	if (rec.Kind == KindGenerate || rec.Kind == KindCancel) && len(r.control)+rec.size() > maxControl {
		r.lost++
		r.dropped.Add(1)
		return
	}
	rec.Order = r.order.Add(1)
	if len(r.control) == 0 {
		r.first = rec.Order
	}
	r.control = rec.appendTo(r.control)
	if opened != nil {
		r.streams, opened.listed = append(r.streams, opened), true // with its open, which is written before its requests
		rec.Flags |= FlagContinued
		c := &continued{handle: opened.handle, record: rec.appendTo(nil)}
		if rec.Kind == KindCreate {
			c.parent = rec.Parent
		}
		r.opens = append(r.opens, c)
	}
}

// register has the writer look at the stream again.
func (s *stream) register() {
	r := s.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.idle.CompareAndSwap(true, false) && !s.listed {
		r.streams, s.listed = append(r.streams, s), true
	}
}

// kick wakes the writer.
func (r *Recorder) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// ticks is the goroutine of the clock.
func (r *Recorder) ticks() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.now.Store(int64(time.Since(r.start)))
		case <-r.ended:
			return
		}
	}
}

// run is the goroutine that writes.
func (r *Recorder) run() {
	defer close(r.ended)
	t := time.NewTicker(r.config.Flush)
	defer t.Stop()
	for {
		all, last := false, false
		select {
		case <-r.wake:
		case <-t.C:
			all = true
		case <-r.stop:
			all, last = true, true
		}
		err := r.write(all)
		if err == nil && last {
			err = r.end()
		}
		if err != nil {
			r.mu.Lock()
			r.err = fmt.Errorf("trace: %w; what follows was not recorded", err)
			r.mu.Unlock()
		}
		if err != nil || last {
			return
		}
	}
}

// write writes what streams have. What has no handle goes first, so that a handle is opened before its requests are read.
func (r *Recorder) write(all bool) error {
	r.mu.Lock()
	r.look = append(r.look[:0], r.streams...)
	r.mu.Unlock()
	defer clear(r.look) // a stream that is closed is not kept
	if err := r.writeControl(); err != nil {
		return err
	}
	for _, s := range r.look {
		if err := s.drain(all, r.writeBlock); err != nil {
			return err
		}
	}
	if all {
		r.retire()
	}
	return nil
}

// settled is longer than a processor keeps to itself what it has stored.
const settled = time.Millisecond

// retire forgets streams of closed handles. A request that ends later finds its stream idle, and registers it again. One that found it
// not idle may have shown its record with a store that is not seen at once (publish), so the stream is idle for a while before the writer
// looks at it for the last time.
func (r *Recorder) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.start)
	r.streams = slices.DeleteFunc(r.streams, func(s *stream) bool {
		switch {
		case !s.finished.Load():
			return false
		case !s.idle.Load():
			s.idle.Store(true)
			s.idleAt = now
			return false
		case now-s.idleAt < settled || !s.empty():
			return false
		}
		if c := r.open[s.handle]; c != nil {
			c.retired = true
			r.discontinue(c)
		}
		s.listed = false
		return true
	})
}

// discontinue leaves a handle that is retired out of the parts that follow, unless one that was created on it is in them.
func (r *Recorder) discontinue(c *continued) {
	for c != nil && c.retired && c.children == 0 {
		delete(r.open, c.handle)
		if c = r.open[c.parent]; c != nil {
			c.children--
		}
	}
}

// writeControl writes the records of no handle. A part that begins with them has no other opens of the handles that they open.
func (r *Recorder) writeControl() error {
	r.mu.Lock()
	records, opens, b := r.control, r.opens, block{kind: blockRecords, first: r.first, dropped: r.lost}
	r.control, r.opens = nil, nil
	r.mu.Unlock()
	if len(records) == 0 {
		return nil
	}
	if err := r.writeBlock(&b, append(make([]byte, blockHeader), records...)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range opens {
		r.open[c.handle] = c
		if parent := r.open[c.parent]; parent != nil {
			parent.children++
		}
	}
	return nil
}

// writeBlock writes a block whose payload follows the room for its header.
func (r *Recorder) writeBlock(b *block, room []byte) error {
	if r.config.PartSize > 0 && r.part > 0 && r.part+int64(len(room)) > r.config.PartSize {
		if err := r.rotate(); err != nil {
			return err
		}
	}
	if b.first == 0 {
		b.first = firstOrder(room[blockHeader:])
	}
	if b.kind == blockRecords {
		r.part += int64(len(room))
	}
	return r.out.put(b, room)
}

// begin writes the first block of a part.
func (r *Recorder) begin() error {
	header := r.header
	header.Part = r.parts
	return r.out.begin(&header)
}

// end writes the last block of a part.
func (r *Recorder) end() error { return r.out.end(r.order.Load(), r.dropped.Load()) }

// rotate goes on in the next part, which begins with the handles that are open.
func (r *Recorder) rotate() error {
	if err := r.end(); err != nil {
		return err
	}
	r.parts++
	out, err := r.config.Next(r.parts)
	if err != nil {
		return fmt.Errorf("part %d: %w", r.parts, err)
	}
	r.out.to, r.part = out, 0
	if err := r.begin(); err != nil {
		return err
	}
	r.mu.Lock()
	room := make([]byte, blockHeader)
	for _, number := range slices.Sorted(maps.Keys(r.open)) {
		room = append(room, r.open[number].record...)
	}
	r.mu.Unlock()
	if len(room) == blockHeader {
		return nil
	}
	return r.out.put(&block{kind: blockRecords, first: firstOrder(room[blockHeader:]), dropped: r.lost}, room)
}
