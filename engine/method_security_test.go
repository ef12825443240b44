package engine_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What hostile callers, failing memory and failing handlers must not achieve, where it touches methods.

func TestS2_MethodsReadEachByteOnce(t *testing.T) {
	for _, flags := range methodKinds {
		for _, verb := range []uint32{send, send | topology, methodSupport, methodSets} {
			h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags})
			irp, m := h.inMemory(method(verb, full(9), 1, 2, 3, 4, 5, 6, 7, 8, 9))
			m.churn = true
			want := irp.Memory.(*memory).in
			want = slices.Clone(want)
			if status := h.Method(irp); status.IsError() {
				t.Fatal(status)
			}
			irp.Finish(0, nil)
			if slices.Max(m.inReads) != 1 || slices.Min(m.inReads) != 1 || slices.Max(m.outReads) > 1 {
				t.Errorf("flags %d, verb %#x: input read %v, output %v", flags, verb, m.inReads, m.outReads)
			}
			if len(h.calls) > 0 && !bytes.Equal(h.last(t).request, want) {
				t.Errorf("flags %d, verb %#x: the handler sees % x", flags, verb, h.last(t).request)
			}
			if once := verb&^topology == send && (flags&reads != 0 || flags&source != 0 && flags != source); once != (m.outReads[0] == 1) {
				t.Errorf("flags %d, verb %#x: the output is read %d times", flags, verb, m.outReads[0])
			}
		}
	}
}

// A request that a handler sends on keeps the mode of the one who asked (S-3, S-22).
func TestS3_MethodsKeepTheCallersMode(t *testing.T) {
	for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
		inner := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: writes | source})
		var m *lockable
		outer := oneMethod(t, engine.MethodItem{ID: 1, Handler: func(irp *engine.IRP, _, _ []byte) ks.Status {
			q := method(send, full(4))
			q.mode = irp.RequestorMode
			var forwarded *engine.IRP
			forwarded, m = inner.inLockable(q)
			status := inner.Method(forwarded)
			forwarded.Finish(status, nil)
			return status
		}})
		q := method(send, nil)
		q.mode = mode
		if a := outer.viaMethod(viaProperty, q); a.status != 0 || inner.last(t).mode != mode || !slices.Equal(m.modes, []engine.Mode{mode}) {
			t.Errorf("%v: the inner method is sent by %v, its memory locked for %v", mode, inner.last(t).mode, m.modes)
		}
	}
}

func TestS8_LocksAreChecked(t *testing.T) {
	access := map[uint32]engine.LockOperation{reads: engine.ReadAccess, writes: engine.WriteAccess, modifies: engine.ModifyAccess}
	for flags, want := range access {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: flags | source})
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			for name, c := range map[string]struct {
				change func(*lockable)
				fails  bool
			}{
				"fine":         {func(*lockable) {}, false},
				"kernel range": {func(m *lockable) { m.kernelRange = true }, mode == engine.UserMode},
				"read only":    {func(m *lockable) { m.readOnly = true }, flags != reads},
				"unmapped":     {func(m *lockable) { m.outLimit = 3 }, true},
				"short":        {func(m *lockable) { m.short = true }, true},
			} {
				q := method(send, full(4))
				q.mode = mode
				irp, m := h.inLockable(q)
				c.change(m)
				h.calls = nil
				status := h.Method(irp)
				if !slices.Equal(m.access, []engine.LockOperation{want}) || !slices.Equal(m.modes, []engine.Mode{mode}) {
					t.Errorf("%s, flags %d, %v: locked for %v as %v", name, flags, mode, m.access, m.modes)
				}
				if c.fails != (status == ks.StatusAccessViolation) || !c.fails && status != 0 || c.fails == (len(h.calls) == 1) {
					t.Errorf("%s, flags %d, %v: %v, %d calls", name, flags, mode, status, len(h.calls))
				}
				if c.fails && (irp.SystemBuffer != nil || irp.Flags != 0 || h.pool.Stats().Live != 0) {
					t.Errorf("%s, flags %d, %v: a failed request keeps its buffer", name, flags, mode)
				}
				if irp.Finish(status, nil); m.locks != m.unlocks {
					t.Errorf("%s, flags %d, %v: %d locks, %d unlocks", name, flags, mode, m.locks, m.unlocks)
				}
			}
		}
		irp, m := h.inLockable(method(send, nil)) // zero length: no MDL
		if status := h.Method(irp); status != 0 || len(m.access) != 0 || h.last(t).data != nil {
			t.Errorf("flags %d, Out 0: %v, %d locks", flags, status, len(m.access))
		}
		irp.Finish(0, nil)
		// A slice that ends early, and memory that lends nothing.
		short := h.irp(method(send, full(4)))
		short.OutputBufferLength = 5
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			short.RequestorMode = mode
			if status := h.Method(short); status != ks.StatusAccessViolation || short.SystemBuffer != nil {
				t.Errorf("flags %d: a short slice: %v", flags, status)
			}
		}
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			q := method(send, full(4))
			q.mode = mode
			irp, plain := h.inMemory(q)
			plain.readOnly = true
			status := h.Method(irp)
			if want := flags != reads && mode == engine.UserMode; want != (status == ks.StatusAccessViolation) {
				t.Errorf("flags %d, %v: memory that cannot be written: %v", flags, mode, status)
			}
			if !status.IsError() && !bytes.Equal(h.last(t).data, full(4)) {
				t.Errorf("flags %d: the copy has % x", flags, h.last(t).data)
			}
			irp.Finish(status, nil)
			if written := plain.written != nil; written != (flags != reads && !status.IsError()) {
				t.Errorf("flags %d, %v: written back: %v", flags, mode, written)
			}
		}
	}
	h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Flags: source})
	irp, m := h.inLockable(method(send, full(4)))
	if status := h.Method(irp); status != 0 || len(m.access) != 0 || h.last(t).data != nil {
		t.Errorf("NONE|SOURCE: %v, %d locks", status, len(m.access))
	}
	irp.Finish(0, nil)
}

