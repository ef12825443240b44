package engine_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestM1_Frame(t *testing.T) {
	h := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(1, 2), Flags: writes})
	for n := range ks.SizeIdentifier {
		h.wantUnwritten(request{raw: method(send, nil).bytes()[:n], out: full(4)}, ks.StatusInvalidBufferSize, 0)
	}
	for n := range 8 { // the flag promises a KSM_NODE, also where nothing else is right
		q := request{set: stranger, flags: topology | 0x8000, extra: make([]byte, n), out: full(4)}
		if a := h.wantUnwritten(q, ks.StatusInvalidBufferSize, 0); a.rule != "M-1" || a.buffers != 0 {
			t.Errorf("decided by %s with %d buffers", a.rule, a.buffers)
		}
	}
	h.wantUnwritten(request{set: stranger, id: 1, flags: send, out: full(4)}, ks.StatusPropsetNotFound, 0)
	h.wantUnwritten(request{set: ks.GUID{}, id: 1, flags: send, out: full(4)}, ks.StatusPropsetNotFound, 0)
	h.wantUnwritten(request{set: setA, id: 2, flags: send}, ks.StatusNotFound, 0)
	if len(h.calls) != 0 {
		t.Errorf("%d calls", len(h.calls))
	}
	h.wantMethod(method(send|topology, full(4), node(7)...), ks.StatusSuccess, 2, []byte{1, 1, untouched, untouched})
	if got := h.last(t).request; !bytes.Equal(got[24:], node(7)) {
		t.Errorf("the node is % x", got)
	}
	// Lengths that do not fit in 32 bits (P-5).
	irp := h.irp(method(send, nil))
	for out, want := range map[uint32]ks.Status{0xFFFFFFFF: ks.StatusInvalidBufferSize, 0xFFFFFFF9: ks.StatusInvalidBufferSize,
		0xFFFFFFE1: ks.StatusInvalidBufferSize} {
		irp.OutputBufferLength = out
		if status := h.Method(irp); status != want || irp.Rule() != "P-5" {
			t.Errorf("Out %#x: %v by %s", out, status, irp.Rule())
		}
	}
}

// Sets with one GUID, and the families apart: a property is no method.
func TestM1_Tables(t *testing.T) {
	h := newHost(t, engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 9, Get: produces(9)}}}, {Set: setB}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: answers(0, 1)}}},
			{Set: ks.GUID{}, Items: []engine.MethodItem{{ID: 3, Handler: accepts}}},
			{Set: setA, Items: []engine.MethodItem{{ID: 2, Handler: answers(0, 2)}}}}})
	h.wantUnwritten(request{set: setA, id: 1, flags: send}, 0, 1)
	h.wantUnwritten(request{set: setA, id: 2, flags: send}, 0, 2)
	h.wantUnwritten(request{set: setA, id: 9, flags: send}, ks.StatusNotFound, 0)
	h.wantUnwritten(request{set: setB, id: 9, flags: send}, ks.StatusPropsetNotFound, 0)
	h.wantUnwritten(request{set: ks.GUID{}, id: 3, flags: send}, ks.StatusPropsetNotFound, 0)
	h.want(request{set: setA, id: 1, flags: get, out: full(4)}, ks.StatusNotFound, 0)
}

