//go:build !(purego || invariants || race)

package table

import (
	"math/bits"
	"unsafe"
)

// This is the package's only file with package unsafe. lookup_checked.go is its twin: the same functions with bounds
// checks, for purego, invariants and race builds.

// address is where a slice begins. It keeps the slice's memory alive.
type address = unsafe.Pointer

// locate sets what Lookup reads instead of the slice headers. Rule 4 of unsafe.Pointer is not bent: both slices are never
// empty, and never resliced or replaced after Build.
func (t *Table[V]) locate() {
	t.pilotAt, t.entryAt = address(unsafe.SliceData(t.pilots)), address(unsafe.SliceData(t.entries))
}

// Lookup returns the entry of a key, or nil for a stranger. lo and hi are the little-endian halves of the GUID in wire
// order. The entry is the table's own: its Value may be changed by callers who synchronise it, its key must not.
//
// The body is seed.hash, shape.bucket and shape.slot written out, with variables reused, because so it costs 79 of the
// 80 points up to which the compiler inlines a function into its callers (TestInlined); with the calls it costs 120.
// Inlined, a lookup takes 4.7 ns in 240 keys and 5.8 ns in 4,000, otherwise 5.3 and 7.1. What is unchecked:
//
//   - The pilot: its index is (x * buckets) >> 32 with x < 1<<32, which is less than buckets.
//   - The entry: likewise less than slots.
//   - The comparison reads the first 20 bytes of the entry as a Key, whose fields are the entry's first three;
//     layout_test.go freezes the offsets. Comparing the fields one by one makes the same instructions and costs 4 points.
func (t *Table[V]) Lookup(lo, hi uint64, id uint32) (e *Entry[V]) {
	p, h := bits.Mul64(lo^t.mixLo, hi^t.mixHi^uint64(id)*t.mixID)
	h ^= bits.ReverseBytes64(p)
	e = (*Entry[V])(unsafe.Add(t.entryAt, (h^h<<32*uint64(*(*byte)(unsafe.Add(t.pilotAt, h>>32*t.buckets>>32)))&t.free)>>32*t.slots>>32*
		uint64(unsafe.Sizeof(*e))))
	if *(*Key)(unsafe.Pointer(e)) != (Key{lo, hi, id}) {
		e = nil
	}
	return
}

// pilot returns pilots[i] and entry &entries[i], unchecked, for i that shape.bucket and shape.slot computed.
func (t *Table[V]) pilot(i uint64) uint64 { return uint64(*(*byte)(unsafe.Add(t.pilotAt, i))) }

func (t *Table[V]) entry(i uint64) (e *Entry[V]) {
	return (*Entry[V])(unsafe.Add(t.entryAt, i*uint64(unsafe.Sizeof(*e))))
}

// entrySize returns the bytes of an entry.
func (t *Table[V]) entrySize() uint64 { return uint64(unsafe.Sizeof(Entry[V]{})) }
