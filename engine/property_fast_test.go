package engine_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The rules of the fast path: F-1 to F-7, and S-20.

// fastAnswers returns a fast handler that sets *io and handles the request.
func fastAnswers(status ks.Status, information uint64) engine.FastHandler {
	return func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool {
		*io = engine.IoStatus{Status: status, Information: information}
		return true
	}
}

// fastHost declares item 1 of setA with handlers for both paths.
func fastHost(t *testing.T, fast engine.FastPropertyItem, item engine.PropertyItem) *host {
	fast.ID, item.ID = 1, 1
	return newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{item},
		FastIO: []engine.FastPropertyItem{fast}}}})
}

var stale = engine.IoStatus{Status: untouchedStatus, Information: staleInformation}

// fast sends q on the fast path and checks that a request that is not handled leaves everything as it was.
func (h *host) fast(q request) (handled bool, io engine.IoStatus, out []byte) {
	h.Helper()
	io = stale
	in, out := q.bytes(), slices.Clone(q.out)
	handled = h.FastProperty(&h.file, q.mode, in, out, &io)
	if !bytes.Equal(in, q.bytes()) {
		h.Errorf("%v: the input was written", q)
	}
	if !handled && io != stale {
		h.Errorf("%v: not handled, but IoStatus is %v", q, io)
	}
	if handled && io.Status.IsError() && io.Information != 0 {
		h.Errorf("%v: %v", q, io)
	}
	return handled, io, out
}

func TestF1_TrueIsFinal(t *testing.T) {
	answer := true
	h := fastHost(t, engine.FastPropertyItem{Get: func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
		io.Information = 1 // on FALSE nobody sees it
		return answer
	}}, engine.PropertyItem{Get: produces(9)})
	q := request{set: setA, id: 1, flags: get, out: full(1)}
	if handled, io, _ := h.fast(q); !handled || io != (engine.IoStatus{Information: 1}) {
		t.Errorf("%v, %v", handled, io)
	}
	answer = false
	if handled, _, _ := h.fast(q); handled {
		t.Error("handled")
	}
	if a := h.want(q, ks.StatusSuccess, 1); a.out[0] != 9 { // then an IRP finds the answer
		t.Errorf("% x", a.out)
	}
}

func TestF2_OnlyWhatFastIOLists(t *testing.T) {
	items := []engine.PropertyItem{{ID: 1, Get: produces(1)}, {ID: 2, Get: produces(2)}}
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{
		{Set: setA, Items: items, FastIO: []engine.FastPropertyItem{{ID: 2, Get: fastAnswers(0, 1)}, {ID: 3, Get: fastAnswers(0, 1)}}},
		{Set: setB, Items: items}}})
	for _, c := range []struct {
		set  ks.GUID
		id   uint32
		fast bool
		irp  ks.Status
	}{
		{setA, 1, false, 0},
		{setA, 2, true, 0},
		{setA, 3, true, ks.StatusNotFound},
		{setA, 4, false, ks.StatusNotFound},
		{setB, 2, false, 0},
		{stranger, 2, false, ks.StatusPropsetNotFound},
	} {
		q := request{set: c.set, id: c.id, flags: get, out: full(1)}
		if handled, _, _ := h.fast(q); handled != c.fast {
			t.Errorf("%v: handled %v", q, handled)
		}
		// The IRP handler ignores the FastIO table, also where it alone lists the id.
		if a := h.via(viaProperty, q); a.status != c.irp {
			t.Errorf("%v: %v", q, a.status)
		}
	}
}

func TestF3_AnyAlignment(t *testing.T) {
	h := fastHost(t, engine.FastPropertyItem{Get: func(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		io.Information = uint64(copy(data, request[24:]))
		return true
	}}, engine.PropertyItem{})
	raw := request{set: setA, id: 1, flags: get, extra: []byte("instance")}.bytes()
	for shift := range 9 {
		in := append(make([]byte, shift), raw...)[shift:]
		out := make([]byte, shift+8)[shift:]
		var io engine.IoStatus
		if !h.FastProperty(&h.file, engine.UserMode, in, out, &io) || string(out) != "instance" || io.Information != 8 {
			t.Errorf("shifted by %d: %v, %q", shift, io, out)
		}
	}
}