func TestM1_CompileErrors(t *testing.T) {
	sets := func(items ...engine.MethodItem) engine.Config {
		return engine.Config{MethodSets: []engine.MethodSet{{Set: setB}, {Set: setA, Items: items}}}
	}
	fast := sets()
	fast.MethodSets[1].FastIO = []engine.FastMethodItem{{ID: 4, Handler: fastAnswers(0, 0)}, {ID: 4, Handler: fastAnswers(0, 0)}}
	twice, item := sets(engine.MethodItem{ID: 7}, engine.MethodItem{ID: 7}), "MethodSets[1] "+setA.String()+", item "
	const again = ": FastIO lists a handler for a method that has one already, here or in an earlier set with this GUID"
	for _, c := range []struct {
		config engine.Config
		want   string
	}{
		{engine.Config{MethodItemSize: 44}, "MethodItemSize 44 is not a multiple of 8 (P-3); use 0 for plain items"},
		{engine.Config{MethodItemSize: 32}, "MethodItemSize 32 is less than a KSMETHOD_ITEM, 40 bytes (P-3); use 0 for plain items"},
		{twice, item + "7: declared twice: also in MethodSets[1] (P-24)"},
		{fast, item + "4" + again},
	} {
		if _, err := engine.Compile(c.config); err == nil || err.Error() != "engine: "+c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestM2_WaysOfSending(t *testing.T) {
	h := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(1, 1), Flags: reads})
	for _, modifier := range []uint32{0, topology} {
		for flags := range uint32(8) {
			h.calls = nil
			h.wantUnwritten(method(flags|modifier, full(2), node(0)...), 0, 1) // the item reads: nothing comes back, whatever is asked
			if len(h.calls) != len(paths) || h.last(t).identifier().Flags != flags|modifier || !bytes.Equal(h.last(t).data, full(2)) {
				t.Errorf("flags %#x: %d calls, the handler sees %#x, % x", flags|modifier, len(h.calls), h.last(t).identifier().Flags, h.last(t).data)
			}
		}
	}
	h.calls = nil
	for bit := uint32(8); bit != 0; bit <<= 1 {
		for _, low := range []uint32{0, 1, 2, 4} {
			flags := bit | low
			if flags == methodSets || flags == methodSupport || bit == topology {
				continue
			}
			for _, set := range []ks.GUID{setA, stranger} { // flags come before existence
				q := method(flags, full(4), node(0)...)
				q.set = set
				if a := h.wantUnwritten(q, ks.StatusInvalidParameter, 0); a.rule != "M-2" || a.buffers != 0 {
					t.Errorf("flags %#x: decided by %s with %d buffers", flags, a.rule, a.buffers)
				}
			}
		}
	}
	h.wantUnwritten(method(methodSets|methodSupport, full(4)), ks.StatusInvalidParameter, 0)
	if len(h.calls) != 0 {
		t.Errorf("%d calls", len(h.calls))
	}
}

func TestM3_DriverContext(t *testing.T) {
	for _, size := range []uint32{0, 40, 48, 4096} {
		context := new(int)
		var storage []byte
		look := func(irp *engine.IRP, _, _ []byte) ks.Status {
			if s := irp.MethodSet(); s == nil || s.Set != setA || len(s.Items) != 2 {
				t.Errorf("MethodSet %v", s)
			}
			if it := irp.MethodItem(); (it != nil) != (size != 0) || it != nil && it.ID != 1 {
				t.Errorf("MethodItemSize %d: MethodItem %v", size, it)
			}
			if irp.MethodType() != modifies|0x100 || irp.ItemContext() != any(context) {
				t.Errorf("MethodType %#x, context %v", irp.MethodType(), irp.ItemContext())
			}
			if irp.PropertySet() != nil || irp.PropertyItem() != nil {
				t.Error("a method finds a property (S-7)")
			}
			if storage = irp.ItemStorage(); len(storage) != max(int(size), 40)-40 {
				t.Errorf("MethodItemSize %d: %d bytes of storage", size, len(storage))
			}
			if size > 40 {
				storage[0]++
			}
			return ks.StatusSuccess
		}
		h := newHost(t, engine.Config{MethodItemSize: size, PropertyItemSize: 80,
			MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{
				{ID: 0, Handler: accepts}, {ID: 1, Handler: look, Support: look, Flags: modifies | 0x100, Context: context}}}}})
		h.wantUnwritten(method(send, full(4)), 0, 0)
		h.wantMethod(method(methodSupport, full(4)), 0, 0, full(4))
		if size > 40 && storage[0] != 6 {
			t.Errorf("the storage counts %d calls; it is that of the item", storage[0])
		}
	}
	var irp engine.IRP
	if irp.MethodSet() != nil || irp.MethodItem() != nil || irp.MethodType() != 0 || irp.ItemContext() != nil || irp.ItemStorage() != nil {
		t.Error("an IRP that nobody dispatched has a method")
	}
}

