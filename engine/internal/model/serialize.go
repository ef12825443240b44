package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

// inner is one GET or SET that the helper makes for an outer request (P-43): the outer input with id and verb replaced,
// data of its own, P-26..P-28 and P-17..P-22 as for any other.
func (x *irp) inner(verb uint32, it *Item, data []byte) answer {
	if bad := x.m.checkSizes(it, x.q.In, uint32(len(data))); bad != nil {
		return *bad
	}
	request := x.q.input(x.q.In)
	copy(request, appendIdentifier(nil, x.q.Set, it.ID, verb|x.q.Flags&x.m.compat.modifiers()))
	name, program := "get", it.Get
	if verb == ks.PropertyTypeSet {
		name, program = "set", it.Set
	}
	a := x.call(name, program, it, request, data, 0)
	switch a.status {
	case ks.StatusSomeNotMapped: // P-18
		return answer{rule: "P-18", status: ks.StatusNotFound}
	case ks.StatusPending:
		return answer{rule: "P-43", status: ks.StatusUnsuccessful}
	}
	return finish(a, verb == ks.PropertyTypeGet, uint64(len(data)))
}

// read is an inner GET of n bytes; what the handler did not claim is zero (P-39).
func (x *irp) read(it *Item, n uint32) ([]byte, answer) {
	data := make([]byte, n)
	a := x.inner(ks.PropertyTypeGet, it, data)
	if a.info < uint64(n) {
		clear(data[a.info:])
	}
	return data, a
}

// size is the real serialized size of an item (P-40): declared, or asked for when it is declared unknown.
func (x *irp) size(it *Item) (uint64, *answer) {
	if it.SerializedSize != 1 {
		return uint64(it.SerializedSize), nil
	}
	header, a := x.read(it, 8)
	if !a.status.IsSuccess() {
		a.info = 0
		return 0, &a
	}
	n := uint64(u32(header))
	if a.info < 8 || n < 8 || 52+al4(n) > maxULong { // S-18
		return 0, &answer{rule: "P-40", status: ks.StatusInvalidBufferSize}
	}
	return n, nil
}

// serializeSize is P-37.
func (x *irp) serializeSize() answer {
	switch {
	case x.q.Out == 0:
		return sizeAnswer("P-37", 4)
	case x.q.Out < 4:
		return tooSmall("P-37")
	case x.item.SerializedSize == 1 && x.item.Get.Kind == None:
		return answer{rule: "P-37", status: ks.StatusNotFound}
	}
	n, failed := x.size(x.item)
	if failed != nil {
		return *failed
	}
	return x.write("P-37", appendU32(nil, uint32(n)))
}

// serializeSet is P-39, P-40 and P-41.
func (x *irp) serializeSet() answer {
	var items []*Item
	for _, s := range x.m.entries(x.q.Set) {
		for i := range s.Items {
			if it := &s.Items[i]; it.SerializedSize != 0 && it.Get.Kind != None {
				items = append(items, it)
			}
		}
	}

	// Pass 1: the sizes.
	total, sizes := uint64(20), make([]uint64, len(items))
	for i, it := range items {
		n, failed := x.size(it)
		if failed != nil {
			return *failed
		}
		sizes[i], total = n, total+32+al4(n)
	}
	switch out := uint64(x.q.Out); {
	case total > maxULong:
		return answer{rule: "P-40", status: ks.StatusInvalidBufferSize}
	case out == 0:
		return sizeAnswer("P-39", total)
	case out < total:
		return answer{rule: "P-39", status: or(x.m.compat.P39, ks.StatusBufferTooSmall)}
	}

	// Pass 2: the values.
	blob := appendU32(append([]byte(nil), x.q.Set[:]...), uint32(len(items)))
	for i, it := range items {
		value, a := x.read(it, uint32(sizes[i]))
		if !a.status.IsSuccess() { // warnings too
			a.info = 0
			return a
		}
		if it.SerializedSize == 1 && uint64(u32(value)) != sizes[i] { // S-18
			return answer{rule: "P-40", status: ks.StatusInvalidBufferSize}
		}
		var v Values
		if it.Values != nil {
			v = *it.Values
		}
		blob = appendIdentifier(blob, v.TypeSet, v.TypeID, 0)
		blob = appendU32(appendU32(blob, it.ID), uint32(sizes[i]))
		blob = append(blob, value...)
		for len(blob)%4 != 0 {
			blob = append(blob, 0)
		}
	}
	return x.write("P-39", blob)
}

// unserializeSet is P-42: the whole blob is checked, then applied.
func (x *irp) unserializeSet() answer {
	fail := func(status ks.Status) answer { return answer{rule: "P-42", status: status} }
	c := x.m.compat
	blob := x.data()
	if len(blob) < 20 {
		return fail(ks.StatusInvalidBufferSize)
	}
	if ks.GUID(blob[:16]) != x.q.Set {
		return fail(or(c.P42Set, ks.StatusInvalidParameter))
	}
	var items []*Item
	var values [][]byte
	at, end := uint64(20), uint64(len(blob))
	for range u32(blob[16:]) {
		at = al4(at)
		if at+32 > end {
			return fail(or(c.P42Entry, ks.StatusInvalidParameter))
		}
		id, n := u32(blob[at+24:]), u32(blob[at+28:])
		at += 32
		if at+uint64(n) > end {
			return fail(or(c.P42Entry, ks.StatusInvalidParameter))
		}
		it := x.m.item(x.q.Set, id)
		if it == nil || it.Set.Kind == None || it.SerializedSize == 0 {
			return fail(or(c.P42Item, ks.StatusNotFound))
		}
		if n < it.MinData || it.SerializedSize > 1 && n != it.SerializedSize {
			return fail(or(c.P42Length, ks.StatusInvalidBufferSize))
		}
		items, values = append(items, it), append(values, blob[at:at+uint64(n)])
		at += uint64(n)
	}
	for i, it := range items {
		a := x.inner(ks.PropertyTypeSet, it, append([]byte(nil), values[i]...))
		if !a.status.IsSuccess() {
			a.info = 0
			return a
		}
	}
	return answer{rule: "P-42", status: ks.StatusSuccess}
}
