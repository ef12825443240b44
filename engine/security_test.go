package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What hostile callers, hostile memory and careless drivers must not achieve: N-1 and the S rules.

func TestN1_StatusClassDecidesWhatReturns(t *testing.T) {
	for _, status := range statuses {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, "data"))
			return status
		}})
		for _, p := range paths {
			a := h.via(p, request{set: setA, id: 1, flags: get, out: full(6)})
			want, n := append([]byte("data"), untouched, untouched), uint64(4)
			if status.IsError() {
				want, n = full(6), 0
			}
			if a.status != status || a.info != n || !bytes.Equal(a.out, want) {
				t.Errorf("%s %v: %d bytes returned, output % x", p, a.status, a.info, a.out)
			}
		}
	}
}

func TestS1_InnerRequestsKeepTheCallersMode(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 4})
	entries := []serial{{id: 1, value: u32(1)}, {id: 2, value: u32(2)}}
	o.want(request{set: setA, flags: unserializeSet, out: blob(setA, 2, entries...)}, ks.StatusSuccess, 0)
	o.want(request{set: setA, flags: serializeSet, out: full(92)}, ks.StatusSuccess, 92)
	if len(o.calls) != 4*len(paths) {
		t.Errorf("%d inner requests", len(o.calls))
	}
	for _, c := range o.calls {
		if c.mode != engine.UserMode || c.file != &o.file && c.file != o.device.File() || c.set != setA || c.identifier().Set != setA {
			t.Errorf("an inner request in mode %v, set %v", c.mode, c.set)
		}
	}
	o.calls = nil
	o.want(request{set: setA, flags: unserializeSet, out: blob(setB, 2, entries...)}, ks.StatusInvalidParameter, 0)
	if len(o.calls) != 0 {
		t.Errorf("a blob that names another set: %d handler calls", len(o.calls))
	}
}

func TestS2_OneReadOfEachByte(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4, MinData: 4},
		engine.PropertyItem{ID: 2, SerializedSize: 1, Get: sized(9), Support: answers(0, 0)})
	serialized := blob(setA, 2, serial{id: 1, value: u32(7)}, serial{id: 2, value: []byte("abc")})
	for _, allocate := range []bool{false, true} {
		for _, modifiers := range []uint32{0, topology} {
			for _, verb := range verbs {
				for _, id := range []uint32{1, 2} {
					q := request{set: setA, id: id, flags: verb | modifiers, extra: bytes.Repeat([]byte{3}, 13), out: serialized}
					irp, m := o.inMemory(q)
					m.churn = true
					o.calls = nil
					var status ks.Status
					if allocate {
						status = o.PropertyWithAllocator(irp, o.allocator)
					} else {
						status = o.Property(irp)
					}
					irp.Finish(status, nil)
					noHandler := id == 1 && verb&(serializeRaw|unserializeRaw|defaultValues) != 0 // fails before the buffer (P-23)
					once := 1
					if noHandler {
						once = 0
					}
					data := 0
					if carriesIn(verb) && !noHandler {
						data = 1
					}
					if slices.Max(m.inReads[:24]) != 1 || slices.Min(m.inReads[:24]) != 1 || slices.Max(m.inReads) != 1 ||
						slices.Min(m.inReads[32:]) != once {
						t.Errorf("%v: reads of the input %v", q, m.inReads)
					}
					if slices.Max(m.outReads) != data || slices.Min(m.outReads) != data {
						t.Errorf("%v: reads of the output %v", q, m.outReads)
					}
					// What was decided on is what the handler sees.
					for _, c := range o.calls {
						if c.identifier().Set != setA || c.identifier().Flags&topology != modifiers || !bytes.Equal(c.request[24:], q.extra) {
							t.Errorf("%v: the handler sees % x", q, c.request)
						}
					}
					if !noHandler && len(o.calls) == 0 && verb&(get|set|serializeSet|unserializeSet) != 0 {
						t.Errorf("%v: %v without a handler call", q, status)
					}
				}
			}
		}
	}
}