// The matrix of M-4: what the handler finds in data, and what of what it writes there reaches the caller.
func TestM4_Buffering(t *testing.T) {
	for _, flags := range methodKinds {
		for _, n := range []int{0, 1, 7, 8, 9, 100} {
			for _, produced := range []int{0, 1, n} {
				if produced > n {
					continue
				}
				h := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(0x11, uint64(produced)), Flags: flags})
				was := make([]byte, n)
				for i := range was {
					was[i] = byte(i + 1)
				}
				want := slices.Clone(was)
				switch {
				case flags == none|source:
				case flags&source != 0: // the memory is the caller's, so each byte arrives that the handler writes
					if flags&writes != 0 {
						copy(want, bytes.Repeat([]byte{0x11}, n))
					}
				case flags&writes != 0:
					copy(want, bytes.Repeat([]byte{0x11}, produced))
				}
				sees := make([]byte, n)
				if flags&reads != 0 || flags == writes|source {
					sees = was
				}
				if n == 0 || flags == none|source {
					sees = nil
				}
				for _, p := range paths {
					h.calls = nil
					a := h.viaMethod(p, method(send, was))
					if got := a.out; flags == reads|source && p != viaDevice {
						// a slice cannot be read only: a handler that writes to what it locked for reading writes to its caller
					} else if !bytes.Equal(got, want) {
						t.Errorf("%s, flags %d, %d of %d bytes produced: output % x, want % x", p, flags, produced, n, got, want)
					}
					if v := h.last(t); a.status != 0 || a.info != uint64(produced) || !bytes.Equal(v.data, sees) || (v.data == nil) != (sees == nil) {
						t.Errorf("%s, flags %d, Out %d: %v, Information %d, the handler sees % x, want % x", p, flags, n, a.status, a.info, v.data, sees)
					}
				}
			}
		}
	}
}

// TestM4_ReadViewIsACopy: what a handler writes to a view for reading does not reach the caller, before Finish or with it.
func TestM4_ReadViewIsACopy(t *testing.T) {
	for _, pend := range []bool{false, true} {
		h := oneMethod(t, engine.MethodItem{ID: 1, Flags: reads | source, Handler: func(irp *engine.IRP, _, data []byte) ks.Status {
			if !bytes.Equal(data, full(4)) {
				t.Errorf("the handler sees % x", data)
			}
			clear(data)
			if pend {
				return ks.StatusPending
			}
			return ks.StatusSuccess
		}})
		irp := h.irp(method(send, full(4)))
		if status := h.Method(irp); status != ks.StatusSuccess && status != ks.StatusPending || !bytes.Equal(irp.UserBuffer, full(4)) {
			t.Errorf("%v, the caller has % x", status, irp.UserBuffer)
		}
		if pend {
			irp.Complete(ks.StatusSuccess, 0)
		}
		if irp.Finish(ks.StatusSuccess, irp.UserBuffer); !bytes.Equal(irp.UserBuffer, full(4)) || h.pool.Stats().Live != 0 {
			t.Errorf("finished, the caller has % x; %d buffers", irp.UserBuffer, h.pool.Stats().Live)
		}
	}
}

// A view is the caller's memory itself while the handler runs, and later.
func TestM4_ViewIsTheCallersMemory(t *testing.T) {
	for _, flags := range []uint32{writes | source, modifies | source} {
		var pended []byte
		h := oneMethod(t, engine.MethodItem{ID: 1, Flags: flags, Handler: func(_ *engine.IRP, _, data []byte) ks.Status {
			pended = data
			return ks.StatusPending
		}})
		for _, lend := range []bool{false, true} {
			irp, out := h.irp(method(send, full(4))), []byte(nil)
			var m *lockable
			if out = irp.UserBuffer; lend {
				irp, m = h.inLockable(method(send, full(4)))
				out = m.out
			}
			if status := h.Method(irp); status != ks.StatusPending || len(pended) != 4 || cap(pended) != 4 || &pended[0] != &out[0] {
				t.Fatalf("flags %d: %v, %d bytes", flags, status, len(pended))
			}
			if irp.Flags != engine.BufferedIO|engine.DeallocateBuffer || len(irp.SystemBuffer) != ks.SizeIdentifier {
				t.Errorf("flags %d: Flags %#x, system buffer of %d bytes (M-5)", flags, irp.Flags, len(irp.SystemBuffer))
			}
			pended[3] = 0x77
			irp.Complete(0, 0)
			if irp.Finish(0, out); out[3] != 0x77 {
				t.Error("what the owner of a pended request wrote is not there")
			}
			if lend && (m.locks != 1 || m.unlocks != 1 || m.written != nil) {
				t.Errorf("%d locks, %d unlocks, % x written", m.locks, m.unlocks, m.written)
			}
		}
	}
}

