package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Merging tables, AT-1 to AT-7, and the double pass that is the alternative, AT-8 and AT-9.

// says returns a handler that answers with one byte: who it is.
func says(who byte) engine.Handler { return produces(who) }

func fastSays(who byte) engine.FastHandler {
	return func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
		data[0] = who
		io.Status, io.Information = ks.StatusSuccess, 1
		return true
	}
}

func propertySet(guid ks.GUID, items ...engine.PropertyItem) engine.PropertySet {
	return engine.PropertySet{Set: guid, Items: items}
}

// merge merges or fails.
func merge(t testing.TB, a, b engine.Config) engine.Config {
	t.Helper()
	c, err := engine.MergeSets(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// outline writes the sets and items of a family in order.
func outline(c engine.Config) (properties, methods, events string) {
	name := map[ks.GUID]string{setA: "A", setB: "B", stranger: "X", anyGUID: "0"}
	var p, m, e []string
	for _, s := range c.PropertySets {
		var ids []string
		for _, i := range s.Items {
			ids = append(ids, fmt.Sprint(i.ID))
		}
		for _, f := range s.FastIO {
			ids = append(ids, fmt.Sprintf("f%d", f.ID))
		}
		p = append(p, name[s.Set]+":"+strings.Join(ids, ","))
	}
	for _, s := range c.MethodSets {
		var ids []string
		for _, i := range s.Items {
			ids = append(ids, fmt.Sprint(i.ID))
		}
		for _, f := range s.FastIO {
			ids = append(ids, fmt.Sprintf("f%d", f.ID))
		}
		m = append(m, name[s.Set]+":"+strings.Join(ids, ","))
	}
	for _, s := range c.EventSets {
		var ids []string
		for _, i := range s.Items {
			ids = append(ids, fmt.Sprint(i.ID))
		}
		e = append(e, name[s.Set]+":"+strings.Join(ids, ","))
	}
	return strings.Join(p, " "), strings.Join(m, " "), strings.Join(e, " ")
}

// family declares the same ids, and fast ids, in each family.
func family(sets ...string) (c engine.Config) {
	guids := map[byte]ks.GUID{'A': setA, 'B': setB, 'X': stranger, '0': anyGUID}
	for _, text := range sets {
		p, m, e := engine.PropertySet{Set: guids[text[0]]}, engine.MethodSet{Set: guids[text[0]]}, engine.EventSet{Set: guids[text[0]]}
		for _, item := range strings.FieldsFunc(text[2:], func(r rune) bool { return r == ',' }) {
			var id uint32
			if rest, fast := strings.CutPrefix(item, "f"); fast {
				fmt.Sscan(rest, &id)
				p.FastIO = append(p.FastIO, engine.FastPropertyItem{ID: id, Get: fastSays('?')})
				m.FastIO = append(m.FastIO, engine.FastMethodItem{ID: id, Handler: fastSays('?')})
				continue
			}
			fmt.Sscan(item, &id)
			p.Items = append(p.Items, engine.PropertyItem{ID: id, Get: says('?')})
			m.Items = append(m.Items, engine.MethodItem{ID: id, Handler: says('?')})
			e.Items = append(e.Items, engine.EventItem{ID: id})
		}
		c.PropertySets, c.MethodSets, c.EventSets = append(c.PropertySets, p), append(c.MethodSets, m), append(c.EventSets, e)
	}
	return c
}

// AT-1: one table is three families with an item size for each.
func TestAT1_ThreeFamilies(t *testing.T) {
	a := family("A:1")
	a.PropertyItemSize, a.MethodItemSize, a.EventItemSize = 80, 48, 56
	for _, c := range []engine.Config{merge(t, a, family("A:2")), merge(t, family("A:2"), a)} {
		if c.PropertyItemSize != 80 || c.MethodItemSize != 48 || c.EventItemSize != 56 {
			t.Errorf("%d, %d, %d", c.PropertyItemSize, c.MethodItemSize, c.EventItemSize)
		}
	}
	// Whatever else a Config has, the result has it.
	for i := range reflect.TypeFor[engine.Config]().NumField() {
		switch f := reflect.TypeFor[engine.Config]().Field(i).Name; f {
		case "PropertySets", "PropertyItemSize", "MethodSets", "MethodItemSize", "EventSets", "EventItemSize", "Nodes",
			"Control", "OnPanic", "OnRefuse", "Compat":
		default:
			t.Errorf("MergeSets does not know Config.%s, nor does this test", f)
		}
	}
	x1, x2 := engine.NewNodeList(), engine.NewNodeList()
	if merge(t, engine.Config{Nodes: x1}, engine.Config{Nodes: x2}).Nodes != x1 ||
		merge(t, engine.Config{}, engine.Config{Nodes: x2}).Nodes != x2 {
		t.Error("Nodes are not the dominant's, or else the other's")
	}
	code := func(status ks.Status) engine.Config {
		return engine.Config{Control: func(*engine.IRP, uint32, []byte, []byte) ks.Status { return status }}
	}
	for want, c := range map[ks.Status]engine.Config{1: merge(t, code(1), code(2)), 2: merge(t, engine.Config{}, code(2))} {
		if got := c.Control(nil, 0, nil, nil); got != want {
			t.Errorf("Control is that of %d, want %d", got, want)
		}
	}
	refuse := func(in int, to *int) engine.Config { return engine.Config{OnRefuse: func(engine.Refusal) { *to = in }} }
	var who int
	for want, c := range map[int]engine.Config{1: merge(t, refuse(1, &who), refuse(2, &who)), 2: merge(t, engine.Config{}, refuse(2, &who))} {
		if c.OnRefuse(engine.Refusal{}); who != want {
			t.Errorf("OnRefuse is that of %d, want %d", who, want)
		}
	}
	var told string
	hook := func(who string) func(any, []byte) { return func(any, []byte) { told = who } }
	for _, c := range []struct {
		a, b engine.Config
		want string
	}{
		{engine.Config{OnPanic: hook("a")}, engine.Config{OnPanic: hook("b")}, "a"},
		{engine.Config{}, engine.Config{OnPanic: hook("b")}, "b"},
	} {
		if merge(t, c.a, c.b).OnPanic(nil, nil); told != c.want {
			t.Errorf("OnPanic is that of %s, want %s", told, c.want)
		}
	}
	x, y := engine.Compat{MixedVerbs: true}, engine.Compat{NoHandler: other}
	if c := merge(t, engine.Config{Compat: x}, engine.Config{Compat: y}); c.Compat != x {
		t.Errorf("%+v", c.Compat)
	}
	if c := merge(t, engine.Config{}, engine.Config{Compat: y}); c.Compat != y {
		t.Errorf("%+v", c.Compat)
	}
}

func TestAT2_WithNothing(t *testing.T) {
	if c := merge(t, engine.Config{}, engine.Config{}); !reflect.DeepEqual(c, engine.Config{}) {
		t.Errorf("nothing and nothing is %+v", c)
	}
	some := family("A:1,2,f1", "B:3")
	want, _, _ := outline(some)
	for _, c := range []engine.Config{merge(t, some, engine.Config{}), merge(t, engine.Config{}, some)} {
		p, m, e := outline(c)
		if p != want || m != want || e != "A:1,2 B:3" {
			t.Errorf("%s; %s; %s", p, m, e)
		}
		// A copy: what is done to it is not done to its part.
		c.PropertySets[0].Items[0].ID, c.PropertySets[0].FastIO[0].ID = 99, 99
		c.MethodSets[0].Items[0].ID, c.MethodSets[0].FastIO[0].ID, c.EventSets[0].Items[0].ID = 99, 99, 99
		_ = append(c.PropertySets[0].Items[:1], engine.PropertyItem{ID: 98})
	}
	if p, m, e := outline(some); p != want || m != want || e != "A:1,2 B:3" {
		t.Errorf("the part is %s; %s; %s now", p, m, e)
	}
}

func TestAT3_ItemsDominate(t *testing.T) {
	a := engine.Config{
		PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: says('a')})},
		MethodSets:   []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: says('a'), Flags: ks.MethodTypeWrite}}}},
		EventSets:    []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, Context: 'a'}}}},
	}
	b := engine.Config{
		PropertySets: []engine.PropertySet{propertySet(setA,
			engine.PropertyItem{ID: 1, Get: says('b')}, engine.PropertyItem{ID: 2, Get: says('b')},
		)},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{
			{ID: 1, Handler: says('b'), Flags: ks.MethodTypeWrite}, {ID: 2, Handler: says('b'), Flags: ks.MethodTypeWrite},
		}}},
		EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, Context: 'b'}, {ID: 2, Context: 'b'}}}},
	}
	c := merge(t, a, b)
	h := newHost(t, c)
	for id, want := range map[uint32]byte{1: 'a', 2: 'b'} {
		q := request{set: setA, id: id, flags: get, out: full(1)}
		if got := h.want(q, ks.StatusSuccess, 1); got.out[0] != want {
			t.Errorf("property %d is that of %c", id, got.out[0])
		}
		q.flags = ks.MethodTypeSend
		irp := h.irp(q)
		if status := h.Method(irp); status != ks.StatusSuccess || irp.Finish(status, irp.UserBuffer) != 1 || irp.UserBuffer[0] != want {
			t.Errorf("method %d is that of %c, %v", id, irp.UserBuffer[0], status)
		}
	}
	for i, want := range []rune{'a', 'b'} {
		if got := c.EventSets[0].Items[i].Context; got != want {
			t.Errorf("event %d is that of %c", i, got)
		}
	}
}

