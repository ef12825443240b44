package rival

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
)

// Linear is every set with its items, in the order of declaration. It is scanned, as ks.sys-like code does.
type Linear []set

type set struct {
	lo, hi uint64
	ids    []uint32 // apart from the items, so that a scan of sixteen ids reads one cache line
	items  []Item
}

func newLinear(decls []engine.PropertySet) Linear {
	x := make(Linear, len(decls))
	for i := range decls {
		d, s := &decls[i], &x[i]
		s.lo, s.hi = d.Set.Words()
		for j := range d.Items {
			s.ids, s.items = append(s.ids, d.Items[j].ID), append(s.items, newItem(d, j))
		}
	}
	return x
}

// all returns the items and their keys in the order of declaration.
func (x Linear) all() (keys []key, items []Item) {
	for i := range x {
		for j, id := range x[i].ids {
			keys, items = append(keys, key{x[i].lo, x[i].hi, id}), append(items, x[i].items[j])
		}
	}
	return keys, items
}

// Item returns the n-th item in the order of declaration, nil if there are not so many.
func (x Linear) Item(n int) *Item {
	for i := range x {
		if items := x[i].items; n < len(items) {
			return &items[n]
		}
		n -= len(x[i].items)
	}
	return nil
}

// Find returns the item or nil. All sets are searched, as several may have one GUID (P-24).
func (x Linear) Find(lo, hi uint64, id uint32) *Item {
	for i := range x {
		s := &x[i]
		if s.lo != lo || s.hi != hi {
			continue
		}
		for j, other := range s.ids {
			if other == id {
				return &s.items[j]
			}
		}
	}
	return nil
}

// knows reports whether a set has the GUID.
func (x Linear) knows(lo, hi uint64) bool {
	return slices.ContainsFunc(x, func(s set) bool { return s.lo == lo && s.hi == hi })
}
