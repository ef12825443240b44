package engine

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// methods is the table of the method sets of an object.
type methods struct {
	table    *table.Table[methodSlot] // (set, id)
	setTable *table.Table[struct{}]   // (set, 0)
	sets     []MethodSet
	items    []methodItem
	once     []itemOnce
	itemSize uint32
}

// methodSlot is what a request needs of its item, on one cache line with the key.
type methodSlot struct {
	handler, support          Handler
	fast                      FastHandler
	minMethod, minData, flags uint32
}

type methodEntry = table.Entry[methodSlot]

type methodItem struct {
	decl *MethodItem
	slot methodSlot
	set  uint32 // index in sets
}

// compileMethods compiles the method sets of config.
func (d *Dispatcher) compileMethods(config Config) error {
	longest := 0
	for i := range config.MethodSets {
		longest = max(longest, len(config.MethodSets[i].Items))
	}
	if err := checkItemSize("MethodItemSize", config.MethodItemSize, "KSMETHOD_ITEM", SizeMethodItem, longest); err != nil {
		return err
	}
	m := &d.methods
	m.itemSize = config.MethodItemSize
	c := methodCompiler{methods: m, at: make(map[table.Key]int), known: make(map[ks.GUID]bool)}
	for i := range config.MethodSets {
		if err := c.addSet(i, &config.MethodSets[i]); err != nil {
			return err
		}
	}
	m.once = make([]itemOnce, len(m.items))
	var err error
	if m.table, err = table.Build(c.entries, table.Config{}); err != nil {
		return fmt.Errorf("engine: method table: %w", err)
	}
	if m.setTable, err = table.Build(c.setEntries, table.Config{}); err != nil {
		return fmt.Errorf("engine: method set table: %w", err)
	}
	return nil
}

// methodSets is CompileError.Sets of this family.
const methodSets = "MethodSets"

// methodCompiler is the state of compileMethods.
type methodCompiler struct {
	*methods
	entries    []methodEntry
	setEntries []table.Entry[struct{}]
	at         map[table.Key]int // key to index in entries
	known      map[ks.GUID]bool
}

func (c *methodCompiler) addSet(index int, decl *MethodSet) error {
	fail := func(id uint32, hasItem bool, format string, args ...any) error {
		return &CompileError{Set: decl.Set, Sets: methodSets, Index: index, ID: id, HasItem: hasItem,
			Status: ks.StatusInvalidParameter, Reason: fmt.Sprintf(format, args...)}
	}
	if uint64(len(c.items))+uint64(len(decl.Items)) >= firstEvent-firstMethod {
		return fail(0, false, "more items than 31 bits count")
	}
	set := MethodSet{Set: decl.Set, Items: slices.Clone(decl.Items), FastIO: slices.Clone(decl.FastIO)}
	c.sets = append(c.sets, set)
	if decl.Set == (ks.GUID{}) {
		return nil // no request can name it; see Compile
	}
	if !c.known[decl.Set] {
		c.known[decl.Set] = true
		key := table.KeyOf(decl.Set, 0)
		c.setEntries = append(c.setEntries, table.Entry[struct{}]{Lo: key.Lo, Hi: key.Hi, Tag: uint32(index)})
	}
	for i := range set.Items {
		it := &set.Items[i]
		e := c.entry(decl.Set, it.ID)
		if e.Tag != noItem {
			return fail(it.ID, true, "declared twice: also in MethodSets[%d] (P-24)", c.items[e.Tag].set)
		}
		e.Tag = uint32(len(c.items))
		v := &e.Value
		v.handler, v.support, v.minData, v.flags = it.Handler, it.Support, it.MinData, it.Flags
		v.minMethod = max(it.MinMethod, ks.SizeIdentifier)
		c.items = append(c.items, methodItem{decl: it, slot: *v, set: uint32(index)})
	}
	for _, f := range set.FastIO {
		v := &c.entry(decl.Set, f.ID).Value
		if f.Handler != nil && v.fast != nil {
			return fail(f.ID, true, "FastIO lists a handler for a method that has one already, here or in an earlier set with this GUID")
		}
		if f.Handler != nil {
			v.fast = f.Handler
		}
	}
	return nil
}

// entry returns the table entry of a method, and makes it if there is none. It is valid until the next call.
func (c *methodCompiler) entry(set ks.GUID, id uint32) *methodEntry {
	key := table.KeyOf(set, id)
	i, ok := c.at[key]
	if !ok {
		i = len(c.entries)
		c.at[key] = i
		c.entries = append(c.entries, methodEntry{Lo: key.Lo, Hi: key.Hi, ID: id, Tag: noItem,
			Value: methodSlot{minMethod: ks.SizeIdentifier}})
	}
	return &c.entries[i]
}
