package arena

import (
	"math/bits"
	"slices"
	"sort"
)

// chunk is a piece of memory that buffers are carved from, downwards.
type chunk struct {
	mem  []byte
	base uintptr // address of mem[0]
	top  uint    // where the first buffer ends: len(mem) without the slack
	off  uint    // where the newest buffer begins, while the chunk is not current (then Arena.off counts)
	dead uint    // bytes in [off, top) that are free
	seq  uint64  // of the activation, ascending; 0 while the chunk holds nothing

	older, newer *chunk // among the active chunks by seq; older links the free ones

	oversize bool // made for one request that no common chunk holds
}

// nowhere is current when no chunk is. Nothing fits in it and nothing in it is ever freed.
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
		return
	}
	c.off = off
}

// setCurrent makes c the chunk that the fast paths work on.
func (a *Arena) setCurrent(c *chunk) {
	if a.cur != nil && a.cur != nowhere {
		a.cur.off = a.off
	}
	a.cur, a.mem, a.off = c, c.mem, c.off
}

// rewind makes the active chunk c empty: nothing in it is live.
func (a *Arena) rewind(c *chunk) {
	c.dead = 0
	a.setBump(c, c.top)
}

// find returns the chunk that the address belongs to, nil for none.
func (a *Arena) find(addr uintptr) *chunk {
	if c := a.cur; addr-c.base < uintptr(c.top) {
		return c
	}
	return find(*a.table.Load(), addr)
}

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

// take activates a chunk with size free bytes, new or recycled.
func (a *Arena) take(size uint, n int) (*chunk, error) {
	list := &a.spare
	if size+slack > uint(a.cfg.ChunkSize) {
		list = &a.large
	}
	for link := list; *link != nil; link = &(*link).older {
		// A large chunk more than twice too large would be wasted; sizes come in steps of a quarter (create).
		if c := *link; c.top >= size && (!c.oversize || c.top/2 <= size) {
			*link = c.older
			if c.oversize {
				a.cached -= uint(len(c.mem))
			} else {
				a.spares--
			}
			a.activate(c)
			return c, nil
		}
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
		step := uint(1) << (bits.Len(need) - 3) // a quarter of the power of two below: at most 25% more than asked for
		want = (need + step - 1) &^ (step - 1)
	}
	if limit := uint(a.cfg.Limit); limit != 0 {
		if need > limit {
			return nil, a.failure(ErrTooLarge, n)
		}
		if need > limit-uint(a.stats.Reserved) {
			a.dropLarge()
		}
		left := limit - uint(a.stats.Reserved)
		if need > left {
			return nil, a.failure(ErrExhausted, n)
		}
		want = min(want, left&^(granule-1))
		if want < need {
			return nil, a.failure(ErrExhausted, n)
		}
	}
	mem := make([]byte, want)
	c := &chunk{mem: mem, base: address(mem), top: want - slack, oversize: oversize}
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
	} else {
		a.oldest = c
	}
	a.newest = c
}

// recycle takes c, in which nothing is live, from the active chunks and keeps it for reuse. A large chunk is kept only
// while the large ones kept are not more than sixteen common chunks: otherwise a few huge requests would be remembered
// for ever.
func (a *Arena) recycle(c *chunk) {
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		a.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		a.oldest = c.newer
	}
	c.seq, c.off, c.dead, c.newer = 0, c.top, 0, nil
	size := uint(len(c.mem))
	switch {
	case !c.oversize:
		c.older, a.spare = a.spare, c
		a.spares++
	case a.cached+size <= 16*uint(a.cfg.ChunkSize):
		c.older, a.large = a.large, c
		a.cached += size
	default:
		a.discard(c)
	}
}

// dropLarge gives the large chunks kept for reuse back.
func (a *Arena) dropLarge() {
	for a.large != nil {
		c := a.large
		a.large = c.older
		a.discard(c)
	}
	a.cached = 0
}

// discard gives the memory of c back.
func (a *Arena) discard(c *chunk) {
	old := *a.table.Load()
	table := make([]*chunk, 0, len(old)-1)
	for _, o := range old {
		if o != c {
			table = append(table, o)
		}
	}
	a.table.Store(&table)
	a.stats.Reserved -= len(c.mem)
}
