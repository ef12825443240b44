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
	d := &Dispatcher{
		compat:   config.Compat.withDefaults(),
		itemSize: config.PropertyItemSize,
		onPanic:  config.OnPanic,
	}
	longest := 0
	for i := range config.PropertySets {
		longest = max(longest, len(config.PropertySets[i].Items))
	}
	if err := checkItemSize("PropertyItemSize", config.PropertyItemSize, "KSPROPERTY_ITEM", SizePropertyItem, longest); err != nil {
		return nil, err
	}
	c := compiler{d: d, at: make(map[table.Key]int), last: make(map[ks.GUID]uint32)}
	for i := range config.PropertySets {
		if err := c.addSet(i, &config.PropertySets[i]); err != nil {
			return nil, err
		}
	}
	d.once = make([]itemOnce, len(d.items))
	var err error
	if d.table, err = table.Build(c.entries, table.Config{}); err != nil {
		return nil, fmt.Errorf("engine: property table: %w", err)
	}
	if d.setTable, err = table.Build(c.setEntries, table.Config{}); err != nil {
		return nil, fmt.Errorf("engine: set table: %w", err)
	}
	if err := d.compileMethods(config); err != nil {
		return nil, err
	}
	if d.events, err = compileEvents(&config); err != nil {
		return nil, err
	}
	return d, nil
}

// checkItemSize is P-3, whose text serves all families: size is the value of field, of an item that has least bytes in C, and
// longest the largest number of items in a set. An array of items is addressed with 32 bits, so its size must fit there (S-14).
func checkItemSize(field string, size uint32, item string, least uint32, longest int) error {
	bad := func(format string, args ...any) error {
		return &CompileError{Index: -1, Status: ks.StatusInvalidParameter, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case size == 0:
		return nil
	case size%8 != 0:
		return bad("%s %d is not a multiple of 8 (P-3); use 0 for plain items", field, size)
	case size < least:
		return bad("%s %d is less than a %s, %d bytes (P-3); use 0 for plain items", field, size, item, least)
	case uint64(longest)*uint64(size) > math.MaxUint32:
		return bad("%s %d times the %d items of a set exceeds 32 bits (P-3)", field, size, longest)
	}
	return nil
}
