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

// What the field of Compat that is named does to a request.
func TestCompat(t *testing.T) {
	const (
		overflow, small = ks.StatusBufferOverflow, ks.StatusBufferTooSmall
		missing, bad    = ks.StatusNotFound, ks.StatusInvalidParameter
		badSize, enough = ks.StatusInvalidBufferSize, ks.StatusNoMoreEntries
	)
	both := engine.PropertyItem{Get: produces(1), Set: accepts}
	values := engine.PropertyItem{Get: produces(1), Values: stepped()}
	four := engine.PropertyItem{Get: produces(1, 2, 3, 4), Set: accepts, MinData: 4}
	long := engine.PropertyItem{Get: produces(1), MinProperty: 32}
	sized := engine.PropertyItem{Get: produces(1), Set: accepts, SerializedSize: 4}
	silent := engine.PropertyItem{Support: answers(ks.StatusSomeNotMapped, 0)}
	wrongLength := blob(setA, 1, serial{id: 1, value: []byte{1}})
	tested := map[string]bool{}
	for _, c := range []struct {
		field     string
		value     any // of the field
		item      engine.PropertyItem
		q         request
		status    ks.Status // by default
		info      uint64
		other     ks.Status // with the field set
		otherInfo uint64
	}{
		{"MixedVerbs", true, both, request{flags: get | set, out: full(4)}, bad, 0, 0, 0},
		{"MixedVerbs", true, both, request{flags: get | basicSupport, out: full(4)}, bad, 0, 0, 1},
		{"MixedVerbs", true, both, request{flags: basicSupport | relations, out: full(4)}, bad, 0, 0, 4},
		{"MixedVerbs", true, both, request{flags: relations | serializeSize, out: full(8)}, bad, 0, 0, 8},
		{"MixedVerbs", true, both, request{flags: 0}, bad, 0, bad, 0}, // not no verb, and not an unknown one
		{"MixedVerbs", true, both, request{flags: get | 8}, bad, 0, bad, 0},
		{"NoHandler", other, engine.PropertyItem{Get: produces(1)}, request{flags: set}, missing, 0, other, 0},
		{"NoHandler", other, engine.PropertyItem{Set: accepts}, request{flags: get}, missing, 0, other, 0},
		{"ShortRequest", bad, long, request{flags: get}, badSize, 0, bad, 0},
		{"NoDataBuffer", small, four, request{flags: get}, overflow, 4, small, 0},
		{"NoDataBuffer", enough, four, request{flags: set}, overflow, 4, enough, 4},
		{"NoDataBuffer", enough, four, request{flags: get, out: full(3)}, small, 0, small, 0},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(5)}, 0, 4, small, 0},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(39)}, 0, 4, small, 0},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(41)}, 0, 40, small, 0},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(4)}, 0, 4, 0, 4},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(40)}, 0, 40, 0, 40},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(107)}, 0, 107, 0, 107},
		{"StrictDescriptionSize", true, values, request{flags: basicSupport, out: full(200)}, 0, 107, 0, 107},
		{"StrictDescriptionSize", true, values, request{flags: defaultValues, out: full(58)}, 0, 40, small, 0},
		{"StrictDescriptionSize", true, values, request{flags: defaultValues, out: full(59)}, 0, 59, 0, 59},
		{"NoDescriptionBuffer", small, values, request{flags: basicSupport}, overflow, 107, small, 0},
		{"NoDescriptionBuffer", enough, values, request{flags: defaultValues}, overflow, 59, enough, 59},
		{"NoDefaultValues", other, both, request{flags: defaultValues, out: full(40)}, missing, 0, other, 0},
		{"NoDefaultValues", other, silent, request{flags: defaultValues}, missing, 0, other, 0},
		{"NoRawSerialization", other, both, request{flags: serializeRaw}, missing, 0, other, 0},
		{"NoRawSerialization", other, silent, request{flags: unserializeRaw}, missing, 0, other, 0},
		{"ShortSerializeBuffer", other, sized, request{flags: serializeSet, out: full(55)}, small, 0, other, 0},
		{"UnserializeWrongSet", other, sized, request{flags: unserializeSet, out: blob(setB, 0)}, bad, 0, other, 0},
		{"UnserializeTruncated", other, sized, request{flags: unserializeSet, out: blob(setA, 1)}, bad, 0, other, 0},
		{"UnserializeWrongItem", other, sized, request{flags: unserializeSet, out: blob(setA, 1, serial{id: 9})}, missing, 0, other, 0},
		{"UnserializeWrongItem", other, both, request{flags: unserializeSet, out: blob(setA, 1, serial{id: 1})}, missing, 0, other, 0},
		{"UnserializeWrongLength", other, sized, request{flags: unserializeSet, out: wrongLength}, badSize, 0, other, 0},
		{"PayloadSizeModifier", true, both, request{flags: get | ks.PropertyTypeGetPayloadSize, out: full(1)}, bad, 0, 0, 1},
		{"PayloadSizeModifier", true, both, request{flags: ks.PropertyTypeGetPayloadSize}, bad, 0, bad, 0},
	} {
		tested[c.field] = true
		c.item.ID, c.q.set, c.q.id = 1, setA, 1
		for _, overridden := range []bool{false, true} {
			h := &host{TB: t}
			config := engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{c.item}}}}
			status, info := c.status, c.info
			if overridden {
				reflect.ValueOf(&config.Compat).Elem().FieldByName(c.field).Set(reflect.ValueOf(c.value))
				status, info = c.other, c.otherInfo
			}
			h.recompile(config)
			if h.want(c.q, status, info); t.Failed() {
				t.Fatalf("Compat.%s, overridden %v", c.field, overridden)
			}
		}
	}
	elsewhere := append([]string{"UnknownMethodFlags", "NoMethodHandler", "NoConnection", "BadRangeList"}, eventCompat...)
	for field := range reflect.TypeFor[engine.Compat]().Fields() {
		if !tested[field.Name] && !slices.Contains(elsewhere, field.Name) {
			t.Errorf("Compat.%s has no test", field.Name)
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