// AT-4: what the dominant item lacks, the other one does not lend: not a verb, not values, not a support handler, not the fast path.
func TestAT4_ItemsAreWhole(t *testing.T) {
	b := propertySet(setA, engine.PropertyItem{ID: 1, Get: says('b'), Set: accepts, Support: says('b'), Values: stepped(), MinData: 9,
		Relations: make([]ks.Identifier, 1), SerializedSize: 4})
	b.FastIO = []engine.FastPropertyItem{{ID: 1, Get: fastSays('b')}}
	a := propertySet(setA, engine.PropertyItem{ID: 1, Get: says('a')})
	h := newHost(t, merge(t, engine.Config{PropertySets: []engine.PropertySet{a}},
		engine.Config{PropertySets: []engine.PropertySet{b}}))
	h.want(request{set: setA, id: 1, flags: get, out: full(1)}, ks.StatusSuccess, 1)
	h.want(request{set: setA, id: 1, flags: set, out: full(9)}, ks.StatusNotFound, 0)
	h.want(request{set: setA, id: 1, flags: defaultValues}, ks.StatusNotFound, 0)
	h.want(request{set: setA, id: 1, flags: serializeRaw}, ks.StatusNotFound, 0)
	h.want(request{set: setA, id: 1, flags: relations, out: full(8)}, ks.StatusSuccess, 8)
	var io engine.IoStatus
	if h.FastProperty(&h.file, engine.UserMode, request{set: setA, id: 1, flags: get}.bytes(), full(1), &io) { // S-20
		t.Error("the fast handler of a hidden item answers")
	}
}

