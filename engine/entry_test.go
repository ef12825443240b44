package engine_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of entry, sizes and lookup: P-1 to P-5, P-23 to P-29.

// TestP1_AnErrorReturnsNothing: whoever finishes a request with an error, whatever its handler produced, copies nothing and returns 0.
func TestP1_AnErrorReturnsNothing(t *testing.T) {
	s := serveConfig(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1,
		Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, "data"))
			return ks.StatusSuccess
		}}}}}})
	for status, want := range map[ks.Status]string{ks.StatusSuccess: "data", ks.StatusUnsuccessful: "....", ks.StatusCancelled: "...."} {
		in, out := request{set: setA, id: 1, flags: get}.bytes(), []byte("....")
		irp := &engine.IRP{Type3InputBuffer: in, InputBufferLength: uint32(len(in)), UserBuffer: out, OutputBufferLength: 4}
		if got := s.d.Property(irp); got != ks.StatusSuccess {
			t.Fatal(got)
		}
		if n := irp.Finish(status, out); (n != 0) != (status == ks.StatusSuccess) || string(out) != want {
			t.Errorf("finished with %v: %d bytes, %q", status, n, out)
		}
	}
}

func TestP1_InformationIsOwned(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, MinProperty: 28, MinData: 4, Get: answers(ks.StatusSuccess, 3)})
	extra := make([]byte, 8)
	for name, q := range map[string]request{
		"P-4":  {raw: make([]byte, 23)},
		"P-24": {set: stranger, id: 1, flags: get},
		"P-25": {set: setA, id: 1, flags: get | set},
		"P-26": {set: setA, id: 1, flags: set, extra: extra, out: full(4)},
		"P-27": {set: setA, id: 1, flags: get, out: full(4)},
		"P-28": {set: setA, id: 1, flags: get, extra: extra, out: full(3)},
	} {
		for _, p := range paths {
			// The IRP comes with stale Information; via checks that IoStatus.Status stays as it was.
			if a := h.via(p, q); a.info != 0 || a.rule != name && p != viaDevice {
				t.Errorf("%s %v: Information %d, decided by %s; want 0, %s", p, q, a.info, a.rule, name)
			}
		}
	}
	h.want(request{set: setA, id: 1, flags: get, extra: extra, out: full(4)}, ks.StatusSuccess, 3) // the handler's own
	// A handler that sets nothing finds and leaves 0.
	h = oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		if irp.IoStatus.Information != 0 {
			t.Errorf("the handler finds Information %d", irp.IoStatus.Information)
		}
		return ks.StatusSuccess
	}})
	h.want(request{set: setA, id: 1, flags: get, out: full(4)}, ks.StatusSuccess, 0)
}

// A handler of PASSIVE_LEVEL may block, and may send requests of its own.
func TestP2_HandlersMayBlockAndSend(t *testing.T) {
	var inner *device.Handle
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		if q, _ := ks.DecodeIdentifier(request); q.Flags&highPriority != 0 {
			return produces(7)(irp, request, data)
		}
		type result struct {
			n      uint32
			status ks.Status
		}
		done := make(chan result)
		go func() {
			n, status := inner.IoControl(ks.IoctlProperty,
				join(setA[:], u32(1), u32(get|highPriority)), data)
			done <- result{n, status}
		}()
		r := <-done
		irp.IoStatus.Information = uint64(r.n)
		return r.status
	}})
	var err error
	dev := device.New(h.Dispatcher)
	if inner, err = dev.Open(); err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	if a := h.want(request{set: setA, id: 1, flags: get, out: full(1)}, ks.StatusSuccess, 1); a.out[0] != 7 {
		t.Errorf("output % x", a.out)
	}
}

func TestP3_PropertyItemSize(t *testing.T) {
	for _, size := range []uint32{1, 4, 8, 64, 71, 73, 76, math.MaxUint32} {
		_, err := engine.Compile(engine.Config{PropertyItemSize: size})
		var e *engine.CompileError
		if !errors.As(err, &e) || e.Status != ks.StatusInvalidParameter || !strings.Contains(err.Error(), "P-3") {
			t.Errorf("PropertyItemSize %d: %v; want a CompileError with %v", size, err, ks.StatusInvalidParameter)
		}
	}
	for _, size := range []uint32{0, 72, 80, 88, 4096} {
		h := &host{TB: t}
		var storage []byte
		h.recompile(engine.Config{PropertyItemSize: size, PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: h.wrap(func(irp *engine.IRP, _, _ []byte) ks.Status { storage = irp.ItemStorage(); return 0 })}}}}})
		h.want(request{set: setA, id: 1, flags: get}, ks.StatusSuccess, 0)
		if want := int(max(size, engine.SizePropertyItem)) - engine.SizePropertyItem; len(storage) != want {
			t.Errorf("PropertyItemSize %d: %d bytes of storage, want %d", size, len(storage), want)
		}
	}
}

