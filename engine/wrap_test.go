package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// everything is a config with a handler of each kind, which notes its name in *calls.
func everything(calls *[]string) engine.Config {
	note := func(name string) engine.Handler {
		return func(irp *engine.IRP, _, _ []byte) ks.Status {
			*calls = append(*calls, name)
			return ks.StatusSuccess
		}
	}
	return engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: note("get"), Set: note("set"), Support: note("support"), Context: "volume"},
			{ID: 2, Get: note("get 2"), MinProperty: 32, MinData: 4}},
			FastIO: []engine.FastPropertyItem{{ID: 1, Set: fastAnswers(0, 0)}, {ID: 7, Get: fastAnswers(0, 0)}}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: note("method"), Support: note("method support"),
			Flags: ks.MethodTypeRead, MinData: 3}}}},
		EventSets: []engine.EventSet{{Set: setB, Items: []engine.EventItem{
			{ID: 1, Add: func(irp *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
				*calls = append(*calls, "add")
				return irp.FileObject.Events.Add(e)
			}, Support: note("event support")},
			{ID: 2, DataInput: 40}}}},
	}
}

// bench is a dispatcher behind an IRP that IoControl waits on, with a list of events.
func bench(t *testing.T, config engine.Config) func(code uint32, q request) ks.Status {
	t.Helper()
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := engine.NewEventList(engine.EventListConfig{})
	if err != nil {
		t.Fatal(err)
	}
	irp := &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1), FileObject: &engine.FileObject{Events: list}}
	return func(code uint32, q request) ks.Status {
		_, status := d.IoControl(irp, code, q.bytes(), q.out)
		if n := pool.Stats().Live; n != 0 {
			t.Errorf("%v leaves %d buffers", q, n)
		}
		return status
	}
}

func TestWrap(t *testing.T) {
	var calls []string
	config := everything(&calls)
	plain := config
	name := func(s string) func(engine.Handler) engine.Handler {
		return func(next engine.Handler) engine.Handler {
			return func(irp *engine.IRP, request, data []byte) ks.Status {
				calls = append(calls, fmt.Sprintf("%s %d/%d", s, len(request), len(data)))
				status := next(irp, request, data)
				calls = append(calls, s+" after")
				return status
			}
		}
	}
	config.Wrap(name("outer"))
	config.Wrap()
	if plain.PropertySets[0].Items[0].Get == nil || config.PropertySets[0].Items[1].Set != nil {
		t.Error("Wrap made a handler, or took one")
	}
	wrappedTwice := everything(&calls)
	wrappedTwice.Wrap(name("outer"), name("inner"))
	for _, c := range []struct {
		code  uint32
		q     request
		inner string // what the handler notes; "" for the default of an event
		sizes string
		want  ks.Status
	}{
		{ks.IoctlProperty, request{set: setA, id: 1, flags: get, out: full(4)}, "get", "24/4", 0},
		{ks.IoctlProperty, request{set: setA, id: 1, flags: set, out: full(4)}, "set", "24/4", 0},
		{ks.IoctlProperty, request{set: setA, id: 1, flags: get | highPriority, out: full(4)}, "get", "24/4", 0},
		{ks.IoctlProperty, request{set: setA, id: 1, flags: basicSupport, out: full(40)}, "support", "24/40", 0},
		{ks.IoctlMethod, request{set: setA, id: 1, flags: ks.MethodTypeSend, out: full(4)}, "method", "24/4", 0},
		{ks.IoctlMethod, request{set: setA, id: 1, flags: ks.MethodTypeBasicSupport, out: full(4)}, "method support", "24/4", 0},
		{ks.IoctlEnableEvent, request{set: setB, id: 1, flags: ks.EventTypeBasicSupport}, "event support", "24/0", 0},
	} {
		for _, wrapped := range []struct {
			config engine.Config
			want   []string
		}{
			{plain, []string{c.inner}},
			{config, []string{"outer " + c.sizes, c.inner, "outer after"}},
			{wrappedTwice, []string{"outer " + c.sizes, "inner " + c.sizes, c.inner, "inner after", "outer after"}},
		} {
			calls = nil
			if status := bench(t, wrapped.config)(c.code, c.q); status != c.want || !slices.Equal(calls, wrapped.want) {
				t.Errorf("%v: %v, %q; want %q", c.q, status, calls, wrapped.want)
			}
		}
	}
}

