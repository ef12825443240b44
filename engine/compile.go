package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// SizePropertyItem is sizeof(KSPROPERTY_ITEM) in bytes on x64, the ABI that is modelled on every host.
const SizePropertyItem = 72

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

// propertySets is CompileError.Sets of this family.
const propertySets = "PropertySets"

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

// compiler is the state of one Compile.
type compiler struct {
	d          *Dispatcher
	entries    []entry
	setEntries []table.Entry[struct{}]
	at         map[table.Key]int  // key to index in entries
	last       map[ks.GUID]uint32 // the latest set with that GUID
}

func (c *compiler) addSet(index int, decl *PropertySet) error {
	d := c.d
	fail := func(reason string, args ...any) error {
		return &CompileError{Set: decl.Set, Sets: propertySets, Index: index, Status: ks.StatusInvalidParameter, Reason: fmt.Sprintf(reason, args...)}
	}
	if uint64(len(d.items))+uint64(len(decl.Items)) >= uint64(noItem) {
		return fail("more items than 31 bits count")
	}

	set := setInfo{
		PropertySet: PropertySet{Set: decl.Set, Items: slices.Clone(decl.Items), FastIO: slices.Clone(decl.FastIO)},
		first:       uint32(len(d.items)),
		next:        noItem,
	}
	if decl.Set == (ks.GUID{}) {
		// In a request GUID_NULL stands for all sets (P-32): no request can name this one, which is listed all the same.
		d.sets = append(d.sets, set)
		return nil
	}
	if prev, ok := c.last[decl.Set]; ok {
		d.sets[prev].next = uint32(index)
	} else {
		key := table.KeyOf(decl.Set, 0)
		c.setEntries = append(c.setEntries, table.Entry[struct{}]{Lo: key.Lo, Hi: key.Hi, Tag: uint32(index)})
	}
	c.last[decl.Set] = uint32(index)
	d.sets = append(d.sets, set)

	for i := range set.Items {
		if err := c.addItem(index, &set.Items[i]); err != nil {
			return err
		}
	}
	for _, f := range set.FastIO {
		v := &c.entry(decl.Set, f.ID).Value
		if f.Get != nil && v.fast[0] != nil || f.Set != nil && v.fast[1] != nil {
			return &CompileError{Set: decl.Set, Sets: propertySets, Index: index, ID: f.ID, HasItem: true, Status: ks.StatusInvalidParameter,
				Reason: "FastIO lists a handler for a verb that has one already, here or in an earlier set with this GUID"}
		}
		if f.Get != nil {
			v.fast[0] = f.Get
		}
		if f.Set != nil {
			v.fast[1] = f.Set
		}
	}
	return nil
}

// entry returns the table entry of a property, and makes it if there is none. It is valid until the next call.
func (c *compiler) entry(set ks.GUID, id uint32) *entry {
	key := table.KeyOf(set, id)
	i, ok := c.at[key]
	if !ok {
		i = len(c.entries)
		c.at[key] = i
		c.entries = append(c.entries, entry{Lo: key.Lo, Hi: key.Hi, ID: id, Tag: noItem,
			Value: slot{minProperty: ks.SizeIdentifier}})
	}
	return &c.entries[i]
}

func (c *compiler) addItem(set int, decl *PropertyItem) error {
	d := c.d
	guid := d.sets[set].Set
	fail := func(format string, args ...any) error {
		return &CompileError{Set: guid, Sets: propertySets, Index: set, ID: decl.ID, HasItem: true, Status: ks.StatusInvalidParameter,
			Reason: fmt.Sprintf(format, args...)}
	}
	e := c.entry(guid, decl.ID)
	if e.Tag != noItem {
		return fail("declared twice: also in PropertySets[%d] (P-24)", d.items[e.Tag].set)
	}
	e.Tag = uint32(len(d.items))
	e.Value.handlers = [2]Handler{decl.Get, decl.Set}
	e.Value.minProperty = max(decl.MinProperty, ks.SizeIdentifier)
	e.Value.minData = decl.MinData

	it := item{decl: decl, set: uint32(set), slot: e.Value}
	decl.Relations = slices.Clone(decl.Relations)
	if n := uint64(ks.SizeMultipleItem) + uint64(len(decl.Relations))*ks.SizeIdentifier; n > math.MaxUint32 {
		return fail("%d relations do not fit in an answer of 32-bit size (P-35)", len(decl.Relations))
	}
	if decl.Values != nil {
		values := *decl.Values
		values.MembersList = slices.Clone(values.MembersList)
		decl.Values = &values
		for i := range values.MembersList {
			m := &values.MembersList[i]
			m.Members = slices.Clone(m.Members)
			h := m.MembersHeader
			if want := uint64(h.MembersSize) * uint64(h.MembersCount); want != uint64(len(m.Members)) {
				return fail("MembersList[%d] has %d bytes, but MembersSize %d x MembersCount %d is %d (P-33)",
					i, len(m.Members), h.MembersSize, h.MembersCount, want)
			}
		}
	}
	if it.full = describedSize(decl.Values, false); it.full > math.MaxUint32 {
		return fail("the values do not fit in an answer of 32-bit size (P-33)")
	}
	it.defaults = describedSize(decl.Values, true)
	d.items = append(d.items, it)
	d.sets[set].count++
	return nil
}

// describedSize is the size of a KSPROPERTY_DESCRIPTION followed by the lists of v, or by those marked as defaults.
func describedSize(v *PropertyValues, defaults bool) uint64 {
	size := uint64(ks.SizePropertyDescription)
	if v != nil {
		for i := range v.MembersList {
			if m := &v.MembersList[i]; !defaults || m.MembersHeader.Flags&ks.MemberFlagDefault != 0 {
				size += ks.SizeMembersHeader + uint64(len(m.Members))
			}
		}
	}
	return size
}
