package engine_test

import (
	"bytes"
	"reflect"
	"strings"
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
	sized := engine.PropertyItem{Get: produces(1), Set: accepts, SerializedSize: 4}
	cases := map[string][]compatCase{
		"P25": {
			{item: both, q: request{flags: get | set, out: full(4)}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}},
			{item: both, q: request{flags: get | basicSupport, out: full(4)}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}, otherInfo: 1},
			{item: both, q: request{flags: basicSupport | relations, out: full(4)}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}, otherInfo: 4},
			{item: both, q: request{flags: relations | serializeSize, out: full(8)}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}, otherInfo: 8},
			// Not no verb, and not an unknown one.
			{item: both, q: request{flags: 0}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}, other: ks.StatusInvalidParameter},
			{item: both, q: request{flags: get | 8}, status: ks.StatusInvalidParameter, override: engine.Compat{P25: true}, other: ks.StatusInvalidParameter},
		},
		"P26": {
			{item: engine.PropertyItem{Get: produces(1)}, q: request{flags: set}, status: ks.StatusNotFound, override: engine.Compat{P26: other}, other: other},
			{item: engine.PropertyItem{Set: accepts}, q: request{flags: get}, status: ks.StatusNotFound, override: engine.Compat{P26: other}, other: other},
		},
		"P27": {
			{item: engine.PropertyItem{Get: produces(1), MinProperty: 32}, q: request{flags: get}, status: ks.StatusInvalidBufferSize,
				override: engine.Compat{P27: ks.StatusInvalidParameter}, other: ks.StatusInvalidParameter},
		},
		"P33": {
			{item: values, q: request{flags: basicSupport, out: full(5)}, info: 4, override: engine.Compat{P33: true}, other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(39)}, info: 4, override: engine.Compat{P33: true}, other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(41)}, info: 40, override: engine.Compat{P33: true}, other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: basicSupport, out: full(4)}, info: 4, override: engine.Compat{P33: true}, otherInfo: 4},
			{item: values, q: request{flags: basicSupport, out: full(40)}, info: 40, override: engine.Compat{P33: true}, otherInfo: 40},
			{item: values, q: request{flags: basicSupport, out: full(107)}, info: 107, override: engine.Compat{P33: true}, otherInfo: 107},
			{item: values, q: request{flags: basicSupport, out: full(200)}, info: 107, override: engine.Compat{P33: true}, otherInfo: 107},
			{item: values, q: request{flags: defaultValues, out: full(58)}, info: 40, override: engine.Compat{P33: true}, other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: defaultValues, out: full(59)}, info: 59, override: engine.Compat{P33: true}, otherInfo: 59},
		},
		"P33Zero": {
			{item: values, q: request{flags: basicSupport}, status: ks.StatusBufferOverflow, info: 107, override: engine.Compat{P33Zero: ks.StatusBufferTooSmall},
				other: ks.StatusBufferTooSmall},
			{item: values, q: request{flags: defaultValues}, status: ks.StatusBufferOverflow, info: 59, override: engine.Compat{P33Zero: ks.StatusNoMoreEntries},
				other: ks.StatusNoMoreEntries, otherInfo: 59},
		},
		"P36": {{item: both, q: request{flags: defaultValues, out: full(40)}, status: ks.StatusNotFound, override: engine.Compat{P36: other}, other: other},
			{item: engine.PropertyItem{Support: answers(ks.StatusSomeNotMapped, 0)}, q: request{flags: defaultValues}, status: ks.StatusNotFound,
				override: engine.Compat{P36: other}, other: other}},
		"P38": {{item: both, q: request{flags: serializeRaw}, status: ks.StatusNotFound, override: engine.Compat{P38: other}, other: other},
			{item: engine.PropertyItem{Support: answers(ks.StatusSomeNotMapped, 0)}, q: request{flags: unserializeRaw}, status: ks.StatusNotFound,
				override: engine.Compat{P38: other}, other: other}},
		"P39": {{item: sized, q: request{flags: serializeSet, out: full(55)}, status: ks.StatusBufferTooSmall, override: engine.Compat{P39: other}, other: other}},
		"P42Set": {{item: sized, q: request{flags: unserializeSet, out: blob(setB, 0)}, status: ks.StatusInvalidParameter,
			override: engine.Compat{P42Set: other}, other: other}},
		"P42Entry": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1)}, status: ks.StatusInvalidParameter,
			override: engine.Compat{P42Entry: other}, other: other}},
		"P42Item": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 9})}, status: ks.StatusNotFound,
			override: engine.Compat{P42Item: other}, other: other},
			{item: both, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 1})}, status: ks.StatusNotFound, override: engine.Compat{P42Item: other}, other: other}},
		"P42Length": {{item: sized, q: request{flags: unserializeSet, out: blob(setA, 1, serial{id: 1, value: []byte{1}})}, status: ks.StatusInvalidBufferSize,
			override: engine.Compat{P42Length: other}, other: other}},
		"P45": {
			{item: both, q: request{flags: get | ks.PropertyTypeGetPayloadSize, out: full(1)}, status: ks.StatusInvalidParameter, override: engine.Compat{P45: true}, otherInfo: 1},
			{item: both, q: request{flags: ks.PropertyTypeGetPayloadSize}, status: ks.StatusInvalidParameter, override: engine.Compat{P45: true}, other: ks.StatusInvalidParameter},
		},
	}
	for field := range reflect.TypeFor[engine.Compat]().Fields() {
		if strings.HasPrefix(field.Name, "P") && cases[field.Name] == nil { // the other families have tests of their own
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
func TestCompatP25Precedence(t *testing.T) {
	h := &host{TB: t}
	h.recompile(engine.Config{Compat: engine.Compat{P25: true}, PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: h.wrap(produces(1)), Set: h.wrap(accepts), Support: h.wrap(produces(2))}}}}})
	for _, flags := range []uint32{get | set, set | basicSupport, set | unserializeRaw | highPriority} {
		h.want(request{set: setA, id: 1, flags: flags, out: full(4)}, ks.StatusSuccess, 0)
		if v := h.last(t); v.identifier().Flags != flags || !bytes.Equal(v.data, full(4)) {
			t.Errorf("flags %#x: the handler sees %#x, % x", flags, v.identifier().Flags, v.data)
		}
	}
}
