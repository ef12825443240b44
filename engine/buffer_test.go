package engine_test

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The rules of the buffer: P-6 to P-16.

// everyVerb is a host with an item that answers each verb itself where a handler can.
func everyVerb(t testing.TB) *host {
	return oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1, 2, 3, 4), Set: accepts, SerializedSize: 4,
		Support: answers(ks.StatusSuccess, 0)})
}

func TestP6_Layout(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set, basicSupport, unserializeRaw} {
		for out := range 18 {
			for extra := range 18 {
				for _, p := range paths {
					q := request{set: setA, id: 1, flags: verb, extra: bytes.Repeat([]byte{0xAB}, extra), out: full(out)}
					h.calls = nil
					h.via(p, q)
					v, at := h.last(t), (out+7)&^7
					// The request lies at al8(Out), the data at 0, and what is between them is zero.
					if !bytes.Equal(v.request, q.bytes()) || !bytes.Equal(v.system[at:at+len(v.request)], v.request) {
						t.Fatalf("%s %v: request % x in buffer % x", p, q, v.request, v.system)
					}
					if len(v.data) != out || !bytes.Equal(v.system[:out], v.data) || (v.data == nil) != (out == 0) {
						t.Fatalf("%s %v: data % x in buffer % x", p, q, v.data, v.system)
					}
					if slices.ContainsFunc(v.system[out:at], func(b byte) bool { return b != 0 }) {
						t.Fatalf("%s %v: padding % x", p, q, v.system[out:at])
					}
				}
			}
		}
	}
	// The slices of a handler end where their part ends, so that append cannot reach the other one; they alias the buffer.
	h = oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		if cap(data) != len(data) || cap(request) != len(request) || &data[0] != &irp.SystemBuffer[0] || &request[0] != &irp.SystemBuffer[8] {
			t.Errorf("data %d of %d, request %d of %d bytes, or they are not in SystemBuffer", len(data), cap(data), len(request), cap(request))
		}
		return 0
	}})
	h.want(request{set: setA, id: 1, flags: get, out: full(5)}, ks.StatusSuccess, 0)
}

func TestP7_DirectionByVerb(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set, basicSupport, relations, serializeRaw, unserializeRaw, serializeSize, defaultValues} {
		for _, p := range paths {
			h.via(p, request{set: setA, id: 1, flags: verb, out: full(6)})
			want := make([]byte, 6)
			if carriesIn(verb) {
				want = full(6)
			}
			if v := h.last(t); !bytes.Equal(v.data, want) {
				t.Errorf("%s %s: the handler finds % x, want % x", p, ks.FormatPropertyFlags(verb), v.data, want)
			}
		}
	}
	// UNSERIALIZESET carries in as well: its blob reaches the SET handler.
	blob := join(setA[:], u32(1), make([]byte, 24), u32(1), u32(4), []byte{9, 8, 7, 6})
	h.want(request{set: setA, flags: unserializeSet, out: blob}, ks.StatusSuccess, 0)
	if v := h.last(t); !bytes.Equal(v.data, []byte{9, 8, 7, 6}) {
		t.Errorf("the SET of UNSERIALIZESET finds % x", v.data)
	}
	// SERIALIZESET carries out.
	if a := h.want(request{set: setA, flags: serializeSet, out: full(56)}, ks.StatusSuccess, 56); !bytes.Equal(a.out[52:],
		[]byte{1, 2, 3, 4}) {
		t.Errorf("SERIALIZESET answers % x", a.out)
	}
}

func TestP8_ProbeAndCapture(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range verbs {
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			for _, out := range []int{0, 13} {
				q := request{set: setA, id: 1, flags: verb, out: full(out), mode: mode}
				irp, m := h.inMemory(q)
				irp.Finish(h.Property(irp), nil)
				var probes []uint32
				if !carriesIn(verb) && mode == engine.UserMode && out != 0 {
					probes = []uint32{13}
				}
				reads := 0
				if carriesIn(verb) {
					reads = out
				}
				if got := sum(m.outReads); !slices.Equal(m.probes, probes) || got != reads {
					t.Errorf("%v mode %v: probed for write %v, %d bytes read; want %v, %d", q, mode, m.probes, got, probes, reads)
				}
				if carriesIn(verb) && m.written != nil {
					t.Errorf("%v: % x written back", q, m.written)
				}
			}
		}
	}
}

