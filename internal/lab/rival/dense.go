package rival

import (
	"slices"
	"unsafe"
)

// Dense is a table of GUIDs with open addressing, each of which leads to an array by id: real sets number their items from 0. The
// few sets that do not are in an Open.
type Dense struct {
	groups unsafe.Pointer // the first of them
	mix    uint64         // a spread's, with mask
	mask   uint64
	bits   uint64 // the mask of a product
	sparse *Open  // nil if no set needs it
}

type guid struct{ lo, hi uint64 }

type group struct {
	guid
	_     [8 - unsafe.Sizeof(uintptr(0))]byte // on 32-bit hosts
	items unsafe.Pointer                      // by id, with gaps where an id has no item
	count uint32
	taken bool // there is a set, which may be a sparse one
}

var _ [32]byte = [unsafe.Sizeof(group{})]byte{} // which one shift leads to

func newDense(keys []key, items []Item) Dense {
	type ids struct {
		count, end uint32
		items      []Item // nil for a sparse set
	}
	sets := map[guid]*ids{}
	var order []guid
	for _, k := range keys {
		g := guid{k.lo, k.hi}
		if sets[g] == nil {
			sets[g], order = new(ids), append(order, g)
		}
		s := sets[g]
		s.count, s.end = s.count+1, max(s.end, min(k.id, 1<<31)+1)
	}
	total := uint32(0)
	for _, g := range order {
		if s := sets[g]; s.end <= 4*s.count+16 {
			total += s.end
		}
	}
	memory := slices.Repeat([]Item{{minRest: gap}}, int(total))
	for _, g := range order {
		if s := sets[g]; s.end <= 4*s.count+16 {
			s.items, memory = memory[:s.end], memory[s.end:]
		}
	}
	var sparseKeys []key
	var sparseItems []Item
	for i, k := range keys {
		if s := sets[guid{k.lo, k.hi}]; s.items != nil {
			s.items[k.id] = items[i]
		} else {
			sparseKeys, sparseItems = append(sparseKeys, k), append(sparseItems, items[i])
		}
	}
	hashes := make([]uint64, len(order))
	for i, g := range order {
		hashes[i] = g.lo ^ g.hi
	}
	s := newSpread(hashes)
	groups := make([]group, s.mask+1)
	t := Dense{groups: unsafe.Pointer(&groups[0]), mix: s.mix, mask: s.mask, bits: s.bits()}
	for i, g := range order {
		at := s.slot(hashes[i])
		for groups[at].taken {
			at = (at + 1) & s.mask
		}
		groups[at] = group{guid: g, items: unsafe.Pointer(unsafe.SliceData(sets[g].items)), count: uint32(len(sets[g].items)), taken: true}
	}
	if len(sparseKeys) > 0 {
		open := newOpen(sparseKeys, sparseItems)
		t.sparse = &open
	}
	return t
}

// first returns the group of a set, and whether it is the set's and has a place for the id.
func (t *Dense) first(lo, hi uint64, id uint32) (g *group, ok bool) {
	g = (*group)(unsafe.Add(t.groups, (lo^hi)*t.mix&t.bits>>(upper-5)))
	return g, g.lo == lo && g.hi == hi && id < g.count
}

// item returns what is at the place of an id: an item or a gap.
func (g *group) item(id uint32) *Item {
	return (*Item)(unsafe.Add(g.items, uintptr(id)*unsafe.Sizeof(Item{})))
}

// First is Open.First.
func (t *Dense) First(lo, hi uint64, id uint32) (item *Item, ok bool) {
	g, ok := t.first(lo, hi, id)
	if ok {
		item = g.item(id)
		ok = item.minRest != gap
	}
	return item, ok
}

// Find returns the item or nil.
func (t *Dense) Find(lo, hi uint64, id uint32) *Item {
	g := (*group)(unsafe.Add(t.groups, ((lo^hi)*t.mix>>upper&t.mask)*uint64(unsafe.Sizeof(group{}))))
	if g.guid == (guid{lo, hi}) && id < g.count {
		if item := (*Item)(unsafe.Add(g.items, uintptr(id)*unsafe.Sizeof(Item{}))); item.minRest != gap {
			return item
		}
	}
	return late(t, lo, hi, id, (*Dense).further)
}

// late calls further. A call of a parameter costs the compiler's inlining budget less than one of a function.
func late(t *Dense, lo, hi uint64, id uint32, further func(*Dense, uint64, uint64, uint32) *Item) *Item {
	return further(t, lo, hi, id)
}

// further is Find for a set that is not where it is looked for first, and for one with large ids.
func (t *Dense) further(lo, hi uint64, id uint32) *Item {
	for at := (lo ^ hi) * t.mix >> upper; ; at++ {
		g := (*group)(unsafe.Add(t.groups, at&t.mask*uint64(unsafe.Sizeof(group{}))))
		switch {
		case !g.taken:
			return nil
		case g.guid != guid{lo, hi}:
		case g.count == 0:
			return t.sparse.Find(lo, hi, id)
		case id >= g.count:
			return nil
		default:
			return (*Item)(unsafe.Add(g.items, uintptr(id)*unsafe.Sizeof(Item{}))).there()
		}
	}
}