func TestS5_SizeArithmetic(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Set: accepts, Support: accepts})
	for _, verb := range verbs {
		for out := uint32(0xFFFFFFF9); out != 0; out++ {
			irp := h.irp(request{set: setA, id: 1, flags: verb})
			irp.OutputBufferLength = out
			if status := h.Property(irp); status != ks.StatusInvalidBufferSize || irp.Rule() != "P-5" {
				t.Errorf("%s, Out %#x: %v by %s", ks.FormatPropertyFlags(verb), out, status, irp.Rule())
			}
		}
	}
	// Sizes of declarations: products and sums are taken in 64 bits.
	for _, m := range []ks.MembersHeader{
		{MembersSize: 0x10000, MembersCount: 0x10000}, {MembersSize: math.MaxUint32, MembersCount: math.MaxUint32},
		{MembersSize: 0x80000000, MembersCount: 2}, {MembersSize: 0x40000000, MembersCount: 0x40000004},
	} {
		_, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Values: &engine.PropertyValues{MembersList: []engine.MembersList{{MembersHeader: m}}}}}}}})
		if err == nil {
			t.Errorf("%d x %d members without a byte of them compile", m.MembersSize, m.MembersCount)
		}
	}
	// A set whose serialization exceeds 32 bits is refused, whatever the output length, and nothing of the size is allocated.
	sizes := []uint32{0xFFFFFFFF, 0xFFFFFFC0, 0x80000000}
	for _, size := range sizes {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: size}, engine.PropertyItem{ID: 2, SerializedSize: 0x80000000})
		for _, out := range []int{0, 100} {
			if a := o.want(request{set: setA, flags: serializeSet, out: full(out)}, ks.StatusInvalidBufferSize, 0); a.rule != "P-40" {
				t.Errorf("SerializedSize %#x: decided by %s", size, a.rule)
			}
		}
	}
	// 20 + 32 + al4(size) at the limit of 32 bits.
	for size, fits := range map[uint32]bool{0xFFFFFFC8: true, 0xFFFFFFC9: false} {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: size})
		if fits {
			o.want(request{set: setA, flags: serializeSet}, ks.StatusBufferOverflow, 0xFFFFFFFC)
		} else {
			o.want(request{set: setA, flags: serializeSet}, ks.StatusInvalidBufferSize, 0)
		}
	}
}

func TestS6_CopyIsBounded(t *testing.T) {
	for _, status := range []ks.Status{ks.StatusSuccess, ks.StatusBufferOverflow} {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(status, 9)})
		h.want(request{set: setA, id: 1, flags: get, out: full(8)}, ks.StatusBufferTooSmall, 0) // via checks that nothing is copied
	}
	// A value that grows between the size answer and the GET.
	size := uint64(4)
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = size
		if size += 4; len(data) == 0 {
			return ks.StatusBufferOverflow
		}
		return ks.StatusSuccess
	}})
	need := h.via(viaDevice, request{set: setA, id: 1, flags: get})
	if need.status != ks.StatusBufferOverflow || need.info != 4 {
		t.Fatalf("%v, %d", need.status, need.info)
	}
	if a := h.via(viaDevice, request{set: setA, id: 1, flags: get, out: full(4)}); a.status != ks.StatusBufferTooSmall ||
		!bytes.Equal(a.out, full(4)) {
		t.Errorf("%v, % x", a.status, a.out)
	}
	// A pended request that claims more than its buffer has (AS-3), and a copy to a shorter slice.
	h = oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusPending, 0)})
	for _, allocate := range []bool{false, true} {
		for _, n := range []int{8, 3} {
			irp := pended(h, request{set: setA, id: 1, flags: get, out: full(8)}, allocate)
			out := full(12)
			irp.Complete(ks.StatusSuccess, 8)
			irp.Finish(irp.IoStatus.Status, out[:n])
			if want := append(make([]byte, n), full(12-n)...); !bytes.Equal(out, want) {
				t.Errorf("% x, want % x", out, want)
			}
			irp, out = pended(h, request{set: setA, id: 1, flags: get, out: full(8)}, allocate), full(12)
			irp.Complete(ks.StatusSuccess, 1<<40)
			got := irp.Finish(irp.IoStatus.Status, out[:n])
			if got != 0 || irp.IoStatus.Status != ks.StatusBufferTooSmall || !bytes.Equal(out, full(12)) {
				t.Errorf("%v, %d bytes, % x", irp.IoStatus.Status, got, out)
			}
		}
	}
}

