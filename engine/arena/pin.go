package arena

// noFence is no offset, because it is not a multiple of granule.
const noFence = 1

// Pin lets the live buffer b outlive a Release of a mark that is older than b: a pended request keeps its buffer this way
// while the requests around it come and go. Free, Unpin, Reset and Close end the pin; pinning twice is pinning once.
// A slice that is not a buffer of this arena is ignored, see Free.
func (a *Arena) Pin(b []byte) {
	if cap(b) == 0 {
		return
	}
	c, off, size, ok := a.locate(b)
	if c.checkLive("Pin", off, uint(cap(b)), ok); !ok {
		a.stats.Strays++
		return
	}
	if c.pinBits == nil {
		granules := c.top / granule
		if c.oversize {
			granules = 1
		}
		c.pinBits = make([]uint64, (granules+63)/64)
	}
	word, bit := c.pinBit(off)
	if *word&bit != 0 {
		return
	}
	*word |= bit
	a.countPin(c, off, 1, size)
	if c == a.cur {
		a.raiseFence()
	}
}

// Unpin ends the pin of the buffer b, which stays live until Free or the Release of an older mark that is still open.
func (a *Arena) Unpin(b []byte) {
	if cap(b) == 0 {
		return
	}
	c, off, size, ok := a.locate(b)
	if c.checkLive("Unpin", off, uint(cap(b)), ok); !ok {
		a.stats.Strays++
		return
	}
	if c.pins != 0 && c.pinned(off) {
		a.unpin(c, off, size)
	}
}

func (a *Arena) unpin(c *chunk, off, size uint) {
	word, bit := c.pinBit(off)
	*word &^= bit
	a.countPin(c, off, -1, -size)
}

// countPin adds n pins and size bytes, either of which may be negative, to every account.
func (a *Arena) countPin(c *chunk, off uint, n int, size uint) {
	a.pins += n
	c.pins += n
	c.pinBytes += size
	for i := len(a.frames) - 1; i >= 0 && a.frames[i].after(c, off); i-- {
		f := &a.frames[i]
		f.pins += n
		if f.c == c {
			f.pinBytes += size
		}
	}
}

// pinBit returns where the pin of the buffer at c.mem[off:] is noted. A large chunk has one buffer and one bit.
func (c *chunk) pinBit(off uint) (word *uint64, bit uint64) {
	i := off / granule
	if c.oversize {
		i = 0
	}
	return &c.pinBits[i/64], 1 << (i % 64)
}

// pinned tells whether the buffer at c.mem[off:] is pinned; c.pins is not 0.
func (c *chunk) pinned(off uint) bool {
	word, bit := c.pinBit(off)
	return *word&bit != 0
}

// raiseFence puts a granule of dead memory on top of the current chunk, unless there is one already, so that the fast path
// cannot free what lies beneath: TryFree does not know about pins.
func (a *Arena) raiseFence() {
	switch {
	case a.fence == a.off || a.cur == nowhere:
	case a.off < granule:
		a.setCurrent(nowhere) // the chunk is full, and not being current fences it as well
	default:
		a.off -= granule
		a.cur.dead += granule
		a.fence = a.off
	}
}