func TestF4_NotHandled(t *testing.T) {
	never := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		t.Error("the handler was called")
		return true
	}
	h := fastHost(t, engine.FastPropertyItem{Get: never, Set: never},
		engine.PropertyItem{Get: accepts, Set: accepts, MinProperty: 30, MinData: 4})
	plain := request{set: setA, id: 1, flags: get, extra: make([]byte, 8), out: full(4)}
	var cases []request
	for n := range 30 {
		q := plain
		q.raw = plain.bytes()[:n]
		cases = append(cases, q)
	}
	for n := range 4 {
		q := plain
		q.out = full(n)
		cases = append(cases, q)
		q.flags = set
		cases = append(cases, q)
	}
	for bit := range 32 {
		for _, verb := range []uint32{0, get, set} {
			q := plain
			if q.flags = verb | 1<<bit; q.flags != get && q.flags != set {
				cases = append(cases, q)
			}
		}
	}
	for _, id := range []uint32{0, 2, 0xFFFFFFFF} {
		q := plain
		q.id = id
		cases = append(cases, q)
	}
	for _, guid := range []ks.GUID{{}, setB, stranger} {
		q := plain
		q.set = guid
		cases = append(cases, q)
	}
	for _, q := range cases {
		if handled, _, _ := h.fast(q); handled {
			t.Errorf("%v: handled", q)
		}
	}
	// No handler for the verb.
	for verb, item := range map[uint32]engine.FastPropertyItem{get: {Set: never}, set: {Get: never}} {
		h := fastHost(t, item, engine.PropertyItem{Get: accepts, Set: accepts})
		if handled, _, _ := h.fast(request{set: setA, id: 1, flags: verb}); handled {
			t.Errorf("%s: handled", ks.FormatPropertyFlags(verb))
		}
	}
}

func TestF5_RequestIsCaptured(t *testing.T) {
	var in []byte
	var seenRequest, seenData []byte
	h := fastHost(t, engine.FastPropertyItem{Get: func(file *engine.FileObject, mode engine.Mode, request, data []byte,
		io *engine.IoStatus) bool {
		for i := range in {
			in[i] = 0xFF // the caller changes its memory
		}
		seenRequest, seenData = slices.Clone(request), data
		if cap(request) != len(request) || mode != engine.KernelMode || file.Context != "mine" {
			t.Errorf("%d of %d bytes of request, mode %v, file %v", len(request), cap(request), mode, file.Context)
		}
		return true
	}}, engine.PropertyItem{})
	h.file.Context = "mine"
	for _, n := range []int{24, 25, 32, 33, 39, 40, 41, 56, 57, 63, 64, 65, 500, 64, 40, 32, 24, 499, 501} {
		in = request{set: setA, id: 1, flags: get, extra: full(n - 24)}.bytes()
		for i := range in[24:] {
			in[24+i] = byte(n + 7*i)
		}
		want, data, io := slices.Clone(in), full(3), engine.IoStatus{}
		if !h.FastProperty(&h.file, engine.KernelMode, in, data, &io) || !bytes.Equal(seenRequest, want) || &seenData[0] != &data[0] {
			t.Errorf("request of %d bytes: the handler sees % x", n, seenRequest)
		}
	}
}