func TestM5_LayoutAndFlags(t *testing.T) {
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Support: answers(ks.StatusSomeNotMapped, 7), Flags: flags})
		for _, n := range []int{0, 1, 8, 13} {
			at := (n + 7) &^ 7
			if flags&source != 0 {
				at = 0
			}
			want := engine.BufferedIO | engine.DeallocateBuffer
			if flags&writes != 0 && flags&source == 0 && n > 0 {
				want |= engine.InputOperation
			}
			q := method(send, full(n), 1, 2, 3)
			a := h.viaMethod(viaProperty, q)
			v := h.last(t)
			buffers := 1
			if flags == reads|source && n != 0 {
				buffers = 2 // the view is a copy
			}
			if a.flags != want || a.buffers != buffers || len(v.system) != at+27 || !bytes.Equal(v.system[at:], q.bytes()) {
				t.Errorf("flags %d, Out %d: IRP flags %#x, %d buffers, the system buffer is % x", flags, n, a.flags, a.buffers, v.system)
			}
			if pad := v.system[min(n, at):at]; !bytes.Equal(pad, make([]byte, len(pad))) {
				t.Errorf("flags %d: the padding is % x (S-11)", flags, pad)
			}
			h.allocs = nil
			a = h.viaMethod(viaAllocator, q)
			if flags&source != 0 {
				if len(h.allocs) != 0 || a.flags != want {
					t.Errorf("flags %d: a SOURCE method asks the allocator for %v", flags, h.allocs)
				}
			} else if !slices.Equal(h.allocs, []allocation{{uint32(at + 27), flags&writes != 0}}) || a.flags != 0 {
				t.Errorf("flags %d, Out %d: the allocator is asked %v, IRP flags %#x", flags, n, h.allocs, a.flags)
			}
			h.allocs = nil
			for _, query := range []uint32{methodSupport, methodSets} { // the pool serves queries (P-14)
				a := h.viaMethod(viaAllocator, method(query, full(n)))
				wantQuery := engine.BufferedIO | engine.DeallocateBuffer
				if n > 0 {
					wantQuery |= engine.InputOperation
				}
				if len(h.allocs) != 0 || a.buffers != 1 || a.flags != wantQuery {
					t.Errorf("flags %d, query %#x, Out %d: %d buffers, the allocator is asked %v, IRP flags %#x", flags, query, n, a.buffers, h.allocs,
						a.flags)
				}
			}
		}
		for _, p := range paths { // a failing allocator decides (P-16), and is not asked for SOURCE
			if p != viaAllocator {
				continue
			}
			irp := h.irp(method(send, full(4)))
			status := h.MethodWithAllocator(irp, func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusNotSupported })
			if want := ks.StatusNotSupported; flags&source == 0 && status != want || flags&source != 0 && status != 0 {
				t.Errorf("flags %d: %v", flags, status)
			}
			irp.Finish(status, irp.UserBuffer)
			irp = h.irp(method(send, full(4)))
			status = h.MethodWithAllocator(irp, func(*engine.IRP, uint32, bool) ks.Status { return 0 })
			if want := ks.StatusInsufficientResources; flags&source == 0 && status != want {
				t.Errorf("flags %d, no buffer: %v", flags, status)
			}
			irp.Finish(status, irp.UserBuffer)
		}
	}
}

func TestM6_Information(t *testing.T) {
	for _, flags := range methodKinds {
		for _, n := range []int{0, 4} {
			for _, info := range []uint64{0, uint64(n), uint64(n) + 1, 1 << 31} {
				for _, status := range []ks.Status{0, ks.StatusBufferOverflow} {
					h := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(status, info), Flags: flags})
					a := h.viaMethod(viaProperty, method(send, make([]byte, n)))
					want, wantInfo := status, info
					if flags&writes != 0 && n != 0 && info > uint64(n) { // P-20
						want, wantInfo = ks.StatusBufferTooSmall, 0
					}
					if a.status != want || a.info != wantInfo {
						t.Errorf("flags %d, Out %d, %v with %d: %v, %d; want %v, %d", flags, n, status, info, a.status, a.info, want, wantInfo)
					}
				}
			}
		}
	}
}

