package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of handlers and their results: P-17 to P-22.

// statuses is one or more of each class, known and unknown.
var statuses = []ks.Status{ks.StatusSuccess, 1, 0x105, 0x40000000, 0x7FFFFFFF, ks.StatusBufferOverflow, ks.StatusNoMoreEntries,
	0x80001234, 0xBFFFFFFF, ks.StatusUnsuccessful, ks.StatusNotSupported, ks.StatusNotFound, ks.StatusPropsetNotFound,
	ks.StatusBufferTooSmall, 0xC0001234, 0xFFFFFFFF}

func TestP17_StatusIsReturnedVerbatim(t *testing.T) {
	for _, status := range statuses {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(status, 3), Set: answers(status, 3), Support: answers(status, 3)})
		info := uint64(3)
		if status.IsError() {
			info = 0
		}
		for _, verb := range []uint32{get, set, basicSupport, relations, defaultValues, serializeSize, serializeRaw, unserializeRaw} {
			h.want(request{set: setA, id: 1, flags: verb, out: full(4)}, status, info)
		}
	}
}

// After STATUS_PENDING the request belongs to whom the handler gave it.
func TestP17_Pending(t *testing.T) {
	for _, verb := range []uint32{get, set, basicSupport} {
		for _, final := range []ks.Status{ks.StatusSuccess, ks.StatusBufferOverflow, ks.StatusUnsuccessful} {
			var pended *engine.IRP
			handler := func(irp *engine.IRP, _, data []byte) ks.Status {
				pended = irp
				data[0] = 0x42
				return ks.StatusPending
			}
			h := oneItem(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler})
			irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(2)})
			completions := 0
			irp.Completion = func(got *engine.IRP) {
				if completions++; got != irp {
					t.Error("Completion of another IRP")
				}
			}
			if status := h.Property(irp); status != ks.StatusPending || irp.SystemBuffer == nil || completions != 0 || pended != irp {
				t.Fatalf("%v, completed %d times", status, completions)
			}
			counted, want := pended.Complete(final, 1), uint32(1)
			if final.IsError() {
				want = 0 // AS-3
			}
			if !counted || completions != 1 || irp.IoStatus != (engine.IoStatus{Status: final, Information: uint64(want)}) {
				t.Errorf("completed %d times with %v", completions, irp.IoStatus)
			}
			n, first := irp.Finish(irp.IoStatus.Status, irp.UserBuffer), byte(untouched)
			if !final.IsError() && !carriesIn(verb) {
				first = 0x42
			}
			if n != want || irp.UserBuffer[0] != first || irp.UserBuffer[1] != untouched {
				t.Errorf("%s ended with %v: %d bytes, output % x", ks.FormatPropertyFlags(verb), final, n, irp.UserBuffer)
			}
		}
	}
	// IoControl waits, and answers what the request was completed with.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		go func() {
			data[0] = 0x43
			irp.Complete(ks.StatusSuccess, 1)
		}()
		return ks.StatusPending
	}})
	for range 100 {
		if a := h.via(viaDevice, request{set: setA, id: 1, flags: get, out: full(2)}); a.status != 0 || a.info != 1 || a.out[0] != 0x43 {
			t.Fatalf("IoControl: %v, %d bytes, output % x", a.status, a.info, a.out)
		}
	}
}

func TestP18_SomeNotMapped(t *testing.T) {
	not := answers(ks.StatusSomeNotMapped, 33)
	// GET and SET have no standard processing.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: not, Set: not})
	h.want(request{set: setA, id: 1, flags: get, out: full(40)}, ks.StatusNotFound, 0)
	h.want(request{set: setA, id: 1, flags: set, out: full(40)}, ks.StatusNotFound, 0)
	// The others get what an item without a support handler gets; what the handler wrote to Information is dropped.
	for _, values := range []*engine.PropertyValues{nil, {}} {
		item := engine.PropertyItem{ID: 1, Get: produces(1), Values: values, SerializedSize: 4, Relations: make([]ks.Identifier, 2)}
		plain := oneItem(t, item)
		item.Support = not
		mapped := oneItem(t, item)
		for _, verb := range []uint32{basicSupport, relations, defaultValues, serializeSize, serializeRaw, unserializeRaw} {
			for _, out := range []int{0, 3, 4, 8, 40, 100} {
				q := request{set: setA, id: 1, flags: verb, out: full(out)}
				want := plain.via(viaProperty, q)
				if got := mapped.want(q, want.status, want.info); !bytes.Equal(got.out, want.out) {
					t.Errorf("%v: % x, want % x", q, got.out, want.out)
				}
			}
		}
		if want := 6 * 6 * len(paths); len(mapped.calls) != want {
			t.Errorf("the support handler was called %d times, want %d", len(mapped.calls), want)
		}
	}
}

