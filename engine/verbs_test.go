package engine_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of the verbs but for serialization: P-30 to P-38, P-44, P-45.

var typeGeneral = ks.MustParseGUID("97e99ba0-bdea-11cf-a5d6-28db04c10000") // KSPROPTYPESETID_General

const vtI4, vtUI4 = 3, 19

// stepped is what a volume declares: a stepped range and a default.
func stepped() *engine.PropertyValues {
	step := make([]byte, ks.SizeSteppingLong)
	ks.SteppingLong{SteppingDelta: 1, Bounds: ks.BoundsLong{SignedMinimum: -96, SignedMaximum: 0}}.Put(step)
	return &engine.PropertyValues{
		PropTypeSet: ks.Identifier{Set: typeGeneral, ID: vtI4, Flags: 77}, // Flags is not used
		MembersList: []engine.MembersList{
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberSteppedRanges, MembersSize: 16, MembersCount: 1,
				Flags: ks.MemberFlagUniform}, Members: step},
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberValues, MembersSize: 3, MembersCount: 1,
				Flags: ks.MemberFlagDefault}, Members: []byte{7, 8, 9}},
			{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberValues}},
		},
	}
}

func TestP30_GetAndSet(t *testing.T) {
	value := []byte{1, 2, 3, 4}
	h := oneItem(t, engine.PropertyItem{ID: 1, MinData: 4,
		Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, value))
			return ks.StatusSuccess
		},
		Set: func(_ *engine.IRP, _, data []byte) ks.Status {
			value = bytes.Clone(data) // a SET that leaves Information alone is normal
			return ks.StatusSuccess
		}})
	if a := h.want(request{set: setA, id: 1, flags: get, out: full(6)}, ks.StatusSuccess, 4); !bytes.Equal(a.out,
		[]byte{1, 2, 3, 4, untouched, untouched}) {
		t.Errorf("GET: % x", a.out)
	}
	h.want(request{set: setA, id: 1, flags: set, out: []byte{9, 8, 7, 6}}, ks.StatusSuccess, 0)
	if a := h.want(request{set: setA, id: 1, flags: get, out: full(4)}, ks.StatusSuccess, 4); !bytes.Equal(a.out, []byte{9, 8, 7, 6}) {
		t.Errorf("GET after SET: % x", a.out)
	}
}

func TestP31_SetSupportOfSet(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Support: accepts})
	for _, out := range []int{0, 1, 16, 64} {
		for _, id := range []uint32{0, 1, 99} { // the id is ignored
			for _, m := range []uint32{0, highPriority, topology} {
				h.want(request{set: setA, id: id, flags: setSupport | m, extra: node(0), out: full(out)}, ks.StatusSuccess, 0)
				h.want(request{set: stranger, id: id, flags: setSupport | m, extra: node(0), out: full(out)}, ks.StatusPropsetNotFound, 0)
			}
		}
	}
	if len(h.calls) != 0 {
		t.Error("the support handler was called")
	}
}

func TestP32_SetSupportOfAll(t *testing.T) {
	for n := range 4 {
		var sets []engine.PropertySet
		var want []byte
		for i := range n {
			guid := setA
			guid[0] = byte(0xF0 - i)                                                           // table order is not sorted order
			sets, want = append(sets, engine.PropertySet{Set: guid}), append(want, guid[:]...) // without items
		}
		h := newHost(t, engine.Config{PropertySets: sets})
		for out := range len(want) + 2 {
			q := request{id: 5, flags: setSupport, out: full(out)}
			switch {
			case out == 0 && n != 0:
				h.want(q, ks.StatusBufferOverflow, uint64(len(want)))
			case out < len(want):
				h.want(q, ks.StatusBufferTooSmall, 0)
			default:
				if a := h.want(q, ks.StatusSuccess, uint64(len(want))); !bytes.Equal(a.out[:len(want)], want) {
					t.Errorf("%d sets: % x", n, a.out)
				}
			}
		}
		for _, verb := range verbs {
			if verb != setSupport {
				h.want(request{flags: verb, out: full(24)}, ks.StatusPropsetNotFound, 0)
			}
		}
	}
}

// description is what BASICSUPPORT and DEFAULTVALUES answer.
func description(access uint32, v *engine.PropertyValues, defaults bool) []byte {
	var lists []byte
	d := ks.PropertyDescription{AccessFlags: access}
	if v != nil {
		d.PropTypeSet = ks.Identifier{Set: v.PropTypeSet.Set, ID: v.PropTypeSet.ID}
		for _, m := range v.MembersList {
			if !defaults || m.MembersHeader.Flags&ks.MemberFlagDefault != 0 {
				head := make([]byte, ks.SizeMembersHeader)
				m.MembersHeader.Put(head)
				lists = join(lists, head, m.Members) // packed
				d.MembersListCount++
			}
		}
	}
	d.DescriptionSize = uint32(ks.SizePropertyDescription + len(lists))
	b := make([]byte, ks.SizePropertyDescription)
	d.Put(b)
	return append(b, lists...)
}