// SET data is never written back, so a read-only buffer works.
func TestP8_SetDataIsNotReturned(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Set: func(irp *engine.IRP, _, data []byte) ks.Status {
		clear(data)
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}})
	q := request{set: setA, id: 1, flags: set, out: full(9)}
	h.want(q, ks.StatusSuccess, 9) // via checks that the output is untouched
	irp, m := h.inMemory(q)
	m.readOnly = true
	if status := h.Property(irp); status != ks.StatusSuccess || irp.Finish(status, nil) != 9 || m.written != nil {
		t.Errorf("read-only SET data: %v, written % x", status, m.written)
	}
}

func sum(n []int) (total int) {
	for _, v := range n {
		total += v
	}
	return total
}

func TestP9_FaultAtEveryByte(t *testing.T) {
	h := everyVerb(t)
	run := func(q request, in, out int, fault ks.Status, allocate bool) {
		t.Helper()
		h.calls, h.allocs = nil, nil
		live := h.pool.Stats().Live
		irp, m := h.inMemory(q)
		m.inLimit, m.outLimit, m.fault = in, out, fault
		var status ks.Status
		if allocate {
			status = h.PropertyWithAllocator(irp, h.allocator)
		} else {
			status = h.Property(irp)
		}
		if status != fault || irp.IoStatus.Information != 0 || len(h.calls) != 0 || irp.Rule() != "P-9" {
			t.Errorf("%v, fault at in %d, out %d: %v, Information %d, %d calls, by %s; want %v", q, in, out, status,
				irp.IoStatus.Information, len(h.calls), irp.Rule(), fault)
		}
		if !allocate || len(h.allocs) == 0 {
			if irp.SystemBuffer != nil || irp.Flags != 0 {
				t.Errorf("%v, fault at in %d, out %d: the buffer is still there", q, in, out)
			}
		}
		if irp.Finish(status, nil); h.pool.Stats().Live != live {
			t.Errorf("%v, fault at in %d, out %d: a buffer leaks", q, in, out)
		}
	}
	for _, fault := range []ks.Status{ks.StatusAccessViolation, ks.StatusDatatypeMisalignment} {
		for _, allocate := range []bool{false, true} {
			for _, verb := range []uint32{get, set, basicSupport, serializeSet, unserializeRaw, get | topology, set | topology} {
				q := request{set: setA, id: 1, flags: verb, extra: make([]byte, 16), out: full(11)}
				for in := range len(q.bytes()) {
					run(q, in, 11, fault, allocate)
				}
				for out := range 11 {
					run(q, len(q.bytes()), out, fault, allocate)
				}
			}
		}
	}
}

// A slice that is shorter than the stated length ends in memory that is not mapped.
func TestP9_SliceShorterThanLength(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set} {
		q := request{set: setA, id: 1, flags: verb, extra: make([]byte, 16), out: full(11)}
		for in := range len(q.bytes()) {
			irp := h.irp(q)
			irp.Type3InputBuffer = irp.Type3InputBuffer[:in]
			if status := h.Property(irp); status != ks.StatusAccessViolation || irp.IoStatus.Information != 0 || irp.SystemBuffer != nil {
				t.Errorf("%v: %d bytes mapped: %v", q, in, status)
			}
		}
		for out := range 11 {
			irp := h.irp(q)
			irp.UserBuffer = irp.UserBuffer[:out]
			if status := h.Property(irp); status != ks.StatusAccessViolation || irp.IoStatus.Information != 0 || irp.SystemBuffer != nil {
				t.Errorf("%v: %d bytes mapped: %v", q, out, status)
			}
		}
	}
	if len(h.calls) != 0 {
		t.Errorf("%d handler calls", len(h.calls))
	}
	// Bytes beyond the stated lengths are not looked at.
	irp := h.irp(request{set: setA, id: 1, flags: get, extra: make([]byte, 100), out: full(100)})
	irp.InputBufferLength, irp.OutputBufferLength = 24, 4
	if status := h.Property(irp); status != ks.StatusSuccess || len(h.last(t).request) != 24 || len(h.last(t).data) != 4 {
		t.Errorf("%v with %d bytes of request, %d of data", status, len(h.last(t).request), len(h.last(t).data))
	}
	irp.Finish(ks.StatusSuccess, irp.UserBuffer)
}