func TestP19_TooSmallIsReturnedOnce(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusBufferTooSmall, 64), Set: answers(ks.StatusBufferTooSmall, 64)})
	for _, verb := range []uint32{get, set} {
		for _, p := range paths {
			h.calls, h.allocs = nil, nil
			a := h.via(p, request{set: setA, id: 1, flags: verb, out: full(8)})
			if a.status != ks.StatusBufferTooSmall || a.info != 0 || len(h.calls) != 1 || len(h.allocs) > 1 {
				t.Errorf("%s: %v, Information %d, %d handler calls, %d allocations; want one of each", p, a.status, a.info, len(h.calls), len(h.allocs))
			}
		}
	}
}

func TestP20_InformationWithinBuffer(t *testing.T) {
	support := []uint32{basicSupport, relations, defaultValues, serializeSize, serializeRaw}
	for _, status := range []ks.Status{ks.StatusSuccess, 0x105, ks.StatusBufferOverflow, ks.StatusNoMoreEntries} {
		for _, info := range []uint64{7, 8, 9, 1 << 31, 1<<32 + 1, 1<<64 - 1} {
			h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(status, info), Set: answers(status, info), Support: answers(status, info)})
			want, n := status, info
			if info > 8 {
				want, n = ks.StatusBufferTooSmall, 0
			}
			for _, verb := range append(support, get) {
				a := h.want(request{set: setA, id: 1, flags: verb, out: full(8)}, want, n)
				if info > 8 && a.rule != "P-20" {
					t.Errorf("decided by %s", a.rule)
				}
			}
			// Not for an empty output buffer and not for an in-verb. BytesReturned has 32 bits.
			for _, q := range []request{{flags: get}, {flags: basicSupport}, {flags: set, out: full(8)}, {flags: unserializeRaw, out: full(8)}} {
				q.set, q.id = setA, 1
				irp := h.irp(q)
				if got := h.Property(irp); got != status || irp.IoStatus.Information != info {
					t.Errorf("%v: %v, Information %d; want %v, %d", q, got, irp.IoStatus.Information, status, info)
				}
				irp.Finish(status, irp.UserBuffer)
			}
		}
	}
	// An error comes first.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusNotSupported, 9)})
	h.want(request{set: setA, id: 1, flags: get, out: full(8)}, ks.StatusNotSupported, 0)
}

// thrower returns a handler that panics after it has left its mark on Information.
func thrower(value any) engine.Handler {
	return func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.IoStatus.Information = 3
		panic(value)
	}
}

func TestP21_Panics(t *testing.T) {
	for _, c := range []struct {
		value any
		want  ks.Status
	}{
		{ks.StatusDatatypeMisalignment, ks.StatusDatatypeMisalignment},
		{ks.StatusNotSupported, ks.StatusNotSupported},
		{ks.StatusBufferOverflow, ks.StatusBufferOverflow},
		{"text", ks.StatusAccessViolation},
		{errors.New("error"), ks.StatusAccessViolation},
		{uint32(0xC0000001), ks.StatusAccessViolation},
		// Nobody would complete the one, and the other never leaves the dispatcher (P-18).
		{ks.StatusPending, ks.StatusAccessViolation},
		{ks.StatusSomeNotMapped, ks.StatusAccessViolation},
	} {
		var values []any
		var stacks []string
		h := &host{TB: t}
		f := h.wrap(thrower(c.value))
		h.recompile(engine.Config{
			OnPanic: func(value any, stack []byte) { values, stacks = append(values, value), append(stacks, string(stack)) },
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
				{ID: 1, Get: f, Set: f, Support: f, SerializedSize: 4}}}}})
		blob := join(setA[:], u32(1), make([]byte, 24), u32(1), u32(4), make([]byte, 4))
		for _, verb := range []uint32{get, set, basicSupport, relations, defaultValues, serializeSize, serializeRaw, unserializeRaw,
			serializeSet, unserializeSet} {
			values, stacks, h.calls = nil, nil, nil
			a := h.want(request{set: setA, id: 1, flags: verb, out: blob}, c.want, 0)
			if len(values) != len(paths) || values[0] != c.value || !strings.Contains(stacks[0], "handler_test.go") {
				t.Errorf("panic(%v) in %s: OnPanic was told %v", c.value, ks.FormatPropertyFlags(verb), values)
			}
			if a.rule != "P-21" || len(h.calls) != len(paths) {
				t.Errorf("panic(%v) in %s: decided by %s, %d calls", c.value, ks.FormatPropertyFlags(verb), a.rule, len(h.calls))
			}
		}
	}
	// A run-time error is a panic like any other.
	h := oneItem(t, engine.PropertyItem{ID: 1,
		Get: func(_ *engine.IRP, request, data []byte) ks.Status { return ks.Status(data[len(request)]) }})
	h.want(request{set: setA, id: 1, flags: get}, ks.StatusAccessViolation, 0)
}

