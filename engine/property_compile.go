package engine

import (
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

var propertyKind = kind{"property", "PropertySets", "PropertyItemSize", "KSPROPERTY_ITEM", SizePropertyItem, noItem}

// compileProperties compiles the property sets of config.
func (d *Dispatcher) compileProperties(config *Config) error {
	d.properties.itemSize = config.PropertyItemSize
	c := newCompiler(&d.properties, slot{}, propertyKind)
	longest := 0
	for i := range config.PropertySets {
		longest = max(longest, len(config.PropertySets[i].Items))
	}
	if err := c.checkItemSize(c.itemSize, longest); err != nil {
		return err
	}
	for i := range config.PropertySets {
		if err := addPropertySet(c, i, &config.PropertySets[i]); err != nil {
			return err
		}
	}
	return c.build()
}

type propertyCompiler = compiler[slot, setInfo, item]

func addPropertySet(c *propertyCompiler, index int, decl *PropertySet) error {
	for _, check := range decl.checks {
		if err := check(); err != nil {
			return c.failSet(index, decl.Set, "%v", err)
		}
	}
	set := setInfo{
		PropertySet: PropertySet{Set: decl.Set, Items: slices.Clone(decl.Items), FastIO: slices.Clone(decl.FastIO)},
		first:       uint32(len(c.items)),
		next:        noItem,
	}
	previous, named, err := c.addSet(index, decl.Set, set, len(set.Items))
	if err != nil || !named {
		return err
	}
	if previous >= 0 {
		c.family.sets[previous].next = uint32(index)
	}
	for i := range set.Items {
		if err := addProperty(c, index, decl.Set, &set.Items[i]); err != nil {
			return err
		}
	}
	for _, f := range set.FastIO {
		v := &c.entry(decl.Set, f.ID).Value
		if f.Get != nil && v.fast[0] != nil || f.Set != nil && v.fast[1] != nil {
			return c.fail(index, decl.Set, f.ID,
				"FastIO lists a handler for a verb that has one already, here or in an earlier set with this GUID")
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

func addProperty(c *propertyCompiler, set int, guid ks.GUID, decl *PropertyItem) error {
	e, err := c.addItem(set, guid, decl.ID)
	if err != nil {
		return err
	}
	e.Value.handlers = [2]Handler{decl.meters[0].around(decl.Get), decl.meters[1].around(decl.Set)}
	e.Value.minRest = max(decl.MinProperty, ks.SizeIdentifier) - ks.SizeIdentifier
	e.Value.minData = decl.MinData

	it := item{decl: decl, set: uint32(set), slot: e.Value}
	decl.Relations = slices.Clone(decl.Relations)
	if n := uint64(ks.SizeMultipleItem) + uint64(len(decl.Relations))*ks.SizeIdentifier; n > math.MaxUint32 {
		return c.fail(set, guid, decl.ID, "%d relations do not fit in an answer of 32-bit size (P-35)", len(decl.Relations))
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
				return c.fail(set, guid, decl.ID, "MembersList[%d] has %d bytes, but MembersSize %d x MembersCount %d is %d (P-33)",
					i, len(m.Members), h.MembersSize, h.MembersCount, want)
			}
		}
	}
	if it.full = describedSize(decl.Values, false); it.full > math.MaxUint32 {
		return c.fail(set, guid, decl.ID, "the values do not fit in an answer of 32-bit size (P-33)")
	}
	it.defaults = describedSize(decl.Values, true)
	c.items = append(c.items, it)
	c.family.sets[set].count++
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

// missProperty is P-24: which of set and item is unknown.
func (d *Dispatcher) missProperty(irp *IRP, lo, hi uint64) ks.Status {
	if d.properties.setTable.Lookup(lo, hi, 0) == nil {
		return irp.decide(ruleP24, ks.StatusPropsetNotFound)
	}
	return irp.decide(ruleP24, ks.StatusNotFound)
}
