package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

const (
	modifiers = ks.PropertyTypeTopology | ks.PropertyTypeHighPriority | ks.PropertyTypeFSFilterScope | ks.PropertyTypeCopyPayload

	verbs = ks.PropertyTypeGet | ks.PropertyTypeSet | ks.PropertyTypeSetSupport | ks.PropertyTypeBasicSupport |
		ks.PropertyTypeRelations | ks.PropertyTypeSerializeSet | ks.PropertyTypeUnserializeSet | ks.PropertyTypeSerializeRaw |
		ks.PropertyTypeUnserializeRaw | ks.PropertyTypeSerializeSize | ks.PropertyTypeDefaultValues

	inVerbs  = ks.PropertyTypeSet | ks.PropertyTypeUnserializeSet | ks.PropertyTypeUnserializeRaw      // P-7
	setVerbs = ks.PropertyTypeSetSupport | ks.PropertyTypeSerializeSet | ks.PropertyTypeUnserializeSet // Id ignored
	rawVerbs = ks.PropertyTypeSerializeRaw | ks.PropertyTypeUnserializeRaw                             // P-38
	getSet   = ks.PropertyTypeGet | ks.PropertyTypeSet
)

var guidNull ks.GUID

// answer is a decision: what the dispatcher returns, and the rule that says so.
type answer struct {
	rule   string
	status ks.Status
	info   uint64
}

func or(compat, rule ks.Status) ks.Status {
	if compat != 0 {
		return compat
	}
	return rule
}

// verbOf is P-25. It returns the one verb bit of flags, or 0.
func verbOf(flags uint32, mixtures bool) uint32 {
	bits := flags &^ modifiers
	if bits == 0 || bits&^verbs != 0 {
		return 0
	}
	if bits&(bits-1) == 0 {
		return bits
	}
	if !mixtures {
		return 0
	}
	for _, v := range []uint32{ks.PropertyTypeSet, ks.PropertyTypeGet, ks.PropertyTypeBasicSupport} {
		if bits&v != 0 {
			return v
		}
	}
	return bits & -bits
}

// entries returns the sets with that GUID, in table order.
func (m *Model) entries(set ks.GUID) []*Set {
	var found []*Set
	for i := range m.object.Sets {
		if m.object.Sets[i].GUID == set {
			found = append(found, &m.object.Sets[i])
		}
	}
	return found
}

// item searches all the sets with that GUID for the id (P-24).
func (m *Model) item(set ks.GUID, id uint32) *Item {
	for _, s := range m.entries(set) {
		for i := range s.Items {
			if s.Items[i].ID == id {
				return &s.Items[i]
			}
		}
	}
	return nil
}

// check is P-23 up to the buffer: everything that costs nothing. It returns the verb as soon as there is exactly one, the
// item for verbs that have one, and the answer of the first test that fails.
func (m *Model) check(q *Request) (verb uint32, it *Item, failed *answer) {
	fail := func(rule string, status ks.Status) *answer { return &answer{rule: rule, status: status} }

	if badItemSize(&m.object) { // P-3
		return 0, nil, fail("P-3", ks.StatusInvalidParameter)
	}
	if q.In < 24 { // P-4, without a look at Flags
		return 0, nil, fail("P-4", ks.StatusInvalidBufferSize)
	}
	if bufferSize(q) > maxULong { // P-5
		return 0, nil, fail("P-5", ks.StatusInvalidBufferSize)
	}

	// One read of the identifier: from the layout of an earlier pass, or from the caller's memory.
	if q.Prepared != PreparedByUs && q.Fault == FaultIn { // P-9
		return 0, nil, fail("P-9", ks.StatusAccessViolation)
	}
	if q.Flags&ks.PropertyTypeTopology != 0 && q.In < 32 { // P-4
		return 0, nil, fail("P-4", ks.StatusInvalidBufferSize)
	}

	verb = verbOf(q.Flags&^m.compat.modifiers(), m.compat.P25)
	if verb == 0 { // P-25
		return 0, nil, fail("P-25", ks.StatusInvalidParameter)
	}

	// P-24, P-31, P-32: existence.
	if q.Set == guidNull {
		if verb != ks.PropertyTypeSetSupport {
			return verb, nil, fail("P-32", ks.StatusPropsetNotFound)
		}
		return verb, nil, nil
	}
	if len(m.entries(q.Set)) == 0 {
		return verb, nil, fail("P-24", ks.StatusPropsetNotFound)
	}
	if verb&setVerbs != 0 {
		return verb, nil, nil
	}
	it = m.item(q.Set, q.ID)
	if it == nil {
		return verb, nil, fail("P-24", ks.StatusNotFound)
	}

	// Verb support.
	if verb == ks.PropertyTypeGet && it.Get.Kind == None || verb == ks.PropertyTypeSet && it.Set.Kind == None { // P-26
		return verb, it, fail("P-26", or(m.compat.P26, ks.StatusNotFound))
	}
	if verb&rawVerbs != 0 && it.Support.Kind == None { // P-38
		return verb, it, fail("P-38", or(m.compat.P38, ks.StatusNotFound))
	}
	if verb == ks.PropertyTypeDefaultValues && it.Values == nil && it.Support.Kind == None { // P-36
		return verb, it, fail("P-36", or(m.compat.P36, ks.StatusNotFound))
	}

	if verb&getSet != 0 { // P-29: these two only
		return verb, it, m.checkSizes(it, q.In, q.Out)
	}
	return verb, it, nil
}

// noOutput is the size answer of P-28, or what Compat has instead: an error carries no size.
func noOutput(rule string, instead ks.Status, minData uint32) *answer {
	a := answer{rule: rule, status: or(instead, ks.StatusBufferOverflow)}
	if !a.status.IsError() {
		a.info = uint64(minData)
	}
	return &a
}

// checkSizes is P-27, then P-28, of a GET or SET, inner ones included (P-43).
func (m *Model) checkSizes(it *Item, in, out uint32) *answer {
	switch {
	case in < it.MinProperty:
		return &answer{rule: "P-27", status: or(m.compat.P27, ks.StatusInvalidBufferSize)}
	case out == 0 && it.MinData > 0:
		return noOutput("P-28", m.compat.P28Zero, it.MinData)
	case out < it.MinData:
		return &answer{rule: "P-28", status: ks.StatusBufferTooSmall}
	}
	return nil
}