// exits runs f on a goroutine that f ends with runtime.Goexit.
func exits(t *testing.T, f func()) {
	t.Helper()
	var wg sync.WaitGroup
	returned := false
	wg.Add(1)
	go func() {
		defer wg.Done()
		f()
		returned = true
	}()
	if wg.Wait(); returned {
		t.Error("runtime.Goexit did not end the goroutine")
	}
}

func TestP21_Goexit(t *testing.T) {
	leave := func(irp *engine.IRP, _, _ []byte) ks.Status { runtime.Goexit(); return 0 }
	told := 0
	h := &host{TB: t}
	h.recompile(engine.Config{OnPanic: func(any, []byte) { told++ }, PropertySets: []engine.PropertySet{{Set: setA,
		Items: []engine.PropertyItem{{ID: 1, Get: leave, Set: leave, Support: leave, SerializedSize: 4}, {ID: 2, Get: produces(5)}},
		FastIO: []engine.FastPropertyItem{{ID: 1, Get: func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
			runtime.Goexit()
			return true
		}}}}}})
	blob := join(setA[:], u32(1), make([]byte, 24), u32(1), u32(4), make([]byte, 4))
	for _, verb := range []uint32{get, set, basicSupport, serializeRaw, unserializeRaw, serializeSet, unserializeSet} {
		q := request{set: setA, id: 1, flags: verb, out: blob}
		irp := h.irp(q)
		exits(t, func() { h.Property(irp) })
		if irp.SystemBuffer != nil || irp.Flags != 0 || h.pool.Stats().Live != 0 {
			t.Errorf("%v: %d buffers live, Flags %#x", q, h.pool.Stats().Live, irp.Flags)
		}
		if irp = h.irp(q); verb == get || verb == set { // the short path, which nobody cleans up after
			exits(t, func() { h.IoControl(irp, ks.IoctlProperty, q.bytes(), slices.Clone(q.out)[:8]) })
			if irp.SystemBuffer != nil || h.pool.Stats().Live != 0 {
				t.Errorf("IoControl of %v: %d buffers live", q, h.pool.Stats().Live)
			}
		}
		// The handle stays usable, and its buffer is not lost either.
		exits(t, func() { h.device.IoControl(ks.IoctlProperty, q.bytes(), slices.Clone(q.out)) })
		if a := h.via(viaDevice, request{set: setA, id: 2, flags: get, out: full(1)}); a.status != 0 || a.out[0] != 5 {
			t.Errorf("after %v: %v", q, a.status)
		}
	}
	// In an allocator: what it had put into the IRP is the owner's, and cannot pass for a prepared buffer.
	irp := h.irp(request{set: setA, id: 1, flags: get, out: full(8)})
	exits(t, func() {
		h.PropertyWithAllocator(irp, func(irp *engine.IRP, size uint32, _ bool) ks.Status {
			irp.SystemBuffer = make([]byte, size)
			runtime.Goexit()
			return 0
		})
	})
	if status := h.Property(irp); status != ks.StatusInvalidParameter {
		t.Errorf("an IRP whose allocator left: %v", status)
	}
	io := engine.IoStatus{Status: untouchedStatus}
	exits(t, func() {
		h.FastProperty(&h.file, engine.UserMode, request{set: setA, id: 1, flags: get}.bytes(), nil, &io)
	})
	if io.Status != untouchedStatus || told != 0 {
		t.Errorf("IoStatus %v, OnPanic called %d times", io, told)
	}
}