// The memory faults at every byte, and the pool runs out at every step: each buffer and lock goes once.
func TestS9_MethodFaultsAtEveryStep(t *testing.T) {
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(3, 4), Support: accepts, Flags: flags})
		for _, verb := range []uint32{send, send | topology, methodSupport} {
			q := method(verb, full(6), 1, 2, 3, 4, 5, 6, 7, 8, 9)
			for limit := range 33 {
				irp, m := h.inLockable(q)
				m.inLimit = limit
				if status := h.Method(irp); status != ks.StatusAccessViolation || irp.SystemBuffer != nil || irp.Flags != 0 ||
					irp.IoStatus.Information != 0 || irp.Rule() != "P-9" {
					t.Errorf("flags %d, verb %#x, %d bytes of input: %v by %s", flags, verb, limit, status, irp.Rule())
				}
				if irp.Finish(ks.StatusAccessViolation, nil); m.locks != m.unlocks {
					t.Errorf("flags %d: %d locks, %d unlocks", flags, m.locks, m.unlocks)
				}
			}
			for limit := range 6 {
				irp, m := h.inMemory(q)
				m.outLimit = limit
				touches := verb == methodSupport || flags != none && flags != source
				if status := h.Method(irp); touches != (status == ks.StatusAccessViolation) {
					t.Errorf("flags %d, verb %#x, %d bytes of output: %v", flags, verb, limit, status)
				} else {
					irp.Finish(status, nil)
				}
			}
		}
		if live := h.pool.Stats().Live; live != 0 {
			t.Fatalf("flags %d: %d buffers are live", flags, live)
		}
		const chunk = 4096
		refused, fine := 0, 0
		for left := 0; left < 256; left += 16 {
			h.pool = newPool(t, arena.Config{ChunkSize: chunk, Limit: chunk})
			filler, err := h.pool.AllocUninit(chunk - 64 - left)
			if err != nil {
				t.Fatal(err)
			}
			irp, _ := h.inMemory(method(send, full(60)))
			status := h.Method(irp)
			switch status {
			case ks.StatusInsufficientResources:
				if refused++; irp.Rule() != "P-10" || irp.SystemBuffer != nil {
					t.Errorf("flags %d: refused by %s", flags, irp.Rule())
				}
			case ks.StatusSuccess:
				fine++
			default:
				t.Errorf("flags %d with %d bytes left: %v", flags, left, status)
			}
			irp.Finish(status, nil)
			if s := h.pool.Stats(); s.Live != 1 || s.Strays != 0 {
				t.Errorf("flags %d with %d bytes left: %d live buffers", flags, left, s.Live)
			}
			h.pool.Free(filler)
		}
		if refused == 0 && flags != source || fine == 0 { // NONE|SOURCE needs 24 bytes, which are always left
			t.Errorf("flags %d: %d refused, %d fine; want some of both", flags, refused, fine)
		}
	}
}

func TestS11_MethodsShowNoStaleMemory(t *testing.T) {
	for _, flags := range []uint32{none, writes, modifies, reads} {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(0, 13), Flags: flags})
		was := []byte("abcdefghijklm")
		want := make([]byte, 13)
		if flags&writes == 0 || flags == modifies {
			want = slices.Clone(was)
		}
		h.wantMethod(method(send, was), 0, 13, want)
	}
}