func TestM7_LeastSizes(t *testing.T) {
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags, MinMethod: 32, MinData: 5})
		for _, in := range []int{0, 7} {
			if a := h.wantUnwritten(method(send, full(5), make([]byte, in)...), ks.StatusInvalidBufferSize, 0); a.buffers != 0 || a.rule != "M-7" {
				t.Errorf("%d buffers, decided by %s", a.buffers, a.rule)
			}
		}
		long := make([]byte, 8)
		h.wantUnwritten(method(send, nil, long...), ks.StatusBufferOverflow, 5)
		for n := 1; n < 5; n++ {
			if a := h.wantUnwritten(method(send, full(n), long...), ks.StatusBufferTooSmall, 0); a.buffers != 0 {
				t.Errorf("%d buffers", a.buffers)
			}
		}
		if len(h.calls) != 0 {
			t.Errorf("%d calls", len(h.calls))
		}
		h.wantUnwritten(method(methodSupport, nil), ks.StatusBufferOverflow, 4) // queries are not bound by them
		h.viaMethod(viaProperty, method(send, full(5), long...))
		if len(h.calls) != 1 {
			t.Errorf("%d calls", len(h.calls))
		}
		h = oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags})
		if h.wantUnwritten(method(send, nil), 0, 0); len(h.calls) != len(paths) {
			t.Errorf("MinData 0: %d calls", len(h.calls))
		}
	}
}

func TestM8_SetSupport(t *testing.T) {
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: stranger}},
		MethodSets: []engine.MethodSet{{Set: setB}, {Set: setA}, {Set: setB}}}
	h := newHost(t, config)
	list := slices.Concat(setB[:], setA[:], setB[:])
	for _, flags := range []uint32{methodSets, methodSets | topology} {
		of := func(set ks.GUID, out []byte) request {
			return request{set: set, id: 77, flags: flags, out: out, extra: node(1)}
		}
		if a := h.wantUnwritten(of(setA, full(9)), 0, 0); a.buffers != 1 || a.rule != "M-8" {
			t.Errorf("%d buffers, decided by %s", a.buffers, a.rule)
		}
		h.wantUnwritten(of(stranger, full(9)), ks.StatusPropsetNotFound, 0)
		h.wantUnwritten(of(ks.GUID{}, nil), ks.StatusBufferOverflow, 48)
		h.wantUnwritten(of(ks.GUID{}, full(47)), ks.StatusBufferTooSmall, 0)
		h.wantMethod(of(ks.GUID{}, full(48)), 0, 48, list)
		h.wantMethod(of(ks.GUID{}, full(50)), 0, 48, append(slices.Clone(list), untouched, untouched))
	}
	h.recompile(engine.Config{})
	h.wantUnwritten(request{flags: methodSets}, 0, 0)
}

func TestM8_BasicSupport(t *testing.T) {
	for _, flags := range append(slices.Clone(methodKinds), 0xABCD1234) {
		for name, support := range map[string]engine.Handler{"default": nil, "not mapped": answers(ks.StatusSomeNotMapped, 3)} {
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags, MinMethod: 90, MinData: 90, Support: support})
			for _, verb := range []uint32{methodSupport, methodSupport | topology} {
				q := func(n int) request { return method(verb, full(n), node(0)...) }
				h.wantUnwritten(q(0), ks.StatusBufferOverflow, 4)
				for n := 1; n < 4; n++ {
					h.wantUnwritten(q(n), ks.StatusBufferTooSmall, 0)
				}
				for _, n := range []int{4, 5, 40} {
					want := full(n)
					copy(want, u32(flags))
					if a := h.wantMethod(q(n), 0, 4, want); a.rule != "M-8" || a.buffers != 1 {
						t.Errorf("%s: decided by %s, %d buffers", name, a.rule, a.buffers)
					}
				}
			}
		}
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags, Support: fills(9, 2)})
		h.wantMethod(method(methodSupport, full(3)), 0, 2, []byte{9, 9, untouched})
		if v := h.last(t); !bytes.Equal(v.data, make([]byte, 3)) { // an out-verb, whatever the item does
			t.Errorf("the support handler finds % x", v.data)
		}
	}
}