// ladder checks every output length of a BASICSUPPORT or DEFAULTVALUES query.
func (h *host) ladder(verb, access uint32, want []byte) {
	h.Helper()
	for out := range len(want) + 3 {
		q := request{set: setA, id: 1, flags: verb, out: full(out)}
		n := 0
		switch {
		case out == 0:
			h.want(q, ks.StatusBufferOverflow, uint64(len(want)))
			continue
		case out < 4:
			h.want(q, ks.StatusBufferTooSmall, 0)
			continue
		case out < 40:
			if a := h.want(q, ks.StatusSuccess, 4); !bytes.Equal(a.out[:4], u32(access)) {
				h.Errorf("Out %d: % x", out, a.out)
			}
			continue
		default: // DescriptionSize and MembersListCount are those of everything
			for n = 40; n < len(want); {
				m, ok := ks.DecodeMembersHeader(want[n:])
				if !ok {
					h.Fatal("no list header")
				}
				size := ks.SizeMembersHeader + int(m.MembersSize*m.MembersCount)
				if n+size > out {
					break
				}
				n += size
			}
		}
		if a := h.want(q, ks.StatusSuccess, uint64(n)); !bytes.Equal(a.out[:n], want[:n]) {
			h.Errorf("Out %d:\n% x, want\n% x", out, a.out[:n], want[:n])
		}
	}
}

func TestP33_BasicSupport(t *testing.T) {
	for _, values := range []*engine.PropertyValues{nil, {}, {PropTypeSet: ks.Identifier{Set: typeGeneral, ID: vtUI4}}, stepped()} {
		for access, item := range map[uint32]engine.PropertyItem{
			0:         {},
			get:       {Get: accepts},
			set:       {Set: accepts},
			get | set: {Get: accepts, Set: accepts},
		} {
			item.ID, item.Values = 1, values
			h := oneItem(t, item)
			h.ladder(basicSupport, access, description(access, values, false))
		}
	}
}

// TestP33_WholeLists: a list that does not fit ends the answer, also before one that would. Camera clients ask with 72 bytes for a
// range that has a default behind it.
func TestP33_WholeLists(t *testing.T) {
	list := func(n, mark int) engine.MembersList {
		return engine.MembersList{MembersHeader: ks.MembersHeader{MembersFlags: ks.MemberValues, MembersSize: uint32(n), MembersCount: 1,
			Flags: uint32(mark)}, Members: bytes.Repeat([]byte{0xA0 | byte(n)}, n)}
	}
	values := &engine.PropertyValues{MembersList: []engine.MembersList{list(0, 1), list(16, 0), list(1, 1), list(4, 1)}}
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Values: values})
	h.ladder(basicSupport, get, description(get, values, false))
	h.ladder(defaultValues, get, description(get, values, true))
	for out, n := range map[int]uint64{40: 40, 55: 40, 56: 56, 73: 56, 87: 56, 88: 88, 104: 88, 105: 105, 124: 105, 125: 125, 126: 125} {
		a := h.want(request{set: setA, id: 1, flags: basicSupport, out: full(out)}, ks.StatusSuccess, n)
		if d, _ := ks.DecodePropertyDescription(a.out); d.DescriptionSize != 125 || d.MembersListCount != 4 {
			t.Errorf("Out %d: %+v", out, d)
		}
	}
}

func TestP33_NoValues(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts})
	want := make([]byte, 40) // GUID_NULL, no lists, Reserved 0
	copy(want, join(u32(get), u32(40)))
	if a := h.want(request{set: setA, id: 1, flags: basicSupport, out: full(40)}, ks.StatusSuccess, 40); !bytes.Equal(a.out, want) {
		t.Errorf("% x", a.out)
	}
}

