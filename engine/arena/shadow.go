package arena

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// poisoned is what free memory holds in invariant builds, all of it: a byte that differs was written after a free.
const poisoned = 0xCC

// record is what an invariant build knows about a buffer, dead ones included until their memory is on offer again.
type record struct {
	off, n uint
	dead   bool
}

// lookup returns the record of the buffer at c.mem[off:], nil for none.
func (c *chunk) lookup(off uint) *record {
	i, ok := slices.BinarySearchFunc(c.shadow, off, func(r record, off uint) int {
		switch {
		case r.off > off:
			return -1
		case r.off < off:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &c.shadow[i]
}

// poison marks c.mem[lo:hi] as free.
func (c *chunk) poison(lo, hi uint) {
	if !invariants.Enabled {
		return
	}
	for m := c.mem[lo:hi]; len(m) > 0; {
		m = m[copy(m, poisonPage[:]):]
	}
}

// poisonPage is a piece of free memory.
var poisonPage = func() (p [4096]byte) {
	for i := range p {
		p[i] = poisoned
	}
	return p
}()

// checkPoison panics if a byte of c.mem[lo:hi], which is free, was written.
func (c *chunk) checkPoison(lo, hi uint, what string) {
	if c.isPoison(lo, hi) {
		return
	}
	for i, v := range c.mem[lo:hi] {
		if v != poisoned {
			c.poison(lo, hi) // to be told once
			misuse("%s: byte %d of %d is %#02x", what, i, hi-lo, v)
		}
	}
}

func (c *chunk) isPoison(lo, hi uint) bool {
	for lo < hi {
		n := min(hi-lo, uint(len(poisonPage)))
		if !bytes.Equal(c.mem[lo:lo+n], poisonPage[:n]) {
			return false
		}
		lo += n
	}
	return true
}

// noteAlloc notes a new buffer, n bytes at c.mem[off:], and checks that nobody wrote to them while they were free.
func (c *chunk) noteAlloc(off, n uint) {
	if !invariants.Enabled {
		return
	}
	c.checkPoison(off, off+roundUp(n), lateWrite)
	c.shadow = append(c.shadow, record{off: off, n: n})
}

// checkLive panics unless [off, off+n) is exactly a live buffer of c; ok is what production builds know about that.
func (c *chunk) checkLive(caller string, off, n uint, ok bool) {
	if !invariants.Enabled {
		return
	}
	if c == nil {
		misuse("%s: foreign buffer of %d bytes: it lies outside the chunks of this arena", caller, n)
	}
	switch r := c.lookup(off); {
	case r != nil && r.dead, r == nil && off%granule == 0 && off+n <= c.top && c.isPoison(off, off+n):
		misuse("%s: double free: the buffer of %d bytes is not live any more", caller, n)
	case r == nil || !ok && r.n == n:
		misuse("%s: no buffer of this arena begins there (capacity %d)", caller, n)
	case r.n != n:
		misuse("%s: capacity is %d, but the buffer was handed out with %d", caller, n, r.n)
	}
}

// noteFree notes that the buffer at c.mem[off:] ended, and checks that nobody wrote past its end.
func (c *chunk) noteFree(off uint) {
	if !invariants.Enabled {
		return
	}
	r := c.lookup(off)
	c.checkPoison(off+r.n, off+roundUp(r.n), "overflow: memory was written past the end of a buffer")
	c.poison(off, off+r.n)
	r.dead = true
}

// noteBump notes that memory below the offset is on offer again.
func (c *chunk) noteBump(off uint) {
	if !invariants.Enabled {
		return
	}
	for len(c.shadow) > 0 && c.shadow[len(c.shadow)-1].off < off {
		c.shadow = c.shadow[:len(c.shadow)-1]
	}
}

// noteRelease notes that every buffer below the offset ended that is not pinned.
func (c *chunk) noteRelease(off uint) {
	if !invariants.Enabled {
		return
	}
	for i := len(c.shadow) - 1; i >= 0 && c.shadow[i].off < off; i-- {
		if r := c.shadow[i]; !r.dead && (c.pins == 0 || !c.pinned(r.off)) {
			c.noteFree(r.off)
		}
	}
}

// noteEmpty notes that all of c is on offer again. Sometimes it looks for late writes to the buffers that were in it; else
// the next owners of their memory do (noteAlloc).
func (c *chunk) noteEmpty() {
	if !invariants.Enabled {
		return
	}
	if invariants.Sometimes(20) {
		c.checkPoison(0, c.top, lateWrite)
	}
	c.shadow = c.shadow[:0]
}

const lateWrite = "use after free: memory was written after its buffer was freed, as by a handler that kept its data (S-34)"

// misuse panics: also inside a handler, whose own panics are answers.
func misuse(format string, args ...any) {
	panic(invariants.Violation("arena: " + fmt.Sprintf(format, args...)))
}

// checkMark panics on a mark that Release cannot use.
func checkMark(a *Arena, m Mark, ok bool) {
	switch {
	case !invariants.Enabled || ok:
	case m.a == nil:
		misuse("Release: the zero Mark names no moment")
	case m.a != a:
		misuse("Release: the mark is another arena's")
	default:
		misuse("Release: the mark has ended: it was released, or an older one was, or the arena was reset")
	}
}
