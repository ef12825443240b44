package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestCompileErrors(t *testing.T) {
	items := func(items ...engine.PropertyItem) engine.Config {
		return engine.Config{PropertySets: []engine.PropertySet{{Set: setB}, {Set: setA, Items: items}}}
	}
	members := func(size, count uint32, n int) engine.Config {
		return items(engine.PropertyItem{ID: 7, Values: &engine.PropertyValues{MembersList: []engine.MembersList{{}, {
			MembersHeader: ks.MembersHeader{MembersSize: size, MembersCount: count}, Members: make([]byte, n)}}}})
	}
	sets := func(sets ...engine.PropertySet) engine.Config { return engine.Config{PropertySets: sets} }
	long := engine.Config{PropertyItemSize: 1 << 31, PropertySets: []engine.PropertySet{{Set: setA, Items: make([]engine.PropertyItem, 2)}}}
	seven := engine.PropertyItem{ID: 7}
	only := engine.PropertySet{Set: setA, Items: []engine.PropertyItem{seven}}
	get, set := engine.FastPropertyItem{ID: 7, Get: fastAnswers(0, 0)}, engine.FastPropertyItem{ID: 7, Set: fastAnswers(0, 0)}
	fast := func(items ...engine.FastPropertyItem) engine.PropertySet {
		return engine.PropertySet{Set: setA, FastIO: items}
	}
	item := func(set int) string { return fmt.Sprintf("PropertySets[%d] %s, item 7: ", set, setA) }
	const (
		most  = uint32(math.MaxUint32)
		twice = "declared twice: also in PropertySets"
		again = "FastIO lists a handler for a verb that has one already, here or in an earlier set with this GUID"
		sizes = "MembersList[1] has %d bytes, but MembersSize %d x MembersCount %d is %d (P-33)"
	)
	for _, c := range []struct {
		config engine.Config
		want   string
	}{
		{engine.Config{PropertyItemSize: 76}, "PropertyItemSize 76 is not a multiple of 8 (P-3); use 0 for plain items"},
		{engine.Config{PropertyItemSize: 64}, "PropertyItemSize 64 is less than a KSPROPERTY_ITEM, 72 bytes (P-3); use 0 for plain items"},
		{long, "PropertyItemSize 2147483648 times the 2 items of a set exceeds 32 bits (P-3)"},
		{items(seven, engine.PropertyItem{ID: 8}, seven), item(1) + twice + "[1] (P-24)"},
		{sets(only, engine.PropertySet{Set: setB}, only), item(2) + twice + "[0] (P-24)"},
		{sets(fast(get, get)), item(0) + again},
		{sets(fast(set), fast(set)), item(1) + again},
		{members(4, 3, 11), item(1) + fmt.Sprintf(sizes, 11, 4, 3, 12)},
		{members(0, 3, 1), item(1) + fmt.Sprintf(sizes, 1, 0, 3, 0)},
		{members(most, most, 1), item(1) + fmt.Sprintf(sizes, 1, most, most, uint64(most)*uint64(most))},
	} {
		d, err := engine.Compile(c.config)
		var e *engine.CompileError
		if d != nil || !errors.As(err, &e) || err.Error() != "engine: "+c.want {
			t.Errorf("%v, want\n%s", err, c.want)
			continue
		}
		if e.Status != ks.StatusInvalidParameter || e.Reason == "" || e.HasItem != strings.Contains(c.want, "item 7:") || e.HasItem && e.ID != 7 {
			t.Errorf("%v: %+v", err, e)
		}
		if strings.HasPrefix(c.want, "PropertySets[") != (e.Index >= 0) {
			t.Errorf("%v: Index %d", err, e.Index)
		}
	}
}

