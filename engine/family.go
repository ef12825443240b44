package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

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
	it := &d.items[index]
	return d.sets[it.set].Set, it.decl.ID, &d.once[index]
}
