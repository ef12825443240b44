package rival

import (
	"encoding/binary"
	"math/bits"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Item is what a dispatcher needs of a property.
type Item struct {
	minProperty, minData uint32 // minProperty is never 0 in an item that exists, as it counts the identifier
	handlers             [2]engine.Handler
	fast                 [2]engine.FastHandler // by verb, GET first
}

// Like reports whether two items have the same sizes, or neither is there.
func (it *Item) Like(other *Item) bool {
	if it == nil || other == nil {
		return it == other
	}
	return it.minProperty == other.minProperty && it.minData == other.minData
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
	item := Item{minProperty: max(it.MinProperty, ks.SizeIdentifier), minData: it.MinData, handlers: [2]engine.Handler{it.Get, it.Set}}
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

// slots returns how many slots keep n keys at a load of a half at most, as a power of two, and by how much a hash is shifted to
// choose one. They are so many that the runtime gives them pages of their own, and with that a place on whole cache lines.
func slots(n, size int) (count int, shift uint8) {
	const page = 32 << 10
	b := bits.Len(uint(max(2*n, page/size) - 1))
	return 1 << b, uint8(64 - b)
}
