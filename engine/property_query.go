package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// query answers the verbs other than GET and SET, in the order of P-23. Their buffers come from the pool (P-14) and they
// ask nothing of MinProperty and MinData (P-29).
func (d *Dispatcher) query(irp *IRP, verb uint32, in, out []byte) ks.Status {
	q := &irp.ident
	irp.layout.dir = dataOut
	if verb == ks.PropertyTypeUnserializeSet || verb == ks.PropertyTypeUnserializeRaw {
		irp.layout.dir = dataIn
	}
	set := uint32(noItem)
	switch verb {
	case ks.PropertyTypeSetSupport, ks.PropertyTypeSerializeSet, ks.PropertyTypeUnserializeSet:
		if s := d.properties.setTable.Lookup(q.lo, q.hi, 0); s != nil {
			set = s.Tag
		} else if verb != ks.PropertyTypeSetSupport {
			return irp.decide(ruleP24, ks.StatusPropsetNotFound)
		} else if q.lo|q.hi != 0 {
			return irp.decide(ruleP31, ks.StatusPropsetNotFound)
		}
	default:
		e := d.properties.table.Lookup(q.lo, q.hi, q.id())
		if e == nil || e.Tag == noItem {
			return d.missProperty(irp, q.lo, q.hi)
		}
		irp.owner = nil // an earlier dispatcher does not know the item; run names this one if a handler is called (P-22)
		irp.index = e.Tag
		decl := d.properties.items[e.Tag].decl
		switch {
		case decl.Support != nil:
		case verb == ks.PropertyTypeSerializeRaw || verb == ks.PropertyTypeUnserializeRaw:
			return irp.decide(ruleP38, d.compat.NoRawSerialization)
		case verb == ks.PropertyTypeDefaultValues && decl.Values == nil:
			return irp.decide(ruleP36, d.compat.NoDefaultValues)
		}
	}
	before := irp.loadState()
	return irp.settled(d.runQuery(irp, verb, set, in, out), before)
}

// runQuery is the part of a query that can allocate and can panic: buffer, capture, support handler, standard processing.
func (d *Dispatcher) runQuery(irp *IRP, verb, set uint32, in, out []byte) (status ks.Status) {
	returned := false
	defer d.guard(irp, &returned, &status)
	status = d.answer(irp, verb, set, in, out)
	returned = true
	return status
}

// answer asks the support handler of the item, if there is one, and else, or when that says so, answers itself (P-34).
func (d *Dispatcher) answer(irp *IRP, verb, set uint32, in, out []byte) ks.Status {
	index, n, dir := irp.index, irp.OutputBufferLength, irp.layout.dir
	var support Handler
	if index != noItem {
		support = d.properties.items[index].decl.Support
	}
	switch status := d.run(irp, support, nil, in, out); {
	case status == ks.StatusPending:
		return status
	case support == nil && status == ks.StatusSuccess:
	case status == ks.StatusSomeNotMapped && support != nil && !irp.isCompleted():
		irp.IoStatus.Information = 0 // what the handler set is dropped (P-36)
	default:
		if irp.rule == ruleP17 {
			irp.rule = ruleP34
		}
		return irp.check(status, n, dir)
	}
	switch verb {
	case ks.PropertyTypeSetSupport:
		return irp.setSupport(ruleP31, ruleP32, len(d.properties.sets), func(i int) *ks.GUID { return &d.properties.sets[i].Set })
	case ks.PropertyTypeBasicSupport:
		return d.describe(irp, &d.properties.items[index], false)
	case ks.PropertyTypeDefaultValues:
		return d.describe(irp, &d.properties.items[index], true)
	case ks.PropertyTypeRelations:
		return d.relations(irp, d.properties.items[index].decl.Relations)
	case ks.PropertyTypeSerializeSize:
		return d.serializeSize(irp)
	case ks.PropertyTypeSerializeSet:
		return d.serializeSet(irp, set)
	case ks.PropertyTypeUnserializeSet:
		return d.unserializeSet(irp)
	}
	return irp.decide(ruleP38, d.compat.NoRawSerialization) // the raw verbs have no standard processing
}

// describe is P-33, and P-36 when only the lists marked as defaults count: the access flags, or a KSPROPERTY_DESCRIPTION and those
// member lists behind it that fit whole, up to the first that does not.
func (d *Dispatcher) describe(irp *IRP, it *item, defaults bool) ks.Status {
	r, full := ruleP33, it.full
	if defaults {
		if it.decl.Values == nil {
			return irp.decide(ruleP36, d.compat.NoDefaultValues)
		}
		r, full = ruleP36, it.defaults
	}
	data := irp.output()
	n := uint64(len(data))
	switch {
	case n == 0:
		return irp.sizeAnswer(r, d.compat.NoDescriptionBuffer, full)
	case n < 4, d.compat.StrictDescriptionSize && n != 4 && n != ks.SizePropertyDescription && n < full:
		return irp.decide(r, ks.StatusBufferTooSmall)
	case n < ks.SizePropertyDescription:
		binary.LittleEndian.PutUint32(data, it.access())
		return irp.produced(r, 4)
	}

	head := ks.PropertyDescription{AccessFlags: it.access(), DescriptionSize: uint32(full)}
	at := uint64(ks.SizePropertyDescription)
	if v := it.decl.Values; v != nil {
		head.PropTypeSet = ks.Identifier{Set: v.PropTypeSet.Set, ID: v.PropTypeSet.ID}
		for i := range v.MembersList {
			m := &v.MembersList[i]
			if defaults && m.MembersHeader.Flags&ks.MemberFlagDefault == 0 {
				continue
			}
			head.MembersListCount++
			size := ks.SizeMembersHeader + uint64(len(m.Members))
			if n-at < size {
				n = at // no list after this one
				continue
			}
			m.MembersHeader.Put(data[at:])
			copy(data[at+ks.SizeMembersHeader:], m.Members)
			at += size
		}
	}
	head.Put(data)
	return irp.produced(r, at)
}

// relations is P-35: the list, its KSMULTIPLE_ITEM header, or its size.
func (d *Dispatcher) relations(irp *IRP, list []ks.Identifier) ks.Status {
	return irp.sizedList(ruleP35, irp.output(), uint32(len(list)), ks.SizeIdentifier, func(i uint32, b []byte) {
		ks.Identifier{Set: list[i].Set, ID: list[i].ID}.Put(b)
	})
}
