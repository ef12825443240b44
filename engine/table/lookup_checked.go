//go:build purego || invariants || race

package table

// The twin of lookup_unsafe.go with bounds checks.

type (
	address = struct{}
	window  = uint32
)

func (t *Table[V]) locate(s *shape) { t.windows = s.bases }

// Lookup returns the entry of a key, or nil for a stranger. lo and hi are the little-endian halves of the GUID in wire
// order. The entry is the table's own: its Value may be changed by callers who synchronise it, its key must not.
func (t *Table[V]) Lookup(lo, hi uint64, id uint32) *Entry[V] {
	if e, ok := t.Find(lo, hi, id); ok {
		return e
	}
	return nil
}

// Find is documented in lookup_unsafe.go.
func (t *Table[V]) Find(lo, hi uint64, id uint32) (e *Entry[V], ok bool) {
	h := t.seed().hash(lo, hi, id)
	e = t.entry(h, t.pilot(t.bucket(h)))
	return e, e.Lo == lo && e.Hi == hi && e.ID == id
}

func (t *Table[V]) pilot(i uint64) uint64 { return uint64(t.pilots[i]) }

// entry returns the one that a hash and a pilot lead to.
func (t *Table[V]) entry(h, pilot uint64) *Entry[V] {
	return &t.entries[uint64(t.windows[h>>(64-windowBits)])+(h>>32^h*pilot>>16)&t.mask]
}

type memory[V any] struct{ places []Entry[V] }

func newMemory[V any](places []Entry[V]) memory[V] { return memory[V]{places} }

// Lookup returns the entry of a key, or nil for a stranger, as Table.Lookup does.
func (d *Direct[V]) Lookup(lo, hi uint64, id uint32) *Entry[V] {
	if e, ok := d.Find(lo, hi, uint64(id)); ok {
		return e
	}
	return nil
}

// Find is documented in lookup_unsafe.go.
func (d *Direct[V]) Find(lo, hi, word uint64) (e *Entry[V], ok bool) {
	e = &d.memory.places[d.place(lo, hi, uint32(word))]
	return e, e.Lo == lo && e.Hi == hi && e.ID == uint32(word)
}
