package arena

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

const (
	// granule is what sizes and offsets are multiples of. Eight bytes are promised; sixteen let a freed buffer of any
	// size hold the two words of the remote list.
	granule = 16

	// slack is what each chunk keeps back at its end, so that the address of an empty chunk's bump offset is its own.
	slack = granule

	minChunk     = 256
	defaultChunk = 64 << 10
	hugeChunk    = 2 << 20
)

// Arena hands out byte buffers from chunks. New makes one; the zero value is not usable. An arena belongs to one
// goroutine at a time: every method except FreeRemote is for its owner only.
type Arena struct {
	// The four words of the fast path.
	mem    []byte // cur.mem
	off    uint   // the bump offset of cur: newest buffer at mem[off:], free memory below
	allocs uint64
	frees  uint64

	cur    *chunk
	cfg    Config
	seq    uint64 // of the latest activation
	newest *chunk // active chunks by descending seq, linked by older and newer
	oldest *chunk
	spare  *chunk // free chunks of the common size, linked by older
	spares int
	large  *chunk // free oversize chunks, likewise
	cached uint   // bytes in large
	frames []frame
	serial uint64 // of the latest mark
	stats  Stats  // what only slow paths change
	fail   *sizeError
	closed bool

	table  atomic.Pointer[[]*chunk] // every chunk by ascending address; replaced, never changed
	remote atomic.Uint64            // address of the latest remotely freed buffer, 0 for none
}

// Config describes an arena. The zero value is usable.
type Config struct {
	// ChunkSize is the size of a chunk in bytes, 16 of which it keeps for itself. 0 means 64 KiB, or 2 MiB with
	// HugePages; other values are raised to 256 and to a multiple of 16. A larger request gets a chunk of its own.
	ChunkSize int

	// Limit bounds the memory of all chunks together, in bytes; 0 means no bound. What does not fit fails with
	// ErrExhausted, or with ErrTooLarge if it never could.
	Limit int
}

var (
	// ErrExhausted says that the request does not fit under Config.Limit now; it may after something is freed.
	ErrExhausted = errors.New("arena: exhausted")
	// ErrTooLarge says that the request can never be satisfied: it is negative, above Config.Limit or above what the
	// machine can address.
	ErrTooLarge = errors.New("arena: request too large")
	// ErrClosed says that the arena was closed.
	ErrClosed = errors.New("arena: closed")
)

// sizeError names the sizes of a failed request. It is immutable, so that the same failure again can return the same
// value: an exhausted arena under load does not burden the heap.
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

// New returns an empty arena. It takes its first chunk when something is allocated.
func New(cfg Config) (*Arena, error) {
	if cfg.ChunkSize < 0 || cfg.Limit < 0 {
		return nil, fmt.Errorf("arena: ChunkSize %d and Limit %d must not be negative", cfg.ChunkSize, cfg.Limit)
	}
	if cfg.ChunkSize > math.MaxInt/4 {
		return nil, fmt.Errorf("arena: ChunkSize %d is more than this machine can address", cfg.ChunkSize)
	}
	if cfg.ChunkSize == 0 {
		cfg.ChunkSize = defaultChunk
	}
	cfg.ChunkSize = int(roundUp(uint(max(cfg.ChunkSize, minChunk))))
	a := &Arena{cfg: cfg}
	a.table.Store(new([]*chunk))
	a.setCurrent(nowhere)
	return a, nil
}

// roundUp returns n rounded up to a multiple of granule.
func roundUp(n uint) uint { return (n + granule - 1) &^ (granule - 1) }

// Alloc returns a zeroed buffer of n bytes, aligned to 8 bytes, with len and cap n. It is the caller's until Free, until
// a Release of an earlier mark that does not find it pinned, until Reset or until Close. For n = 0 it returns an empty
// buffer that is not nil, takes no memory and is not counted.
//
// The error wraps ErrExhausted, ErrTooLarge or ErrClosed and names the sizes.
func (a *Arena) Alloc(n int) ([]byte, error) {
	b, err := a.AllocUninit(n)
	clear(b)
	return b, err
}

var empty = make([]byte, 0, 1)[:0:0]