func TestAT5_Order(t *testing.T) {
	for _, c := range []struct{ a, b, want []string }{
		{[]string{"A:1,2"}, []string{"B:1"}, []string{"A:1,2", "B:1"}},
		{[]string{"B:5", "A:2"}, []string{"X:1", "A:3,2,1", "B:6,5"}, []string{"B:5,6", "A:2,3,1", "X:1"}},
		// Two sets with one GUID: those of the dominant stay two, and both count; those of the other stay two if nobody else has it.
		{[]string{"A:1", "A:2", "B:1"}, []string{"A:1,2,3"}, []string{"A:1", "A:2,3", "B:1"}},
		{[]string{"B:1"}, []string{"A:1", "A:2"}, []string{"B:1", "A:1", "A:2"}},
		{[]string{"A:1"}, []string{"A:2", "B:1", "A:3"}, []string{"A:1,2,3", "B:1"}},
		// The fast table is the dominant's if it has one, in any of its sets.
		{[]string{"A:1,f1"}, []string{"A:2,f2"}, []string{"A:1,2,f1"}},
		{[]string{"A:1,f1", "A:2"}, []string{"A:3,f3"}, []string{"A:1,f1", "A:2,3"}},
		{[]string{"A:1"}, []string{"A:1,2,f1,f2,f3"}, []string{"A:1,2,f2,f3"}},
		{[]string{"0:"}, []string{"0:1", "A:1"}, []string{"0:1", "A:1"}},
	} {
		p, m, e := outline(merge(t, family(c.a...), family(c.b...)))
		want := strings.Join(c.want, " ")
		plain, _, _ := outline(family(c.want...))
		if p != want || m != want || plain != want {
			t.Errorf("%v and %v are %s and %s, want %s", c.a, c.b, p, m, want)
		}
		var bare []string
		for _, s := range c.want {
			items := slices.DeleteFunc(strings.Split(s[2:], ","), func(i string) bool { return strings.HasPrefix(i, "f") })
			bare = append(bare, s[:2]+strings.Join(items, ","))
		}
		if e != strings.Join(bare, " ") {
			t.Errorf("%v and %v are events %s, want %s", c.a, c.b, e, bare)
		}
	}
	// SETSUPPORT and SERIALIZESET see that order.
	h := newHost(t, merge(t, family("B:5", "A:2"), family("X:1", "A:3", "B:6")))
	a := h.want(request{flags: setSupport, out: full(48)}, ks.StatusSuccess, 48)
	if !bytes.Equal(a.out, join(setB[:], setA[:], stranger[:])) {
		t.Errorf("% x", a.out)
	}
}