func TestS13_MethodPanics(t *testing.T) {
	boom := func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusDatatypeMisalignment) }
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: boom, Support: boom, Flags: flags})
		for _, verb := range []uint32{send, methodSupport} {
			h.wantUnwritten(method(verb, full(4)), ks.StatusDatatypeMisalignment, 0)
		}
		for _, early := range []bool{false, true} { // the allocator, before and after it has a buffer
			if flags&source != 0 {
				continue // is not asked
			}
			irp := h.irp(method(send, full(4)))
			status := h.MethodWithAllocator(irp, func(irp *engine.IRP, size uint32, _ bool) ks.Status {
				if !early {
					irp.SystemBuffer = make([]byte, size)
				}
				panic("allocator")
			})
			if status != ks.StatusAccessViolation || irp.IoStatus.Information != 0 || irp.Flags != 0 {
				t.Errorf("allocator: %v, Information %d, Flags %#x", status, irp.IoStatus.Information, irp.Flags)
			}
		}
		if flags&source != 0 && flags != source { // the memory, while it is locked
			irp, m := h.inLockable(method(send, full(4)))
			m.panicked = true
			status := h.Method(irp)
			irp.Finish(status, nil)
			if status != ks.StatusAccessViolation || irp.SystemBuffer != nil || m.unlocks != 0 || h.pool.Stats().Live != 0 {
				t.Errorf("memory: %v, %d unlocks, %d buffers live", status, m.unlocks, h.pool.Stats().Live)
			}
		}
	}
	told := []any{}
	fast := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		panic(ks.StatusNotSupported)
	}
	h := newHost(t, engine.Config{OnPanic: func(v any, stack []byte) { told = append(told, v, len(stack) > 0) },
		MethodSets: []engine.MethodSet{{Set: setA,
			Items: []engine.MethodItem{{ID: 1, Handler: boom}}, FastIO: []engine.FastMethodItem{{ID: 1, Handler: fast}, {ID: 2, Handler: fast}}}}})
	for id := uint32(1); id <= 2; id++ {
		q := request{set: setA, id: id, flags: send}
		if handled, io, _ := h.fastMethod(q); !handled || io != (engine.IoStatus{Status: ks.StatusNotSupported}) {
			t.Errorf("fast: %v, %v", handled, io)
		}
	}
	if fmt.Sprint(told) != fmt.Sprint([]any{ks.StatusNotSupported, true, ks.StatusNotSupported, true}) {
		t.Errorf("OnPanic is told %v", told)
	}
}

// A handler that ends its goroutine leaves no buffer and no lock behind.
func TestS13_MethodGoexit(t *testing.T) {
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Flags: flags,
			Handler: func(*engine.IRP, []byte, []byte) ks.Status { runtime.Goexit(); return 0 }})
		irp, m := h.inLockable(method(send, full(4)))
		exits(t, func() { h.Method(irp) })
		if irp.SystemBuffer != nil || irp.Flags != 0 || h.pool.Stats().Live != 0 || m.locks != m.unlocks {
			t.Errorf("flags %d: %d buffers live, Flags %#x, %d locks, %d unlocks", flags, h.pool.Stats().Live, irp.Flags, m.locks, m.unlocks)
		}
		exits(t, func() { h.device.IoControl(ks.IoctlMethod, method(send, nil).bytes(), full(4)) })
		if n, status := h.device.IoControl(ks.IoctlMethod, method(methodSupport, nil).bytes(), full(4)); n != 4 || status != 0 {
			t.Errorf("flags %d: afterwards %v", flags, status)
		}
	}
}

func TestS14_MethodItemStride(t *testing.T) {
	for _, size := range []uint32{1, 8, 32, 39, 41, 44, 0xFFFFFFFF} {
		if _, err := engine.Compile(engine.Config{MethodItemSize: size}); err == nil {
			t.Errorf("MethodItemSize %d is accepted", size)
		}
	}
	for _, size := range []uint32{0, 40, 48, 0xFFFFFFF8} {
		config := engine.Config{MethodItemSize: size, MethodSets: []engine.MethodSet{{Set: setA, Items: make([]engine.MethodItem, 1)}}}
		if _, err := engine.Compile(config); err != nil {
			t.Errorf("MethodItemSize %d: %v", size, err)
		}
		config.MethodSets[0].Items = []engine.MethodItem{{ID: 1}, {ID: 2}}
		if _, err := engine.Compile(config); (err != nil) != (size == 0xFFFFFFF8) {
			t.Errorf("MethodItemSize %d times 2: %v", size, err)
		}
	}
}

