package engine

import (
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// maxExtra bounds ExtraEntryData, so that one enable cannot take all memory (S-5).
const maxExtra = 1 << 20

var eventKind = kind{"event", "EventSets", "EventItemSize", "KSEVENT_ITEM", SizeEventItem, math.MaxUint32 - firstEvent}

// compileEvents compiles the event sets of config.
func (d *Dispatcher) compileEvents(config *Config) error {
	d.events.itemSize = config.EventItemSize
	c := newCompiler(&d.events, eventSlot{}, eventKind)
	longest := 0
	for i := range config.EventSets {
		longest = max(longest, len(config.EventSets[i].Items))
	}
	if err := c.checkItemSize(c.itemSize, longest); err != nil {
		return err
	}
	for i := range config.EventSets {
		if err := addEventSet(c, i, &config.EventSets[i]); err != nil {
			return err
		}
	}
	for i := range c.entries { // not before: the items moved as they grew
		e := &c.entries[i]
		e.Value.item = &c.items[e.Tag]
	}
	return c.build()
}

type eventCompiler = compiler[eventSlot, EventSet, eventItem]

func addEventSet(c *eventCompiler, index int, decl *EventSet) error {
	set := EventSet{Set: decl.Set, Items: slices.Clone(decl.Items)}
	if _, named, err := c.addSet(index, decl.Set, set, len(set.Items)); err != nil || !named {
		return err
	}
	for i := range set.Items {
		it := &set.Items[i]
		e, err := c.addItem(index, decl.Set, it.ID)
		if err != nil {
			return err
		}
		if it.ExtraEntryData > maxExtra {
			return c.fail(index, decl.Set, it.ID, "ExtraEntryData %d is more than %d bytes (S-5)", it.ExtraEntryData, maxExtra)
		}
		e.Value.dataInput = max(it.DataInput, ks.SizeEventData)
		c.items = append(c.items, eventItem{decl: it, lo: e.Lo, hi: e.Hi, index: e.Tag, set: uint32(index)})
	}
	return nil
}

// lookupEvent finds the item of a request, or says which of set and item is unknown (E-4).
func (d *Dispatcher) lookupEvent(irp *IRP) (*eventSlot, ks.Status) {
	q := &irp.ident
	if e := d.events.table.Lookup(q.lo, q.hi, q.id()); e != nil {
		return &e.Value, ks.StatusSuccess
	}
	if d.events.setTable.Lookup(q.lo, q.hi, 0) == nil {
		return nil, irp.decide(ruleE4, ks.StatusPropsetNotFound)
	}
	return nil, irp.decide(ruleE4, ks.StatusNotFound)
}