// A handler that passes its request on to another dispatcher, as a BASICSUPPORT that finds no support handler (P-15), and then
// panics is answered for by its own dispatcher, whatever the other wrote into the IRP.
func TestP21_PanicAfterAnotherDispatcher(t *testing.T) {
	class, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA,
		Items: []engine.PropertyItem{{ID: 7, Get: accepts}, {ID: 8, Get: accepts}, {ID: 1, Get: accepts}}}},
		OnPanic: func(any, []byte) { t.Error("the other dispatcher is told of the panic") }})
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range []uint32{basicSupport, get, set, 0} {
		for _, logged := range []bool{false, true} {
			told := 0
			config := engine.Config{OnPanic: func(any, []byte) { told++ }}
			if logged {
				config.OnPanic, told = nil, 1
			}
			config.PropertySets = []engine.PropertySet{{Set: setA,
				Items: []engine.PropertyItem{{ID: 1, Get: func(irp *engine.IRP, request, _ []byte) ks.Status {
					binary.LittleEndian.PutUint32(request[20:], flags)
					class.Property(irp)
					panic("planted")
				}}}}}
			d, err := engine.Compile(config)
			if err != nil {
				t.Fatal(err)
			}
			h := newHost(t, engine.Config{})
			q := request{set: setA, id: 1, flags: get, out: full(4)}
			irp := h.irp(q)
			if status := d.Property(irp); status != ks.StatusAccessViolation {
				t.Errorf("flags %#x: Property: %v", flags, status)
			} else {
				irp.Finish(status, irp.UserBuffer)
			}
			for range 2 { // the second time the pool's next buffer is at hand
				if n, status := d.IoControl(irp, ks.IoctlProperty, q.bytes(), full(4)); n != 0 || status != ks.StatusAccessViolation {
					t.Errorf("flags %#x: IoControl: %d, %v", flags, n, status)
				}
			}
			if live := h.pool.Stats().Live; live != 0 || !logged && told != 3 {
				t.Errorf("flags %#x: %d buffers live, told %d times", flags, live, told)
			}
		}
	}
}

func TestP22_DriverContext(t *testing.T) {
	for _, size := range []uint32{0, 80} {
		h := &host{TB: t}
		item := func(id uint32) engine.PropertyItem {
			return engine.PropertyItem{ID: id, Get: h.wrap(produces(1, 2, 3, 4)), Set: h.wrap(accepts), Support: h.wrap(answers(0, 0)),
				SerializedSize: 4, Context: id * 10}
		}
		h.recompile(engine.Config{PropertyItemSize: size, PropertySets: []engine.PropertySet{
			{Set: setB, Items: []engine.PropertyItem{item(1)}}, {Set: setA, Items: []engine.PropertyItem{item(1), item(2)}}}})
		check := func(q request, ids ...uint32) {
			t.Helper()
			h.calls = nil
			irp := h.irp(q)
			irp.Finish(h.Property(irp), irp.UserBuffer)
			if len(h.calls) != len(ids) {
				t.Fatalf("%v: %d handler calls, want %d", q, len(h.calls), len(ids))
			}
			for i, v := range h.calls {
				if v.set != setA || v.context != ids[i]*10 || (v.item != nil) != (size != 0) || v.item != nil && v.item.ID != ids[i] {
					t.Errorf("%v, PropertyItemSize %d: the handler sees set %v, item %v, context %v", q, size, v.set, v.item, v.context)
				}
			}
		}
		for _, verb := range []uint32{get, set, basicSupport, relations, defaultValues, serializeSize, serializeRaw, unserializeRaw} {
			check(request{set: setA, id: 2, flags: verb, out: full(4)}, 2)
		}
		check(request{set: setA, flags: serializeSet, out: full(92)}, 1, 2) // inner calls too
		blob := join(setA[:], u32(2), make([]byte, 24), u32(2), u32(4), u32(0), make([]byte, 24), u32(1), u32(4), u32(0))
		check(request{set: setA, flags: unserializeSet, out: blob}, 2, 1)
	}
	// Nothing before a handler was called.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts})
	for _, q := range []request{{set: setA, id: 1, flags: set}, {set: stranger, flags: get}, {set: setA, flags: setSupport}} {
		irp := h.irp(q)
		irp.Finish(h.Property(irp), irp.UserBuffer)
		if irp.PropertySet() != nil || irp.PropertyItem() != nil || irp.ItemStorage() != nil || irp.ItemContext() != nil {
			t.Errorf("%v: the IRP names a set or an item", q)
		}
	}
	if irp := new(engine.IRP); irp.PropertySet() != nil || irp.ItemStorage() != nil {
		t.Error("a new IRP names a set")
	}
}

