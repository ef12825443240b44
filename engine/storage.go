package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// itemName is what an item is known by in any dispatcher.
type itemName struct {
	first uint32 // of the numbers of its family
	set   ks.GUID
	id    uint32
}

// stored calls f for each item that has storage.
func (d *Dispatcher) stored(f func(name itemName, index uint32)) {
	walk := func(first uint32, n int, itemSize, plain uint32) {
		for i := range uint32(n) {
			if itemSize > plain {
				set, id, _ := d.named(first + i)
				f(itemName{first, set, id}, first+i)
			}
		}
	}
	walk(0, len(d.properties.items), d.properties.itemSize, SizePropertyItem)
	walk(firstMethod, len(d.methods.items), d.methods.itemSize, SizeMethodItem)
	walk(firstEvent, len(d.events.items), d.events.itemSize, SizeEventItem)
}

// ShareStorage makes the items of d that old has too, by set and id, have the same storage as there: for a dispatcher that takes the
// place of old while requests are in flight on both. Items of another size keep their own, and so do those of d that were asked for
// theirs before.
func (d *Dispatcher) ShareStorage(old *Dispatcher) {
	if d == old {
		return
	}
	indices := make(map[itemName]uint32)
	old.stored(func(name itemName, index uint32) { indices[name] = index })
	d.stored(func(name itemName, index uint32) {
		from, ok := indices[name]
		if !ok || d.storageSize(index) != old.storageSize(from) {
			return
		}
		if b := old.storage(from); b != nil {
			_, _, once := d.named(index)
			once.storage.CompareAndSwap(nil, &b)
		}
	})
}
