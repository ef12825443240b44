package arena

import (
	"fmt"
	"math/bits"
	"slices"
	"sort"
)

// chunk is a piece of memory that buffers are taken from, downwards.
type chunk struct {
	// These never change, and other goroutines read them (FreeRemote).
	mem  []byte
	base uintptr // address of mem[0]
	top  uint    // where the first buffer ends: len(mem) without the slack

	off      uint   // where the newest buffer begins, while the chunk is not current (then Arena.off says)
	dead     uint   // bytes in mem[off:top] that are free
	seq      uint64 // of the activation, rising; 0 while the chunk is free
	raw      []byte // what mem is an aligned part of
	oversize bool   // made for one request that no common chunk holds

	older, newer *chunk // neighbours among the active chunks; older links free chunks

	pins     int      // pinned buffers
	pinBytes uint     // their bytes
	pinBits  []uint64 // a bit for each granule, set where a pinned buffer begins; made for the first pin

	shadow []record // invariant builds only: the buffers in mem[off:top], by falling offset
}

// nowhere is current when no chunk is: nothing fits in it and nothing in it is ever freed, so that the fast paths need no
// case for it. All arenas share it and none writes to it.
var nowhere = &chunk{mem: make([]byte, slack)}

// bump returns the bump offset of c.
func (a *Arena) bump(c *chunk) uint {
	if c == a.cur {
		return a.off
	}
	return c.off
}

func (a *Arena) setBump(c *chunk, off uint) {
	if c == a.cur {
		a.off = off
	} else {
		c.off = off
	}
}

// setCurrent makes c the chunk that the fast paths work on.
func (a *Arena) setCurrent(c *chunk) {
	if a.cur != nil && a.cur != nowhere {
		a.cur.off = a.off
	}
	a.cur, a.start, a.off, a.top = c, &c.mem[0], c.off, c.top
	a.fence = noFence
}

// rewind empties the current chunk c: nothing in it is live.
func (a *Arena) rewind(c *chunk) {
	if c == nowhere {
		return
	}
	c.noteEmpty()
	c.dead = 0
	a.off = c.top
	a.fence = noFence
}

// find returns the chunk of the table that the address lies in, nil for none.
//
// The search runs only for buffers outside the current chunk. Masking the address instead needs chunks that lie on a
// multiple of their size, which the Go heap does not give, and a header that foreign addresses do not have.
func find(table []*chunk, addr uintptr) *chunk {
	lo, hi := 0, len(table)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if table[mid].base <= addr {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return nil
	}
	if c := table[lo-1]; addr-c.base < uintptr(c.top) {
		return c
	}
	return nil
}

// take activates a chunk with size free bytes, a free one or a new one.
func (a *Arena) take(size uint, n int) (*chunk, error) {
	list := &a.spare
	if size+slack > uint(a.cfg.ChunkSize) {
		list = &a.large
	}
	for link := list; *link != nil; link = &(*link).older {
		c := *link
		if c.top < size || c.oversize && c.top/2 > size { // less than half used is too large for it
			continue
		}
		*link = c.older
		if c.oversize {
			a.cached -= uint(len(c.mem))
		}
		a.activate(c)
		return c, nil
	}
	c, err := a.create(size, n)
	if err != nil {
		return nil, err
	}
	a.activate(c)
	return c, nil
}

// create makes a chunk with at least size usable bytes.
func (a *Arena) create(size uint, n int) (*chunk, error) {
	want, need := uint(a.cfg.ChunkSize), size+slack
	oversize := need > want
	if oversize {
		// Steps of a quarter of the power of two below: a stream of growing sizes settles on a few of them.
		step := uint(1) << (bits.Len(need) - 3)
		want = (need + step - 1) &^ (step - 1)
	}
	want = a.fit(want)
	if limit := uint(a.cfg.Limit); limit != 0 {
		if a.fit(need) > limit {
			return nil, a.failure(ErrTooLarge, n)
		}
		for need > limit-uint(a.stats.Reserved) && a.dropFree() {
		}
		if want = min(want, a.fitDown(limit-uint(a.stats.Reserved))); want < need {
			return nil, a.failure(ErrExhausted, n)
		}
	}
	raw, mem, err := a.obtain(want)
	if err != nil {
		a.stats.Failures++
		return nil, fmt.Errorf("%w: %d bytes requested, %d bytes reserved: %w", ErrExhausted, n, a.stats.Reserved, err)
	}
	c := &chunk{mem: mem, raw: raw, base: address(mem), top: want - slack, oversize: oversize}
	c.poison(0, want)
	old := *a.table.Load()
	at := sort.Search(len(old), func(i int) bool { return old[i].base > c.base })
	table := slices.Insert(slices.Clip(old), at, c)
	a.table.Store(&table)
	a.stats.Reserved += int(want)
	a.stats.Peak = max(a.stats.Peak, a.stats.Reserved)
	return c, nil
}

// activate makes c, which is empty, the newest of the active chunks.
func (a *Arena) activate(c *chunk) {
	a.seq++
	c.seq, c.off, c.dead = a.seq, c.top, 0
	c.newer, c.older = nil, a.newest
	if a.newest != nil {
		a.newest.newer = c
	}
	a.newest = c
}

// recycle takes c, which is not current and in which nothing is live any more, from the active chunks and keeps it for
// reuse. Large chunks are kept up to the size of sixteen common ones: a few huge requests are not remembered for ever.
func (a *Arena) recycle(c *chunk) {
	if c.pins != 0 { // Reset
		clear(c.pinBits)
		c.pins, c.pinBytes = 0, 0
	}
	c.noteRelease(c.top)
	c.noteEmpty()
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		a.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	}
	c.seq, c.newer = 0, nil
	switch size := uint(len(c.mem)); {
	case !c.oversize:
		c.older, a.spare = a.spare, c
	case a.cached+size <= 16*uint(a.cfg.ChunkSize):
		c.older, a.large = a.large, c
		a.cached += size
	default:
		a.discard(c)
	}
}

// dropFree gives one free chunk back, the current one too if it is empty. It returns false if there is none.
func (a *Arena) dropFree() bool {
	c := a.cur
	if a.large == nil && a.spare == nil && c != nowhere && c.dead == c.top-a.off {
		a.setCurrent(nowhere)
		a.recycle(c)
	}
	switch {
	case a.large != nil:
		c = a.large
		a.large = c.older
		a.cached -= uint(len(c.mem))
	case a.spare != nil:
		c = a.spare
		a.spare = c.older
	default:
		return false
	}
	a.discard(c)
	return true
}

// discard gives a free chunk back.
func (a *Arena) discard(c *chunk) {
	old := *a.table.Load()
	table := make([]*chunk, 0, len(old))
	for _, o := range old {
		if o != c {
			table = append(table, o)
		}
	}
	a.table.Store(&table)
	a.stats.Reserved -= len(c.mem)
	c.older = nil
	a.giveBack(c)
}