func TestP34_SupportHandler(t *testing.T) {
	// It is asked by six verbs, and its answer stands, whatever the declaration would give.
	item := engine.PropertyItem{ID: 1, Get: accepts, Values: stepped(), Relations: make([]ks.Identifier, 1), SerializedSize: 4,
		Support: produces(0xAB, 0xCD)}
	h := oneItem(t, item)
	for _, verb := range []uint32{basicSupport, relations, defaultValues, serializeSize, serializeRaw} {
		h.calls = nil
		a := h.want(request{set: setA, id: 1, flags: verb, extra: []byte{5}, out: full(60)}, ks.StatusSuccess, 2)
		if !bytes.Equal(a.out[:2], []byte{0xAB, 0xCD}) || a.rule != "P-34" {
			t.Errorf("%s: % x, decided by %s", ks.FormatPropertyFlags(verb), a.out[:2], a.rule)
		}
		// Nothing is written before the handler.
		if v := h.last(t); len(h.calls) != len(paths) || v.identifier().Flags != verb || len(v.request) != 25 ||
			!bytes.Equal(v.data, make([]byte, 60)) {
			t.Errorf("%s: %d calls, the handler finds % x", ks.FormatPropertyFlags(verb), len(h.calls), v.data)
		}
	}
	h.calls = nil
	h.want(request{set: setA, id: 1, flags: unserializeRaw, out: []byte{1, 2, 3}}, ks.StatusSuccess, 2)
	if v := h.last(t); len(h.calls) != len(paths) {
		t.Errorf("UNSERIALIZERAW: % x", v.data)
	}
	// The others do not ask it.
	h.calls = nil
	h.want(request{set: setA, id: 1, flags: setSupport}, ks.StatusSuccess, 0)
	h.want(request{set: setA, id: 1, flags: unserializeSet, out: join(setA[:], u32(0))}, ks.StatusSuccess, 0)
	if len(h.calls) != 0 {
		t.Errorf("SETSUPPORT and UNSERIALIZESET: %d calls", len(h.calls))
	}
	// A support handler that pends.
	h = oneItem(t, engine.PropertyItem{ID: 1, Support: func(irp *engine.IRP, _, data []byte) ks.Status {
		go func() { irp.Complete(ks.StatusSuccess, uint64(copy(data, "ok"))) }()
		return ks.StatusPending
	}})
	if a := h.via(viaDevice, request{set: setA, id: 1, flags: basicSupport, out: full(4)}); a.status != 0 || string(a.out[:2]) != "ok" {
		t.Errorf("%v, % x", a.status, a.out)
	}
}

func TestP35_Relations(t *testing.T) {
	for n := range 4 {
		var list []ks.Identifier
		want := join(u32(uint32(8+24*n)), u32(uint32(n)))
		for i := range n {
			id := ks.Identifier{Set: setB, ID: uint32(i + 1), Flags: get | set} // Flags of the answer are 0
			list = append(list, id)
			want = join(want, setB[:], u32(id.ID), u32(0))
		}
		h := oneItem(t, engine.PropertyItem{ID: 1, Relations: list})
		for out := range len(want) + 2 {
			q := request{set: setA, id: 1, flags: relations, out: full(out)}
			switch {
			case out >= len(want):
				if a := h.want(q, ks.StatusSuccess, uint64(len(want))); !bytes.Equal(a.out[:len(want)], want) {
					t.Errorf("%d relations:\n% x, want\n% x", n, a.out, want)
				}
			case out == 0:
				h.want(q, ks.StatusBufferOverflow, uint64(len(want)))
			case out == 4 || out == 8:
				if a := h.want(q, ks.StatusSuccess, uint64(out)); !bytes.Equal(a.out, want[:out]) {
					t.Errorf("%d relations, Out %d: % x", n, out, a.out)
				}
			default:
				h.want(q, ks.StatusBufferTooSmall, 0)
			}
		}
	}
}

func TestP36_DefaultValues(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Values: stepped()})
	h.ladder(defaultValues, get, description(get, stepped(), true))
	// Values without a marked list.
	values := &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: typeGeneral, ID: vtI4}, MembersList: stepped().MembersList[:1]}
	h = oneItem(t, engine.PropertyItem{ID: 1, Set: accepts, Values: values})
	h.ladder(defaultValues, set, description(set, values, true))
	// No values: nothing to answer from, for any size.
	for _, support := range []engine.Handler{nil, answers(ks.StatusSomeNotMapped, 50)} {
		h = oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Support: support})
		for _, out := range []int{0, 3, 4, 40, 100} {
			h.want(request{set: setA, id: 1, flags: defaultValues, out: full(out)}, ks.StatusNotFound, 0)
		}
	}
}