func TestP4_ShortInput(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts})
	plain := request{set: setA, id: 1, flags: get}.bytes()
	for n := range ks.SizeIdentifier {
		h.want(request{raw: plain[:n]}, ks.StatusInvalidBufferSize, 0)
	}
	h.want(request{raw: plain}, ks.StatusSuccess, 0)
	// With TOPOLOGY 32 bytes are needed, whatever the verb, and before the verb is looked at.
	for _, flags := range []uint32{get | topology, topology, get | set | topology, basicSupport | topology, 0x80 | topology} {
		node := request{set: setA, id: 1, flags: flags, extra: node(0)}.bytes()
		for n := ks.SizeIdentifier; n < ks.SizeNode; n++ {
			h.want(request{raw: node[:n]}, ks.StatusInvalidBufferSize, 0)
		}
	}
	h.want(request{set: setA, id: 1, flags: get | topology, extra: node(0)}, ks.StatusSuccess, 0)
	// Fewer than 24 bytes: not even the identifier is read.
	irp, m := h.inMemory(request{raw: plain[:23]})
	if status := h.Property(irp); status != ks.StatusInvalidBufferSize || m.inReads[0] != 0 {
		t.Errorf("%v after %d reads", status, m.inReads[0])
	}
}

func TestP5_SizesAtTheWrap(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts})
	in := request{set: stranger, id: 1, flags: get}.bytes()
	for _, c := range []struct {
		in, out uint32
		fits    bool
	}{
		{24, 0, true},
		{24, 0xFFFFFFE0, true},
		{31, 0xFFFFFFE0, true},
		{32, 0xFFFFFFE0, false},
		{24, 0xFFFFFFE1, false},
		{24, 0xFFFFFFF0, false},
		{24, 0xFFFFFFF8, false},
		{math.MaxUint32, 0, true},
		{math.MaxUint32, 1, false},
		{math.MaxUint32 - 8, 8, true},
		{math.MaxUint32 - 7, 8, false},
		{0x80000000, 0x80000000, false},
		{0x7FFFFFFF, 0x80000000, true},
		{0x80000000, 0x7FFFFFF9, false},
	} {
		// Past P-5 the unknown set ends the request, so that nothing of these sizes is obtained.
		want := ks.StatusInvalidBufferSize
		if c.fits {
			want = ks.StatusPropsetNotFound
		}
		irp := &engine.IRP{Type3InputBuffer: in, InputBufferLength: c.in, OutputBufferLength: c.out, Pool: h.pool}
		if status := h.Property(irp); status != want || irp.IoStatus.Information != 0 || irp.SystemBuffer != nil {
			t.Errorf("In %#x Out %#x: %v, Information %d; want %v, 0", c.in, c.out, status, irp.IoStatus.Information, want)
		}
	}
}

