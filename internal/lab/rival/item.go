package rival

import (
	"encoding/binary"
	"math/bits"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Item is what a dispatcher needs of a property.
type Item struct {
	minData  uint32
	minRest  uint32 // of the request beyond its identifier, or gap
	handlers [2]engine.Handler
	fast     [2]engine.FastHandler // by verb, GET first
}

// gap is minRest where an array by id has no item: more than any item wants.
const gap = 1<<32 - 1

func (it *Item) minProperty() uint32 { return ks.SizeIdentifier + it.minRest }

// there is an item of an array with gaps, nil in a gap.
func (it *Item) there() *Item {
	if it.minRest == gap {
		return nil
	}
	return it
}

// Like reports whether two items have the same sizes, or neither is there.
func (it *Item) Like(other *Item) bool {
	if it == nil || other == nil {
		return it == other
	}
	return it.minRest == other.minRest && it.minData == other.minData
}

// Table holds the sets of one object in every form, each with items of its own. It is immutable.
type Table struct {
	Linear Linear
	Map    Map
	Open   Open
	Dense  Dense
}

// NewTable takes declarations that engine.Compile has accepted.
func NewTable(decls []engine.PropertySet) *Table {
	t := &Table{Linear: newLinear(decls)}
	keys, items := t.Linear.all()
	t.Map, t.Open, t.Dense = newMap(keys, items), newOpen(keys, items), newDense(keys, items)
	return t
}

func newItem(set *engine.PropertySet, n int) Item {
	it := &set.Items[n]
	item := Item{minData: it.MinData, minRest: max(it.MinProperty, ks.SizeIdentifier) - ks.SizeIdentifier,
		handlers: [2]engine.Handler{it.Get, it.Set}}
	for _, f := range set.FastIO {
		if f.ID == it.ID {
			item.fast = [2]engine.FastHandler{f.Get, f.Set}
		}
	}
	return item
}

// key is a GUID as two words, and an id.
type key struct {
	lo, hi uint64
	id     uint32
}

// prefix is where a request has its key.
type prefix = [20]byte

func (k key) bytes() (p prefix) {
	binary.LittleEndian.PutUint64(p[:], k.lo)
	binary.LittleEndian.PutUint64(p[8:], k.hi)
	binary.LittleEndian.PutUint32(p[16:], k.id)
	return p
}

// golden spreads keys over the upper bits of a product (D. E. Knuth, The Art of Computer Programming 3, 6.4).
const golden = 0x9e3779b97f4a7c15

// spread is how a table with open addressing chooses slots: by the upper bits of a product.
type spread struct{ mix, mask uint64 }

func (s *spread) slot(hash uint64) uint64 { return hash * s.mix >> upper & s.mask }

// bits returns the mask of a product: shifted by upper less n, what it leaves is the offset of a slot of 1<<n bytes.
func (s *spread) bits() uint64 { return s.mask << upper }

// A branch that is mispredicted costs more than slots that stay empty, and more pages cost more than both: up to small slots a table is
// at most a quarter full and has the best of some multipliers, and a larger one is at most half full.
const (
	upper = 40 // the bits of a product from which on they depend on all of a hash; 16 million slots are more than anybody has
	small = 1 << 14
	mixes = 64
)

// newSpread returns the one with which the fewest of some distinct hashes are not where they are looked for first.
func newSpread(hashes []uint64) spread {
	width, tries := bits.Len(uint(4*max(len(hashes), 1)-1)), mixes
	if 1<<width > small {
		width, tries = bits.Len(uint(2*len(hashes)-1)), 1
	}
	s := spread{golden, 1<<width - 1}
	best, least := s.mix, len(hashes)+1
	taken := make([]bool, 1<<width)
	for range tries {
		clear(taken)
		moved := 0
		for _, h := range hashes {
			at := s.slot(h)
			if taken[at] {
				moved++
			}
			for taken[at] {
				at = (at + 1) & s.mask
			}
			taken[at] = true
		}
		if moved < least {
			best, least = s.mix, moved
		}
		s.mix = s.mix*golden | 1
	}
	s.mix = best
	return s
}