func TestP37_SerializeSize(t *testing.T) {
	for _, size := range []uint32{0, 2, 4, math.MaxUint32} {
		h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(1), SerializedSize: size})
		h.want(request{set: setA, id: 1, flags: serializeSize}, ks.StatusBufferOverflow, 4)
		for out := 1; out < 4; out++ {
			h.want(request{set: setA, id: 1, flags: serializeSize, out: full(out)}, ks.StatusBufferTooSmall, 0)
		}
		for out := 4; out < 7; out++ {
			if a := h.want(request{set: setA, id: 1, flags: serializeSize, out: full(out)}, ks.StatusSuccess, 4); !bytes.Equal(a.out[:4],
				u32(size)) {
				t.Errorf("SerializedSize %d: % x", size, a.out)
			}
		}
		if len(h.calls) != 0 {
			t.Errorf("SerializedSize %d: %d handler calls", size, len(h.calls))
		}
	}
	// Unknown sizes are resolved by a GET, and only where the answer has room.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: produces(join(u32(40), u32(2))...), SerializedSize: 1})
	h.want(request{set: setA, id: 1, flags: serializeSize}, ks.StatusBufferOverflow, 4)
	h.want(request{set: setA, id: 1, flags: serializeSize, out: full(3)}, ks.StatusBufferTooSmall, 0)
	if len(h.calls) != 0 {
		t.Errorf("%d GETs for a size answer", len(h.calls))
	}
	if a := h.want(request{set: setA, id: 1, flags: serializeSize, out: full(4)}, ks.StatusSuccess, 4); !bytes.Equal(a.out, u32(40)) {
		t.Errorf("% x", a.out)
	}
	if v := h.last(t); len(h.calls) != len(paths) || v.out != 8 || v.identifier().Flags != get {
		t.Errorf("%d GETs, of %d bytes", len(h.calls), v.out)
	}
	h = oneItem(t, engine.PropertyItem{ID: 1, Set: accepts, SerializedSize: 1})
	h.want(request{set: setA, id: 1, flags: serializeSize, out: full(3)}, ks.StatusBufferTooSmall, 0)
	h.want(request{set: setA, id: 1, flags: serializeSize, out: full(4)}, ks.StatusNotFound, 0)
}

func TestP38_RawSerialization(t *testing.T) {
	plain := oneItem(t, engine.PropertyItem{ID: 1, Get: accepts, Set: accepts, SerializedSize: 4})
	mapped := oneItem(t, engine.PropertyItem{ID: 1, Support: answers(ks.StatusSomeNotMapped, 4)})
	private := oneItem(t, engine.PropertyItem{ID: 1, Support: func(irp *engine.IRP, _, data []byte) ks.Status {
		if len(data) == 0 {
			irp.IoStatus.Information = 1000
			return ks.StatusBufferOverflow
		}
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}})
	for _, verb := range []uint32{serializeRaw, unserializeRaw} {
		for _, out := range []int{0, 4, 100} {
			plain.want(request{set: setA, id: 1, flags: verb, out: full(out)}, ks.StatusNotFound, 0)
			mapped.want(request{set: setA, id: 1, flags: verb, out: full(out)}, ks.StatusNotFound, 0)
			private.want(request{set: setA, id: 2, flags: verb, out: full(out)}, ks.StatusNotFound, 0) // the id matters
		}
		private.want(request{set: setA, id: 1, flags: verb, out: full(100)}, ks.StatusSuccess, 100)
	}
	private.want(request{set: setA, id: 1, flags: serializeRaw}, ks.StatusBufferOverflow, 1000) // asks for the size
	if len(plain.calls) != 0 {
		t.Errorf("%d handler calls", len(plain.calls))
	}
}

func TestP44_Topology(t *testing.T) {
	h := everyVerb(t)
	for _, verb := range []uint32{get, set, basicSupport, relations, serializeRaw, unserializeRaw, defaultValues, serializeSize} {
		for _, id := range []uint32{0, 1, 0xFFFFFFFF} { // NodeId is not checked, nor is Reserved
			extra := join(u32(id), u32(0x55555555), []byte("instance"))
			q := request{set: setA, id: 1, flags: verb | topology, extra: extra, out: full(4)}
			for _, p := range paths {
				if a := h.via(p, q); a.status != ks.StatusSuccess || !bytes.Equal(h.last(t).request, q.bytes()) {
					t.Errorf("%s %v: %v, the handler sees % x", p, q, a.status, h.last(t).request)
				}
			}
		}
	}
}

func TestP45_OtherModifiers(t *testing.T) {
	h := everyVerb(t)
	for _, m := range []uint32{highPriority, fsFilterScope, copyPayload, highPriority | fsFilterScope | copyPayload} {
		for _, verb := range []uint32{get, set, basicSupport, unserializeRaw} {
			// What looks like a pointer in the request stays bytes.
			q := request{set: setA, id: 1, flags: verb | m, extra: bytes.Repeat([]byte{0xFF}, 16), out: full(4)}
			for _, p := range paths {
				if a := h.via(p, q); a.status != ks.StatusSuccess || !bytes.Equal(h.last(t).request, q.bytes()) {
					t.Errorf("%s %v: %v, the handler sees % x", p, q, a.status, h.last(t).request)
				}
			}
		}
	}
	for _, flags := range []uint32{ks.PropertyTypeGetPayloadSize, get | ks.PropertyTypeGetPayloadSize} {
		h.want(request{set: setA, id: 1, flags: flags, out: full(4)}, ks.StatusInvalidParameter, 0)
	}
}
