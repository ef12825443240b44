package engine

import (
	"fmt"
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// CompileError says which declaration Compile refused, and why. It names sets by GUID and items by id: their names are in
// package kssets, whose tables would come along with every engine.
type CompileError struct {
	Set     ks.GUID   // the set, all zero if the error is about none
	Sets    string    // the field of Config that the set is in, such as PropertySets; "" if the error is about none
	Index   int       // of the set in that field, -1 if the error is about none
	ID      uint32    // of the item
	HasItem bool      // the error is about one item
	Status  ks.Status // what a host answers to every request on a table with this mistake (P-3)
	Reason  string
}

func (e *CompileError) Error() string {
	switch {
	case e.HasItem:
		return fmt.Sprintf("engine: %s[%d] %v, item %d: %s", e.Sets, e.Index, e.Set, e.ID, e.Reason)
	case e.Index >= 0:
		return fmt.Sprintf("engine: %s[%d] %v: %s", e.Sets, e.Index, e.Set, e.Reason)
	}
	return "engine: " + e.Reason
}

// Compile checks the declarations of config and compiles them into a Dispatcher. It copies what it keeps, but for
// handlers and contexts. Every mistake that can be seen before a request arrives is reported here, as a *CompileError.
func Compile(config Config) (*Dispatcher, error) {
	d := &Dispatcher{compat: config.Compat.withDefaults(), onPanic: config.OnPanic}
	if err := d.compileProperties(&config); err != nil {
		return nil, err
	}
	if err := d.compileMethods(&config); err != nil {
		return nil, err
	}
	if err := d.compileEvents(&config); err != nil {
		return nil, err
	}
	return d, nil
}

// kind is what the families call things by: the names in errors, and how many items there may be.
type kind struct {
	name, sets, sizeField, item string
	size                        uint32 // of an item in C
	limit                       uint32 // of the numbers that items have (item.go)
}

// compiler compiles the sets of one family.
type compiler[Slot, Set, Item any] struct {
	*family[Slot, Set, Item]
	kind
	blank      Slot // of an entry that nothing was declared for yet
	entries    []table.Entry[Slot]
	setEntries []table.Entry[struct{}]
	at         map[table.Key]int // key to index in entries
	setOf      []int             // of each item, by Tag
	last       map[ks.GUID]int   // the latest set with that GUID
}

func newCompiler[Slot, Set, Item any](f *family[Slot, Set, Item], blank Slot, k kind) *compiler[Slot, Set, Item] {
	return &compiler[Slot, Set, Item]{family: f, kind: k, blank: blank, at: make(map[table.Key]int), last: make(map[ks.GUID]int)}
}

// checkItemSize is P-3, whose text serves all families; longest is the largest number of items in a set. An array of items is addressed
// with 32 bits, so its size must fit there (S-14).
func (k *kind) checkItemSize(size uint32, longest int) error {
	bad := func(format string, args ...any) error {
		return &CompileError{Index: -1, Status: ks.StatusInvalidParameter, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case size == 0:
		return nil
	case size%8 != 0:
		return bad("%s %d is not a multiple of 8 (P-3); use 0 for plain items", k.sizeField, size)
	case size < k.size:
		return bad("%s %d is less than a %s, %d bytes (P-3); use 0 for plain items", k.sizeField, size, k.item, k.size)
	case uint64(longest)*uint64(size) > math.MaxUint32:
		return bad("%s %d times the %d items of a set exceeds 32 bits (P-3)", k.sizeField, size, longest)
	}
	return nil
}

// addSet adds set number index, with that many items. It returns the number of the set before it with that GUID, or -1, and
// whether a request can name it: GUID_NULL stands for all sets in a request, and a set with it is only listed (P-32).
func (c *compiler[Slot, Set, Item]) addSet(index int, guid ks.GUID, set Set, items int) (previous int, named bool, err error) {
	if uint64(len(c.items))+uint64(items) >= uint64(c.limit) {
		return -1, false, c.failSet(index, guid, "there are more than %d items", c.limit)
	}
	c.family.sets = append(c.family.sets, set)
	if guid == (ks.GUID{}) {
		return -1, false, nil
	}
	previous, known := c.last[guid]
	if !known {
		previous = -1
		key := table.KeyOf(guid, 0)
		c.setEntries = append(c.setEntries, table.Entry[struct{}]{Lo: key.Lo, Hi: key.Hi, Tag: uint32(index)})
	}
	c.last[guid] = index
	return previous, true, nil
}

// entry returns the table entry of an item, and makes it if there is none. It is valid until the next call.
func (c *compiler[Slot, Set, Item]) entry(guid ks.GUID, id uint32) *table.Entry[Slot] {
	key := table.KeyOf(guid, id)
	i, ok := c.at[key]
	if !ok {
		i = len(c.entries)
		c.at[key] = i
		c.entries = append(c.entries, table.Entry[Slot]{Lo: key.Lo, Hi: key.Hi, ID: id, Tag: noItem, Value: c.blank})
	}
	return &c.entries[i]
}

// addItem returns the entry of an item of set number index, tagged with the number of the item, which the caller appends.
func (c *compiler[Slot, Set, Item]) addItem(index int, guid ks.GUID, id uint32) (*table.Entry[Slot], error) {
	e := c.entry(guid, id)
	if e.Tag != noItem {
		return nil, c.fail(index, guid, id, "declared twice: also in %s[%d] (P-24)", c.kind.sets, c.setOf[e.Tag])
	}
	e.Tag = uint32(len(c.items))
	c.setOf = append(c.setOf, index)
	return e, nil
}

// fail is the error of an item of set number index.
func (c *compiler[Slot, Set, Item]) fail(index int, guid ks.GUID, id uint32, format string, args ...any) error {
	return &CompileError{Set: guid, Sets: c.kind.sets, Index: index, ID: id, HasItem: true, Status: ks.StatusInvalidParameter,
		Reason: fmt.Sprintf(format, args...)}
}

// failSet is the error of set number index.
func (c *compiler[Slot, Set, Item]) failSet(index int, guid ks.GUID, format string, args ...any) error {
	return &CompileError{Set: guid, Sets: c.kind.sets, Index: index, Status: ks.StatusInvalidParameter, Reason: fmt.Sprintf(format, args...)}
}

// build makes the tables.
func (c *compiler[Slot, Set, Item]) build() (err error) {
	c.once = make([]itemOnce, len(c.items))
	if c.table, err = table.Build(c.entries, table.Config{}); err != nil {
		return fmt.Errorf("engine: %s table: %w", c.name, err)
	}
	if c.setTable, err = table.Build(c.setEntries, table.Config{}); err != nil {
		return fmt.Errorf("engine: %s set table: %w", c.name, err)
	}
	return nil
}
