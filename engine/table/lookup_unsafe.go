//go:build !(purego || invariants || race)

package table

import (
	"math/bits"
	"unsafe"
)

// This is the package's only file with package unsafe. lookup_checked.go is its twin: the same functions with bounds
// checks, for purego, invariants and race builds. So is approach_other.go of the one in assembly.

// address is where a slice begins, and window where a window does. They keep the memory alive.
type (
	address = unsafe.Pointer
	window  = unsafe.Pointer
)

// begin returns where a slice begins.
func begin[E any](s []E) address { return address(unsafe.SliceData(s)) }

// locate sets what Lookup reads instead of the slice headers. Rule 4 of unsafe.Pointer is not bent: both slices are never
// empty, and never resliced or replaced after Build.
func (t *Table[V]) locate(s *shape) {
	t.pilotAt = begin(t.pilots)
	for i, base := range s.bases {
		t.windows[i] = window(&t.entries[base])
	}
}

// Lookup returns the entry of a key, or nil for a stranger. lo and hi are the little-endian halves of the GUID in wire
// order. The entry is the table's own: its Value may be changed by callers who synchronise it, its key must not.
func (t *Table[V]) Lookup(lo, hi uint64, id uint32) (e *Entry[V]) {
	// This is seed.hash, shape.bucket and shape.slot written out, with variables reused: so it costs 78 of the 80 points up to
	// which the compiler inlines a function into its callers (TestInlined), and with the calls over 100. Nothing checks the
	// pilot's index, (x * buckets) >> 32 with x < 1<<32, which is less than buckets; nor that the entry lies within the entries,
	// as the end of a window does (TestWindows). The comparison reads the first 20 bytes of the entry as a Key, whose fields are
	// the entry's first three (layout_test.go); one by one they make the same instructions and cost 4 points.
	p, h := bits.Mul64(lo^t.mixLo, hi^t.mixHi^uint64(id)*t.mixID)
	h ^= bits.ReverseBytes64(p)
	e = (*Entry[V])(unsafe.Add(t.windows[h>>(64-windowBits)],
		(h>>32^h*uint64(*(*byte)(unsafe.Add(t.pilotAt, h>>32*t.buckets>>32)))>>16)&t.mask*uint64(unsafe.Sizeof(*e))))
	if *(*Key)(unsafe.Pointer(e)) != (Key{lo, hi, id}) {
		e = nil
	}
	return
}

// pilot returns pilots[i], unchecked, for an i that shape.bucket computed.
func (t *Table[V]) pilot(i uint64) uint64 { return uint64(*(*byte)(unsafe.Add(t.pilotAt, i))) }

// entry returns the one that a hash and a pilot lead to, unchecked.
func (t *Table[V]) entry(h, pilot uint64) (e *Entry[V]) {
	return (*Entry[V])(unsafe.Add(t.windows[h>>(64-windowBits)], (h>>32^h*pilot>>16)&t.mask*uint64(unsafe.Sizeof(*e))))
}

// entrySize returns the bytes of an entry.
func (t *Table[V]) entrySize() uint64 { return uint64(unsafe.Sizeof(Entry[V]{})) }

// group is where the places of a set begin, and which bits of an id choose one. It takes 1<<groupShift bytes, so that one shift of a
// product leads to it.
type group struct {
	base unsafe.Pointer
	_    [8 - unsafe.Sizeof(uintptr(0))]byte
	mask uint64
}

const groupShift = 4

var _ [1 << groupShift]byte = [unsafe.Sizeof(group{})]byte{}

func newGroup[V any](places []Entry[V], from int, mask uint32) group {
	return group{base: unsafe.Pointer(&places[from]), mask: uint64(mask)}
}

// memory is where the groups begin. They keep the places alive.
type memory[V any] struct{ first unsafe.Pointer }

func newMemory[V any](groups []group, _ []Entry[V]) memory[V] { return memory[V]{begin(groups)} }

// Lookup returns the entry of a key, or nil for a stranger, as Table.Lookup does.
func (d *Dense[V]) Lookup(lo, hi uint64, id uint32) (e *Entry[V]) {
	// Nothing checks the number of the group, which is at most mask, one less than there are groups; nor the entry: a group's
	// mask is one less than the places of its set, which begin at base (TestDenseGroups).
	g := (*group)(unsafe.Add(d.memory.first, (lo^hi)*d.mix&d.mask>>(denseShift-groupShift)))
	e = (*Entry[V])(unsafe.Add(g.base, (uint64(id)&g.mask)*uint64(unsafe.Sizeof(*e))))
	if *(*Key)(unsafe.Pointer(e)) != (Key{lo, hi, id}) {
		e = nil
	}
	return
}

// Find is Lookup for a caller who goes another way if there is no entry, with three instructions fewer: the comparison itself is what its
// branch is of, where one more would follow that of a pointer. The id is the lower half of word. Without ok, e is the entry of another key.
func (d *Dense[V]) Find(lo, hi, word uint64) (e *Entry[V], ok bool) {
	g := (*group)(unsafe.Add(d.memory.first, (lo^hi)*d.mix&d.mask>>(denseShift-groupShift)))
	e = (*Entry[V])(unsafe.Add(g.base, (word&g.mask)*uint64(unsafe.Sizeof(*e)))) // a mask has no more than 32 bits
	return e, *(*Key)(unsafe.Pointer(e)) == Key{lo, hi, uint32(word)}
}

// bounds returns where the places of a group begin and end, as positions in places.
func bounds[V any](places []Entry[V], g group) (from, to int) {
	from = int(uintptr(g.base)-uintptr(begin(places))) / int(unsafe.Sizeof(Entry[V]{}))
	return from, from + int(g.mask) + 1
}