// Private item storage is one for all handles, and one for each item (P-3).
func TestP22_ItemStorageIsShared(t *testing.T) {
	h := &host{TB: t}
	store := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(irp.ItemStorage(), data)
		return ks.StatusSuccess
	}
	load := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, irp.ItemStorage()))
		return ks.StatusSuccess
	}
	h.recompile(engine.Config{PropertyItemSize: 80, PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: load, Set: store}, {ID: 2, Get: load, Set: store}}}}})
	first := h.device
	for id := range uint32(2) {
		in := request{set: setA, id: id + 1, flags: set}.bytes()
		if _, status := first.IoControl(ks.IoctlProperty, in, bytes.Repeat([]byte{byte(id + 1)}, 8)); status != 0 {
			t.Fatal(status)
		}
	}
	for id := range uint32(2) { // through another handle, and without one
		want := bytes.Repeat([]byte{byte(id + 1)}, 8)
		if a := h.want(request{set: setA, id: id + 1, flags: get, out: full(8)}, ks.StatusSuccess, 8); !bytes.Equal(a.out, want) {
			t.Errorf("item %d: storage % x, want % x", id+1, a.out, want)
		}
	}
}

// An IRP that goes from one dispatcher to another keeps its inner request, whose handlers must be told the other's set.
func TestP22_InnerRequestOfAnotherDispatcher(t *testing.T) {
	h := newHost(t, engine.Config{})
	var seen []ks.GUID
	names := func(irp *engine.IRP, _, data []byte) ks.Status {
		seen = append(seen, irp.PropertySet().Set)
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	irp := h.irp(request{set: setA, flags: serializeSet, out: full(256)})
	for _, set := range []ks.GUID{setA, setB} {
		d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: set,
			Items: []engine.PropertyItem{{ID: 1, Get: names, Set: names, SerializedSize: 4}}}}})
		if err != nil {
			t.Fatal(err)
		}
		irp.Type3InputBuffer = request{set: set, flags: serializeSet}.bytes()
		status := d.Property(irp)
		if irp.Finish(status, irp.UserBuffer); status != ks.StatusSuccess {
			t.Errorf("set %v: %v", set, status)
		}
	}
	if !slices.Equal(seen, []ks.GUID{setA, setB}) {
		t.Errorf("the handlers saw sets %v", seen)
	}
}

// An IRP that goes from one dispatcher to another, by whatever request, is looked up in the other's table from then on (P-24).
func TestP24_IRPOfAnotherDispatcher(t *testing.T) {
	h := newHost(t, engine.Config{})
	var all [2]*engine.Dispatcher
	for i := range all {
		item := engine.PropertyItem{ID: 1, Get: produces(byte(i)), Support: answers(ks.StatusSuccess, 0)}
		d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{item}}}})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = d
	}
	for name, first := range map[string]request{"a GET": {set: setA, id: 1, flags: get}, "a support": {set: setA, id: 1, flags: basicSupport},
		"a list": {flags: setSupport}, "a refused one": {set: stranger, flags: set}} {
		irp := h.irp(request{})
		irp.UserEvent = make(chan struct{}, 1) // as for the short path
		for i, d := range all {
			if i == 1 {
				d.IoControl(irp, ks.IoctlProperty, first.bytes(), full(16))
			}
			in, out := request{set: setA, id: 1, flags: get}.bytes(), full(1)
			if n, status := d.IoControl(irp, ks.IoctlProperty, in, out); n != 1 || status != ks.StatusSuccess || out[0] != byte(i) {
				t.Errorf("after %s: dispatcher %d answers % x, %v", name, i, out[:n], status)
			}
		}
	}
}