func TestM8_NoHandler(t *testing.T) {
	for _, support := range []engine.Handler{nil, answers(ks.StatusSomeNotMapped, 1), answers(0, 3)} {
		h := oneMethod(t, engine.MethodItem{ID: 1, Support: support, MinData: 4})
		if a := h.wantUnwritten(method(send, nil), ks.StatusNotFound, 0); a.buffers != 0 || a.rule != "M-8" {
			t.Errorf("%d buffers, decided by %s", a.buffers, a.rule)
		}
		a := h.viaMethod(viaProperty, method(methodSupport, full(4)))
		switch {
		case support == nil && (a.status != ks.StatusNotFound || a.buffers != 0):
			t.Errorf("no handlers: %v, %d buffers", a.status, a.buffers)
		case support != nil && a.buffers != 1:
			t.Errorf("a support handler: %d buffers", a.buffers)
		}
	}
	h := oneMethod(t, engine.MethodItem{ID: 1, Support: answers(ks.StatusSomeNotMapped, 1)})
	h.wantUnwritten(method(methodSupport, full(4)), ks.StatusNotFound, 0)
	h = oneMethod(t, engine.MethodItem{ID: 1, Support: answers(ks.StatusNotSupported, 1)})
	h.wantUnwritten(method(methodSupport, full(4)), ks.StatusNotSupported, 0)
}

// The overrides of Compat that methods have.
func TestM8_Compat(t *testing.T) {
	h := newHost(t, engine.Config{Compat: engine.Compat{UnknownMethodFlags: ks.StatusNotSupported,
		NoMethodHandler: ks.StatusInvalidDeviceRequest, ShortRequest: ks.StatusUnsuccessful, NoDataBuffer: ks.StatusBufferTooSmall},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1}, {ID: 2, Handler: accepts, MinMethod: 25},
			{ID: 3, Support: answers(ks.StatusSomeNotMapped, 0)}, {ID: 4, Handler: accepts, MinData: 4}}}}})
	h.wantUnwritten(request{set: setA, id: 4, flags: send}, ks.StatusBufferTooSmall, 0)
	h.wantUnwritten(method(8, nil), ks.StatusNotSupported, 0)
	h.wantUnwritten(method(send, nil), ks.StatusInvalidDeviceRequest, 0)
	h.wantUnwritten(method(methodSupport, nil), ks.StatusInvalidDeviceRequest, 0)
	h.wantUnwritten(request{set: setA, id: 2, flags: send}, ks.StatusUnsuccessful, 0)
	h.wantUnwritten(request{set: setA, id: 3, flags: methodSupport}, ks.StatusInvalidDeviceRequest, 0)
}

func TestM9_DispatchSpecificMethod(t *testing.T) {
	for _, flags := range methodKinds {
		for _, n := range []int{0, 6} {
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(ks.StatusPending, 0), Flags: flags})
			irp := h.irp(method(send, full(n), 5))
			if status := h.Method(irp); status != ks.StatusPending {
				t.Fatal(status)
			}
			first := h.last(t)
			calls := 0
			status := engine.DispatchSpecificMethod(irp, func(irp *engine.IRP, request, data []byte) ks.Status {
				calls++
				if !bytes.Equal(request, first.request) || !bytes.Equal(data, first.data) || (data == nil) != (n == 0 || flags == none|source) {
					t.Errorf("flags %d, Out %d: the handler sees % x and % x", flags, n, request, data)
				}
				if irp.MethodType() != flags || irp.MethodSet() == nil {
					t.Errorf("flags %d: the type is %d", flags, irp.MethodType())
				}
				return fills(0x22, uint64(len(data)))(irp, request, data)
			})
			if status != 0 || calls != 1 {
				t.Errorf("flags %d: %v, %d calls", flags, status, calls)
			}
			out := irp.UserBuffer
			irp.Finish(status, out)
			want := full(n)
			if flags&writes != 0 {
				want = bytes.Repeat([]byte{0x22}, n)
			}
			if !bytes.Equal(out, want) {
				t.Errorf("flags %d: output % x, want % x", flags, out, want)
			}
			if status := engine.DispatchSpecificMethod(irp, accepts); status != ks.StatusInvalidParameter || irp.Rule() != "M-9" {
				t.Errorf("a completed request: %v", status)
			}
		}
	}
}

