package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// slot is what a request needs of its item, on one cache line with the key: 16 + 4 + 4 + 40 bytes.
type slot struct {
	handlers    [2]Handler // of GET and SET, by verb-1: an index, as a branch on the verb is mispredicted half of the time
	fast        [2]FastHandler
	minProperty uint32
	minData     uint32
}

// entry is a slot with its key. Its Tag is the index of the item.
type entry = table.Entry[slot]

type setInfo struct {
	PropertySet
	first, count uint32 // its items in Dispatcher.items
	next         uint32 // the next set with the same GUID, in table order, or noItem
}

// item is what the verbs other than GET and SET need.
type item struct {
	decl     *PropertyItem
	slot     slot
	full     uint64 // bytes of the BASICSUPPORT answer (P-33)
	defaults uint64 // bytes of the DEFAULTVALUES answer (P-36)
	set      uint32 // index in sets
}

// access is AccessFlags: which of GET and SET have a handler (P-33).
func (it *item) access() (flags uint32) {
	if it.slot.handlers[0] != nil {
		flags |= ks.PropertyTypeGet
	}
	if it.slot.handlers[1] != nil {
		flags |= ks.PropertyTypeSet
	}
	return flags
}

// propertySets is CompileError.Sets of this family.
const propertySets = "PropertySets"

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

	if decl.check != nil {
		if err := decl.check(); err != nil {
			return fail("%v", err)
		}
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