func TestF6_Results(t *testing.T) {
	for _, c := range []struct {
		status  ks.Status
		info    uint64
		handled bool
		want    engine.IoStatus
	}{
		{0, 0, true, engine.IoStatus{}},
		{0, 8, true, engine.IoStatus{Information: 8}},
		{0, 9, true, engine.IoStatus{Status: ks.StatusBufferTooSmall}}, // P-20
		{ks.StatusBufferOverflow, 1 << 40, true, engine.IoStatus{Status: ks.StatusBufferTooSmall}},
		{ks.StatusNoMoreEntries, 3, true, engine.IoStatus{Status: ks.StatusNoMoreEntries, Information: 3}},
		{ks.StatusUnsuccessful, 3, true, engine.IoStatus{Status: ks.StatusUnsuccessful}},
		{ks.StatusSomeNotMapped, 3, true, engine.IoStatus{Status: ks.StatusNotFound}},
		{ks.StatusPending, 3, false, stale},
	} {
		h := fastHost(t, engine.FastPropertyItem{Get: fastAnswers(c.status, c.info), Set: fastAnswers(c.status, c.info)}, engine.PropertyItem{})
		if handled, io, _ := h.fast(request{set: setA, id: 1, flags: get, out: full(8)}); handled != c.handled || io != c.want {
			t.Errorf("%v, %d: %v, %v; want %v, %v", c.status, c.info, handled, io, c.handled, c.want)
		}
		// P-20 is not for in-verbs, nor for an empty buffer: then the handler answers sizes itself.
		if c.want.Status == ks.StatusBufferTooSmall {
			for _, q := range []request{{flags: set, out: full(8)}, {flags: get}} {
				q.set, q.id = setA, 1
				if handled, io, _ := h.fast(q); !handled || io != (engine.IoStatus{Status: c.status, Information: c.info}) {
					t.Errorf("%v: %v, %v", q, handled, io)
				}
			}
		}
	}
}

func TestF6_Panics(t *testing.T) {
	for value, want := range map[any]ks.Status{"fault": ks.StatusAccessViolation, ks.StatusUnsuccessful: ks.StatusUnsuccessful,
		errors.ErrUnsupported: ks.StatusAccessViolation, ks.StatusPending: ks.StatusAccessViolation} {
		var told []any
		h := &host{TB: t}
		h.recompile(engine.Config{OnPanic: func(value any, stack []byte) { told = append(told, value) },
			PropertySets: []engine.PropertySet{{Set: setA, FastIO: []engine.FastPropertyItem{{ID: 1,
				Get: func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool {
					io.Information = 2
					panic(value)
				}}}}}})
		for range 2 {
			if handled, io, _ := h.fast(request{set: setA, id: 1, flags: get, out: full(8)}); !handled || io != (engine.IoStatus{Status: want}) {
				t.Errorf("panic(%v): %v, %v; want %v", value, handled, io, want)
			}
		}
		if len(told) != 2 || told[0] != value {
			t.Errorf("OnPanic was told %v", told)
		}
	}
}

// No DriverContext, no allocator, no SystemBuffer: a fast handler has the file object alone, and an IRP that is in flight
// on the same handle does not notice.
func TestF7_NoIRP(t *testing.T) {
	h := fastHost(t, engine.FastPropertyItem{Get: fastAnswers(0, 1)}, engine.PropertyItem{Get: answers(ks.StatusPending, 0)})
	q := request{set: setA, id: 1, flags: get, out: full(4)}
	irp := pended(h, q, true)
	buffer, allocs := irp.SystemBuffer, len(h.allocs)
	if handled, _, _ := h.fast(q); !handled || len(h.allocs) != allocs ||
		h.pool.Stats().Allocs != 1 /* newPool's poisoning */ || &irp.SystemBuffer[0] != &buffer[0] {
		t.Errorf("handled %v, %d allocations, %d pool buffers", handled, len(h.allocs)-allocs, h.pool.Stats().Allocs)
	}
}