// A second pass of another table takes the buffer as it is; one whose item wants the data to go other ways is refused, and
// so is a buffer that nobody prepared.
func TestS15_PreparedMethods(t *testing.T) {
	for _, before := range methodKinds {
		for _, after := range methodKinds {
			first := oneMethod(t, engine.MethodItem{ID: 1, Handler: answers(ks.StatusNotFound, 0), Flags: before})
			second := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(4, 3), Flags: after})
			irp, m := first.inLockable(method(send, full(3), 5))
			m.churn = true
			if status := first.Method(irp); status != ks.StatusNotFound {
				t.Fatal(status)
			}
			buffer, allocs := &irp.SystemBuffer[0], first.pool.Stats().Allocs
			status := second.Method(irp)
			same := before == after || before&source != 0 && after&source != 0
			if !same && status != ks.StatusInvalidParameter || same && status != 0 || &irp.SystemBuffer[0] != buffer ||
				first.pool.Stats().Allocs != allocs {
				t.Errorf("%d after %d: %v", after, before, status)
			}
			if same && !bytes.Equal(first.last(t).request, second.last(t).request) || !same && len(second.calls) != 0 {
				t.Errorf("%d after %d: %d calls", after, before, len(second.calls))
			}
			irp.Finish(status, nil)
			if m.locks != m.unlocks || first.pool.Stats().Live != 0 {
				t.Errorf("%d after %d: %d locks, %d unlocks, %d buffers live", after, before, m.locks, m.unlocks, first.pool.Stats().Live)
			}
		}
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: accepts, Support: accepts, Flags: before})
		for _, verb := range []uint32{send, methodSupport, methodSets} {
			for _, buffer := range [][]byte{{}, make([]byte, 1), make([]byte, 24), make([]byte, 4096)} {
				irp := h.irp(method(verb, full(8)))
				irp.SystemBuffer = buffer
				if status := h.MethodWithAllocator(irp, h.allocator); status != ks.StatusInvalidParameter || len(h.calls) != 0 {
					t.Errorf("flags %d, verb %#x, %d forged bytes: %v, %d calls", before, verb, len(buffer), status, len(h.calls))
				}
			}
		}
	}
	// A request of one family that is then taken for one of another.
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: fills(1, 8)}}}},
		MethodSets: []engine.MethodSet{{Set: setA,
			Items: []engine.MethodItem{{ID: 1, Handler: answers(ks.StatusNotFound, 0), Flags: modifies | source}}}}})
	irp, m := h.inLockable(method(send, full(8)))
	h.Method(irp)
	if status := h.Property(irp); status != ks.StatusInvalidParameter {
		t.Errorf("a property that was laid out as a SOURCE method: %v", status)
	}
	if irp.Finish(ks.StatusInvalidParameter, nil); m.locks != 1 || m.unlocks != 1 || h.pool.Stats().Live != 0 {
		t.Errorf("%d locks, %d unlocks, %d live", m.locks, m.unlocks, h.pool.Stats().Live)
	}
}

// After STATUS_PENDING the IRP is somebody else's: nothing of it is touched.
func TestS16_MethodsAfterPending(t *testing.T) {
	for _, flags := range methodKinds {
		k := new(heir)
		h := newHost(t, engine.Config{MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{
			{ID: 1, Handler: k.handle, Support: k.handle, Flags: flags},
			{ID: 2, Handler: answers(ks.StatusPending, 0), Flags: flags},
		}}}})
		for _, verb := range []uint32{send, methodSupport} {
			irp := h.irp(method(verb, full(4)))
			irp.Pool = nil
			k.check(t, fmt.Sprintf("Method, flags %d", flags), irp, func() ks.Status { return h.Method(irp) })
		}
		irp := h.irp(request{set: setA, id: 2, flags: send, out: full(4)})
		irp.Pool = nil
		h.Method(irp)
		k.check(t, "DispatchSpecificMethod", irp, func() ks.Status { return engine.DispatchSpecificMethod(irp, k.handle) })
	}
}

// One memory for both buffers: the request is captured before anything is written (P-11), through a view too.
func TestP11_MethodsInOneMemory(t *testing.T) {
	for _, flags := range methodKinds {
		h := oneMethod(t, engine.MethodItem{ID: 1, Handler: fills(0x55, 24), Flags: flags})
		for _, p := range paths {
			block := method(send, nil).bytes()
			was := slices.Clone(block)
			irp := h.irp(request{})
			irp.Type3InputBuffer, irp.UserBuffer, irp.InputBufferLength, irp.OutputBufferLength = block, block, 24, 24
			var status ks.Status
			switch p {
			case viaDevice:
				_, status = h.device.IoControl(ks.IoctlMethod, block, block)
			case viaAllocator:
				status = h.MethodWithAllocator(irp, h.allocator)
				irp.Finish(status, block)
			default:
				status = h.Method(irp)
				irp.Finish(status, block)
			}
			want := was
			if flags&writes != 0 {
				want = bytes.Repeat([]byte{0x55}, 24)
			}
			if status != 0 || !bytes.Equal(h.last(t).request, was) || !bytes.Equal(block, want) {
				t.Errorf("%s, flags %d: %v, the handler sees % x, the caller % x", p, flags, status, h.last(t).request, block)
			}
		}
	}
}
