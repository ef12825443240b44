// Package naive is the dispatcher that people write without this project: the same requests, the same checks in the same
// order, the same answers, and a way of finding the item that comes from a textbook.
//
// It exists to be measured against, and it is written to win. There is one dispatcher, and what differs between the
// peers is a single step, from (set, id) to the item: Linear scans sets and items in the order of declaration, as
// ks.sys-like code does; Flat asks a Go map keyed by GUID and id; Nested asks a map of maps. The step is chosen by a
// switch that is predicted perfectly, because an interface or a func value would cost each request an indirect call,
// and a type parameter would too: the compiler calls methods of type parameters through a dictionary. Keys are built on
// the stack, maps are sized before they are filled and hold pointers, so no lookup copies an item.
//
// Everything else is what engine and device do for a GET or SET: size checks, one read of the identifier, a system
// buffer of data, padding and request, zeroing, capture, a handler that may panic, the check of its result, copy-back.
// The buffer comes from an arena of package arena, as the engine's does, or from the Go heap, once per request, as
// ExAllocatePool does for ks.sys-like code. Where engine does more, the peers are let off: they do not write the storage
// that IRP.PropertySet reads, know neither pended nor prepared requests nor caller memory that faults, and answer no
// verb but GET and SET; no measured request needs any of that. Rules are cited by their numbers, as in package engine.
package naive

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Step is how a dispatcher finds an item.
type Step uint8

const (
	ByScan   Step = iota // Linear
	ByMap                // Flat
	ByNested             // Nested
)

// Item is a property as the dispatcher keeps it.
type Item struct {
	id                   uint32
	minProperty, minData uint32
	get, set             engine.Handler
	fastGet, fastSet     engine.FastHandler
}

// Linear is every set with its items, in the order of declaration.
type Linear []set

type set struct {
	guid  ks.GUID
	items []Item
}

// Find returns the item, or nil and whether the set is known at all. All sets are searched, as several may have one
// GUID (P-24).
func (x Linear) Find(guid *ks.GUID, id uint32) (item *Item, known bool) {
	for i := range x {
		s := &x[i]
		if s.guid != *guid {
			continue
		}
		known = true
		for j := range s.items {
			if s.items[j].id == id {
				return &s.items[j], true
			}
		}
	}
	return nil, known
}

// Flat is one map from GUID and id.
type Flat map[Key]*Item

// Key is the key of a Flat.
type Key struct {
	Set ks.GUID
	ID  uint32
}

// Find returns the item or nil.
func (x Flat) Find(guid *ks.GUID, id uint32) *Item { return x[Key{*guid, id}] }

// Nested is a map from GUID to a map from id.
type Nested map[ks.GUID]map[uint32]*Item

// Find returns the item, or nil and whether the set is known at all.
func (x Nested) Find(guid *ks.GUID, id uint32) (item *Item, known bool) {
	items, known := x[*guid]
	return items[id], known
}

// Table holds the sets of one object in all three forms. It is immutable.
type Table struct {
	Linear Linear
	Flat   Flat
	Nested Nested
	sets   map[ks.GUID]struct{} // for Flat, which cannot tell an unknown set from an unknown id
}

// NewTable takes declarations that engine.Compile has accepted.
func NewTable(decls []engine.PropertySet) *Table {
	count := 0
	for _, d := range decls {
		count += len(d.Items)
	}
	t := &Table{
		Linear: make(Linear, len(decls)),
		Flat:   make(Flat, count),
		Nested: make(Nested, len(decls)),
		sets:   make(map[ks.GUID]struct{}, len(decls)),
	}
	for i, d := range decls {
		s := &t.Linear[i]
		s.guid, s.items = d.Set, make([]Item, len(d.Items))
		t.sets[d.Set] = struct{}{}
		if t.Nested[d.Set] == nil {
			t.Nested[d.Set] = make(map[uint32]*Item, len(d.Items))
		}
		for j, it := range d.Items {
			s.items[j] = Item{id: it.ID, minProperty: max(it.MinProperty, ks.SizeIdentifier), minData: it.MinData, get: it.Get, set: it.Set}
			for _, f := range d.FastIO {
				if f.ID == it.ID {
					s.items[j].fastGet, s.items[j].fastSet = f.Get, f.Set
				}
			}
			t.Flat[Key{d.Set, it.ID}] = &s.items[j]
			t.Nested[d.Set][it.ID] = &s.items[j]
		}
	}
	return t
}

// Item returns the n-th item in the order of declaration.
func (t *Table) Item(n int) *Item {
	for i := range t.Linear {
		items := t.Linear[i].items
		if n < len(items) {
			return &items[n]
		}
		n -= len(items)
	}
	return nil
}

// find is the one step in which the peers differ. Without an item, known says whether the set is known, but for ByMap.
func (t *Table) find(step Step, guid *ks.GUID, id uint32) (item *Item, known bool) {
	switch step {
	case ByScan:
		return t.Linear.Find(guid, id)
	case ByNested:
		return t.Nested.Find(guid, id)
	}
	return t.Flat.Find(guid, id), false
}

// missed says which of set and item is unknown (P-24).
func (t *Table) missed(step Step, guid *ks.GUID, known bool) ks.Status {
	if step == ByMap {
		_, known = t.sets[*guid]
	}
	if known {
		return ks.StatusNotFound
	}
	return ks.StatusPropsetNotFound
}
