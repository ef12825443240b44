package rival

// Open is a table with open addressing and linear probing, at most half full. An entry is a cache line.
type Open struct {
	entries []entry
	shift   uint8
}

type entry struct {
	lo, hi uint64
	id     uint64 // occupied is set in an entry that holds an item, so that no key equals an empty one
	item   Item
}

const occupied = 1 << 32

func newOpen(keys []key, items []Item) Open {
	count, shift := slots(len(keys), 64)
	t := Open{entries: make([]entry, count), shift: shift}
	for i, k := range keys {
		at := t.first(k.lo, k.hi, k.id)
		for t.entries[at].id != 0 {
			at = (at + 1) & uint64(count-1)
		}
		t.entries[at] = entry{k.lo, k.hi, uint64(k.id) | occupied, items[i]}
	}
	return t
}

func (t *Open) first(lo, hi uint64, id uint32) uint64 {
	return (lo ^ hi ^ uint64(id)) * golden >> (t.shift & 63)
}

// Find returns the item or nil.
func (t *Open) Find(lo, hi uint64, id uint32) *Item {
	for at := t.first(lo, hi, id); ; at++ {
		e := &t.entries[at&uint64(len(t.entries)-1)]
		if (e.lo^lo)|(e.hi^hi)|(e.id^(uint64(id)|occupied)) == 0 {
			return &e.item
		}
		if e.id == 0 {
			return nil
		}
	}
}
