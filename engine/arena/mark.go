package arena

// Mark names a moment in an arena's life, see Arena.Mark. The zero Mark names none.
type Mark struct {
	a      *Arena
	depth  int
	serial uint64
}

// frame is what the arena remembers about an open mark. What happens later to older buffers is entered here, so that
// Release knows what is left of them.
type frame struct {
	serial   uint64
	c        *chunk // current at the mark
	off      uint   // its bump offset then, above the mark's fence
	seq      uint64 // chunks activated after the mark have a higher one
	live     int    // live buffers that are older than the mark
	dead     uint   // free bytes in c.mem[off:top]
	pins     int    // pinned buffers that are older than the mark
	pinBytes uint   // bytes of those in c
	fenced   bool   // a fence is at c.mem[off:]
}

// after tells whether the mark was set after the buffer at c.mem[off:] was allocated.
func (f *frame) after(c *chunk, off uint) bool {
	if c == f.c {
		return off >= f.off
	}
	return c.seq <= f.seq
}

// Mark returns a mark; its Release frees every buffer that was allocated since. Marks nest: releasing one ends those that
// were set after it. An open mark takes 16 bytes and keeps its chunk from being recycled.
func (a *Arena) Mark() Mark {
	if a.off < granule {
		a.makeFenceRoom()
	}
	a.serial++
	c := a.cur
	a.frames = append(a.frames, frame{
		serial: a.serial, c: c, off: a.off, seq: a.seq, live: int(a.allocs - a.frees), dead: c.dead,
		pins: a.pins, pinBytes: c.pinBytes, fenced: a.fence == a.off,
	})
	if c != nowhere {
		// This fence is not dead: it keeps the chunk from being emptied and reused under the mark.
		a.off -= granule
		a.fence = a.off
	}
	return Mark{a: a, depth: len(a.frames) - 1, serial: a.serial}
}

// makeFenceRoom makes a chunk current that has room for a fence. Without memory for one, no chunk becomes current: that too
// keeps the fast path from what is older, and the next allocation reports the error.
func (a *Arena) makeFenceRoom() {
	if a.closed {
		return
	}
	failures := a.stats.Failures
	if _, err := a.refill(granule, granule); err != nil {
		a.setCurrent(nowhere)
	}
	a.stats.Failures = failures // nobody asked for memory
}

// Release frees every buffer that was allocated since the mark and is not pinned, and ends the mark and those set after
// it. A mark that has ended, or is another arena's, is ignored; invariant builds panic.
func (a *Arena) Release(m Mark) {
	ok := m.a == a && m.depth < len(a.frames) && a.frames[m.depth].serial == m.serial
	if checkMark(a, m, ok); !ok {
		return
	}
	a.Drain()
	f := &a.frames[m.depth]
	a.frames = a.frames[:m.depth]
	if a.cur != f.c {
		a.setCurrent(f.c)
	}
	for c := a.newest; c != nil && c.seq > f.seq; {
		older := c.older
		if c.pins == 0 {
			a.recycle(c)
		} else {
			c.noteRelease(c.top)
			c.dead = c.top - c.off - c.pinBytes
		}
		c = older
	}
	a.frees = a.allocs - uint64(f.live+a.pins-f.pins)
	c := f.c
	if c == nowhere {
		return
	}
	c.noteRelease(f.off)
	if pinned := c.pinBytes - f.pinBytes; pinned != 0 {
		c.dead = f.dead + (f.off - a.off) - pinned
	} else {
		c.dead = f.dead
		a.off = f.off
		c.noteBump(a.off)
		if a.fence = noFence; f.fenced {
			a.fence = a.off
		}
	}
	switch {
	case c.dead == c.top-a.off:
		a.rewind(c)
	case c.pins != 0:
		a.raiseFence()
	}
}