func TestS7_NoObjectIsMistaken(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts})
	// Prepared, but never dispatched to an item: there is no DriverContext to trust.
	for _, verb := range []uint32{setSupport, basicSupport, serializeSet} {
		irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(40)})
		status := h.Property(irp)
		if irp.PropertySet() != nil || irp.PropertyItem() != nil || irp.ItemStorage() != nil || irp.ItemContext() != nil {
			t.Errorf("%s: the IRP names an item", ks.FormatPropertyFlags(verb))
		}
		if s := engine.DispatchSpecificProperty(irp, accepts); s != ks.StatusInvalidParameter {
			t.Errorf("%s: DispatchSpecificProperty: %v", ks.FormatPropertyFlags(verb), s)
		}
		irp.Finish(status, irp.UserBuffer)
	}
	// What an earlier request left is not the next one's.
	irp := h.irp(request{set: setA, id: 1, flags: get})
	irp.Finish(h.Property(irp), nil)
	if irp.PropertySet() == nil {
		t.Error("no set after a handler was called")
	}
	irp.InputBufferLength = 0
	if irp.Finish(h.Property(irp), nil); irp.PropertySet() != nil {
		t.Error("the set of an earlier request is still there")
	}
}

// faulty counts steps and fails one of them.
type faulty struct {
	*memory
	step, failAt int
}

func (f *faulty) next() bool { f.step++; return f.step == f.failAt }

func (f *faulty) ReadInput(dst []byte, off uint32) ks.Status {
	if f.next() {
		return ks.StatusAccessViolation
	}
	return f.memory.ReadInput(dst, off)
}

func (f *faulty) ReadOutput(dst []byte) ks.Status {
	if f.next() {
		return ks.StatusAccessViolation
	}
	return f.memory.ReadOutput(dst)
}

func (f *faulty) ProbeOutput(n uint32) ks.Status {
	if f.next() {
		return ks.StatusAccessViolation
	}
	return f.memory.ProbeOutput(n)
}

// Every step of a request fails once: the memory, the allocator, each handler with a status or a panic. Allocations and
// frees balance, and an early failure leaves no buffer and no flag.
func TestS9_FaultAtEveryStep(t *testing.T) {
	serialized := blob(setA, 2, serial{id: 1, value: u32(7)}, serial{id: 2, value: u32(9)})
	for _, verb := range verbs {
		for _, allocate := range []bool{false, true} {
			for _, panics := range []bool{false, true} {
				for failAt := 1; ; failAt++ {
					f := &faulty{failAt: failAt}
					step := func(irp *engine.IRP, _, data []byte) ks.Status {
						if f.next() && panics {
							panic("fault")
						} else if f.step == f.failAt {
							return ks.StatusUnsuccessful
						}
						irp.IoStatus.Information = uint64(copy(data, join(u32(8), u32(0))))
						return ks.StatusSuccess
					}
					h := &host{TB: t}
					h.recompile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
						{ID: 1, Get: step, Set: step, SerializedSize: 4, Support: step}, {ID: 2, Get: step, Set: step, SerializedSize: 1}}}}})
					irp, m := h.inMemory(request{set: setA, id: 1, flags: verb | topology, extra: make([]byte, 20),
						out: append(slices.Clone(serialized), make([]byte, 20)...)})
					f.memory = m
					irp.Memory = f
					buffers := 0
					status := h.PropertyWithAllocator(irp, map[bool]engine.Allocator{true: func(irp *engine.IRP, size uint32, _ bool) ks.Status {
						if f.next() {
							return ks.StatusInsufficientResources
						}
						buffers++
						irp.SystemBuffer = make([]byte, size)
						return ks.StatusSuccess
					}}[allocate])
					if status.IsError() && irp.IoStatus.Information != 0 {
						t.Fatalf("%s, step %d: %v, Information %d", ks.FormatPropertyFlags(verb), failAt, status, irp.IoStatus.Information)
					}
					if status == ks.StatusAccessViolation && !panics && buffers == 0 && (irp.SystemBuffer != nil || irp.Flags != 0) {
						t.Fatalf("%s, step %d: an early failure leaves %d bytes, Flags %#x", ks.FormatPropertyFlags(verb), failAt, len(irp.SystemBuffer),
							irp.Flags)
					}
					irp.Finish(status, nil)
					if s := h.pool.Stats(); s.Live != 0 || s.Allocs != s.Frees || s.Strays != 0 || (irp.SystemBuffer != nil) != (buffers != 0) ||
						irp.Flags != 0 {
						t.Fatalf("%s, step %d: %d allocations, %d frees, %d strays, Flags %#x", ks.FormatPropertyFlags(verb), failAt, s.Allocs, s.Frees,
							s.Strays, irp.Flags)
					}
					if f.step < failAt { // none failed
						if status.IsError() {
							t.Fatalf("%s: %v without a fault", ks.FormatPropertyFlags(verb), status)
						}
						break
					}
				}
			}
		}
	}
}