func TestP10_PoolBufferAndFlags(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range verbs {
		for _, out := range []int{0, 1, 64} {
			q := request{set: setA, id: 1, flags: verb, out: full(out)}
			want := engine.BufferedIO | engine.DeallocateBuffer
			if !carriesIn(verb) && out > 0 {
				want |= engine.InputOperation
			}
			if a := h.via(viaProperty, q); a.flags != want {
				t.Errorf("%v: Flags %#x, want %#x", q, a.flags, want)
			}
		}
	}
	// Without a pool the Go heap serves.
	irp := h.irp(request{set: setA, id: 1, flags: get, out: full(4)})
	irp.Pool = nil
	if status := h.Property(irp); status != ks.StatusSuccess || irp.Flags != allocatorFlags || irp.Finish(status, irp.UserBuffer) != 4 {
		t.Errorf("without a pool: %v", status)
	}
	// An exhausted pool.
	h.pool = newPool(t, arena.Config{ChunkSize: 256, Limit: 256})
	h.calls = nil
	for _, verb := range verbs {
		if verb == setSupport || verb == basicSupport || carriesIn(verb) || verb == get {
			irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(4000)})
			if status := h.Property(irp); status != ks.StatusInsufficientResources || irp.IoStatus.Information != 0 || irp.Flags != 0 {
				t.Errorf("%s from an exhausted pool: %v, Information %d, Flags %#x", ks.FormatPropertyFlags(verb), status,
					irp.IoStatus.Information, irp.Flags)
			}
		}
	}
	if len(h.calls) != 0 {
		t.Errorf("%d handler calls", len(h.calls))
	}
}

func TestP11_SameAddressForInAndOut(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(bytes.Repeat([]byte{0x77}, 32)...), Set: accepts})
	for _, p := range paths {
		for _, verb := range []uint32{get, set} {
			q := request{set: setA, id: 1, flags: verb, extra: []byte{1, 2, 3, 4, 5, 6, 7, 8}}
			whole := q.bytes()
			buf := slices.Clone(whole)
			var status ks.Status
			if p == viaDevice {
				_, status = h.device.IoControl(ks.IoctlProperty, buf, buf)
			} else {
				irp := h.irp(q)
				irp.Type3InputBuffer, irp.UserBuffer, irp.OutputBufferLength = buf, buf, uint32(len(buf))
				if status = h.Property(irp); p == viaAllocator {
					irp.Finish(status, buf)
					status = h.PropertyWithAllocator(irp, h.allocator)
				}
				irp.Finish(status, buf)
				irp.SystemBuffer = nil
			}
			if p == viaAllocator && verb == get {
				continue // the first pass has overwritten the request, as it should
			}
			if v := h.last(t); status != ks.StatusSuccess || !bytes.Equal(v.request, whole) {
				t.Errorf("%s %v: %v, the handler sees % x", p, q, status, v.request)
			}
			if verb == set && !bytes.Equal(h.last(t).data, whole) {
				t.Errorf("%s: SET data % x", p, h.last(t).data)
			}
			if want := bytes.Repeat([]byte{0x77}, 32); verb == get && !bytes.Equal(buf, want) {
				t.Errorf("%s: the caller gets % x", p, buf)
			}
		}
	}
}

func TestP12_AllocatorArguments(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set} {
		for _, out := range []int{0, 1, 8, 9} {
			for _, extra := range []int{0, 5} {
				h.allocs = nil
				h.via(viaAllocator, request{set: setA, id: 1, flags: verb, extra: make([]byte, extra), out: full(out)})
				want := allocation{uint32((out+7)&^7 + 24 + extra), verb == get}
				if len(h.allocs) != 1 || h.allocs[0] != want {
					t.Errorf("%s out %d in %d: allocator called with %v, want %v", ks.FormatPropertyFlags(verb), out, 24+extra, h.allocs, want)
				}
			}
		}
	}
}

