package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

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

// storage returns the private bytes of an item, made when first asked for.
func (d *Dispatcher) storage(index uint32) []byte {
	size := d.storageSize(index)
	if size == 0 {
		return nil
	}
	_, _, once := d.named(index)
	return once.bytes(size)
}

// storageSize is how many private bytes an item has.
func (d *Dispatcher) storageSize(index uint32) int {
	size, plain := d.properties.itemSize, uint32(SizePropertyItem)
	switch {
	case index >= firstEvent:
		size, plain = d.events.itemSize, SizeEventItem
	case index >= firstMethod:
		size, plain = d.methods.itemSize, SizeMethodItem
	}
	if size <= plain || uint64(size-plain) > largestBuffer {
		return 0
	}
	return int(size - plain)
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
