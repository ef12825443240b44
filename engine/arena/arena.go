package arena

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
)

const (
	// granule is what sizes and offsets are multiples of. Eight bytes are promised; sixteen let a freed buffer of any
	// size hold the two words of the remote list.
	granule = 16

	// slack is what each chunk keeps back at its end, so that the address of an empty chunk's bump offset is its own.
	slack = granule

	minChunk     = 256
	defaultChunk = 64 << 10
	hugePage     = 2 << 20

	maxRequest = 1 << (30 + 10*(^uint(0)>>63)) // bytes: a GiB on 32-bit machines, a TiB on 64-bit ones
)

// Arena hands out byte buffers from chunks. New makes one; the zero value is not usable. An arena belongs to one
// goroutine at a time: every method except FreeRemote is for its owner only.
type Arena struct {
	// What the fast paths touch, on one cache line.
	start  *byte // of cur.mem
	off    uint  // the bump offset of cur: its newest buffer is at mem[off:], its free memory below
	top    uint  // cur.top
	allocs uint64
	frees  uint64

	cur    *chunk
	newest *chunk // of the active chunks, by activation
	spare  *chunk // free chunks of the common size
	large  *chunk // free oversize chunks
	cached uint   // bytes in large
	seq    uint64 // of the latest activation
	frames []frame
	serial uint64 // of the latest mark
	fence  uint   // the bump offset at which a fence is on top of cur, noFence if none is
	pins   int
	cfg    Config
	stats  Stats // the counters that only slow paths change
	fail   *sizeError
	lost   error // from giving memory back
	closed bool

	// What other goroutines touch (FreeRemote), on cache lines that the fast paths do not.
	_            [64]byte
	table        atomic.Pointer[[]*chunk] // every chunk by ascending address; replaced, never changed
	remote       atomic.Uint64            // address of the buffer freed remotely last, 0 for none
	remoteStrays atomic.Uint64
	_            [64]byte
}

// Config describes an arena. The zero value is usable.
type Config struct {
	// ChunkSize is the size of a chunk in bytes, 16 of which it keeps for itself. 0 means 64 KiB, or 2 MiB with HugePages;
	// other values are raised to at least 256 and to a multiple of 16, off the heap of the page size, with HugePages of
	// 2 MiB. A request that no common chunk holds gets a chunk of its own.
	ChunkSize int

	// Limit bounds the memory of all chunks together, in bytes; 0 means no bound. A request that would exceed it fails
	// with ErrExhausted, or with ErrTooLarge if it alone would, its chunk's 16 bytes included. Without a limit, a request
	// for more than the Go runtime can get ends the process, as make does: set one where sizes come from strangers.
	Limit int

	// OffHeap takes chunks from the operating system instead of the Go heap: on Linux, macOS, the BSDs and Windows, and not
	// in purego builds. They do not count towards the garbage collector's goal, and Close gives them back: then a buffer
	// that is still in use is a crash.
	OffHeap bool

	// HugePages asks Linux to back off-heap chunks with huge pages (madvise MADV_HUGEPAGE), which saves misses of the
	// translation buffer where many megabytes are live. It is a wish, ignored elsewhere, and needs OffHeap.
	HugePages bool
}

var (
	// ErrExhausted says that the request does not fit now, under Config.Limit or in the machine; it may after a Free.
	ErrExhausted = errors.New("arena: exhausted")
	// ErrTooLarge says that the request can never be satisfied: it is negative, alone above Config.Limit, or above 1 TiB
	// (1 GiB on 32-bit machines).
	ErrTooLarge = errors.New("arena: request too large")
	// ErrClosed says that the arena was closed.
	ErrClosed = errors.New("arena: closed")
)

// sizeError names the sizes of a failed request. It is immutable, so that the same failure can return the same value
// again: an exhausted arena under load does not burden the heap.
type sizeError struct {
	err             error
	request         int
	reserved, limit int
}

func (e *sizeError) Error() string {
	if e.limit == 0 {
		return fmt.Sprintf("%v: %d bytes requested, %d bytes reserved, no limit set", e.err, e.request, e.reserved)
	}
	return fmt.Sprintf("%v: %d bytes requested, %d of at most %d bytes reserved", e.err, e.request, e.reserved, e.limit)
}

func (e *sizeError) Unwrap() error { return e.err }

