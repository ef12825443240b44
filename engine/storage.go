package engine

import (
	"weak"

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
	share(d, old, old.properties.table, 0, len(d.properties.items))
	share(d, old, old.methods.table, firstMethod, len(d.methods.items))
	share(d, old, old.events.table, firstEvent, len(d.events.items))
	d.sharesWith = weak.Make(old)
}

// share is ShareStorage for the n items of a family, whose numbers begin with first and whose table there is in old.
func share[V any](d, old *Dispatcher, there *table.Table[V], first uint32, n int) {
	for index := first; index < first+uint32(n); index++ {
		size := d.storageSize(index)
		if size == 0 {
			return // nor has any other of its family
		}
		set, id, once := d.named(index)
		key := table.KeyOf(set, id)
		if e := there.Lookup(key.Lo, key.Hi, key.ID); e != nil && old.storageSize(first+e.Tag) == size {
			_, _, from := old.named(first + e.Tag)
			once.storage.CompareAndSwap(nil, from.made(size))
		}
	}
}