// The pool is exhausted at every size: each request ends as it should, or with STATUS_INSUFFICIENT_RESOURCES.
func TestS9_PoolExhaustedAtEveryStep(t *testing.T) {
	const chunk = 4096
	serialized := blob(setA, 2, serial{id: 1, value: u32(7)}, serial{id: 2, value: u32(9)})
	for _, verb := range verbs {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4, Support: answers(0, 0)},
			engine.PropertyItem{ID: 2, SerializedSize: 1, Get: sized(8)})
		refused, fine := 0, 0
		for left := 0; left < 1024; left += 16 {
			o.pool = newPool(t, arena.Config{ChunkSize: chunk, Limit: chunk})
			filler, err := o.pool.AllocUninit(chunk - 64 - left)
			if err != nil {
				t.Fatal(err)
			}
			live := o.pool.Stats().Live
			irp := o.irp(request{set: setA, id: 1, flags: verb, out: append(slices.Clone(serialized), make([]byte, 20)...)})
			switch status := o.Property(irp); {
			case status == ks.StatusInsufficientResources && irp.IoStatus.Information == 0:
				refused++
				irp.Finish(status, irp.UserBuffer)
			case status == ks.StatusSuccess:
				fine++
				irp.Finish(status, irp.UserBuffer)
			default:
				t.Errorf("%s with %d bytes left: %v, Information %d", ks.FormatPropertyFlags(verb), left, status, irp.IoStatus.Information)
			}
			if s := o.pool.Stats(); s.Live != live || s.Strays != 0 || irp.SystemBuffer != nil || irp.Flags != 0 {
				t.Errorf("%s with %d bytes left: %d live buffers, had %d", ks.FormatPropertyFlags(verb), left, s.Live, live)
			}
			o.pool.Free(filler)
		}
		if refused == 0 || fine == 0 {
			t.Errorf("%s: %d refused, %d fine; want some of both", ks.FormatPropertyFlags(verb), refused, fine)
		}
	}
}

func TestS11_StaleMemory(t *testing.T) {
	// The pool and the allocator hand out poison; a handler claims all of it and writes nothing.
	claims := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: claims, Support: claims, SerializedSize: 7})
	for _, verb := range []uint32{get, basicSupport, relations, defaultValues, serializeRaw, serializeSize} {
		for _, n := range []int{1, 7, 8, 9, 100, 1000} {
			if a := h.want(request{set: setA, id: 1, flags: verb, out: full(n)}, ks.StatusSuccess, uint64(n)); !bytes.Equal(a.out, make([]byte, n)) {
				t.Errorf("%s: % x", ks.FormatPropertyFlags(verb), a.out)
			}
		}
	}
	if a := h.want(request{set: setA, flags: serializeSet, out: full(60)}, ks.StatusSuccess, 60); !bytes.Equal(a.out[52:], make([]byte, 8)) {
		t.Errorf("a serialized value that nobody wrote: % x", a.out[52:]) // its padding too
	}
	for _, c := range h.calls {
		at := (int(c.out) + 7) &^ 7
		if slices.ContainsFunc(c.system[:at], func(b byte) bool { return b != 0 }) {
			t.Fatalf("the handler finds % x", c.system[:at])
		}
	}
	// Padding behind SET data, and Reserved of a description.
	h = oneItem(t, engine.PropertyItem{ID: 1, Set: accepts, Values: &engine.PropertyValues{}})
	h.want(request{set: setA, id: 1, flags: set, out: full(3)}, ks.StatusSuccess, 0)
	for _, c := range h.calls {
		if !bytes.Equal(c.system[3:8], make([]byte, 5)) {
			t.Errorf("padding % x", c.system[3:8])
		}
	}
	if a := h.want(request{set: setA, id: 1, flags: basicSupport, out: full(40)}, ks.StatusSuccess,
		40); binary.LittleEndian.Uint32(a.out[36:]) != 0 {
		t.Errorf("% x", a.out)
	}
}

