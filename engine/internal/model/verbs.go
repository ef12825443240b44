package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

func tooSmall(rule string) answer { return answer{rule: rule, status: ks.StatusBufferTooSmall} }

func sizeAnswer(rule string, n uint64) answer {
	return answer{rule: rule, status: ks.StatusBufferOverflow, info: n}
}

// write puts b at the start of the data and succeeds with its length.
func (x *irp) write(rule string, b []byte) answer {
	return answer{rule: rule, status: ks.StatusSuccess, info: uint64(copy(x.data(), b))}
}

// standard is what the helper does by itself.
func (x *irp) standard() answer {
	switch x.verb {
	case ks.PropertyTypeSetSupport:
		if x.q.Set != guidNull { // P-31: the set is there
			return answer{rule: "P-31", status: ks.StatusSuccess}
		}
		return x.setList()
	case ks.PropertyTypeBasicSupport:
		if x.item.Values == nil {
			return x.describe("P-33", Values{})
		}
		return x.describe("P-33", *x.item.Values)
	case ks.PropertyTypeDefaultValues:
		return x.defaultValues()
	case ks.PropertyTypeRelations:
		var list []byte
		for _, r := range x.item.Relations {
			list = appendIdentifier(list, r.Set, r.ID, 0)
		}
		status, info, b := sizedList(24, list, x.q.Out)
		copy(x.data(), b)
		return answer{rule: "P-35", status: status, info: info}
	case ks.PropertyTypeSerializeSize:
		return x.serializeSize()
	case ks.PropertyTypeSerializeSet:
		return x.serializeSet()
	case ks.PropertyTypeUnserializeSet:
		return x.unserializeSet()
	}
	return answer{rule: "P-38", status: or(x.m.compat.P38, ks.StatusNotFound)} // the raw verbs
}

// setList is P-32: the GUIDs of all sets.
func (x *irp) setList() answer {
	var list []byte
	for _, s := range x.m.object.Sets {
		list = append(list, s.GUID[:]...)
	}
	need := uint64(len(list))
	switch out := uint64(x.q.Out); {
	case need == 0:
		return answer{rule: "P-32", status: ks.StatusSuccess}
	case out == 0:
		return sizeAnswer("P-32", need)
	case out < need:
		return tooSmall("P-32")
	}
	return x.write("P-32", list)
}

// describe is P-33: KSPROPERTY_DESCRIPTION and the lists of v, those from the first that fit whole.
func (x *irp) describe(rule string, v Values) answer {
	full := uint64(40)
	for _, l := range v.Lists {
		full += 16 + uint64(l.Size)*uint64(l.Count)
	}
	var access uint32
	if x.item.Get.Kind != None {
		access |= ks.PropertyTypeGet
	}
	if x.item.Set.Kind != None {
		access |= ks.PropertyTypeSet
	}
	b := appendU32(appendU32(nil, access), uint32(full))
	b = appendIdentifier(b, v.TypeSet, v.TypeID, 0)
	b = appendU32(appendU32(b, uint32(len(v.Lists))), 0)
	for _, l := range v.Lists {
		b = appendU32(appendU32(appendU32(appendU32(b, l.MembersFlags), l.Size), l.Count), l.Flags)
		b = append(b, l.Data...)
	}
	switch out := uint64(x.q.Out); {
	case out == 0:
		return answer{rule: rule, status: or(x.m.compat.P33Zero, ks.StatusBufferOverflow), info: full}
	case out < 4:
		return tooSmall(rule)
	case out >= full:
		return x.write(rule, b)
	case x.m.compat.P33 && out != 4 && out != 40:
		return tooSmall(rule)
	case out < 40:
		return x.write(rule, b[:4])
	}
	fits := 40
	for _, l := range v.Lists {
		next := fits + 16 + len(l.Data)
		if next > int(x.q.Out) {
			break
		}
		fits = next
	}
	return x.write(rule, b[:fits])
}

// defaultValues is P-36: BASICSUPPORT with only the lists marked as defaults.
func (x *irp) defaultValues() answer {
	if x.item.Values == nil { // only after a support handler
		return answer{rule: "P-36", status: or(x.m.compat.P36, ks.StatusNotFound)}
	}
	v := Values{TypeSet: x.item.Values.TypeSet, TypeID: x.item.Values.TypeID}
	for _, l := range x.item.Values.Lists {
		if l.Flags&ks.MemberFlagDefault != 0 {
			v.Lists = append(v.Lists, l)
		}
	}
	return x.describe("P-36", v)
}

// sizedList is P-35's ladder, KsHandleSizedListQuery: KSMULTIPLE_ITEM, then list, whose elements are each bytes long.
func sizedList(each int, list []byte, out uint32) (status ks.Status, info uint64, b []byte) {
	full := uint64(8 + len(list))
	b = append(appendU32(appendU32(nil, uint32(full)), uint32(len(list)/each)), list...)
	switch {
	case out == 0:
		return ks.StatusBufferOverflow, full, nil
	case uint64(out) >= full:
		return ks.StatusSuccess, full, b
	case out == 4:
		return ks.StatusSuccess, 4, b[:4]
	case out == 8:
		return ks.StatusSuccess, 8, b[:8]
	}
	return ks.StatusBufferTooSmall, 0, nil
}