// TestS20_FastPathParity sends random requests on both paths to items with the same behaviour: where the fast path
// answers, the IRP answers the same.
func TestS20_FastPathParity(t *testing.T) {
	r := testkit.Rand(t)
	handled := 0
	for range 300 {
		status, info := statuses[r.IntN(len(statuses))], uint64(r.IntN(12))
		minData, minProperty := uint32(r.IntN(10)), uint32(r.IntN(40))
		item := engine.PropertyItem{MinData: minData, MinProperty: minProperty, Get: answers(status, info), Set: answers(status, info)}
		h := fastHost(t, engine.FastPropertyItem{Get: fastAnswers(status, info), Set: fastAnswers(status, info)}, item)
		for range 100 {
			q := request{set: []ks.GUID{setA, setA, setA, setB, {}}[r.IntN(5)], id: uint32(r.IntN(3)), extra: make([]byte, r.IntN(20)),
				out: make([]byte, r.IntN(14))}
			q.flags = []uint32{get, set, get, set, basicSupport, get | set, get | topology, 0, setSupport, 1 << r.IntN(32)}[r.IntN(10)]
			if r.IntN(8) == 0 {
				q.raw = q.bytes()[:r.IntN(25)]
			}
			ok, io, _ := h.fast(q)
			if !ok {
				continue
			}
			handled++
			if a := h.via(viaProperty, q); a.status != io.Status || a.info != io.Information {
				t.Fatalf("%v: fast %v, IRP %v Information %d", q, io, a.status, a.info)
			}
		}
	}
	if handled < 500 {
		t.Errorf("only %d requests were handled", handled)
	}
}

// Three functions have the lines of a fast request: for items that are found by a table.Direct, for others and requests of other lengths,
// and for a reference. Each keeps every rule.
func TestF4_F6_F7_S15_EveryShape(t *testing.T) {
	var handler engine.FastHandler
	run := func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		if *io != (engine.IoStatus{}) { // F-7
			t.Errorf("the handler begins with %v", *io)
		}
		return handler(file, mode, request, data, io)
	}
	compile := func(more ...engine.PropertySet) *engine.Dispatcher {
		d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) {}, PropertySets: append(more, engine.PropertySet{Set: setA,
			Items:  []engine.PropertyItem{{ID: 1, Get: accepts, Set: accepts, MinData: 4}},
			FastIO: []engine.FastPropertyItem{{ID: 1, Get: run, Set: run}}})})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	direct := compile()
	ref, ok := direct.Resolve(setA, 1)
	if !ok {
		t.Fatal("not resolved")
	}
	many := engine.PropertySet{Set: setB}
	for id := range uint32(2000) {
		many.Items = append(many.Items, engine.PropertyItem{ID: id})
	}
	table := compile(many)
	for name, send := range map[string]func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool{
		"direct": direct.FastProperty, "table": table.FastProperty, "reference": ref.FastProperty} {
		for _, extra := range []int{0, 8, 16, 20} {
			var file engine.FileObject
			exchange := func(flags uint32, n, room int, h engine.FastHandler) (handled bool, io engine.IoStatus) {
				handler, io = h, stale
				handled = send(&file, engine.UserMode, request{set: setA, id: 1, flags: flags, extra: make([]byte, extra)}.bytes()[:n],
					make([]byte, room), &io)
				return handled, io
			}
			never := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
				t.Errorf("%s, %d more: the handler was called", name, extra)
				return true
			}
			declines := func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool {
				io.Information = 8
				return false
			}
			panics := func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool {
				io.Information = 8
				panic(ks.StatusUnsuccessful)
			}
			again := func(f *engine.FileObject, m engine.Mode, q, d []byte, io *engine.IoStatus) bool {
				inner := stale
				if !send(f, m, slices.Clone(q), d, &inner) || inner != (engine.IoStatus{Status: ks.StatusDeviceBusy}) {
					t.Errorf("%s, %d more: a request within another: %v", name, extra, inner)
				}
				io.Information = 8
				return true
			}
			whole, noMore := 24+extra, engine.IoStatus{Status: ks.StatusNoMoreEntries, Information: 8}
			for _, c := range []struct {
				what    string
				flags   uint32
				n, room int
				handler engine.FastHandler
				handled bool
				want    engine.IoStatus
			}{
				{"no identifier", get, 23, 8, never, false, stale},
				{"too little data", get, whole, 3, never, false, stale},
				{"a node", get | topology, whole, 8, never, false, stale},
				{"no verb", 0, whole, 8, never, false, stale},
				{"a success", get, whole, 8, fastAnswers(0, 8), true, engine.IoStatus{Information: 8}},
				{"too much", get, whole, 8, fastAnswers(0, 9), true, engine.IoStatus{Status: ks.StatusBufferTooSmall}},
				{"much of a SET", set, whole, 8, fastAnswers(0, 9), true, engine.IoStatus{Information: 9}},
				{"a warning", get, whole, 8, fastAnswers(ks.StatusNoMoreEntries, 8), true, noMore},
				{"an error", get, whole, 8, fastAnswers(ks.StatusUnsuccessful, 8), true, engine.IoStatus{Status: ks.StatusUnsuccessful}},
				{"pending", get, whole, 8, fastAnswers(ks.StatusPending, 8), false, stale},
				{"declined", get, whole, 8, declines, false, stale},
				{"a panic", get, whole, 8, panics, true, engine.IoStatus{Status: ks.StatusUnsuccessful}},
				{"a request within one", get, whole, 8, again, true, engine.IoStatus{Information: 8}},
			} {
				if handled, io := exchange(c.flags, c.n, c.room, c.handler); handled != c.handled || io != c.want {
					t.Errorf("%s, %d more: %s: %v, %v; want %v, %v", name, extra, c.what, handled, io, c.handled, c.want)
				}
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				exchange(get, whole, 8, func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
					runtime.Goexit()
					return true
				})
			}()
			<-done
			if handled, io := exchange(get, whole, 8, fastAnswers(0, 8)); !handled || io != (engine.IoStatus{Information: 8}) {
				t.Errorf("%s, %d more: after the end of a goroutine: %v, %v", name, extra, handled, io)
			}
		}
	}
}

