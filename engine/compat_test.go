package engine_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

const other = ks.StatusInvalidDeviceRequest // a status that no rule has by default

// compatCase is one request that an override changes.
type compatCase struct {
	item      engine.PropertyItem
	q         request
	status    ks.Status // by default
	info      uint64
	override  engine.Compat
	other     ks.Status // with the override
	otherInfo uint64
}

func TestCompat(t *testing.T) {
	both := engine.PropertyItem{Get: produces(1), Set: accepts}
	values := engine.PropertyItem{Get: produces(1), Values: stepped()}
	four := engine.PropertyItem{Get: produces(1, 2, 3, 4), Set: accepts, MinData: 4}
	sized := engine.PropertyItem{Get: produces(1), Set: accepts, SerializedSize: 4}
	cases := map[string][]compatCase{
		"MixedVerbs": {
			{item: both, q: request{flags: get | set, out: full(4)}, status: ks.StatusInvalidParameter, override: engine.Compat{MixedVerbs: true}},
			{item: both, q: request{flags: get | basicSupport, out: full(4)}, status: ks.StatusInvalidParameter,
				override: engine.Compat{MixedVerbs: true}, otherInfo: 1},
			{item: both, q: request{flags: basicSupport | relations, out: full(4)}, status: ks.StatusInvalidParameter,
				override: engine.Compat{MixedVerbs: true}, otherInfo: 4},
			{item: both, q: request{flags: relations | serializeSize, out: full(8)}, status: ks.StatusInvalidParameter,
				override: engine.Compat{MixedVerbs: true}, otherInfo: 8},
			// Not no verb, and not an unknown one.
			{item: both, q: request{flags: 0}, status: ks.StatusInvalidParameter, override: engine.Compat{MixedVerbs: true},
				other: ks.StatusInvalidParameter},
			{item: both, q: request{flags: get | 8}, status: ks.StatusInvalidParameter, override: engine.Compat{MixedVerbs: true},
				other: ks.StatusInvalidParameter},
		},
		"NoHandler": {
			{item: engine.PropertyItem{Get: produces(1)}, q: request{flags: set}, status: ks.StatusNotFound,
				override: engine.Compat{NoHandler: other}, other: other},
			{item: engine.PropertyItem{Set: accepts}, q: request{flags: get}, status: ks.StatusNotFound, override: engine.Compat{NoHandler: other},
				other: other},
		},
		"ShortRequest": {
			{item: engine.PropertyItem{Get: produces(1), MinProperty: 32}, q: request{flags: get}, status: ks.StatusInvalidBufferSize,
				override: engine.Compat{ShortRequest: ks.StatusInvalidParameter}, other: ks.StatusInvalidParameter},
		},
		"NoDataBuffer": {
			{item: four, q: request{flags: get}, status: ks.StatusBufferOverflow, info: 4,
				override: engine.Compat{NoDataBuffer: ks.StatusBufferTooSmall},
				other:    ks.StatusBufferTooSmall},
			{item: four, q: request{flags: set}, status: ks.StatusBufferOverflow, info: 4,
				override: engine.Compat{NoDataBuffer: ks.StatusNoMoreEntries},
				other:    ks.StatusNoMoreEntries, otherInfo: 4},
			{item: four, q: request{flags: get, out: full(3)}, status: ks.StatusBufferTooSmall,
				override: engine.Compat{NoDataBuffer: ks.StatusNoMoreEntries},
				other:    ks.StatusBufferTooSmall},
		},
		"StrictDescriptionSize": {
			{item: values, q: request{flags: basicSupport, out: full(5)}, info: 4, override: engine.Compat{StrictDescriptionSize: true},
				other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(39)}, info: 4, override: engine.Compat{StrictDescriptionSize: true},
				other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(41)}, info: 40, override: engine.Compat{StrictDescriptionSize: true},
				other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(4)}, info: 4, override: engine.Compat{StrictDescriptionSize: true},
				otherInfo: 4},
			{item: values, q: request{flags: basicSupport, out: full(40)}, info: 40, override: engine.Compat{StrictDescriptionSize: true},
				otherInfo: 40},
			{item: values, q: request{flags: basicSupport, out: full(107)}, info: 107, override: engine.Compat{StrictDescriptionSize: true},
				otherInfo: 107},
			{item: values, q: request{flags: basicSupport, out: full(200)}, info: 107, override: engine.Compat{StrictDescriptionSize: true},
				otherInfo: 107},
			{item: values, q: request{flags: defaultValues, out: full(58)}, info: 40, override: engine.Compat{StrictDescriptionSize: true},
				other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: defaultValues, out: full(59)}, info: 59, override: engine.Compat{StrictDescriptionSize: true},
				otherInfo: 59},
		},
		"NoDescriptionBuffer": {
			{item: values, q: request{flags: basicSupport}, status: ks.StatusBufferOverflow, info: 107,
				override: engine.Compat{NoDescriptionBuffer: ks.StatusBufferTooSmall},
				other:    ks.StatusBufferTooSmall},
			{item: values, q: request{flags: defaultValues}, status: ks.StatusBufferOverflow, info: 59,
				override: engine.Compat{NoDescriptionBuffer: ks.StatusNoMoreEntries},
				other:    ks.StatusNoMoreEntries, otherInfo: 59},
		},
		"NoDefaultValues": {{item: both, q: request{flags: defaultValues, out: full(40)}, status: ks.StatusNotFound,
			override: engine.Compat{NoDefaultValues: other}, other: other},
			{item: engine.PropertyItem{Support: answers(ks.StatusSomeNotMapped, 0)}, q: request{flags: defaultValues}, status: ks.StatusNotFound,
				override: engine.Compat{NoDefaultValues: other}, other: other}},
		"NoRawSerialization": {{item: both, q: request{flags: serializeRaw}, status: ks.StatusNotFound,
			override: engine.Compat{NoRawSerialization: other}, other: other},
			{item: engine.PropertyItem{Support: answers(ks.StatusSomeNotMapped, 0)}, q: request{flags: unserializeRaw}, status: ks.StatusNotFound,
				override: engine.Compat{NoRawSerialization: other}, other: other}},
		"ShortSerializeBuffer": {{item: sized, q: request{flags: serializeSet, out: full(55)}, status: ks.StatusBufferTooSmall,
			override: engine.Compat{ShortSerializeBuffer: other}, other: other}},
		"UnserializeWrongSet": {{item: sized, q: request{flags: unserializeSet, out: blob(setB, 0)}, status: ks.StatusInvalidParameter,
			override: engine.Compat{UnserializeWrongSet: other}, other: other}},
		"UnserializeTruncated": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1)}, status: ks.StatusInvalidParameter,
			override: engine.Compat{UnserializeTruncated: other}, other: other}},
		"UnserializeWrongItem": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 9})}, status: ks.StatusNotFound,
			override: engine.Compat{UnserializeWrongItem: other}, other: other},
			{item: both, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 1})}, status: ks.StatusNotFound,
				override: engine.Compat{UnserializeWrongItem: other}, other: other}},
		"UnserializeWrongLength": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 1, value: []byte{1}})},
			status: ks.StatusInvalidBufferSize, override: engine.Compat{UnserializeWrongLength: other}, other: other}},
		"PayloadSizeModifier": {
			{item: both, q: request{flags: get | ks.PropertyTypeGetPayloadSize, out: full(1)}, status: ks.StatusInvalidParameter,
				override: engine.Compat{PayloadSizeModifier: true}, otherInfo: 1},
			{item: both, q: request{flags: ks.PropertyTypeGetPayloadSize}, status: ks.StatusInvalidParameter,
				override: engine.Compat{PayloadSizeModifier: true}, other: ks.StatusInvalidParameter},
		},
	}
	elsewhere := append([]string{"UnknownMethodFlags", "NoMethodHandler", "NoConnection", "BadRangeList"}, eventCompat...)
	for field := range reflect.TypeFor[engine.Compat]().Fields() {
		if cases[field.Name] == nil && !slices.Contains(elsewhere, field.Name) {
			t.Errorf("Compat.%s has no test", field.Name)
		}
	}
	for name, list := range cases {
		for _, c := range list {
			c.item.ID, c.q.set, c.q.id = 1, setA, 1
			for _, overridden := range []bool{false, true} {
				h := &host{TB: t}
				config := engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{c.item}}}}
				status, info := c.status, c.info
				if overridden {
					config.Compat, status, info = c.override, c.other, c.otherInfo
				}
				h.recompile(config)
				if h.want(c.q, status, info); t.Failed() {
					t.Fatalf("Compat.%s, overridden %v", name, overridden)
				}
			}
		}
	}
}

// A mixture prefers SET, then GET, then BASICSUPPORT, and the handler sees the flags as they came.
func TestP25_CompatPrecedence(t *testing.T) {
	h := &host{TB: t}
	h.recompile(engine.Config{Compat: engine.Compat{MixedVerbs: true},
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: h.wrap(produces(1)), Set: h.wrap(accepts), Support: h.wrap(produces(2))}}}}})
	for _, flags := range []uint32{get | set, set | basicSupport, set | unserializeRaw | highPriority} {
		h.want(request{set: setA, id: 1, flags: flags, out: full(4)}, ks.StatusSuccess, 0)
		if v := h.last(t); v.identifier().Flags != flags || !bytes.Equal(v.data, full(4)) {
			t.Errorf("flags %#x: the handler sees %#x, % x", flags, v.identifier().Flags, v.data)
		}
	}
}