// allocSlow serves what the fast path does not: the edges of the argument, a full chunk, and everything in invariant
// builds. It is the checked twin of AllocUninit.
func (a *Arena) allocSlow(n int) ([]byte, error) {
	switch {
	case a.closed:
		return nil, ErrClosed
	case n == 0:
		return empty, nil
	case n < 0 || n > math.MaxInt-a.cfg.ChunkSize-hugeChunk:
		return nil, a.failure(ErrTooLarge, n)
	}
	size := roundUp(uint(n))
	c := a.cur
	if size > a.off { // not in invariant builds only
		var err error
		if c, err = a.refill(size, n); err != nil {
			return nil, err
		}
	}
	return a.carve(c, size, n), nil
}

// carve takes size bytes from c, which has them.
func (a *Arena) carve(c *chunk, size uint, n int) []byte {
	off := a.bump(c) - size
	a.setBump(c, off)
	a.allocs++
	return c.mem[off : off+uint(n) : off+uint(n)]
}

// refill returns a chunk with at least size free bytes: the current one if it holds nothing live, else another one
// that becomes current, or for an oversize request one of its own that does not.
func (a *Arena) refill(size uint, n int) (*chunk, error) {
	if c := a.cur; c != nowhere && c.dead == c.top-a.off {
		a.rewind(c)
		if size <= a.off {
			return c, nil
		}
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

// freeSlow frees what is not the newest buffer, sorts out what is not a buffer, and does everything in invariant builds.
func (a *Arena) freeSlow(b []byte) {
	if cap(b) == 0 {
		return
	}
	addr := address(b)
	size := roundUp(uint(cap(b)))
	c := a.find(addr)
	if c == nil || c.seq == 0 {
		a.stray()
		return
	}
	off := uint(addr - c.base)
	if off%granule != 0 || off < a.bump(c) || size > c.top-off {
		a.stray()
		return
	}
	a.kill(c, off, size)
}

// kill ends the buffer of size bytes at c.mem[off:].
func (a *Arena) kill(c *chunk, off, size uint) {
	a.frees++
	if c == a.cur && off == a.off && !invariants.Enabled {
		a.off += size
		return
	}
	for i := len(a.frames) - 1; i >= 0 && a.frames[i].after(c, off); i-- {
		f := &a.frames[i]
		f.live--
		if f.c == c {
			f.dead += size
		}
	}
	c.dead += size
	if c.dead != c.top-a.bump(c) {
		return
	}
	if c == a.cur {
		a.rewind(c)
		return
	}
	a.recycle(c)
}

// stray notes a Free of something that is not a live buffer of this arena.
func (a *Arena) stray() { a.stats.Strays++ }

// Reset frees everything, pinned or not, and ends all marks. Chunks of the common size are kept for reuse.
func (a *Arena) Reset() {
	for a.newest != nil {
		a.recycle(a.newest)
	}
	a.setCurrent(nowhere)
	a.frames = a.frames[:0]
	a.frees = a.allocs
}

// failure returns err with the sizes.
func (a *Arena) failure(err error, n int) error {
	a.stats.Failures++
	e := sizeError{err: err, request: n, reserved: a.stats.Reserved, limit: a.cfg.Limit}
	if a.fail == nil || *a.fail != e {
		a.fail = new(sizeError)
		*a.fail = e
	}
	return a.fail
}

// Stats describes an arena.
type Stats struct {
	Allocs   uint64 // buffers handed out so far
	Frees    uint64 // buffers ended so far, by Free, FreeRemote, Release or Reset
	Live     int    // Allocs - Frees
	Bytes    int    // bytes in live buffers, rounded up to 16 each, and in open marks, 16 each
	Chunks   int    // chunks in being
	Spare    int    // those of them that hold nothing
	Reserved int    // bytes in chunks: what Config.Limit bounds
	Peak     int    // highest Reserved so far
	Failures uint64 // requests that failed
	Strays   uint64 // frees of what is no live buffer of this arena, which were ignored
}

// Stats returns the arena's counters. It takes time in proportion to the number of chunks.
func (a *Arena) Stats() Stats {
	s := a.stats
	s.Allocs, s.Frees = a.allocs, a.frees
	s.Live = int(a.allocs - a.frees)
	for _, c := range *a.table.Load() {
		s.Chunks++
		if c.seq == 0 {
			s.Spare++
			continue
		}
		s.Bytes += int(c.top - a.bump(c) - c.dead)
	}
	return s
}

// Close gives all memory back. Every buffer, mark and pin ends; later allocations fail with ErrClosed.
func (a *Arena) Close() error {
	a.Reset()
	a.table.Store(new([]*chunk))
	a.spare, a.spares, a.large, a.cached = nil, 0, nil, 0
	a.stats.Reserved = 0
	a.closed = true
	return nil
}
