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

// Find is Lookup for a caller who branches on whether there is an entry, with three instructions fewer: the comparison itself is what the
// branch is of, where one more would follow that of a pointer. Without ok, e is the entry of another key.
func (t *Table[V]) Find(lo, hi uint64, id uint32) (e *Entry[V], ok bool) {
	p, h := bits.Mul64(lo^t.mixLo, hi^t.mixHi^uint64(id)*t.mixID)
	h ^= bits.ReverseBytes64(p)
	e = (*Entry[V])(unsafe.Add(t.windows[h>>(64-windowBits)],
		(h>>32^h*uint64(*(*byte)(unsafe.Add(t.pilotAt, h>>32*t.buckets>>32)))>>16)&t.mask*uint64(unsafe.Sizeof(*e))))
	return e, *(*Key)(unsafe.Pointer(e)) == Key{lo, hi, id}
}

// pilot returns pilots[i], unchecked, for an i that shape.bucket computed.
func (t *Table[V]) pilot(i uint64) uint64 { return uint64(*(*byte)(unsafe.Add(t.pilotAt, i))) }

// entry returns the one that a hash and a pilot lead to, unchecked.
func (t *Table[V]) entry(h, pilot uint64) (e *Entry[V]) {
	return (*Entry[V])(unsafe.Add(t.windows[h>>(64-windowBits)], (h>>32^h*pilot>>16)&t.mask*uint64(unsafe.Sizeof(*e))))
}

// entrySize returns the bytes of an entry.
func (t *Table[V]) entrySize() uint64 { return uint64(unsafe.Sizeof(Entry[V]{})) }

// memory is where the places begin. It keeps them alive.
type memory[V any] struct{ first unsafe.Pointer }

func newMemory[V any](places []Entry[V]) memory[V] { return memory[V]{begin(places)} }

// Lookup returns the entry of a key, or nil for a stranger, as Table.Lookup does.
func (d *Direct[V]) Lookup(lo, hi uint64, id uint32) (e *Entry[V]) {
	// These are the lines of Find: a call that is inlined within another leaves an instruction behind that does nothing.
	n := int64(((lo^bits.ReverseBytes64(hi))*d.mix + uint64(id)*d.mixID) >> directShift & d.mix)
	e = (*Entry[V])(unsafe.Add(d.memory.first, n+n*(int64(unsafe.Sizeof(*e))-64)>>directLine))
	if *(*Key)(unsafe.Pointer(e)) != (Key{lo, hi, id}) {
		e = nil
	}
	return
}

// Find is Table.Find. The id is the lower half of word.
func (d *Direct[V]) Find(lo, hi, word uint64) (e *Entry[V], ok bool) {
	// This is sum and place written out. Nothing checks the number of the place, which is at most the mask's, one less than there are places
	// (TestDirectPlaces). It comes out of the shift times 64, which is where an entry of a cache line lies.
	n := int64(((lo^bits.ReverseBytes64(hi))*d.mix + word*d.mixID) >> directShift & d.mix)
	e = (*Entry[V])(unsafe.Add(d.memory.first, n+n*(int64(unsafe.Sizeof(*e))-64)>>directLine)) // 64 bytes each, and what it has more
	return e, *(*Key)(unsafe.Pointer(e)) == Key{lo, hi, uint32(word)}
}
