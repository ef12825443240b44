package engine

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// family is the sets of one family that a dispatcher has. The three families have ids of their own under one GUID, so each has a
// table of its own.
type family[Slot, Set, Item any] struct {
	direct   table.Direct[Slot]     // (set, id), if the items are some for it: what a request needs of its item
	table    *table.Table[Slot]     // the same for any items, on one cache line with the key
	setTable *table.Table[struct{}] // (set, 0): asked on a miss and by the verbs that are about a set
	sets     []Set
	items    []Item
	once     []itemOnce // beside items, as it must not be copied
	itemSize uint32     // of an extended item, or 0
}

// noItem is the Tag of an entry that only the fast path knows, and the end of a list of sets.
const noItem = 1<<31 - 1

// The items of a dispatcher have numbers, which IRP.index holds while a request of theirs is on its way, and the number says
// which family the item is of: from 0 properties, from firstMethod methods, from firstEvent events. So what asks an IRP for a
// property that it was not dispatched to finds none (S-7), and the path of properties writes nothing more for that.
const (
	firstMethod = 2 << 30
	firstEvent  = 3 << 30
)

// itemOnce is what happens at most once in the life of an item. It is the only state that a dispatcher changes.
type itemOnce struct {
	storage  atomic.Pointer[[]byte]
	panicked atomic.Bool
}

// bytes returns the item's n bytes of storage, made when first asked for.
func (o *itemOnce) bytes(n int) []byte { return *o.made(n) }

func (o *itemOnce) made(n int) *[]byte {
	if p := o.storage.Load(); p != nil {
		return p
	}
	b := make([]byte, n)
	o.storage.CompareAndSwap(nil, &b)
	return o.storage.Load()
}

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

// kind is what the families call things by: the names in errors, and how many items there may be.
type kind struct {
	name, sets, sizeField, item string
	size                        uint32 // of an item in C
	limit                       uint32 // of the numbers that items have (family.go)
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
	c.direct = table.BuildDirect(c.entries)
	if c.table, err = table.Build(c.entries, table.Config{}); err != nil {
		return fmt.Errorf("engine: %s table: %w", c.name, err)
	}
	if c.setTable, err = table.Build(c.setEntries, table.Config{}); err != nil {
		return fmt.Errorf("engine: %s set table: %w", c.name, err)
	}
	return nil
}