func TestP23_OrderOfChecks(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusSuccess, 0), MinProperty: 40, MinData: 8})
	null := ks.GUID{}
	for _, c := range []struct {
		rule   string
		q      request
		status ks.Status
		info   uint64
	}{
		{"P-4", request{raw: request{flags: topology | get | set}.bytes()}, ks.StatusInvalidBufferSize, 0},
		{"P-25", request{set: stranger, flags: get | set}, ks.StatusInvalidParameter, 0},
		{"P-25", request{set: null, flags: 0}, ks.StatusInvalidParameter, 0},
		{"P-24", request{set: null, flags: get}, ks.StatusPropsetNotFound, 0},
		{"P-24", request{set: null, flags: serializeSet}, ks.StatusPropsetNotFound, 0},
		{"P-24", request{set: stranger, flags: unserializeSet}, ks.StatusPropsetNotFound, 0}, // before Out < 20
		{"P-24", request{set: setA, id: 9, flags: set}, ks.StatusNotFound, 0},
		{"P-26", request{set: setA, id: 1, flags: set}, ks.StatusNotFound, 0},           // before MinProperty
		{"P-38", request{set: setA, id: 1, flags: serializeRaw}, ks.StatusNotFound, 0},  // no buffer
		{"P-36", request{set: setA, id: 1, flags: defaultValues}, ks.StatusNotFound, 0}, // before its ladder
		{"P-27", request{set: setA, id: 1, flags: get}, ks.StatusInvalidBufferSize, 0},  // before MinData
		{"P-28", request{set: setA, id: 1, flags: get, extra: make([]byte, 16)}, ks.StatusBufferOverflow, 8},
		{"P-28", request{set: setA, id: 1, flags: get, extra: make([]byte, 16), out: full(7)}, ks.StatusBufferTooSmall, 0},
	} {
		for _, p := range paths {
			a := h.via(p, c.q)
			if a.status != c.status || a.info != c.info || a.flags != 0 || a.buffers != 0 {
				t.Errorf("%s %v: %v, Information %d, Flags %#x, %d buffers; want %v, %d, 0, 0", p, c.q, a.status, a.info, a.flags,
					a.buffers, c.status, c.info)
			}
			if p != viaDevice && a.rule != c.rule {
				t.Errorf("%s %v: decided by %s, want %s", p, c.q, a.rule, c.rule)
			}
		}
	}
	if len(h.calls) != 0 {
		t.Errorf("%d handler calls", len(h.calls))
	}
}

// Whatever gets past the checks has exactly one buffer, even where nothing needs it.
func TestP23_OneBuffer(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), Set: accepts, Values: &engine.PropertyValues{}})
	for _, verb := range []uint32{get, set, setSupport, basicSupport, relations, defaultValues, serializeSize, unserializeSet} {
		for _, out := range []int{0, 3, 64} {
			for _, p := range []path{viaProperty, viaAllocator} {
				q := request{set: setA, id: 1, flags: verb, out: full(out)}
				if a := h.via(p, q); a.buffers != 1 {
					t.Errorf("%s %v: %d buffers, want 1", p, q, a.buffers)
				}
			}
		}
	}
}

func TestP24_UnknownSetAndItem(t *testing.T) {
	h := &host{TB: t}
	item := func(id uint32) []engine.PropertyItem {
		return []engine.PropertyItem{{ID: id, Get: h.wrap(produces(byte(id)))}}
	}
	h.recompile(engine.Config{PropertySets: []engine.PropertySet{
		{Set: setA, Items: item(1)}, {Set: setB}, {Set: setA, Items: item(2)}}})
	for _, flags := range []uint32{get, set, basicSupport, relations, serializeSize, defaultValues, serializeRaw, unserializeRaw} {
		h.want(request{set: stranger, id: 1, flags: flags, out: full(4)}, ks.StatusPropsetNotFound, 0)
		h.want(request{set: setA, id: 3, flags: flags, out: full(4)}, ks.StatusNotFound, 0)
		h.want(request{set: setB, id: 1, flags: flags, out: full(4)}, ks.StatusNotFound, 0) // a set without items
	}
	// Both entries with the GUID of setA are searched.
	for id := range uint32(2) {
		a := h.want(request{set: setA, id: id + 1, flags: get, out: full(1)}, ks.StatusSuccess, 1)
		if a.out[0] != byte(id+1) {
			t.Errorf("item %d answers %d", id+1, a.out[0])
		}
	}
	// Set listing has the GUID once per entry.
	if a := h.want(request{flags: setSupport, out: full(48)}, ks.StatusSuccess, 48); string(a.out) != string(join(setA[:], setB[:], setA[:])) {
		t.Errorf("sets % x", a.out)
	}
	// Twice the same item is an error of the declaration.
	_, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: item(1)}, {Set: setA, Items: item(1)}}})
	if err == nil || !strings.Contains(err.Error(), "P-24") {
		t.Errorf("an item declared twice: %v", err)
	}
}

