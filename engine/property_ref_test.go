package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// numbered is a dispatcher with items 1 to n of set A whose GET and fast GET answer their id, and an IRP for it.
func numbered(t *testing.T, n uint32) (*engine.Dispatcher, *engine.IRP) {
	t.Helper()
	set := engine.PropertySet{Set: setA}
	for id := uint32(1); id <= n; id++ {
		set.Items = append(set.Items, engine.PropertyItem{ID: id, MinData: 4, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, u32(id)))
			return ks.StatusSuccess
		}})
		set.FastIO = append(set.FastIO,
			engine.FastPropertyItem{ID: id, Get: func(_ *engine.FileObject, _ engine.Mode, _, data []byte, io *engine.IoStatus) bool {
				io.Information = uint64(copy(data, u32(id)))
				return true
			}})
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return d, &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1)}
}

func getRequest(set ks.GUID, id uint32) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: set, ID: id, Flags: ks.PropertyTypeGet}.Put(b)
	return b
}

// A Ref answers requests for its item, and sends others where they belong; one for an unknown item is not to be had.
func TestRef(t *testing.T) {
	d, irp := numbered(t, 3)
	if _, ok := d.Resolve(setA, 4); ok {
		t.Error("an id that no set declares was resolved")
	}
	if _, ok := d.Resolve(setB, 1); ok {
		t.Error("a set that is not there was resolved")
	}
	ref, ok := d.Resolve(setA, 2)
	if !ok {
		t.Fatal("not resolved")
	}
	for id, want := range map[uint32]ks.Status{2: 0, 3: 0, 4: ks.StatusNotFound} {
		out := make([]byte, 4)
		n, status := ref.IoControl(irp, getRequest(setA, id), out)
		if status != want || want == 0 && (n != 4 || ks.Status(out[0]) != ks.Status(id)) {
			t.Errorf("IoControl of item %d: %v, %d bytes, % X", id, status, n, out)
		}
		clear(out)
		var io engine.IoStatus
		handled := ref.FastProperty(new(engine.FileObject), engine.UserMode, getRequest(setA, id), out, &io)
		if handled != (want == 0) || handled && out[0] != byte(id) {
			t.Errorf("FastProperty of item %d: %v, % X", id, handled, out)
		}
	}
}

// A batch is answered in order and as each request is alone, whatever its length and whatever fails in it.
func TestPropertyBatch(t *testing.T) {
	d, irp := numbered(t, 40)
	for _, length := range []int{0, 1, 15, 16, 17, 100} {
		var requests []engine.BatchRequest
		for i := range length {
			r := engine.BatchRequest{In: getRequest(setA, uint32(i%50)), Out: make([]byte, i%7)}
			if i%11 == 5 {
				r.In = r.In[:i%24]
			}
			requests = append(requests, r)
		}
		if n := d.PropertyBatch(irp, requests); n != length {
			t.Errorf("%d of %d requests answered", n, length)
		}
		for i, r := range requests {
			out := make([]byte, len(r.Out))
			n, status := d.IoControl(irp, ks.IoctlProperty, r.In, out)
			if r.Status != status || r.BytesReturned != n || string(r.Out) != string(out) {
				t.Errorf("request %d of %d: %v, %d bytes, % X; alone: %v, %d, % X", i, length, r.Status, r.BytesReturned, r.Out, status, n, out)
			}
		}
	}
}

// Without an event to wait on, a batch ends with the request that is pending: its IRP is the only one there is.
func TestPropertyBatch_EndsWithAPendingRequest(t *testing.T) {
	pends := engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusPending }}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{pends}}}})
	if err != nil {
		t.Fatal(err)
	}
	pool, _ := arena.New(arena.Config{})
	irp := &engine.IRP{Pool: pool}
	requests := []engine.BatchRequest{{In: getRequest(setB, 1)}, {In: getRequest(setA, 1)}, {In: getRequest(setA, 1), Status: 77}}
	if n := d.PropertyBatch(irp, requests); n != 2 || requests[1].Status != ks.StatusPending || requests[2].Status != 77 {
		t.Errorf("%d answered: %v, %v", n, requests[1].Status, requests[2].Status)
	}
}

// TestS16_IoControlLeavesAPendedRequestAlone: once a handler returned STATUS_PENDING the IRP may be another request, which has
// an event of its own. Waiting for that would take its signal.
func TestS16_IoControlLeavesAPendedRequestAlone(t *testing.T) {
	item := engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Complete(ks.StatusSuccess, 0)
		return ks.StatusPending
	}}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{item}}}})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan struct{}, 1)
	other <- struct{}{}
	irp := &engine.IRP{Pool: pool}
	irp.Completion = func(irp *engine.IRP) {
		irp.Finish(irp.IoStatus.Status, nil)
		*irp = engine.IRP{Pool: pool, UserEvent: other}
	}
	if _, status := d.IoControl(irp, ks.IoctlProperty, getRequest(setA, 1), nil); status != ks.StatusPending {
		t.Errorf("%v, want STATUS_PENDING", status)
	}
	if len(other) != 1 {
		t.Error("the signal of another request was taken")
	}
}

// TestS7_AnEarlierDispatcherIsForgotten: an IRP that goes from one dispatcher to another names no item of the first.
func TestS7_AnEarlierDispatcherIsForgotten(t *testing.T) {
	first, irp := numbered(t, 1)
	second, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setB,
		Items: []engine.PropertyItem{{ID: 1, Get: accepts}, {ID: 2, Get: accepts}}}},
		EventSets: []engine.EventSet{{Set: setB, Items: []engine.EventItem{{ID: 1}, {ID: 2}}}}})
	if err != nil {
		t.Fatal(err)
	}
	basic := func(id, flags uint32) []byte {
		b := make([]byte, ks.SizeIdentifier)
		ks.Identifier{Set: setB, ID: id, Flags: flags}.Put(b)
		return b
	}
	first.IoControl(irp, ks.IoctlProperty, getRequest(setA, 1), make([]byte, 4))
	second.IoControl(irp, ks.IoctlProperty, basic(2, ks.PropertyTypeBasicSupport), make([]byte, 4))
	if set := irp.PropertySet(); set != nil {
		t.Errorf("after BASICSUPPORT the IRP names set %v", set.Set)
	}
	first.IoControl(irp, ks.IoctlProperty, getRequest(setA, 1), make([]byte, 4))
	second.IoControl(irp, ks.IoctlEnableEvent, basic(2, ks.EventTypeBasicSupport), nil)
	if set := irp.EventSet(); set != nil && set.Set != setB {
		t.Errorf("after BASICSUPPORT of an event the IRP names set %v", set.Set)
	}
}
