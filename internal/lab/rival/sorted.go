package rival

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/table"
)

// Sorted finds keys by binary search. Positions are those of the keys that it was made from.
type Sorted struct {
	words     []uint64 // of the keys, ascending
	keys      []table.Key
	positions []uint32 // of each, plus 1
}

// NewSorted takes keys that differ.
func NewSorted(keys []table.Key) *Sorted {
	s := &Sorted{make([]uint64, len(keys)), make([]table.Key, len(keys)), make([]uint32, len(keys))}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	wordOf := func(i int) uint64 { return word(keys[i].Lo, keys[i].Hi, keys[i].ID) }
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(wordOf(a), wordOf(b)) })
	for i, at := range order {
		s.words[i], s.keys[i], s.positions[i] = wordOf(at), keys[at], uint32(at)+1
	}
	return s
}

// word is what keys are sorted by: one comparison for each, and the key itself is read once.
func word(lo, hi uint64, id uint32) uint64 { return lo ^ (hi+uint64(id))*golden }

// Find returns the position of a key plus 1, or 0. Which half a key is in is as good as random, so a step has no branch.
func (s *Sorted) Find(lo, hi uint64, id uint32) uint32 {
	w := word(lo, hi, id)
	words := s.words
	from := 0
	for n := len(words); n > 1; {
		half := n >> 1
		_, less := bits.Sub64(words[from+half-1], w, 0)
		from += half & -int(less)
		n -= half
	}
	for ; from < len(words) && words[from] <= w; from++ {
		if k := &s.keys[from]; words[from] == w && k.Lo == lo && k.Hi == hi && k.ID == id {
			return s.positions[from]
		}
	}
	return 0
}
