package table

import "encoding/binary"

// Key is what a table is searched for: a GUID and an id.
type Key struct {
	Lo, Hi uint64 // the two little-endian halves of the GUID in wire order
	ID     uint32
}

// KeyOf returns the key of a GUID in wire order and an id.
func KeyOf(set [16]byte, id uint32) Key {
	return Key{binary.LittleEndian.Uint64(set[:8]), binary.LittleEndian.Uint64(set[8:]), id}
}

// Entry is a key with its value beside it. With a value of 40 bytes it fills a cache line and lies on one.
type Entry[V any] struct {
	Lo, Hi uint64 // the two little-endian halves of the GUID in wire order
	ID     uint32
	Tag    uint32 // the caller's: four bytes that alignment would waste
	Value  V
}

// Table finds the entry of a key. It is made by Build and immutable from then on: any number of goroutines may search it
// at once. The zero value is not usable.
type Table[V any] struct {
	// What Lookup reads, in its order. The fields are not grouped in structs because each selector more would cost Lookup
	// a point of the compiler's inlining budget, which it meets.
	mixLo, mixHi, mixID uint64  // the seed
	buckets, mask       uint64  // the shape
	pilotAt             address // of pilots[0], for the unchecked lookup
	windows             [windows]window

	pilots  []byte
	entries []Entry[V]
	stats   Stats
}

// Len returns the number of keys.
func (t *Table[V]) Len() int { return t.stats.Keys }

func (t *Table[V]) bucket(h uint64) uint64 { return h >> 32 * t.buckets >> 32 }

func (t *Table[V]) seed() seed { return seed{t.mixLo, t.mixHi, t.mixID} }
