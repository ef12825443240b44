package engine

import (
	"iter"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// ItemInfo is one item of a dispatcher, as it was compiled.
type ItemInfo struct {
	Code       uint32  // the control code of its requests: ks.IoctlProperty, ks.IoctlMethod or ks.IoctlEnableEvent
	Set        ks.GUID // its name, if it is a standard one, is in package kssets
	ID         uint32
	Flags      uint32 // of a property the verbs GET and SET that have a handler, of a method MethodItem.Flags, of an event 0
	Fast       uint32 // of a property the verbs that have a fast handler, of a method 1 if it has one
	MinRequest uint32 // least input in bytes
	MinData    uint32 // least output in bytes; for an event it carries the KSEVENTDATA in
	Support    bool   // there is a support handler
	Context    any    // as declared
}

// Items walks the items of the dispatcher: properties, then methods, then events, each in the order of their declaration. Items that
// only the fast path has, and those of nodes, are not among them.
func (d *Dispatcher) Items() iter.Seq[ItemInfo] {
	return func(yield func(ItemInfo) bool) {
		for i := range d.properties.items {
			it := &d.properties.items[i]
			info := ItemInfo{Code: ks.IoctlProperty, Set: d.properties.sets[it.set].Set, ID: it.decl.ID, Flags: it.access(),
				MinRequest: it.slot.minProperty(), MinData: it.slot.minData, Support: it.decl.Support != nil, Context: it.decl.Context}
			key := table.KeyOf(info.Set, info.ID)
			for verb, fast := range d.properties.table.Lookup(key.Lo, key.Hi, key.ID).Value.fast {
				if fast != nil {
					info.Fast |= uint32(verb) + 1
				}
			}
			if !yield(info) {
				return
			}
		}
		for i := range d.methods.items {
			it := &d.methods.items[i]
			info := ItemInfo{Code: ks.IoctlMethod, Set: d.methods.sets[it.set].Set, ID: it.decl.ID, Flags: it.slot.flags,
				MinRequest: it.slot.minMethod, MinData: it.slot.minData, Support: it.slot.support != nil, Context: it.decl.Context}
			key := table.KeyOf(info.Set, info.ID)
			if d.methods.table.Lookup(key.Lo, key.Hi, key.ID).Value.fast != nil {
				info.Fast = 1
			}
			if !yield(info) {
				return
			}
		}
		for i := range d.events.items {
			it := &d.events.items[i]
			if !yield(ItemInfo{Code: ks.IoctlEnableEvent, Set: d.events.sets[it.set].Set, ID: it.decl.ID, MinRequest: ks.SizeIdentifier,
				MinData: max(it.decl.DataInput, ks.SizeEventData), Support: it.decl.Support != nil, Context: it.decl.Context}) {
				return
			}
		}
	}
}
