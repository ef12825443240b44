package arena

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
)

// FreeRemote frees a buffer of this arena from any goroutine, without a lock and without an allocation: it pushes the
// buffer on a list, which the owner drains when a chunk runs full and in Drain, Release, Reset, Stats and Close. The
// buffer is live until then. A Release may end it before: pin what another goroutine will free. After Reset and Close
// nothing may be freed remotely that was allocated before.
//
// A slice outside this arena's chunks is ignored, see Free.
//
// The list is Treiber's stack with one consumer that takes everything at once, so that the ABA problem of popping does
// not arise. Each buffer holds the address of the next one and its own size; addresses are looked up, never followed.
func (a *Arena) FreeRemote(b []byte) {
	if cap(b) == 0 {
		return
	}
	addr := address(b)
	c := find(*a.table.Load(), addr)
	if c == nil || (addr-c.base)%granule != 0 || roundUp(uint(cap(b))) > c.top-uint(addr-c.base) {
		if invariants.Enabled {
			misuse("FreeRemote: no buffer of this arena begins there (capacity %d)", cap(b))
		}
		a.remoteStrays.Add(1)
		return
	}
	link := c.mem[addr-c.base:][:granule]
	binary.NativeEndian.PutUint64(link[8:], uint64(cap(b)))
	for {
		head := a.remote.Load()
		binary.NativeEndian.PutUint64(link, head)
		if a.remote.CompareAndSwap(head, uint64(addr)) {
			return
		}
	}
}

// Drain frees what FreeRemote collected and returns the number of buffers.
func (a *Arena) Drain() int {
	if a.remote.Load() == 0 {
		return 0
	}
	drained := 0
	// A buffer that was freed twice can make the list circular, but no list is longer than the number of live buffers.
	for next := a.remote.Swap(0); next != 0 && a.frees != a.allocs; drained++ {
		addr := uintptr(next)
		c := find(*a.table.Load(), addr)
		if c == nil || (addr-c.base)%granule != 0 {
			a.cutList()
			break
		}
		off := uint(addr - c.base)
		link := c.mem[off:][:granule]
		next = binary.NativeEndian.Uint64(link)
		n := uint(binary.NativeEndian.Uint64(link[8:]))
		size := roundUp(n)
		ok := c.seq != 0 && off >= a.bump(c) && size-1 < c.top-off
		if c.checkLive("FreeRemote", off, n, ok); !ok {
			a.cutList()
			break
		}
		c.poison(off+min(n, granule), off+granule) // the part of the link that lies past the buffer's end
		a.end(c, off, size)
	}
	return drained
}

// cutList gives up on a list whose links were overwritten: the buffer that held one was freed twice.
func (a *Arena) cutList() {
	if invariants.Enabled {
		misuse("FreeRemote: double free: the buffer was freed again, or used, before the owner drained the list")
	}
	a.stats.Strays++
}