// New returns an empty arena, which takes its first chunk when something is allocated. It fails for a Config that
// contradicts itself, and with errors.ErrUnsupported where there is no off-heap memory.
func New(cfg Config) (*Arena, error) {
	switch {
	case cfg.ChunkSize < 0:
		return nil, fmt.Errorf("arena: Config.ChunkSize is %d, must not be negative", cfg.ChunkSize)
	case cfg.ChunkSize > math.MaxInt/4:
		return nil, fmt.Errorf("arena: Config.ChunkSize is %d, the most for this machine is %d", cfg.ChunkSize, math.MaxInt/4)
	case cfg.Limit < 0:
		return nil, fmt.Errorf("arena: Config.Limit is %d, must not be negative", cfg.Limit)
	case cfg.HugePages && !cfg.OffHeap:
		return nil, errors.New("arena: Config.HugePages needs Config.OffHeap")
	case cfg.OffHeap && !offHeap:
		return nil, fmt.Errorf("arena: Config.OffHeap: %w", errors.ErrUnsupported)
	}
	if cfg.ChunkSize == 0 {
		cfg.ChunkSize = defaultChunk
		if cfg.HugePages {
			cfg.ChunkSize = hugePage
		}
	}
	a := &Arena{cfg: cfg}
	a.cfg.ChunkSize = int(a.fit(uint(max(cfg.ChunkSize, minChunk))))
	a.table.Store(new([]*chunk))
	a.setCurrent(nowhere)
	return a, nil
}

// roundUp returns n rounded up to a multiple of granule.
func roundUp(n uint) uint { return (n + granule - 1) &^ (granule - 1) }

// Alloc returns a zeroed buffer of n bytes, aligned to 8 bytes, with len and cap n. It is the caller's until Free, until
// Release of an earlier mark unless it is pinned then, until Reset or until Close. For n = 0 it returns an empty buffer
// that is not nil, takes no memory and is not counted.
//
// The error wraps ErrExhausted, ErrTooLarge or ErrClosed and names the sizes.
func (a *Arena) Alloc(n int) ([]byte, error) {
	b, err := a.AllocUninit(n)
	clear(b)
	return b, err
}

// AllocUninit returns a buffer like Alloc does, whose contents are undefined: what a former owner left, in invariant
// builds 0xCC.
func (a *Arena) AllocUninit(n int) (b []byte, err error) { // inlined, with TryAlloc, as Free is with TryFree (TestInlining): see lateAlloc
	if b = a.TryAlloc(n); b == nil {
		b, err = lateAlloc(a, n, (*Arena).allocSlow)
	}
	return
}

// lateAlloc calls slow, and so does lateFree. The compiler's inlining budget of 80 points is charged 57 for a call, which
// leaves too little for TryAlloc, but 17 for one of a parameter, as that may turn out to be inlined. Once lateAlloc itself
// is, its parameter is a constant, and what remains is a call through that, on the slow path only.
func lateAlloc(a *Arena, n int, slow func(a *Arena, n int) ([]byte, error)) (b []byte, err error) {
	b, err = slow(a, n)
	return
}

func lateFree(a *Arena, b []byte, slow func(a *Arena, b []byte)) { slow(a, b) }

// Free gives the buffer b back: the slice that this arena returned, or a reslice of it that kept its start and capacity.
// The newest buffer's memory is handed out again next, any other's when nothing in its chunk is live. Free ends a pin.
//
// An empty buffer and nil are ignored. So is, in production builds, a b that lies outside this arena's chunks or where no
// buffer can begin: Stats.Strays counts it. To free a buffer twice, or after a Release that ended it, is an error that
// production builds cannot always see and that may give its memory to two owners; invariant builds panic on all of these.
func (a *Arena) Free(b []byte) {
	if !a.TryFree(b) {
		lateFree(a, b, (*Arena).freeSlow)
	}
}

// empty is what a request for nothing gets. Its address is no chunk's.
var empty = make([]byte, 1)[:0:0]

// allocSlow serves what the fast path does not: the edges of the argument, a full chunk, and everything in invariant
// builds.
func (a *Arena) allocSlow(n int) ([]byte, error) {
	switch {
	case a.closed:
		return nil, ErrClosed
	case n == 0:
		return empty, nil
	case n < 0 || n > maxRequest:
		return nil, a.failure(ErrTooLarge, n)
	}
	size, c := roundUp(uint(n)), a.cur
	if size > a.off {
		var err error
		if c, err = a.refill(size, n); err != nil {
			return nil, err
		}
	}
	off := a.bump(c) - size
	a.setBump(c, off)
	a.allocs++
	c.noteAlloc(off, uint(n))
	return c.mem[off : off+uint(n) : off+uint(n)], nil
}

// refill returns a chunk with at least size free bytes: the current one if nothing in it is live, else another one that
// becomes current, or for an oversize request one that does not.
func (a *Arena) refill(size uint, n int) (*chunk, error) {
	a.Drain()
	if size <= a.off {
		return a.cur, nil
	}
	if c := a.cur; c.dead == c.top-a.off && size <= c.top {
		a.rewind(c)
		return c, nil
	}
	c, err := a.take(size, n)
	if err != nil {
		return nil, err
	}
	if !c.oversize {
		a.setCurrent(c)
	}
	return c, nil
}

