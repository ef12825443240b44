package rival

import "unsafe"

// Open is a table with open addressing and linear probing, of entries of 64 bytes. The first 48 of them, which a request reads, lie on one
// cache line even if the allocator has put its 8 bytes before the first.
type Open struct {
	entries   unsafe.Pointer // the first of them
	mix, mask uint64         // a spread's
	bits      uint64         // the mask of a product
}

type entry struct {
	lo, hi uint64
	id     uint64                           // occupied is set in an entry that holds an item, so that no key equals an empty one
	_      [40 - unsafe.Sizeof(Item{})]byte // on 32-bit hosts
	item   Item
}

var _ [64]byte = [unsafe.Sizeof(entry{})]byte{} // which one shift leads to

const occupied = 1 << 32

func newOpen(keys []key, items []Item) Open {
	hashes := make([]uint64, len(keys))
	for i, k := range keys {
		hashes[i] = k.lo ^ k.hi ^ (uint64(k.id) | occupied)
	}
	s := newSpread(hashes)
	entries := make([]entry, s.mask+1)
	for i, k := range keys {
		at := s.slot(hashes[i])
		for entries[at].id != 0 {
			at = (at + 1) & s.mask
		}
		entries[at] = entry{lo: k.lo, hi: k.hi, id: uint64(k.id) | occupied, item: items[i]}
	}
	return Open{unsafe.Pointer(&entries[0]), s.mix, s.mask, s.bits()}
}

// first returns where a key is looked for first, and whether it is there.
func (t *Open) first(lo, hi uint64, id uint32) (e *entry, ok bool) {
	word := uint64(id) | occupied
	e = (*entry)(unsafe.Add(t.entries, (lo^hi^word)*t.mix&t.bits>>(upper-6)))
	return e, e.lo == lo && e.hi == hi && e.id == word
}

// First is Find for a caller who goes on to Find if the item is not where it is looked for first: the comparison is what its branch is of.
func (t *Open) First(lo, hi uint64, id uint32) (*Item, bool) {
	e, ok := t.first(lo, hi, id)
	return &e.item, ok
}

// Find returns the item or nil.
func (t *Open) Find(lo, hi uint64, id uint32) *Item {
	word := uint64(id) | occupied
	for at := (lo ^ hi ^ word) * t.mix >> upper; ; at++ {
		e := (*entry)(unsafe.Add(t.entries, at&t.mask*uint64(unsafe.Sizeof(entry{}))))
		if e.lo == lo && e.hi == hi && e.id == word {
			return &e.item
		}
		if e.id == 0 {
			return nil
		}
	}
}
