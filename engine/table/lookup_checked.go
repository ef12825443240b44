//go:build purego || invariants || race

package table

// The twin of lookup_unsafe.go with bounds checks.

type address = struct{}

func (t *Table[V]) locate() {}

// Lookup returns the entry of a key, or nil for a stranger. lo and hi are the little-endian halves of the GUID in wire
// order. The entry is the table's own: its Value may be changed by callers who synchronise it, its key must not.
func (t *Table[V]) Lookup(lo, hi uint64, id uint32) *Entry[V] {
	h := t.seed().hash(lo, hi, id)
	e := t.entry(t.shape().slot(h, t.pilot(t.shape().bucket(h))))
	if e.Lo != lo || e.Hi != hi || e.ID != id {
		return nil
	}
	return e
}

func (t *Table[V]) pilot(i uint64) uint64    { return uint64(t.pilots[i]) }
func (t *Table[V]) entry(i uint64) *Entry[V] { return &t.entries[i] }
