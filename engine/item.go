package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// family is the sets of one family that a dispatcher has. The three families have ids of their own under one GUID, so each has a
// table of its own.
type family[Slot, Set, Item any] struct {
	table    *table.Table[Slot]     // (set, id): what a request needs of its item, on one cache line with the key
	setTable *table.Table[struct{}] // (set, 0): asked on a miss and by the verbs that are about a set
	sets     []Set
	items    []Item
	once     []itemOnce // beside items, as it must not be copied
	itemSize uint32     // of an extended item, or 0
}

// noItem is the Tag of an entry that only the fast path knows, and the end of a list of sets.
const noItem = 1<<31 - 1

// The items of a dispatcher have numbers, which IRP.index holds while a request of theirs is on its way, and the number says
// which family the item is of: from 0 properties, from firstMethod methods, from firstEvent events. So what asks an IRP for a
// property that it was not dispatched to finds none (S-7), and the path of properties writes nothing more for that.
const (
	firstMethod = 2 << 30
	firstEvent  = 3 << 30
)

// named returns the set and id of an item, for people, and what happens to it at most once.
func (d *Dispatcher) named(index uint32) (set ks.GUID, id uint32, once *itemOnce) {
	if index >= firstEvent {
		it := &d.events.items[index-firstEvent]
		return d.events.sets[it.set].Set, it.decl.ID, &d.events.once[index-firstEvent]
	}
	if index >= firstMethod {
		m, i := &d.methods, index-firstMethod
		return m.sets[m.items[i].set].Set, m.items[i].decl.ID, &m.once[i]
	}
	it := &d.properties.items[index]
	return d.properties.sets[it.set].Set, it.decl.ID, &d.properties.once[index]
}

// itemOnce is what happens at most once in the life of an item. It is the only state that a dispatcher changes.
type itemOnce struct {
	storage  atomic.Pointer[[]byte]
	panicked atomic.Bool
}

func (o *itemOnce) bytes(n int) []byte {
	if p := o.storage.Load(); p != nil {
		return *p
	}
	b := make([]byte, n)
	if o.storage.CompareAndSwap(nil, &b) {
		return b
	}
	return *o.storage.Load()
}

// storage returns the private bytes of an item, made when first asked for.
func (d *Dispatcher) storage(index uint32) []byte {
	size, plain := d.properties.itemSize, uint32(SizePropertyItem)
	switch {
	case index >= firstEvent:
		size, plain = d.events.itemSize, SizeEventItem
	case index >= firstMethod:
		size, plain = d.methods.itemSize, SizeMethodItem
	}
	if size <= plain || uint64(size-plain) > largestBuffer {
		return nil
	}
	_, _, once := d.named(index)
	return once.bytes(int(size - plain))
}

// ItemStorage returns the private bytes of the item that the request was dispatched to: what an extended item has after
// its KSPROPERTY_ITEM, PropertyItemSize-72 bytes, or after its KSMETHOD_ITEM or KSEVENT_ITEM, 40 less than their size (P-3, M-3).
// nil without extended items, and on a 32-bit host for what it cannot address. All handles of an object share it; handlers
// synchronise its use.
func (irp *IRP) ItemStorage() []byte {
	if irp.owner == nil || irp.index == noItem {
		return nil
	}
	return irp.owner.storage(irp.index)
}

// ItemContext returns the Context of the item that the request was dispatched to.
func (irp *IRP) ItemContext() any {
	if irp.owner != nil && irp.index < noItem {
		return irp.owner.properties.items[irp.index].decl.Context
	}
	return irp.otherContext()
}

// otherContext is ItemContext where there is no property.
func (irp *IRP) otherContext() any {
	if it := irp.method(); it != nil {
		return it.decl.Context
	}
	if it := irp.eventItem(); it != nil {
		return it.decl.Context
	}
	return nil
}