// TestWrapEvents: events with an Add handler and without are enabled through middleware, which may fail afterwards.
func TestWrapEvents(t *testing.T) {
	for id := range uint32(2) {
		var after ks.Status
		calls := 0
		middleware := func(next engine.Handler) engine.Handler {
			return func(irp *engine.IRP, request, data []byte) ks.Status {
				if calls++; len(request) != 24 || len(data) != ks.SizeEventData || irp.EventEntry() == nil {
					t.Errorf("%d bytes of request, %d of data, %v", len(request), len(data), irp.EventEntry())
				}
				status := next(irp, request, data)
				if after != ks.StatusSuccess {
					return after
				}
				return status
			}
		}
		var h *eventHost
		config := engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{
			{ID: 0, Add: func(irp *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status { return h.list.Add(e) }}, {ID: 1}}}}}
		config.Wrap(middleware)
		h = newEventHostWith(t, config, engine.EventListConfig{})
		e, data := h.event()
		h.send(h.irp(id, enable, 1, data), h.list, ks.StatusSuccess, 0)
		h.generate(id, ks.StatusSuccess)
		h.signalled(e, true)
		h.disable(1, ks.StatusSuccess)
		h.references(e, 1)
		after = ks.StatusNotSupported
		h.send(h.irp(id, enable, 1, data), h.list, after, 0)
		h.count(0)
		h.references(e, 1)
		if id == 1 { // E-12 stays
			h.send(h.irp(id, enable, 1, data), nil, ks.StatusInvalidParameter, 0)
		}
		if calls != 2 {
			t.Errorf("%d calls of the middleware", calls)
		}
		h.balanced()
	}
}

// TestWrapEach: middleware is told what each handler is for, and one for which it returns nothing stays.
func TestWrapEach(t *testing.T) {
	var calls, told []string
	config := everything(&calls)
	config.WrapEach(func(of engine.HandlerOf, next engine.Handler) engine.Handler {
		family := map[uint32]string{ks.IoctlProperty: "property", ks.IoctlMethod: "method", ks.IoctlEnableEvent: "event"}[of.Code]
		set := map[ks.GUID]string{setA: "A", setB: "B"}[of.Set]
		told = append(told, fmt.Sprintf("%s %s %d %s", family, set, of.ID, of.Verb))
		if of.Verb != "get" {
			return nil
		}
		return func(irp *engine.IRP, request, data []byte) ks.Status {
			calls = append(calls, "before")
			return next(irp, request, data)
		}
	})
	slices.Sort(told)
	if want := []string{"event B 1 enable", "event B 1 support", "event B 2 enable", "method A 1 method", "method A 1 support",
		"property A 1 get", "property A 1 set", "property A 1 support", "property A 2 get"}; !slices.Equal(told, want) {
		t.Errorf("told of %q; want %q", told, want)
	}
	send := bench(t, config)
	for flags, want := range map[uint32][]string{get: {"before", "get"}, set: {"set"}} {
		calls = nil
		if status := send(ks.IoctlProperty, request{set: setA, id: 1, flags: flags, out: full(4)}); status != 0 || !slices.Equal(calls, want) {
			t.Errorf("flags %d: %v, %q; want %q", flags, status, calls, want)
		}
	}
}

func TestItems(t *testing.T) {
	var calls []string
	config := everything(&calls)
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.ItemInfo{
		{Code: ks.IoctlProperty, Set: setA, ID: 1, Flags: get | set, Fast: set, MinRequest: 24, Support: true, Context: "volume"},
		{Code: ks.IoctlProperty, Set: setA, ID: 2, Flags: get, MinRequest: 32, MinData: 4},
		{Code: ks.IoctlMethod, Set: setA, ID: 1, Flags: ks.MethodTypeRead, MinRequest: 24, MinData: 3, Support: true},
		{Code: ks.IoctlEnableEvent, Set: setB, ID: 1, MinRequest: 24, MinData: 32, Support: true},
		{Code: ks.IoctlEnableEvent, Set: setB, ID: 2, MinRequest: 24, MinData: 40},
	}
	if got := slices.Collect(d.Items()); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	for n := range want {
		i := 0
		for range d.Items() {
			if i++; i > n {
				break
			}
		}
	}
}

