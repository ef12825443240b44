package arena

// Mark names a moment in an arena's life, see Arena.Mark.
type Mark struct {
	depth  int
	serial uint64
}

// frame is what the arena remembers about an open mark.
type frame struct {
	serial uint64
	c      *chunk // current at the mark
	off    uint   // its bump offset then, above the fence
	seq    uint64 // chunks activated later have a higher one
	live   int    // buffers older than the mark that are live
	dead   uint   // free bytes in c.mem[off:]
}

// after tells whether the mark was set after the buffer at c.mem[off:] was allocated.
func (f *frame) after(c *chunk, off uint) bool {
	if c == f.c {
		return off >= f.off
	}
	return c.seq <= f.seq
}

// Mark returns a mark; Release of it frees every buffer that was allocated since. Marks nest: releasing one ends the
// marks that were set after it. A mark takes 16 bytes until then, and its chunk is not recycled.
func (a *Arena) Mark() Mark {
	a.serial++
	if a.off < granule && a.cur != nowhere {
		a.setCurrent(nowhere) // a full chunk has no room for the fence; not being current fences it as well
	}
	a.frames = append(a.frames, frame{
		serial: a.serial, c: a.cur, off: a.off, seq: a.seq, live: int(a.allocs - a.frees), dead: a.cur.dead,
	})
	if a.cur != nowhere {
		a.off -= granule // the fence
	}
	return Mark{depth: len(a.frames) - 1, serial: a.serial}
}

// Release frees every buffer allocated since the mark, except pinned ones. A mark that was released before, by itself, by
// an earlier mark's Release or by Reset, is ignored; invariant builds panic.
func (a *Arena) Release(m Mark) {
	if m.depth >= len(a.frames) || a.frames[m.depth].serial != m.serial {
		return
	}
	f := a.frames[m.depth]
	a.frames = a.frames[:m.depth]
	a.setCurrent(f.c)
	for a.newest != nil && a.newest.seq > f.seq {
		a.recycle(a.newest)
	}
	a.off, f.c.dead = f.off, f.dead
	a.frees = a.allocs - uint64(f.live)
	if c := f.c; c != nowhere && c.dead == c.top-a.off {
		a.rewind(c)
	}
}
