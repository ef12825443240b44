package engine

import (
	"weak"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// ShareStorage makes the items of d that old has too, by set and id, have the same storage as there: for a dispatcher that takes the
// place of old while requests are in flight on both. Items of another size keep their own, and so do those of d that were asked for
// theirs before. The first call takes a lookup for each item with storage. To share with the same dispatcher again takes nothing.
func (d *Dispatcher) ShareStorage(old *Dispatcher) {
	if d == old {
		return
	}
	d.sharing.Lock()
	defer d.sharing.Unlock()
	if d.sharesWith.Value() == old {
		return // an item that has its storage has it for good
	}
	share := func(first uint32, n int) {
		for index := first; index < first+uint32(n); index++ {
			size := d.storageSize(index)
			if size == 0 {
				return // nor has any other of its family
			}
			set, id, once := d.named(index)
			if from, ok := old.find(first, set, id); ok && old.storageSize(from) == size {
				_, _, there := old.named(from)
				once.storage.CompareAndSwap(nil, there.made(size))
			}
		}
	}
	share(0, len(d.properties.items))
	share(firstMethod, len(d.methods.items))
	share(firstEvent, len(d.events.items))
	d.sharesWith = weak.Make(old)
}

// find returns the number of an item of the family whose numbers begin with first.
func (d *Dispatcher) find(first uint32, set ks.GUID, id uint32) (index uint32, ok bool) {
	key, tag := table.KeyOf(set, id), uint32(noItem)
	switch first {
	case firstEvent:
		if e := d.events.table.Lookup(key.Lo, key.Hi, key.ID); e != nil {
			tag = e.Tag
		}
	case firstMethod:
		if e := d.methods.table.Lookup(key.Lo, key.Hi, key.ID); e != nil {
			tag = e.Tag
		}
	default:
		if e := d.properties.table.Lookup(key.Lo, key.Hi, key.ID); e != nil {
			tag = e.Tag
		}
	}
	return first + tag, tag != noItem
}
