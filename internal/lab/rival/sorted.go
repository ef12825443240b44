package rival

import (
	"cmp"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/table"
)

// Sorted finds keys by binary search. Positions are those of the keys that it was made from.
type Sorted struct {
	keys      []table.Key
	positions []uint32 // of each, plus 1
}

// NewSorted takes keys that differ.
func NewSorted(keys []table.Key) *Sorted {
	s := &Sorted{make([]table.Key, len(keys)), make([]uint32, len(keys))}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compare(&keys[a], &keys[b]) })
	for i, at := range order {
		s.keys[i], s.positions[i] = keys[at], uint32(at)+1
	}
	return s
}

func compare(a, b *table.Key) int {
	return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Hi, b.Hi))
}

// Find returns the position of a key plus 1, or 0. Sets nearly always differ in the first half of their GUID, so that is
// compared first, with the id; the rest is left to the end.
func (s *Sorted) Find(lo, hi uint64, id uint32) uint32 {
	keys := s.keys
	from := 0
	for n := len(keys); n > 0; {
		half := n / 2
		k := &keys[from+half]
		if k.Lo < lo || k.Lo == lo && (k.ID < id || k.ID == id && k.Hi < hi) {
			from += half + 1
			n -= half + 1
		} else {
			n = half
		}
	}
	if from < len(keys) {
		if k := &keys[from]; k.Lo == lo && k.Hi == hi && k.ID == id {
			return s.positions[from]
		}
	}
	return 0
}