func TestP25_OneVerb(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), Set: accepts, Support: answers(ks.StatusSuccess, 0), SerializedSize: 4})
	modifiers := []uint32{0, highPriority, fsFilterScope, copyPayload, topology, topology | highPriority | fsFilterScope | copyPayload}
	known := uint32(0)
	for _, v := range verbs {
		known |= v
	}
	for _, m := range modifiers {
		for _, a := range verbs {
			for _, b := range verbs {
				if a != b {
					h.want(request{set: setA, id: 1, flags: a | b | m, extra: node(0), out: full(40)}, ks.StatusInvalidParameter, 0)
				}
			}
		}
		for bit := range 32 {
			if flag := uint32(1) << bit; flag&(known|topology|highPriority|fsFilterScope|copyPayload) == 0 {
				h.want(request{set: setA, id: 1, flags: flag | m, extra: node(0)}, ks.StatusInvalidParameter, 0)
				h.want(request{set: setA, id: 1, flags: get | flag | m, extra: node(0)}, ks.StatusInvalidParameter, 0)
			}
		}
		h.want(request{set: setA, id: 1, flags: m, extra: node(0)}, ks.StatusInvalidParameter, 0) // no verb at all
	}
	if len(h.calls) != 0 {
		t.Fatalf("%d handler calls", len(h.calls))
	}
	// The handler sees the flags unchanged.
	for _, m := range modifiers {
		h.want(request{set: setA, id: 1, flags: get | m, extra: node(0), out: full(1)}, ks.StatusSuccess, 1)
		if got := h.last(t).identifier().Flags; got != get|m {
			t.Errorf("the handler sees flags %#x, want %#x", got, get|m)
		}
	}
}

func TestP26_NoHandlerForVerb(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), MinData: 4})
	for _, out := range []int{0, 3, 4} {
		h.want(request{set: setA, id: 1, flags: set, out: full(out)}, ks.StatusNotFound, 0)
	}
	h = oneItem(t, engine.PropertyItem{ID: 1, Set: accepts, MinData: 4})
	for _, out := range []int{0, 3, 4} {
		h.want(request{set: setA, id: 1, flags: get, out: full(out)}, ks.StatusNotFound, 0)
	}
	if len(h.calls) != 0 {
		t.Errorf("%d handler calls", len(h.calls))
	}
}

func TestP27_MinProperty(t *testing.T) {
	for _, least := range []uint32{0, 24, 25, 32, 100} {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), Set: accepts, MinProperty: least})
		for n := ks.SizeIdentifier; n <= 101; n++ {
			status, info := ks.StatusSuccess, uint64(1)
			if uint32(n) < least {
				status, info = ks.StatusInvalidBufferSize, 0
			}
			h.want(request{set: setA, id: 1, flags: get, extra: make([]byte, n-ks.SizeIdentifier), out: full(1)}, status, info)
			h.want(request{set: setA, id: 1, flags: set, extra: make([]byte, n-ks.SizeIdentifier), out: full(1)}, status, 0)
		}
	}
}

func TestP28_ZeroLengthGet(t *testing.T) {
	for _, least := range []uint32{1, 4, 16, 4096, math.MaxUint32} {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), Set: accepts, MinData: least})
		h.want(request{set: setA, id: 1, flags: get}, ks.StatusBufferOverflow, uint64(least))
		h.want(request{set: setA, id: 1, flags: set}, ks.StatusBufferOverflow, uint64(least))
		if len(h.calls) != 0 {
			t.Errorf("MinData %d: %d handler calls", least, len(h.calls))
		}
	}
	// MinData 0: the handler answers for itself.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusBufferOverflow, 77)})
	h.want(request{set: setA, id: 1, flags: get}, ks.StatusBufferOverflow, 77)
}

func TestP28_TooSmall(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1, 2, 3, 4, 5), Set: accepts, MinData: 4})
	for n := 1; n < 4; n++ {
		h.want(request{set: setA, id: 1, flags: get, out: full(n)}, ks.StatusBufferTooSmall, 0)
		h.want(request{set: setA, id: 1, flags: set, out: full(n)}, ks.StatusBufferTooSmall, 0)
	}
	if len(h.calls) != 0 {
		t.Errorf("%d handler calls", len(h.calls))
	}
	h.want(request{set: setA, id: 1, flags: get, out: full(4)}, ks.StatusSuccess, 4) // exactly MinData
	h.want(request{set: setA, id: 1, flags: get, out: full(6)}, ks.StatusSuccess, 5)
}

func TestP29_LeastSizesAreForGetAndSet(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), MinProperty: 100, MinData: 100, SerializedSize: 9,
		Values: &engine.PropertyValues{}})
	for _, verb := range []uint32{basicSupport, defaultValues, serializeSize, relations} {
		h.want(request{set: setA, id: 1, flags: verb, out: full(4)}, ks.StatusSuccess, 4)
		h.want(request{set: setA, id: 1, flags: verb | topology, extra: node(0), out: full(4)}, ks.StatusSuccess, 4)
	}
	h.want(request{set: setA, id: 1, flags: setSupport, out: full(4)}, ks.StatusSuccess, 0)
}