func TestAT6_ItemSizes(t *testing.T) {
	var lengths []int
	get := func(irp *engine.IRP, _, _ []byte) ks.Status {
		lengths = append(lengths, len(irp.ItemStorage()))
		return ks.StatusSuccess
	}
	a := engine.Config{PropertyItemSize: 80, PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: get})}}
	b := engine.Config{PropertyItemSize: 96, PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 2, Get: get})}}
	for _, c := range []engine.Config{merge(t, a, b), merge(t, b, a)} {
		h := newHost(t, c)
		for _, id := range []uint32{1, 2} {
			h.via(viaProperty, request{set: setA, id: id, flags: ks.PropertyTypeGet})
		}
	}
	if fmt.Sprint(lengths) != "[24 24 24 24]" {
		t.Errorf("storage of %v bytes", lengths)
	}
	for _, bad := range []engine.Config{{PropertyItemSize: 76}, {PropertyItemSize: 64}, {MethodItemSize: 44}, {EventItemSize: 32}} {
		for _, pair := range [][2]engine.Config{{bad, {}}, {{}, bad}} {
			var e *engine.CompileError
			if _, err := engine.MergeSets(pair[0], pair[1]); !errors.As(err, &e) || !strings.Contains(err.Error(), "P-3") {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	}
}

// AT-7: a driver's own items win over those that its class has for every filter.
func TestAT7_DriverAndClass(t *testing.T) {
	class := engine.Config{PropertySets: []engine.PropertySet{pins().PropertySet(), filter().PropertySet(setTopology)}}
	driver := engine.Config{PropertySets: []engine.PropertySet{
		propertySet(setA, engine.PropertyItem{ID: 1, Get: says('d')}),
		propertySet(setPin, engine.PropertyItem{ID: pinPhysicalConnection, Get: says('d')}, engine.PropertyItem{ID: 15, Get: says('d')}),
	}}
	h := newHost(t, merge(t, driver, class))
	h.want(pinRequest(pinPhysicalConnection, 9, 1), ks.StatusSuccess, 1) // the driver's
	h.want(pinRequest(15, 0, 1), ks.StatusSuccess, 1)
	h.want(pinRequest(pinDataFlow, 1, 4), ks.StatusSuccess, 4)
	h.want(request{set: setTopology, id: 0, flags: get, out: full(8)}, ks.StatusSuccess, 8)
	a := h.want(request{flags: setSupport, out: full(48)}, ks.StatusSuccess, 48)
	if !bytes.Equal(a.out, join(setA[:], setPin[:], setTopology[:])) {
		t.Errorf("% x", a.out)
	}
	// What is misdeclared is found when the result is compiled, whichever part it came in.
	s := pins()
	s.Pins[2].DataFlow = 7
	wrong := engine.Config{PropertySets: []engine.PropertySet{s.PropertySet()}}
	for _, pair := range [][2]engine.Config{{driver, wrong}, {wrong, driver}} {
		if _, err := engine.Compile(merge(t, pair[0], pair[1])); err == nil || !strings.Contains(err.Error(), "Pins[2].DataFlow") {
			t.Error(err)
		}
	}
}

// passes is a host of two tables; its dispatcher is the first.
func passes(t *testing.T, first, second engine.Config) (*host, engine.DoublePass) {
	t.Helper()
	h, class := newHost(t, first), newHost(t, second)
	return h, engine.DoublePass{First: h.Dispatcher, Second: class.Dispatcher}
}

// wantPass sends q through both passes.
func (h *host) wantPass(p engine.DoublePass, q request, status ks.Status, out string) {
	h.Helper()
	for _, allocator := range []engine.Allocator{nil, h.allocator} {
		irp := h.irp(q)
		before := h.pool.Stats().Allocs + uint64(len(h.allocs))
		got := p.Property(irp, allocator)
		buffers := h.pool.Stats().Allocs + uint64(len(h.allocs)) - before
		n := irp.Finish(got, irp.UserBuffer)
		if got != status || got.IsSuccess() && string(irp.UserBuffer[:n]) != out || got.IsError() && irp.IoStatus.Information != 0 {
			h.Errorf("%v: %v, %q; want %v, %q (decided by %s)", q, got, irp.UserBuffer[:n], status, out, irp.Rule())
		}
		if buffers > 1 {
			h.Errorf("%v: %d buffers (P-15)", q, buffers)
		}
	}
}

func TestAT8_SecondPass(t *testing.T) {
	calls := 0
	final := func(status ks.Status) engine.Handler {
		return func(irp *engine.IRP, _, _ []byte) ks.Status { calls++; irp.IoStatus.Information = 1; return status }
	}
	h, p := passes(t,
		engine.Config{PropertySets: []engine.PropertySet{propertySet(setA,
			engine.PropertyItem{ID: 1, Get: says('1')},
			engine.PropertyItem{ID: 2, Get: final(ks.StatusNotFound), Support: final(ks.StatusNotFound)},
			engine.PropertyItem{ID: 3, Get: final(ks.StatusPropsetNotFound)},
			engine.PropertyItem{ID: 4, Get: final(ks.StatusSomeNotMapped)},
			engine.PropertyItem{ID: 5, Get: says('1'), MinData: 2, MinProperty: 26},
			engine.PropertyItem{ID: 6, Get: says('1'), Support: final(ks.StatusSomeNotMapped)},
		)}},
		engine.Config{PropertySets: []engine.PropertySet{propertySet(setA,
			engine.PropertyItem{ID: 1, Get: says('2'), Set: accepts}, engine.PropertyItem{ID: 2, Get: says('2'), Support: says('2')},
			engine.PropertyItem{ID: 3, Get: says('2')}, engine.PropertyItem{ID: 4, Get: says('2')},
			engine.PropertyItem{ID: 5, Get: says('2')},
			engine.PropertyItem{ID: 6, Support: says('2')}, engine.PropertyItem{ID: 7, Get: says('2')},
			engine.PropertyItem{ID: 8, Get: final(ks.StatusPropsetNotFound)},
		), propertySet(setB, engine.PropertyItem{ID: 1, Get: says('2')})}})
	q := func(set ks.GUID, id, flags uint32, out int) request {
		return request{set: set, id: id, flags: flags, out: full(out)}
	}
	h.wantPass(p, q(setA, 1, get, 1), ks.StatusSuccess, "1")
	h.wantPass(p, q(setA, 7, get, 1), ks.StatusSuccess, "2")
	h.wantPass(p, q(setB, 1, get, 1), ks.StatusSuccess, "2")
	h.wantPass(p, q(setA, 2, get, 1), ks.StatusNotFound, "") // a handler's is final
	h.wantPass(p, q(setA, 2, basicSupport, 1), ks.StatusNotFound, "")
	h.wantPass(p, q(setA, 3, get, 1), ks.StatusPropsetNotFound, "")
	h.wantPass(p, q(setA, 4, get, 1), ks.StatusSuccess, "2") // the helper's, with the buffer that is there
	h.wantPass(p, q(setA, 6, defaultValues, 1), ks.StatusSuccess, "2")
	h.wantPass(p, q(setA, 6, serializeRaw, 1), ks.StatusSuccess, "2")
	h.wantPass(p, q(setA, 5, get, 1), ks.StatusInvalidBufferSize, "") // other refusals are final
	h.wantPass(p, q(setA, 8, get, 1), ks.StatusPropsetNotFound, "")   // a handler's of the second too, though the first said NOT_FOUND
	h.wantPass(p, q(stranger, 1, get, 1), ks.StatusPropsetNotFound, "")
	h.wantPass(p, q(setA, 99, get, 1), ks.StatusNotFound, "")
	h.wantPass(p, q(setB, 99, get, 1), ks.StatusNotFound, "") // the second said so
	h.wantPass(p, request{raw: make([]byte, 23)}, ks.StatusInvalidBufferSize, "")
	h.wantPass(p, q(setA, 1, get|set, 1), ks.StatusInvalidParameter, "")
	if calls == 0 {
		t.Error("no handler was called")
	}
	// NOT_FOUND of the first stands though the second does not know the set.
	swapped := engine.DoublePass{First: p.Second, Second: p.First}
	h.wantPass(swapped, q(setB, 99, get, 1), ks.StatusNotFound, "")
	// A handler that hands the request on to a table without the item has answered.
	empty, err := engine.Compile(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h2, p2 := passes(t, engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1,
		Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return empty.Property(irp) }})}},
		engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: says('2')})}})
	h2.wantPass(p2, q(setA, 1, get, 1), ks.StatusPropsetNotFound, "")
}