func TestP13_AllocatorSetsNoFlags(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set} {
		q := request{set: setA, id: 1, flags: verb, out: full(4)}
		irp := h.irp(q)
		irp.Flags = allocatorFlags // of an earlier request
		status := h.PropertyWithAllocator(irp, h.allocator)
		buffer := irp.SystemBuffer
		if status != ks.StatusSuccess || irp.Flags != 0 {
			t.Errorf("%v: %v, Flags %#x, want none", q, status, irp.Flags)
		}
		// The filter copies back and frees: Finish leaves the buffer to its owner.
		irp.Finish(status, irp.UserBuffer)
		if len(buffer) == 0 || len(irp.SystemBuffer) != len(buffer) || &irp.SystemBuffer[0] != &buffer[0] {
			t.Errorf("%v: the allocator's buffer is gone", q)
		}
	}
}

func TestP14_AllocatorIsForGetAndSet(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range verbs {
		q := request{set: setA, id: 1, flags: verb, out: full(8)}
		h.allocs = nil
		a := h.via(viaAllocator, q)
		if plain := verb == get || verb == set; plain != (len(h.allocs) == 1) || plain != (a.flags == 0) {
			t.Errorf("%v: allocator called %d times, Flags %#x", q, len(h.allocs), a.flags)
		}
	}
}

func TestP15_PreparedBySecondDispatcher(t *testing.T) {
	// A class driver falls through to its own table: the first one's handler answers SOME_NOT_MAPPED, so NOT_FOUND (P-18).
	for _, verb := range []uint32{get, set} {
		for _, allocate := range []bool{false, true} {
			first := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusSomeNotMapped, 3), Set: answers(ks.StatusSomeNotMapped, 3)})
			second := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(5, 6, 7), Set: accepts})
			irp, m := first.inMemory(request{set: setA, id: 1, flags: verb, extra: node(8), out: full(3)})
			m.churn = true // what is read twice would be another request
			dispatch := func(h *host) ks.Status {
				if allocate {
					return h.PropertyWithAllocator(irp, first.allocator)
				}
				return h.Property(irp)
			}
			before := first.pool.Stats().Allocs
			if status := dispatch(first); status != ks.StatusNotFound {
				t.Fatalf("first pass: %v", status)
			}
			buffer, flags := &irp.SystemBuffer[0], irp.Flags
			if status := dispatch(second); status != ks.StatusSuccess || &irp.SystemBuffer[0] != buffer || irp.Flags != flags {
				t.Errorf("second pass: %v, another buffer: %v", status, &irp.SystemBuffer[0] != buffer)
			}
			if n := int(first.pool.Stats().Allocs-before) + len(first.allocs); n != 1 {
				t.Errorf("%d buffers for two passes", n)
			}
			a, b := first.last(t), second.last(t)
			if !bytes.Equal(a.request, b.request) || !bytes.Equal(a.data, b.data) || slices.Max(m.inReads) != 1 || verb == set &&
				slices.Max(m.outReads) != 1 {
				t.Errorf("the passes see % x and % x, or the caller's memory was read again: %v %v", a.request, b.request, m.inReads, m.outReads)
			}
			if irp.PropertySet().Items[0].Get == nil || irp.Rule() != "P-17" {
				t.Errorf("decided by %s", irp.Rule())
			}
			irp.Finish(ks.StatusSuccess, nil)
			if verb == get && !bytes.Equal(m.written, []byte{5, 6, 7}) {
				t.Errorf("the caller gets % x", m.written)
			}
		}
	}
	// A first pass that ends before the buffer leaves nothing behind: the second one prepares.
	first, second := newHost(t, engine.Config{}), oneItem(t, engine.PropertyItem{ID: 1, Get: produces(9)})
	irp := first.irp(request{set: setA, id: 1, flags: get, out: full(1)})
	if status := first.Property(irp); status != ks.StatusPropsetNotFound {
		t.Fatalf("first pass: %v", status)
	}
	if status := second.Property(irp); status != ks.StatusSuccess || irp.Finish(status, irp.UserBuffer) != 1 || irp.UserBuffer[0] != 9 {
		t.Errorf("second pass: %v, output % x", status, irp.UserBuffer)
	}
}

