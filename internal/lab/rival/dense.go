package rival

// Dense is a table of GUIDs with open addressing, each of which leads to an array by id: real sets number their items from 0. The
// few sets that do not are in an Open.
type Dense struct {
	groups []group
	shift  uint8
	items  []Item // those of a group from its first, with gaps where an id has no item
	sparse *Open  // nil if no set needs it
}

type group struct {
	lo, hi uint64
	first  uint32
	count  uint32 // 0 in a free slot, and in the group of a sparse set
}

func newDense(keys []key, items []Item) Dense {
	type ids struct {
		count, end uint32
	}
	type guid struct{ lo, hi uint64 }
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
	count, shift := slots(len(order), 24)
	t := Dense{groups: make([]group, count), shift: shift}
	first := map[guid]uint32{}
	total := uint32(0)
	for _, g := range order {
		s := sets[g]
		if s.end > 4*s.count+16 {
			continue
		}
		at := t.slot(g.lo, g.hi)
		for t.groups[at].count != 0 {
			at = (at + 1) & uint64(count-1)
		}
		t.groups[at] = group{g.lo, g.hi, total, s.end}
		first[g] = total
		total += s.end
	}
	t.items = make([]Item, total)
	var sparseKeys []key
	var sparseItems []Item
	for i, k := range keys {
		if at, ok := first[guid{k.lo, k.hi}]; ok {
			t.items[at+k.id] = items[i]
		} else {
			sparseKeys, sparseItems = append(sparseKeys, k), append(sparseItems, items[i])
		}
	}
	if len(sparseKeys) > 0 {
		open := newOpen(sparseKeys, sparseItems)
		t.sparse = &open
	}
	return t
}

func (t *Dense) slot(lo, hi uint64) uint64 { return (lo ^ hi) * golden >> (t.shift & 63) }

// Find returns the item or nil.
func (t *Dense) Find(lo, hi uint64, id uint32) *Item {
	for at := t.slot(lo, hi); ; at++ {
		g := &t.groups[at&uint64(len(t.groups)-1)]
		if g.lo == lo && g.hi == hi && id < g.count {
			if item := &t.items[uint64(g.first)+uint64(id)]; item.minProperty != 0 {
				return item
			}
			return nil
		}
		if g.count == 0 {
			return t.other(lo, hi, id)
		}
	}
}

// other looks among the sets with large ids.
func (t *Dense) other(lo, hi uint64, id uint32) *Item {
	if t.sparse == nil {
		return nil
	}
	return t.sparse.Find(lo, hi, id)
}