func TestS12_NothingToAnEmptyBuffer(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, MinData: 4, SerializedSize: 4, Values: stepped(), Relations: make([]ks.Identifier, 1)},
		engine.PropertyItem{ID: 2, Get: answers(ks.StatusBufferOverflow, 64)})
	for _, q := range []request{{id: 1, flags: get}, {id: 2, flags: get}, {id: 1, flags: basicSupport}, {id: 1, flags: defaultValues},
		{id: 1, flags: relations}, {id: 1, flags: serializeSize}, {flags: serializeSet}} {
		q.set = setA
		irp := o.irp(q)
		irp.UserBuffer = full(64) // any address, but a length of 0
		status := o.Property(irp)
		if status != ks.StatusBufferOverflow || irp.IoStatus.Information == 0 || irp.Flags&engine.InputOperation != 0 {
			t.Errorf("%v: %v, Information %d, Flags %#x", q, status, irp.IoStatus.Information, irp.Flags)
		}
		if irp.Finish(status, irp.UserBuffer); !bytes.Equal(irp.UserBuffer, full(64)) {
			t.Errorf("%v: % x", q, irp.UserBuffer)
		}
		irp, m := o.inMemory(q)
		if irp.Finish(o.Property(irp), nil); m.written != nil || m.probes != nil {
			t.Errorf("%v: wrote % x, probed %v", q, m.written, m.probes)
		}
	}
}

func TestS13_PanicInEveryCallback(t *testing.T) {
	boom := func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusDatatypeMisalignment) }
	fast := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		panic(ks.StatusDatatypeMisalignment)
	}
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA,
		Items: []engine.PropertyItem{{ID: 1, Get: boom, Set: boom, Support: boom,
			SerializedSize: 4}, {ID: 2, Get: boom, SerializedSize: 1}}, FastIO: []engine.FastPropertyItem{{ID: 1, Get: fast, Set: fast}}}}})
	value := blob(setA, 1, serial{id: 1, value: u32(1)})
	for _, verb := range verbs {
		if verb == setSupport {
			continue // calls nobody
		}
		for _, p := range paths { // via checks that every buffer is freed
			if a := h.via(p, request{set: setA, id: 1, flags: verb, out: value}); a.status != ks.StatusDatatypeMisalignment {
				t.Errorf("%s %s: %v", p, ks.FormatPropertyFlags(verb), a.status)
			}
		}
	}
	for _, verb := range []uint32{get, set} {
		if handled, io, _ := h.fast(request{set: setA, id: 1, flags: verb, out: full(4)}); !handled ||
			io != (engine.IoStatus{Status: ks.StatusDatatypeMisalignment}) {
			t.Errorf("fast %s: %v", ks.FormatPropertyFlags(verb), io)
		}
	}
	h.want(request{set: setA, id: 2, flags: serializeSize, out: full(4)}, ks.StatusDatatypeMisalignment, 0)
	for _, verb := range []uint32{get, set} { // the allocator, before and after it has a buffer
		for _, early := range []bool{false, true} {
			irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(4)})
			status := h.PropertyWithAllocator(irp, func(irp *engine.IRP, size uint32, _ bool) ks.Status {
				if !early {
					irp.SystemBuffer = make([]byte, size)
				}
				panic("allocator")
			})
			if status != ks.StatusAccessViolation || irp.IoStatus.Information != 0 || irp.Flags != 0 {
				t.Errorf("allocator: %v, Information %d, Flags %#x", status, irp.IoStatus.Information, irp.Flags)
			}
		}
	}
	f := &engine.Topology{Nodes: []ks.GUID{setA}, Name: func(ks.GUID) (string, ks.Status) { panic("name") }}
	h = newHost(t, engine.Config{PropertySets: []engine.PropertySet{f.PropertySet(setTopology)}})
	h.want(request{set: setTopology, id: 3, flags: get | topology, extra: node(0), out: full(8)}, ks.StatusAccessViolation, 0)
}

