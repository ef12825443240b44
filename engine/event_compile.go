package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// eventFamily is the events of a dispatcher: a table of its own, as the three families have ids of their own under one GUID.
type eventFamily struct {
	table    *table.Table[eventSlot] // (set, id)
	setTable *table.Table[struct{}]  // (set, 0)
	sets     []EventSet
	items    []eventItem
	once     []itemOnce
	itemSize uint32
	pool     eventPool // of entries whose Add handler owns insertion
}

// eventSlot is what a request needs of its item beside the item itself, on one cache line with the key.
type eventSlot struct {
	item      *eventItem
	dataInput uint32 // at least 32 (E-5)
}

// eventItem is one item as compiled. An entry points to it.
type eventItem struct {
	decl   *EventItem
	lo, hi uint64 // the set
	index  uint32 // in eventFamily.items
	set    uint32 // in eventFamily.sets
}

// eventSets is CompileError.Sets of this family.
const eventSets = "EventSets"

// maxExtra bounds ExtraEntryData, so that one enable cannot take all memory (S-5).
const maxExtra = 1 << 20

// compileEvents compiles the event sets of config, in the way and with the mistakes of Compile.
func compileEvents(config *Config) (*eventFamily, error) {
	f := &eventFamily{itemSize: config.EventItemSize}
	longest, total := 0, 0
	for i := range config.EventSets {
		longest = max(longest, len(config.EventSets[i].Items))
		total += len(config.EventSets[i].Items)
	}
	if err := checkItemSize("EventItemSize", f.itemSize, "KSEVENT_ITEM", SizeEventItem, longest); err != nil {
		return nil, err
	}
	f.items = make([]eventItem, 0, total) // of its final size, as slots point into it
	f.once = make([]itemOnce, total)
	entries := make([]table.Entry[eventSlot], 0, total)
	at := make(map[table.Key]uint32, total)
	var sets []table.Entry[struct{}]
	known := make(map[ks.GUID]bool)
	for i := range config.EventSets {
		decl := &config.EventSets[i]
		fail := func(id uint32, format string, args ...any) error {
			return &CompileError{Set: decl.Set, Sets: eventSets, Index: i, ID: id, HasItem: true, Status: ks.StatusInvalidParameter,
				Reason: fmt.Sprintf(format, args...)}
		}
		set := EventSet{Set: decl.Set, Items: slices.Clone(decl.Items)}
		f.sets = append(f.sets, set)
		if set.Set == (ks.GUID{}) {
			continue // no request can name it; SETSUPPORT lists it all the same (P-32)
		}
		key := table.KeyOf(set.Set, 0)
		if !known[set.Set] {
			known[set.Set] = true
			sets = append(sets, table.Entry[struct{}]{Lo: key.Lo, Hi: key.Hi})
		}
		for j := range set.Items {
			it := &set.Items[j]
			key.ID = it.ID
			if first, ok := at[key]; ok {
				return nil, fail(it.ID, "declared twice: also in EventSets[%d] (P-24)", first)
			}
			at[key] = uint32(i)
			if it.ExtraEntryData > maxExtra {
				return nil, fail(it.ID, "ExtraEntryData %d is more than %d bytes (S-5)", it.ExtraEntryData, maxExtra)
			}
			index := uint32(len(f.items))
			f.items = append(f.items, eventItem{decl: it, lo: key.Lo, hi: key.Hi, index: index, set: uint32(i)})
			entries = append(entries, table.Entry[eventSlot]{Lo: key.Lo, Hi: key.Hi, ID: it.ID, Tag: index,
				Value: eventSlot{item: &f.items[index], dataInput: max(it.DataInput, ks.SizeEventData)}})
		}
	}
	if total > math.MaxUint32-firstEvent {
		return nil, &CompileError{Index: -1, Status: ks.StatusInvalidParameter, Reason: "more events than 30 bits count"}
	}
	var err error
	if f.table, err = table.Build(entries, table.Config{}); err != nil {
		return nil, fmt.Errorf("engine: event table: %w", err)
	}
	if f.setTable, err = table.Build(sets, table.Config{}); err != nil {
		return nil, fmt.Errorf("engine: event set table: %w", err)
	}
	return f, nil
}

// lookup finds the item of a request, or says which of set and item is unknown (E-4).
func (f *eventFamily) lookup(irp *IRP) (*eventSlot, ks.Status) {
	q := &irp.ident
	if e := f.table.Lookup(q.lo, q.hi, q.id()); e != nil {
		return &e.Value, ks.StatusSuccess
	}
	if f.setTable.Lookup(q.lo, q.hi, 0) == nil {
		return nil, irp.decide(ruleE4, ks.StatusPropsetNotFound)
	}
	return nil, irp.decide(ruleE4, ks.StatusNotFound)
}