// What was declared can change after Compile without effect.
func TestCompileCopies(t *testing.T) {
	values := stepped()
	related := []ks.Identifier{{Set: setB, ID: 1}}
	items := []engine.PropertyItem{{ID: 1, Get: produces(1), Values: values, Relations: related}}
	sets := []engine.PropertySet{{Set: setA, Items: items, FastIO: []engine.FastPropertyItem{{ID: 1, Get: fastAnswers(0, 0)}}}}
	h := newHost(t, engine.Config{PropertySets: sets})
	before := h.via(viaProperty, request{set: setA, id: 1, flags: basicSupport, out: full(200)})
	list := h.via(viaProperty, request{set: setA, id: 1, flags: relations, out: full(40)})
	values.PropTypeSet.ID = 99
	for i := range values.MembersList {
		clear(values.MembersList[i].Members)
		values.MembersList[i].MembersHeader = ks.MembersHeader{MembersSize: math.MaxUint32}
	}
	related[0] = ks.Identifier{}
	items[0] = engine.PropertyItem{ID: 2}
	sets[0].FastIO[0].Get, sets[0].Set = nil, setB
	if a := h.via(viaProperty, request{set: setA, id: 1, flags: basicSupport, out: full(200)}); string(a.out) != string(before.out) ||
		a.info != before.info {
		t.Errorf("% x, before\n% x", a.out, before.out)
	}
	if a := h.via(viaProperty, request{set: setA, id: 1, flags: relations, out: full(40)}); string(a.out) != string(list.out) {
		t.Errorf("% x, before\n% x", a.out, list.out)
	}
	h.want(request{set: setA, id: 1, flags: get, out: full(1)}, ks.StatusSuccess, 1)
	h.want(request{set: setB, id: 2, flags: get}, ks.StatusPropsetNotFound, 0)
	if handled, _, _ := h.fast(request{set: setA, id: 1, flags: get}); !handled {
		t.Error("the FastIO table is gone")
	}
}

// Many sets and items, sequential ids, GUIDs that differ in one bit: each request reaches its own handler.
func TestCompileMany(t *testing.T) {
	var sets []engine.PropertySet
	for bit := range 128 {
		guid := setA
		guid[bit/8] ^= 1 << (bit % 8)
		s := engine.PropertySet{Set: guid}
		for id := range uint32(20) {
			s.Items = append(s.Items, engine.PropertyItem{ID: id, Get: produces(byte(bit), byte(id))})
		}
		sets = append(sets, s)
	}
	h := newHost(t, engine.Config{PropertySets: sets})
	for bit, s := range sets {
		for _, it := range s.Items {
			if a := h.via(viaDevice, request{set: s.Set, id: it.ID, flags: get, out: full(2)}); a.out[0] != byte(bit) || a.out[1] != byte(it.ID) {
				t.Fatalf("set %d item %d answers % x", bit, it.ID, a.out)
			}
		}
		h.want(request{set: s.Set, id: 20, flags: get}, ks.StatusNotFound, 0)
	}
	h.want(request{set: setA, id: 0, flags: get}, ks.StatusPropsetNotFound, 0)
}

// TestP32_NullSetIsListed: a set with GUID_NULL compiles, is listed, and no request reaches its items.
func TestP32_NullSetIsListed(t *testing.T) {
	var null ks.GUID
	reached := engine.PropertyItem{ID: 1, Get: answers(ks.StatusSuccess, 0), Support: answers(ks.StatusSuccess, 0)}
	fast := []engine.FastPropertyItem{{ID: 1, Get: fastAnswers(ks.StatusSuccess, 0)}}
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA}, {Items: []engine.PropertyItem{reached}, FastIO: fast}}})
	list := request{set: null, flags: ks.PropertyTypeSetSupport, out: full(32)}
	irp := h.irp(list)
	n := irp.Finish(h.Property(irp), irp.UserBuffer)
	if want := append(append([]byte(nil), setA[:]...), null[:]...); n != 32 || !bytes.Equal(irp.UserBuffer, want) {
		t.Errorf("%d bytes: % x", n, irp.UserBuffer)
	}
	for _, flags := range []uint32{get, ks.PropertyTypeBasicSupport, ks.PropertyTypeSerializeSet} {
		irp := h.irp(request{set: null, id: 1, flags: flags, out: full(8)})
		if status := h.Property(irp); status != ks.StatusPropsetNotFound {
			t.Errorf("%s: %v", ks.FormatPropertyFlags(flags), status)
		}
	}
	var io engine.IoStatus
	if h.FastProperty(&engine.FileObject{}, engine.UserMode, request{set: null, id: 1, flags: get}.bytes(), nil, &io) {
		t.Error("the fast path reached it")
	}
}

// TestF2_FastVerbsOfOneIDInTwoSets: sets with one GUID may list one verb of an id each.
func TestF2_FastVerbsOfOneIDInTwoSets(t *testing.T) {
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{
		{Set: setA, FastIO: []engine.FastPropertyItem{{ID: 7, Get: fastAnswers(ks.StatusSuccess, 1)}}},
		{Set: setA, FastIO: []engine.FastPropertyItem{{ID: 7, Set: fastAnswers(ks.StatusSuccess, 2)}}}}})
	for flags, want := range map[uint32]uint64{get: 1, set: 2} {
		var io engine.IoStatus
		if !h.FastProperty(&engine.FileObject{}, engine.UserMode, request{set: setA, id: 7, flags: flags}.bytes(), make([]byte, 8), &io) ||
			io.Information != want {
			t.Errorf("%s: %+v", ks.FormatPropertyFlags(flags), io)
		}
	}
}