func TestS14_ItemStride(t *testing.T) {
	for size, ok := range map[uint32]bool{1: false, 8: false, 64: false, 71: false, 72: true, 76: false, 80: true} {
		_, err := engine.Compile(engine.Config{PropertyItemSize: size})
		if (err == nil) != ok {
			t.Errorf("PropertyItemSize %d: %v", size, err)
		}
	}
	two := []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1}, {ID: 2}}}}
	for size, ok := range map[uint32]bool{0x7FFFFFF8: true, 0x80000000: false, 0xFFFFFFF8: false} {
		_, err := engine.Compile(engine.Config{PropertyItemSize: size, PropertySets: two})
		if (err == nil) != ok {
			t.Errorf("PropertyItemSize %#x x 2: %v", size, err)
		}
	}
}

func TestS15_ForgedPreparedIRP(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusSomeNotMapped, 0), Set: accepts, Support: accepts})
	q := request{set: setA, id: 1, flags: get, out: full(8)}
	forged := append(make([]byte, 8), request{set: setA, id: 1, flags: set}.bytes()...)
	refused := func(name string, irp *engine.IRP) {
		t.Helper()
		h.calls = nil
		if status := h.PropertyWithAllocator(irp, h.allocator); status != ks.StatusInvalidParameter || irp.IoStatus.Information != 0 ||
			len(h.calls) != 0 {
			t.Errorf("%s: %v, Information %d, %d handler calls", name, status, irp.IoStatus.Information, len(h.calls))
		}
	}
	for _, verb := range verbs {
		for _, buffer := range [][]byte{{}, make([]byte, 1), make([]byte, 24), forged, make([]byte, 4096)} {
			q := q
			q.flags = verb
			irp := h.irp(q)
			irp.SystemBuffer = buffer
			refused(ks.FormatPropertyFlags(verb), irp)
		}
	}
	for name, change := range map[string]func(*engine.IRP){
		"In + 1":     func(irp *engine.IRP) { irp.InputBufferLength++ },
		"Out - 1":    func(irp *engine.IRP) { irp.OutputBufferLength-- },
		"Out to GiB": func(irp *engine.IRP) { irp.OutputBufferLength = 1 << 30 },
		"cut":        func(irp *engine.IRP) { irp.SystemBuffer = irp.SystemBuffer[:31] },
	} {
		irp := h.irp(q)
		if status := h.Property(irp); status != ks.StatusNotFound {
			t.Fatal(status)
		}
		buffer := irp.SystemBuffer
		change(irp)
		refused(name, irp)
		irp.SystemBuffer = buffer
		irp.Finish(ks.StatusUnsuccessful, nil)
	}
	// Nor is a buffer that was never filled, because the caller's memory faulted.
	for _, verb := range []uint32{get, set} {
		q := q
		q.flags = verb
		broken, m := h.inMemory(q)
		m.outLimit = 3
		if status := h.PropertyWithAllocator(broken, h.allocator); status != ks.StatusAccessViolation || broken.SystemBuffer == nil {
			t.Fatalf("%v with %d bytes of buffer", status, len(broken.SystemBuffer))
		}
		m.outLimit = 8
		refused("after a fault", broken)
	}
	// A finished request is not a prepared one, even if its buffer is put back.
	irp := h.irp(q)
	status := h.PropertyWithAllocator(irp, h.allocator)
	irp.Finish(status, irp.UserBuffer)
	refused("finished", irp)
}

// A buffer that replaced the one that was laid out is not prepared, even if it has the same length (S-15).
func TestS15_SwappedBuffer(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusSomeNotMapped, 0), Set: accepts})
	irp := h.irp(request{set: setA, id: 1, flags: get, out: full(8)})
	if status := h.PropertyWithAllocator(irp, h.allocator); status != ks.StatusNotFound {
		t.Fatal(status)
	}
	irp.SystemBuffer = append(make([]byte, 8), request{set: setA, id: 1, flags: set}.bytes()...)
	if status := h.Property(irp); status != ks.StatusInvalidParameter {
		t.Errorf("swapped: %v by %s", status, irp.Rule())
	}
}