func TestP16_AllocatorFails(t *testing.T) {
	h := everyVerb(t)
	buffer := func(n int) engine.Allocator {
		return func(irp *engine.IRP, _ uint32, _ bool) ks.Status {
			irp.SystemBuffer = make([]byte, n)
			irp.IoStatus.Information = 99
			return ks.StatusSuccess
		}
	}
	for name, c := range map[string]struct {
		allocate engine.Allocator
		want     ks.Status
	}{
		"error":            {func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusInsufficientResources }, ks.StatusInsufficientResources},
		"its own error":    {func(*engine.IRP, uint32, bool) ks.Status { return 0xC0001234 }, 0xC0001234},
		"warning":          {func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusNoMoreEntries }, ks.StatusNoMoreEntries},
		"success, nothing": {func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusSuccess }, ks.StatusInsufficientResources},
		"one byte short":   {buffer(31), ks.StatusInsufficientResources},
		"empty":            {buffer(0), ks.StatusInsufficientResources},
		"sets Information": {func(irp *engine.IRP, _ uint32, _ bool) ks.Status {
			irp.IoStatus.Information = 7
			return ks.StatusUnsuccessful
		}, ks.StatusUnsuccessful},
		"buffer and error": {func(irp *engine.IRP, n uint32, _ bool) ks.Status {
			irp.SystemBuffer = make([]byte, n)
			return ks.StatusUnsuccessful
		}, ks.StatusUnsuccessful},
		"panics":           {func(*engine.IRP, uint32, bool) ks.Status { panic("allocator") }, ks.StatusAccessViolation},
		"panics, a status": {func(*engine.IRP, uint32, bool) ks.Status { panic(ks.StatusUnsuccessful) }, ks.StatusUnsuccessful},
	} {
		for _, verb := range []uint32{get, set} {
			irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(8)})
			status := h.PropertyWithAllocator(irp, c.allocate)
			if status != c.want || irp.IoStatus.Information != 0 || irp.Flags != 0 || len(h.calls) != 0 {
				t.Errorf("%s, %s: %v, Information %d, Flags %#x, %d handler calls; want %v", name, ks.FormatPropertyFlags(verb), status,
					irp.IoStatus.Information, irp.Flags, len(h.calls), c.want)
			}
			irp.Finish(status, irp.UserBuffer)
			if !bytes.Equal(irp.UserBuffer, full(8)) {
				t.Errorf("%s: % x reaches the caller", name, irp.UserBuffer)
			}
		}
	}
	// Exactly as long as asked for is enough, and the Information of the allocator is not the handler's.
	h = oneItem(t, engine.PropertyItem{ID: 1, Set: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }})
	irp := h.irp(request{set: setA, id: 1, flags: set, out: full(8)})
	if status := h.PropertyWithAllocator(irp, buffer(32)); status != ks.StatusSuccess || irp.IoStatus.Information != 0 {
		t.Errorf("%v, Information %d; want success, 0", status, irp.IoStatus.Information)
	}
}

// On a host of 32 bits a length can be more than there is memory to address (P-5).
func TestP10_LengthsAbove32BitHosts(t *testing.T) {
	if strconv.IntSize != 32 {
		t.Skip("64-bit host: every length of 32 bits can be addressed")
	}
	h := everyVerb(t)
	for _, out := range []uint32{math.MaxInt32/4 + 1, 0x80000000, 0xFFFFFFE0} {
		for _, verb := range []uint32{get, set, basicSupport, unserializeRaw} {
			for _, pool := range []*arena.Arena{nil, h.pool} {
				irp, m := h.inMemory(request{set: setA, id: 1, flags: verb})
				irp.OutputBufferLength, irp.Pool, m.outLimit = out, pool, math.MaxInt
				if status := h.Property(irp); status != ks.StatusInsufficientResources || irp.IoStatus.Information != 0 || irp.SystemBuffer != nil {
					t.Errorf("Out %#x: %v, Information %d", out, status, irp.IoStatus.Information)
				}
			}
		}
	}
}

// Requests of random lengths come back as they should, whatever was sent before them.
func TestP6_RandomLengths(t *testing.T) {
	r := testkit.Rand(t)
	h := oneItem(t, engine.PropertyItem{ID: 1, Set: accepts, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
		for i := range data {
			data[i] = request[i%len(request)]
		}
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}})
	for range 2000 {
		q := request{set: setA, id: 1, flags: get, extra: make([]byte, r.IntN(100)), out: full(r.IntN(200))}
		for i := range q.extra {
			q.extra[i] = byte(r.Uint32())
		}
		p := paths[r.IntN(len(paths))]
		a := h.via(p, q)
		in := q.bytes()
		for i, b := range a.out {
			if b != in[i%len(in)] {
				t.Fatalf("%s %v: byte %d of the answer is %#x", p, q, i, b)
			}
		}
	}
}