// locate returns the chunk and the offset of b, whose capacity is not 0, and its rounded size; ok is false if no buffer
// of this arena can lie there.
func (a *Arena) locate(b []byte) (c *chunk, off, size uint, ok bool) {
	addr := address(b)
	c = a.cur
	if addr-c.base >= uintptr(c.top) {
		c = find(*a.table.Load(), addr)
	}
	if c == nil {
		return nil, 0, 0, false
	}
	off, size = uint(addr-c.base), roundUp(uint(cap(b)))
	return c, off, size, c.seq != 0 && off%granule == 0 && off >= a.bump(c) && size <= c.top-off
}

// freeSlow frees what is not the newest buffer, sorts out what is not a buffer, and does everything in invariant builds.
func (a *Arena) freeSlow(b []byte) {
	if cap(b) == 0 {
		return
	}
	c, off, size, ok := a.locate(b)
	if c.checkLive("Free", off, uint(cap(b)), ok); !ok {
		a.stats.Strays++
		return
	}
	a.end(c, off, size)
}

// end ends the buffer of size bytes at c.mem[off:].
func (a *Arena) end(c *chunk, off, size uint) {
	a.frees++
	c.noteFree(off)
	if c == a.cur && off == a.off {
		a.off += size
		c.noteBump(a.off)
	} else {
		a.endOlder(c, off, size)
	}
	switch {
	case c.dead != c.top-a.bump(c):
	case c == a.cur:
		a.rewind(c)
	default:
		a.recycle(c)
	}
}

// endOlder ends a buffer that is not the newest of the current chunk: its memory becomes dead. Only such buffers are pinned
// or older than a mark, because both put a fence on top of the chunk.
func (a *Arena) endOlder(c *chunk, off, size uint) {
	if c.pins != 0 && c.pinned(off) {
		a.unpin(c, off, size)
	}
	for i := len(a.frames) - 1; i >= 0 && a.frames[i].after(c, off); i-- {
		f := &a.frames[i]
		f.live--
		if f.c == c {
			f.dead += size
		}
	}
	c.dead += size
}

// Reset frees everything, pinned or not, and ends all marks. The chunks are kept for reuse.
func (a *Arena) Reset() {
	a.Drain()
	a.setCurrent(nowhere)
	for a.newest != nil {
		a.recycle(a.newest)
	}
	a.frames = a.frames[:0]
	a.pins = 0
	a.frees = a.allocs
}

// Close gives all memory back and returns the error of the operating system, if there is one. Every buffer, mark and pin
// ends; later allocations fail with ErrClosed. A heap-backed arena need not be closed.
func (a *Arena) Close() error {
	a.Reset()
	for _, c := range *a.table.Load() {
		a.giveBack(c)
	}
	a.table.Store(new([]*chunk))
	a.spare, a.large, a.cached = nil, nil, 0
	a.stats.Reserved = 0
	a.closed = true
	err := a.lost
	a.lost = nil
	return err
}

// failure returns err with the sizes.
func (a *Arena) failure(err error, n int) error {
	a.stats.Failures++
	e := sizeError{err: err, request: n, reserved: a.stats.Reserved, limit: a.cfg.Limit}
	if a.fail == nil || *a.fail != e {
		fail := e
		a.fail = &fail
	}
	return a.fail
}

// Stats describes an arena.
type Stats struct {
	Allocs   uint64 // buffers handed out so far
	Frees    uint64 // buffers ended so far, by Free, FreeRemote, Release or Reset
	Live     int    // Allocs - Frees
	Pinned   int    // those of them that are pinned
	Bytes    int    // bytes in live buffers, each rounded up to 16, and 16 for each open mark
	Chunks   int    // chunks that there are
	Empty    int    // those of them that hold nothing
	Reserved int    // bytes in chunks: what Config.Limit bounds
	Peak     int    // highest Reserved so far
	Failures uint64 // allocations that failed, other than with ErrClosed
	Strays   uint64 // frees and pins of what is no buffer of this arena, which were ignored
}

// Stats drains the remote list and returns the counters. It takes time in proportion to the number of chunks.
func (a *Arena) Stats() Stats {
	a.Drain()
	s := a.stats
	s.Allocs, s.Frees, s.Live, s.Pinned = a.allocs, a.frees, int(a.allocs-a.frees), a.pins
	s.Strays += a.remoteStrays.Load()
	for _, c := range *a.table.Load() {
		s.Chunks++
		if c.seq == 0 {
			s.Empty++
			continue
		}
		s.Bytes += int(c.top - a.bump(c) - c.dead)
	}
	return s
}