// TestF6_AnEarlierStatusIsGone: a handler that sets nothing but Information has succeeded, however the request before it on the file
// ended, and finds Information at 0.
func TestF6_AnEarlierStatusIsGone(t *testing.T) {
	var before func(io *engine.IoStatus) bool
	h := fastHost(t, engine.FastPropertyItem{
		Get: func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool {
			if *io != (engine.IoStatus{}) {
				t.Errorf("a handler finds %v", *io)
			}
			io.Information = 1
			return true
		},
		Set: func(_ *engine.FileObject, _ engine.Mode, _, _ []byte, io *engine.IoStatus) bool { return before(io) },
	}, engine.PropertyItem{})
	for name, f := range map[string]func(io *engine.IoStatus) bool{
		"an error":   func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusNotFound, 5; return true },
		"a warning":  func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusBufferOverflow, 5; return true },
		"pending":    func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusPending, 5; return true },
		"declined":   func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusNotFound, 5; return false },
		"a panic":    func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusNotFound, 5; panic("planted") },
		"no status":  func(io *engine.IoStatus) bool { io.Information = 1; return true },
		"too much":   func(io *engine.IoStatus) bool { io.Information = 99; return true },
		"not mapped": func(io *engine.IoStatus) bool { io.Status, io.Information = ks.StatusSomeNotMapped, 5; return true },
	} {
		before = f
		for _, rest := range []int{0, 3} { // the short path and the long
			h.fast(request{set: setA, id: 1, flags: set, out: full(1), extra: make([]byte, rest)})
			q := request{set: setA, id: 1, flags: get, out: full(1), extra: make([]byte, rest)}
			if handled, io, _ := h.fast(q); !handled || io != (engine.IoStatus{Information: 1}) {
				t.Errorf("after %s: %v, %v", name, handled, io)
			}
		}
	}
}