// S-39: memory that changes after it was read shows both passes one identifier, and it is read once.
func TestAT8_OneIdentifier(t *testing.T) {
	var seen [][]byte
	second := engine.PropertyItem{ID: 7, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		seen = append(seen, bytes.Clone(request))
		return ks.StatusSuccess
	}}
	h, p := passes(t, engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: says('1')})}},
		engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, second)}})
	for _, q := range []request{
		{set: setA, id: 7, flags: get, out: full(1)},
		{set: setA, id: 7, flags: get | topology, extra: join(node(5), []byte{1, 2}), out: full(1)},
	} {
		irp, m := h.inMemory(q)
		m.churn = true
		seen = nil
		if status := p.Property(irp, nil); status != ks.StatusSuccess || len(seen) != 1 || !bytes.Equal(seen[0], q.bytes()) {
			t.Errorf("%v: %v, the handler sees % x", q, status, seen)
		}
		irp.Finish(ks.StatusSuccess, nil)
		for i, n := range m.inReads {
			if n != 1 {
				t.Errorf("%v: byte %d was read %d times", q, i, n)
			}
		}
	}
}

func TestAT8_MethodsAndEvents(t *testing.T) {
	method := func(id uint32, h engine.Handler, support engine.Handler) engine.MethodItem {
		return engine.MethodItem{ID: id, Handler: h, Support: support, Flags: ks.MethodTypeWrite}
	}
	final := answers(ks.StatusNotFound, 0)
	h, p := passes(t,
		engine.Config{
			MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{
				method(1, says('1'), nil), method(2, final, nil), method(3, nil, final), method(4, nil, answers(ks.StatusSomeNotMapped, 0)),
			}}},
		},
		engine.Config{
			MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{
				method(1, says('2'), nil), method(2, says('2'), nil), method(3, says('2'), says('2')), method(4, says('2'), says('2')),
				method(5, says('2'), nil),
			}}},
		})
	for _, c := range []struct {
		id, flags uint32
		status    ks.Status
		out       string
	}{
		{1, send, 0, "1"},
		{2, send, ks.StatusNotFound, ""},
		{3, send, 0, "2"},
		{5, send, 0, "2"},
		{3, methodSupport, ks.StatusNotFound, ""},
		{4, methodSupport, 0, "2"},
		{99, send, ks.StatusNotFound, ""},
		{5, 0x4000, ks.StatusInvalidParameter, ""},
	} {
		irp := h.irp(request{set: setA, id: c.id, flags: c.flags, out: full(1)})
		status := p.Method(irp, nil)
		if n := irp.Finish(status, irp.UserBuffer); status != c.status || string(irp.UserBuffer[:n]) != c.out {
			t.Errorf("method %d, flags %#x: %v, %q; want %v, %q", c.id, c.flags, status, irp.UserBuffer[:n], c.status, c.out)
		}
	}

	second := newEventHost(t, engine.EventItem{ID: 2})
	first := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 3, Add: func(*engine.IRP, []byte, *engine.EventEntry) ks.Status {
		return ks.StatusNotFound
	}})
	both := engine.DoublePass{First: first.Dispatcher, Second: second.Dispatcher}
	object := first.open(engine.NewSyncEvent())
	for _, c := range []struct {
		raw    []byte
		status ks.Status
	}{
		{request{set: setA, id: 1, flags: enable}.bytes(), 0},
		{request{set: setA, id: 2, flags: enable}.bytes(), 0},
		{request{set: setA, id: 3, flags: enable}.bytes(), ks.StatusNotFound},
		{request{set: setA, id: 4, flags: enable}.bytes(), ks.StatusNotFound},
		{request{set: setB, id: 4, flags: enable}.bytes(), ks.StatusPropsetNotFound},
		{nil, ks.StatusBufferTooSmall},
		{make([]byte, 5), ks.StatusInvalidBufferSize},
	} {
		data := eventData(ks.NotificationEventHandle, object)
		if c.raw == nil {
			data = data[:3]
		}
		irp := &engine.IRP{Type3InputBuffer: c.raw, InputBufferLength: uint32(len(c.raw)), UserBuffer: data,
			OutputBufferLength: uint32(len(data)), EventData: 0x1000, FileObject: &first.file, Pool: first.pool}
		if status := both.EnableEvent(irp, first.list, nil); status != c.status {
			t.Errorf("% x: %v, want %v", c.raw, status, c.status)
		} else {
			irp.Finish(status, irp.UserBuffer)
		}
	}
	if n := first.list.Len(); n != 2 {
		t.Errorf("%d events are enabled", n)
	}
	first.list.Free(&first.file)
}