// After STATUS_PENDING the IRP may be finished and reused at once, by somebody else: the dispatcher neither reads it, which
// the race detector would see, nor writes it.
func TestS16_IRPReusedBeforePendingReturns(t *testing.T) {
	h, k := &host{TB: t}, new(heir)
	h.recompile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: k.handle, Set: k.handle, Support: k.handle},
		{ID: 2, Get: answers(ks.StatusPending, 0)},
	}}}})
	for _, verb := range []uint32{get, set, basicSupport, unserializeRaw} {
		for range 20 {
			irp := h.irp(request{set: setA, id: 1, flags: verb, out: full(4)})
			irp.Pool = nil
			k.check(t, ks.FormatPropertyFlags(verb), irp, func() ks.Status { return h.Property(irp) })
		}
	}
	irp := h.irp(request{set: setA, id: 2, flags: get, out: full(4)})
	irp.Pool = nil
	h.Property(irp)
	k.check(t, "DispatchSpecificProperty", irp, func() ks.Status { return engine.DispatchSpecificProperty(irp, k.handle) })
}

func TestS17_BlobCutAtEveryByte(t *testing.T) {
	whole := blob(setA, 2, serial{id: 2, value: []byte("12345")}, serial{id: 1, value: u32(1)})
	for n := range len(whole) + 1 {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 1})
		want := ks.StatusInvalidParameter
		switch {
		case n < 20:
			want = ks.StatusInvalidBufferSize
		case n == len(whole):
			want = ks.StatusSuccess
		}
		o.want(request{set: setA, flags: unserializeSet, out: whole[:n]}, want, 0)
		if want != ks.StatusSuccess && len(o.calls) != 0 {
			t.Errorf("%d of %d bytes: %d SETs", n, len(whole), len(o.calls))
		}
	}
	// Every count, and every length of the last value, that is not the true one.
	for _, count := range []uint32{3, 4, 1 << 16, 1 << 31, math.MaxUint32} {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 1})
		b := slices.Clone(whole)
		binary.LittleEndian.PutUint32(b[16:], count)
		if o.want(request{set: setA, flags: unserializeSet, out: b}, ks.StatusInvalidParameter, 0); len(o.calls) != 0 {
			t.Errorf("Count %d: %d SETs", count, len(o.calls))
		}
	}
	for _, n := range []uint32{0, 3, 5, 1 << 31, math.MaxUint32 - 3, math.MaxUint32} {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 1})
		b := slices.Clone(whole)
		binary.LittleEndian.PutUint32(b[len(b)-8:], n)
		want := ks.StatusInvalidParameter
		if n < 4 {
			want = ks.StatusInvalidBufferSize
		}
		if o.want(request{set: setA, flags: unserializeSet, out: b}, want, 0); len(o.calls) != 0 {
			t.Errorf("PropertyLength %d: %d SETs", n, len(o.calls))
		}
	}
}

func TestS18_DriverSuppliedSize(t *testing.T) {
	for _, sizes := range [][]uint32{{0}, {7}, {math.MaxUint32}, {0xFFFFFFC9}, {0x80000000, 0x80000000}, {16, 17}, {16, 8}, {16, 0}} {
		h := oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 1, Get: sized(sizes...)})
		second := len(sizes) == 2 && sizes[0] != sizes[1]
		if !second && sizes[0] == 0x80000000 {
			h.want(request{set: setA, flags: serializeSet, out: full(100)}, ks.StatusBufferTooSmall, 0)
		} else {
			if a := h.want(request{set: setA, flags: serializeSet, out: full(100)}, ks.StatusInvalidBufferSize, 0); a.rule != "P-40" {
				t.Errorf("sizes %#x: decided by %s", sizes, a.rule)
			}
		}
		if !second && sizes[0] != 0x80000000 {
			h.want(request{set: setA, id: 1, flags: serializeSize, out: full(4)}, ks.StatusInvalidBufferSize, 0)
		}
		if reserved := h.pool.Stats().Reserved; reserved > 1<<20 {
			t.Errorf("sizes %#x: the pool grew to %d bytes", sizes, reserved)
		}
	}
	h := oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 1, Get: sized(8)}) // the least that is fine
	h.want(request{set: setA, flags: serializeSet, out: full(60)}, ks.StatusSuccess, 60)
}

// endless is a file that has no end, whatever it says of its size.
type endless struct{ fs.FileInfo }

func (endless) Read(b []byte) (int, error)     { return len(b), nil }
func (endless) Close() error                   { return nil }
func (e endless) Stat() (fs.FileInfo, error)   { return e.FileInfo, nil }
func (e endless) Open(string) (fs.File, error) { return e, nil }

