package engine_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// fastMethod sends q down the fast path. What a false answer must not touch is checked.
func (h *host) fastMethod(q request) (handled bool, io engine.IoStatus, out []byte) {
	h.Helper()
	io = stale
	in, out := q.bytes(), slices.Clone(q.out)
	handled = h.FastMethod(&h.file, q.mode, in, out, &io)
	if !bytes.Equal(in, q.bytes()) {
		h.Errorf("%v: the input was written", q)
	}
	if !handled && io != stale {
		h.Errorf("%v: not handled, but IoStatus is %v", q, io)
	}
	return handled, io, out
}

func fastMethodHost(t *testing.T, fast engine.FastHandler, item engine.MethodItem) *host {
	item.ID = 1
	return newHost(t, engine.Config{MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{item},
		FastIO: []engine.FastMethodItem{{ID: 1, Handler: fast}}}}})
}

func TestF2_OnlyMethodsThatFastIOLists(t *testing.T) {
	h := newHost(t, engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, FastIO: []engine.FastPropertyItem{{ID: 4, Get: fastAnswers(0, 0)}}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: accepts}, {ID: 2, Handler: accepts}},
			FastIO: []engine.FastMethodItem{{ID: 2, Handler: fastAnswers(0, 0)}, {ID: 3, Handler: fastAnswers(0, 0)}, {ID: 5}}}}})
	for id, want := range map[uint32]bool{1: false, 2: true, 3: true, 4: false, 5: false} {
		if handled, _, _ := h.fastMethod(request{set: setA, id: id, flags: send}); handled != want {
			t.Errorf("method %d: %v", id, handled)
		}
	}
	h.wantUnwritten(request{set: setA, id: 3, flags: send}, ks.StatusNotFound, 0) // an IRP ignores FastIO
}

func TestF4_MethodsNotHandled(t *testing.T) {
	calls := 0
	h := fastMethodHost(t, func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool { calls++; return true },
		engine.MethodItem{Handler: accepts, MinMethod: 32, MinData: 4})
	good := method(send, full(4), node(0)...)
	if handled, _, _ := h.fastMethod(good); !handled || calls != 1 {
		t.Fatal("the request that the others differ from is not handled")
	}
	calls = 0
	for name, change := range map[string]func(*request){
		"short":         func(q *request) { q.raw = q.bytes()[:23] },
		"none":          func(q *request) { q.raw = []byte{} },
		"unknown set":   func(q *request) { q.set = stranger },
		"unknown id":    func(q *request) { q.id = 2 },
		"NONE":          func(q *request) { q.flags = 0 },
		"WRITE":         func(q *request) { q.flags = 2 },
		"MODIFY":        func(q *request) { q.flags = 3 },
		"SOURCE":        func(q *request) { q.flags = 5 },
		"SETSUPPORT":    func(q *request) { q.flags = methodSets },
		"BASICSUPPORT":  func(q *request) { q.flags = methodSupport },
		"TOPOLOGY":      func(q *request) { q.flags |= topology },
		"HIGHPRIORITY":  func(q *request) { q.flags |= highPriority },
		"MinMethod - 1": func(q *request) { q.extra = q.extra[:7] },
		"MinData - 1":   func(q *request) { q.out = q.out[:3] },
		"no data":       func(q *request) { q.out = nil },
	} {
		q := good
		change(&q)
		if handled, _, _ := h.fastMethod(q); handled || calls != 0 {
			t.Errorf("%s is handled", name)
		}
	}
}

func TestF5_MethodIsCaptured(t *testing.T) {
	var in, seen, data []byte
	h := fastMethodHost(t, func(file *engine.FileObject, mode engine.Mode, request, d []byte, _ *engine.IoStatus) bool {
		clear(in) // the caller changes its memory
		seen, data = slices.Clone(request), d
		return mode == engine.KernelMode && file.Context == "mine" && cap(request) == len(request)
	}, engine.MethodItem{})
	h.file.Context = "mine"
	for _, n := range []int{24, 25, 64, 65, 500} {
		in = method(send, nil, bytes.Repeat([]byte{7}, n-24)...).bytes()
		want, out := slices.Clone(in), full(3)
		var io engine.IoStatus
		if !h.FastMethod(&h.file, engine.KernelMode, in, out, &io) || !bytes.Equal(seen, want) || &data[0] != &out[0] {
			t.Errorf("%d bytes: the handler sees % x", n, seen)
		}
	}
}

func TestF6_MethodResults(t *testing.T) {
	for _, flags := range methodKinds {
		for _, c := range []struct {
			status, want ks.Status
			info, left   uint64
			handled      bool
		}{
			{0, 0, 4, 4, true},
			{0, 0, 0, 0, true},
			{ks.StatusBufferOverflow, ks.StatusBufferOverflow, 4, 4, true},
			{ks.StatusNotSupported, ks.StatusNotSupported, 4, 0, true},
			{ks.StatusSomeNotMapped, ks.StatusNotFound, 4, 0, true},
			{ks.StatusPending, 0, 4, 0, false},
			{0, ks.StatusBufferTooSmall, 5, 0, true},
		} {
			if c.info > 4 && flags&writes == 0 { // P-20 is about data that go out
				c.want, c.left = 0, c.info
			}
			h := fastMethodHost(t, fastAnswers(c.status, c.info), engine.MethodItem{Flags: flags})
			handled, io, _ := h.fastMethod(method(send, full(4)))
			if handled != c.handled || handled && io != (engine.IoStatus{Status: c.want, Information: c.left}) {
				t.Errorf("flags %d, %v with %d: %v, %v", flags, c.status, c.info, handled, io)
			}
		}
		h := fastMethodHost(t, func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool { return false },
			engine.MethodItem{Flags: flags})
		if handled, _, _ := h.fastMethod(method(send, full(4))); handled {
			t.Error("FALSE of a handler is not passed on")
		}
	}
}

// What the fast path answers is what an IRP would have been answered (S-20).
func TestS20_FastMethodParity(t *testing.T) {
	for _, flags := range methodKinds {
		for _, info := range []uint64{0, 3, 4, 5} {
			for _, status := range []ks.Status{0, ks.StatusBufferOverflow, ks.StatusNotSupported, ks.StatusSomeNotMapped} {
				h := fastMethodHost(t, fastAnswers(status, info),
					engine.MethodItem{Handler: answers(status, info), Flags: flags, MinData: 2, MinMethod: 25})
				for n := range 6 {
					for in := range 3 {
						q := method(send, make([]byte, n), make([]byte, in)...)
						handled, io, _ := h.fastMethod(q)
						a := h.viaMethod(viaProperty, q)
						if handled && (io.Status != a.status || io.Information != a.info) {
							t.Errorf("flags %d, In %d, Out %d: fast %v, IRP %v, %d", flags, 24+in, n, io, a.status, a.info)
						}
						if handled != (in > 0 && n >= 2) {
							t.Errorf("flags %d, In %d, Out %d: handled %v", flags, 24+in, n, handled)
						}
					}
				}
			}
		}
	}
}