func TestAT9_VerbsAndLists(t *testing.T) {
	first := engine.Config{PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: says('1')})}}
	second := engine.Config{PropertySets: []engine.PropertySet{
		propertySet(setA, engine.PropertyItem{ID: 1, Get: says('2'), Set: accepts}, engine.PropertyItem{ID: 2, Get: says('2')}),
		propertySet(setB, engine.PropertyItem{ID: 1, Get: says('2')}),
	}}
	h, p := passes(t, first, second)
	merged := newHost(t, merge(t, first, second))
	verb := request{set: setA, id: 1, flags: set, out: full(1)}
	h.wantPass(p, verb, ks.StatusSuccess, "")
	merged.want(verb, ks.StatusNotFound, 0)
	all := request{flags: setSupport, out: full(32)}
	h.wantPass(p, all, ks.StatusSuccess, string(setA[:]))
	merged.want(all, ks.StatusSuccess, 32)
	one := request{set: setB, flags: setSupport}
	h.wantPass(p, one, ks.StatusSuccess, "")
	blob := request{set: setB, flags: serializeSet, out: full(20)}
	h.wantPass(p, blob, ks.StatusSuccess, string(setB[:])+"\x00\x00\x00\x00")
}

// A double pass has the nodes of its first table, or else of its second: as the tables would have when they are merged, which is what it
// is compared with. Neither table answers for a node.
func TestAT11_DoublePass(t *testing.T) {
	table := func(who byte, nodes *engine.NodeList) engine.Config {
		return engine.Config{Nodes: nodes,
			PropertySets: []engine.PropertySet{propertySet(setA, engine.PropertyItem{ID: 1, Get: says(who)}),
				propertySet(ks.GUID{15: who}, engine.PropertyItem{ID: 1, Get: says(who)})},
			MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: says(who), Flags: ks.MethodTypeWrite}}}},
			EventSets:  []engine.EventSet{{Set: ks.GUID{15: who}, Items: []engine.EventItem{{ID: 1}}}},
		}
	}
	nodes := func(who ...byte) *engine.NodeList {
		l := engine.NewNodeList()
		for _, w := range who {
			d, err := engine.Compile(table(w, nil))
			if err != nil {
				t.Fatal(err)
			}
			l.Add(d)
		}
		l.Add(nil)
		return l
	}
	events := 0
	for what, c := range map[string]struct {
		first, second *engine.NodeList
		want          string // by NodeId; ' ' for a node without sets
	}{
		"of neither":    {nil, nil, ""},
		"of the first":  {nodes('a', 'b'), nil, "ab "},
		"of the second": {nil, nodes('x'), "x "},
		"of both":       {nodes('a'), nodes('x', 'y'), "a "},
	} {
		one, two := table('1', c.first), table('2', c.second)
		h, p := passes(t, one, two)
		merged := newHost(t, merge(t, one, two))
		same := func(q request, status, other ks.Status, out, otherOut []byte) {
			t.Helper()
			if status != other || !bytes.Equal(out, otherOut) {
				t.Errorf("nodes %s, %v: two passes %v, %q; merged %v, %q", what, q, status, out, other, otherOut)
			}
		}
		for id := range uint32(5) {
			for _, set := range []ks.GUID{setA, {15: '1'}, {15: '2'}, {15: 'a'}, {15: 'x'}, stranger} {
				q := request{set: set, id: 1, flags: get | topology, extra: node(id), out: full(1)}
				irp, other := h.irp(q), merged.irp(q)
				status, otherStatus := p.Property(irp, nil), merged.Property(other)
				n, m := irp.Finish(status, irp.UserBuffer), other.Finish(otherStatus, other.UserBuffer)
				same(q, status, otherStatus, irp.UserBuffer[:n], other.UserBuffer[:m])
				if set == setA && c.want != "" {
					want, who := ks.StatusInvalidParameter, ""
					if id < uint32(len(c.want)) {
						want, who = ks.StatusSuccess, c.want[id:id+1]
					}
					if who == " " {
						want, who = ks.StatusPropsetNotFound, ""
					}
					if status != want || string(irp.UserBuffer[:n]) != who {
						t.Errorf("nodes %s, node %d: %v, %q; want %v, %q", what, id, status, irp.UserBuffer[:n], want, who)
					}
				}

				q.flags = send | topology
				irp, other = h.irp(q), merged.irp(q)
				status, otherStatus = p.Method(irp, nil), merged.Method(other)
				n, m = irp.Finish(status, irp.UserBuffer), other.Finish(otherStatus, other.UserBuffer)
				same(q, status, otherStatus, irp.UserBuffer[:n], other.UserBuffer[:m])

				q.flags = ks.EventTypeBasicSupport | topology
				irp, other = h.irp(q), merged.irp(q)
				status, otherStatus = p.EnableEvent(irp, nil, nil), merged.EnableEvent(other, nil)
				n, m = irp.Finish(status, irp.UserBuffer), other.Finish(otherStatus, other.UserBuffer)
				same(q, status, otherStatus, irp.UserBuffer[:n], other.UserBuffer[:m])
				if status == ks.StatusSuccess {
					events++
				}
			}
		}
	}
	if events == 0 {
		t.Error("no node has an event")
	}
}