func (e endless) ReadDir(string) ([]fs.DirEntry, error) {
	return []fs.DirEntry{fs.FileInfoToDirEntry(e.FileInfo)}, nil
}

func TestS21_StoredBlobsAreUntrusted(t *testing.T) {
	sent := 0
	send := func(in, out []byte) ks.Status { sent++; return 0 }
	long := append(blob(setA, 0), make([]byte, engine.MaxStoredValue-19)...)
	err := engine.UnserializeObjectProperties(map[string][]byte{"long": long}, send)
	if _, status := storedStatus(err); status != ks.StatusInvalidParameter || sent != 0 {
		t.Errorf("a value of %d bytes: %v", len(long), err)
	}
	if err := engine.UnserializeObjectProperties(map[string][]byte{"most": long[:engine.MaxStoredValue]}, send); err != nil || sent != 1 {
		t.Errorf("a value of %d bytes: %v", engine.MaxStoredValue, err)
	}
	small, err := fstest.MapFS{"v": {Data: []byte("x")}}.Stat("v")
	if err != nil {
		t.Fatal(err)
	}
	sent = 0
	if err := engine.UnserializeObjectPropertiesFS(endless{small}, ".", send); err == nil || sent != 0 ||
		!strings.Contains(err.Error(), `"v"`) {
		t.Errorf("an endless file: %v", err)
	}
	if errors.Is(err, io.EOF) {
		t.Error(err)
	}
	// A driver that keeps what it was sent does not hold the stored value.
	value := blob(setA, 1, serial{id: 1, value: u32(1)})
	if err := engine.UnserializeObjectProperties(map[string][]byte{"v": value},
		func(_, out []byte) ks.Status { clear(out); return 0 }); err != nil || value[0] == 0 {
		t.Errorf("the stored value was written: %v", err)
	}
}

func TestS22_ModeOfTheRequest(t *testing.T) {
	var zero engine.Mode
	if zero != engine.UserMode || zero.String() != "user" || engine.KernelMode.String() != "kernel" {
		t.Error("a forgotten mode grants trust")
	}
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Set: accepts, Support: accepts})
	for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
		for _, verb := range []uint32{get, set, basicSupport} {
			for _, p := range paths {
				if h.via(p, request{set: setA, id: 1, flags: verb, out: full(4), mode: mode}); h.last(t).mode != mode {
					t.Errorf("%s %s: the handler sees mode %v, want %v", p, ks.FormatPropertyFlags(verb), h.last(t).mode, mode)
				}
			}
		}
		// A kernel component that forwards what a user gave it says UserMode, and the user's memory is probed.
		irp, m := h.inMemory(request{set: setA, id: 1, flags: get, out: full(4), mode: mode})
		m.readOnly = true
		want := ks.StatusAccessViolation
		if mode == engine.KernelMode {
			want = ks.StatusSuccess
		}
		if status := h.Property(irp); status != want || irp.RequestorMode != mode {
			t.Errorf("mode %v: %v, the IRP is in mode %v now", mode, status, irp.RequestorMode)
		}
		irp.Finish(want, nil)
	}
}

func TestS24_BoundedAnswers(t *testing.T) {
	var sets []engine.PropertySet
	for i := range 1000 {
		guid := setA
		binary.LittleEndian.PutUint32(guid[:], uint32(i))
		sets = append(sets, engine.PropertySet{Set: guid, Items: []engine.PropertyItem{{ID: 1, Relations: make([]ks.Identifier, 500)}}})
	}
	h := newHost(t, engine.Config{PropertySets: sets})
	h.pool = newPool(t, arena.Config{ChunkSize: 1024, Limit: 8192})
	for _, q := range []request{{flags: setSupport, out: full(16000)}, {set: sets[3].Set, id: 1, flags: relations, out: full(12008)}} {
		if a := h.via(viaProperty, q); a.status != ks.StatusInsufficientResources {
			t.Errorf("%v: %v", q, a.status)
		}
		q.out = nil
		if a := h.via(viaProperty, q); a.status != ks.StatusBufferOverflow { // the size answer needs no room
			t.Errorf("%v: %v", q, a.status)
		}
	}
}