// TestOnRefuse: what the dispatcher refuses is told with the rule, on each way that a request takes; what handlers answer, and size
// answers, are not.
func TestOnRefuse(t *testing.T) {
	var calls []string
	var told []engine.Refusal
	config := everything(&calls)
	config.PropertySets[0].Items = append(config.PropertySets[0].Items, engine.PropertyItem{ID: 3, Get: answers(ks.StatusNotFound, 0),
		Set: thrower("planted"), SerializedSize: 4})
	config.OnPanic = func(any, []byte) {}
	config.OnRefuse = func(r engine.Refusal) { told = append(told, r) }
	send := bench(t, config)
	for _, c := range []struct {
		code   uint32
		q      request
		status ks.Status
		rule   string // "-": nobody is told
	}{
		{ks.IoctlProperty, request{set: stranger, id: 5, flags: get, out: full(4)}, ks.StatusPropsetNotFound, "P-24"},
		{ks.IoctlProperty, request{set: setA, id: 5, flags: get, out: full(4)}, ks.StatusNotFound, "P-24"},
		{ks.IoctlProperty, request{set: setA, id: 5, flags: get | highPriority, out: full(4)}, ks.StatusNotFound, "P-24"},
		{ks.IoctlProperty, request{set: setA, id: 2, flags: set, out: full(4)}, ks.StatusNotFound, "P-26"},
		{ks.IoctlProperty, request{set: setA, id: 2, flags: get, out: full(4)}, ks.StatusInvalidBufferSize, "P-27"},
		{ks.IoctlProperty, request{set: setA, id: 2, flags: get, extra: full(8), out: full(3)}, ks.StatusBufferTooSmall, "P-28"},
		{ks.IoctlProperty, request{set: setA, id: 2, flags: get, extra: full(8)}, ks.StatusBufferOverflow, "-"},
		{ks.IoctlProperty, request{set: setA, id: 1, flags: get | set}, ks.StatusInvalidParameter, "P-25"},
		{ks.IoctlProperty, request{raw: full(9)}, ks.StatusInvalidBufferSize, "P-4"},
		{ks.IoctlProperty, request{set: setA, id: 3, flags: get, out: full(4)}, ks.StatusNotFound, "-"},
		{ks.IoctlProperty, request{set: setA, id: 3, flags: get | highPriority, out: full(4)}, ks.StatusNotFound, "-"},
		{ks.IoctlProperty, request{set: setA, id: 3, flags: set, out: full(4)}, ks.StatusAccessViolation, "-"},
		{ks.IoctlMethod, request{set: setA, id: 9, flags: ks.MethodTypeSend}, ks.StatusNotFound, "M-1"},
		{ks.IoctlMethod, request{set: setA, id: 1, flags: ks.MethodTypeSend, out: full(2)}, ks.StatusBufferTooSmall, "M-7"},
		{ks.IoctlEnableEvent, request{set: setA, id: 1, flags: ks.EventTypeEnable, out: full(32)}, ks.StatusPropsetNotFound, "E-4"},
		{0x1234, request{set: setA}, ks.StatusInvalidDeviceRequest, "AS-28"},
	} {
		told = nil
		status := send(c.code, c.q)
		if status != c.status {
			t.Errorf("%#x, %v: %v, want %v", c.code, c.q, status, c.status)
		}
		if c.rule == "-" {
			if told != nil {
				t.Errorf("%#x, %v: told of %+v", c.code, c.q, told)
			}
			continue
		}
		want := engine.Refusal{Code: c.code, Set: c.q.set, ID: c.q.id, Flags: c.q.flags, In: len(c.q.bytes()), Out: len(c.q.out), Status: status,
			Rule: c.rule}
		if c.code == 0x1234 {
			want.Set = ks.GUID{} // nobody looks for an identifier
		}
		if len(told) == 1 && told[0].FileObject != nil {
			told[0].FileObject = nil
		}
		if !slices.Equal(told, []engine.Refusal{want}) {
			t.Errorf("told %+v, want %+v", told, want)
		}
	}
}
