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
	h := t.seed().hash(lo, hi, id)
	e := t.entry(h, t.pilot(t.bucket(h)))
	if e.Lo != lo || e.Hi != hi || e.ID != id {
		return nil
	}
	return e
}

func (t *Table[V]) pilot(i uint64) uint64 { return uint64(t.pilots[i]) }

// entry returns the one that a hash and a pilot lead to.
func (t *Table[V]) entry(h, pilot uint64) *Entry[V] {
	return &t.entries[uint64(t.windows[h>>(64-windowBits)])+(h>>32^h*pilot>>16)&t.mask]
}

// group is where the places of a set begin, and which bits of an id choose one.
type group struct {
	base int
	mask uint32
}

func newGroup[V any](_ []Entry[V], from int, mask uint32) group { return group{from, mask} }

type memory[V any] struct {
	groups []group
	places []Entry[V]
}

func newMemory[V any](groups []group, places []Entry[V]) memory[V] { return memory[V]{groups, places} }

// Lookup returns the entry of a key, or nil for a stranger, as Table.Lookup does.
func (d *Dense[V]) Lookup(lo, hi uint64, id uint32) *Entry[V] {
	g := &d.memory.groups[d.place(lo, hi)]
	e := &d.memory.places[g.base+int(id&g.mask)]
	if e.Lo != lo || e.Hi != hi || e.ID != id {
		return nil
	}
	return e
}

// Find is documented in lookup_unsafe.go.
func (d *Dense[V]) Find(lo, hi, word uint64) (e *Entry[V], ok bool) {
	g := &d.memory.groups[d.place(lo, hi)]
	e = &d.memory.places[g.base+int(uint32(word)&g.mask)]
	return e, e.Lo == lo && e.Hi == hi && e.ID == uint32(word)
}

// bounds returns where the places of a group begin and end, as positions in places.
func bounds[V any](_ []Entry[V], g group) (from, to int) { return g.base, g.base + int(g.mask) + 1 }