// P-20 and P-21 apply, P-18 does not; a support handler's request has its data in the system buffer, SOURCE or not.
func TestM9_Results(t *testing.T) {
	for _, flags := range []uint32{writes, modifies | source} {
		for _, verb := range []uint32{send, methodSupport} {
			pend := answers(ks.StatusPending, 0)
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: pend, Support: pend, Flags: flags})
			irp := h.irp(method(verb, full(4)))
			h.Method(irp)
			for _, c := range []struct {
				handler engine.Handler
				want    ks.Status
			}{
				{answers(ks.StatusSomeNotMapped, 3), ks.StatusNotFound},
				{answers(0, 5), ks.StatusBufferTooSmall},
				{answers(ks.StatusPending, 3), ks.StatusPending},
				{func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusNotSupported) }, ks.StatusNotSupported},
				{answers(ks.StatusUnsuccessful, 9), ks.StatusUnsuccessful},
				{fills(1, 4), 0},
			} {
				if got := engine.DispatchSpecificMethod(irp, c.handler); got != c.want || got.IsError() && irp.IoStatus.Information != 0 {
					t.Errorf("flags %d, verb %#x: %v, Information %d; want %v", flags, verb, got, irp.IoStatus.Information, c.want)
				}
			}
			out := irp.UserBuffer
			if irp.Finish(0, out); !bytes.Equal(out, []byte{1, 1, 1, 1}) {
				t.Errorf("flags %d, verb %#x: output % x", flags, verb, out)
			}
		}
	}
	// The wrong family, and what nobody laid out (S-7).
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA,
		Items: []engine.PropertyItem{{ID: 1, Get: answers(ks.StatusPending, 0)}}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: answers(ks.StatusPending, 0), Flags: writes}}}}})
	property, other, fresh := h.irp(request{set: setA, id: 1, flags: get, out: full(4)}), h.irp(method(send, full(4))),
		h.irp(method(send, full(4)))
	h.Property(property)
	h.Method(other)
	for name, f := range map[string]func() ks.Status{
		"a property": func() ks.Status { return engine.DispatchSpecificMethod(property, accepts) },
		"a method":   func() ks.Status { return engine.DispatchSpecificProperty(other, accepts) },
		"nothing":    func() ks.Status { return engine.DispatchSpecificMethod(fresh, accepts) },
		"other lengths": func() ks.Status {
			other.InputBufferLength++
			defer func() { other.InputBufferLength-- }()
			return engine.DispatchSpecificMethod(other, accepts)
		},
	} {
		if status := f(); status != ks.StatusInvalidParameter {
			t.Errorf("%s: %v", name, status)
		}
	}
	property.Finish(0, nil)
	other.Finish(0, nil)
}

func TestM10_Statuses(t *testing.T) {
	for _, flags := range methodKinds {
		for _, status := range statuses {
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(status, 3), Support: answers(status, 3), Flags: flags})
			info := uint64(3)
			if status.IsError() {
				info = 0
			}
			for _, verb := range []uint32{send, methodSupport} {
				if a := h.viaMethod(viaProperty, method(verb, make([]byte, 4))); a.status != status || a.info != info {
					t.Errorf("flags %d, verb %#x: %v, %d; want %v, %d", flags, verb, a.status, a.info, status, info)
				}
			}
		}
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(ks.StatusSomeNotMapped, 3), Flags: flags})
		h.wantUnwritten(method(send, full(4)), ks.StatusNotFound, 0) // P-18: there is no standard processing
	}
}

// MDL and lock go exactly once, whatever the handler does (S-9, S-13), and so does the buffer.
func TestM10_ReleasedOnce(t *testing.T) {
	for _, flags := range methodKinds {
		for name, handler := range map[string]engine.Handler{
			"success": accepts, "error": answers(ks.StatusNotSupported, 0), "not mapped": answers(ks.StatusSomeNotMapped, 0),
			"panic": func(*engine.IRP, []byte, []byte) ks.Status { panic("handler") }, "pending": answers(ks.StatusPending, 0),
		} {
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: handler, Flags: flags})
			irp, m := h.inLockable(method(send, full(4)))
			locks := 0
			if flags&source != 0 && flags != source {
				locks = 1
			}
			status := h.Method(irp)
			if m.locks != locks || m.unlocks != 0 {
				t.Errorf("%s, flags %d: %d locks, %d unlocks before completion", name, flags, m.locks, m.unlocks)
			}
			if status == ks.StatusPending {
				irp.Complete(0, 0)
				status = 0
			}
			irp.Finish(status, nil)
			irp.Finish(status, nil) // a second completion finds nothing to free
			if m.unlocks != locks || h.pool.Stats().Live != 0 || irp.SystemBuffer != nil || irp.Flags != 0 {
				t.Errorf("%s, flags %d: %d unlocks, want %d; %d buffers live, Flags %#x", name, flags, m.unlocks, locks, h.pool.Stats().Live, irp.Flags)
			}
		}
	}
}
