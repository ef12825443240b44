package engine_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of serialization: P-39 to P-43.

// golden reads a file of "offset bytes | meaning" lines, and checks the offsets.
func golden(t testing.TB, name string) (b []byte) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		line, _, _ = strings.Cut(line, "|")
		fields := strings.Fields(line)
		at, err := strconv.ParseInt(fields[0], 16, 32)
		if err != nil || int(at) != len(b) {
			t.Fatalf("%s line %d: offset %s, want %x", name, i+1, fields[0], len(b))
		}
		more, err := hex.DecodeString(strings.Join(fields[1:], ""))
		if err != nil {
			t.Fatalf("%s line %d: %v", name, i+1, err)
		}
		b = append(b, more...)
	}
	return b
}

// object has items whose values SET changes and GET reads.
type object struct {
	*host
	values map[uint32][]byte
	order  []uint32 // ids of SETs
}

// newObject declares items in setA; those with a nil value have no Get.
func newObject(t testing.TB, items ...engine.PropertyItem) *object {
	o := &object{host: &host{TB: t}, values: map[uint32][]byte{}}
	for i := range items {
		id := items[i].ID
		if items[i].Get == nil {
			items[i].Get = func(irp *engine.IRP, _, data []byte) ks.Status {
				irp.IoStatus.Information = uint64(copy(data, o.values[id]))
				return ks.StatusSuccess
			}
		}
		if items[i].Set == nil {
			items[i].Set = func(_ *engine.IRP, _, data []byte) ks.Status {
				o.values[id] = slices.Clone(data)
				o.order = append(o.order, id)
				return ks.StatusSuccess
			}
		}
		items[i].Get, items[i].Set = o.wrap(items[i].Get), o.wrap(items[i].Set)
	}
	o.recompile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: items}}})
	return o
}

// worked is the object of testdata/serialized-set.txt.
func worked(t testing.TB) *object {
	o := newObject(t,
		engine.PropertyItem{ID: 3, SerializedSize: 4,
			Values: &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: typeGeneral, ID: vtUI4, Flags: 9}}},
		engine.PropertyItem{ID: 4},
		engine.PropertyItem{ID: 5, SerializedSize: 6})
	o.values[3], o.values[5] = []byte{4, 3, 2, 1}, []byte{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6}
	return o
}

// serial is one entry of a blob.
type serial struct {
	id     uint32
	value  []byte
	length uint32 // instead of len(value), if not 0
}

// blob writes a serialized set. The last value is not padded.
func blob(set ks.GUID, count uint32, entries ...serial) []byte {
	b := join(set[:], u32(count))
	for _, e := range entries {
		for len(b)%4 != 0 {
			b = append(b, 0xFF) // padding is not looked at
		}
		n := e.length
		if n == 0 {
			n = uint32(len(e.value))
		}
		b = join(b, bytes.Repeat([]byte{0x99}, 24), u32(e.id), u32(n), e.value) // nor is PropTypeSet
	}
	return b
}

func TestP39_SerializeSet(t *testing.T) {
	want := golden(t, "testdata/serialized-set.txt")
	for out := range len(want) + 3 {
		o := worked(t)
		q := request{set: setA, id: 77, flags: serializeSet, out: full(out)} // the id is ignored
		switch {
		case out == 0:
			o.want(q, ks.StatusBufferOverflow, uint64(len(want)))
		case out < len(want):
			o.want(q, ks.StatusBufferTooSmall, 0)
		default:
			if a := o.want(q, ks.StatusSuccess, uint64(len(want))); !bytes.Equal(a.out[:len(want)], want) {
				t.Fatalf("% x, want\n% x", a.out, want)
			}
			var ids []uint32
			for _, c := range o.calls[:2] {
				ids = append(ids, c.identifier().ID)
			}
			if len(o.calls) != 2*len(paths) || !slices.Equal(ids, []uint32{3, 5}) {
				t.Errorf("GETs of %v", ids)
			}
			continue
		}
		if len(o.calls) != 0 {
			t.Errorf("Out %d: %d GETs for a size answer", out, len(o.calls))
		}
	}
}

func TestP39_WhatIsSerialized(t *testing.T) {
	// No item that is: a header alone.
	for _, item := range []engine.PropertyItem{{ID: 1, Get: produces(1)}, {ID: 1, Set: accepts, SerializedSize: 4}} {
		h := oneItem(t, item)
		h.want(request{set: setA, flags: serializeSet}, ks.StatusBufferOverflow, 20)
		h.want(request{set: setA, flags: serializeSet, out: full(19)}, ks.StatusBufferTooSmall, 0)
		if a := h.want(request{set: setA, flags: serializeSet, out: full(24)}, ks.StatusSuccess, 20); !bytes.Equal(a.out[:20],
			join(setA[:], u32(0))) {
			t.Errorf("% x", a.out)
		}
	}
	// All entries with the GUID, in table order (P-24).
	item := func(id uint32) []engine.PropertyItem {
		return []engine.PropertyItem{{ID: id, Get: produces(byte(id)), SerializedSize: 4}}
	}
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: item(9)}, {Set: setB, Items: item(5)},
		{Set: setA, Items: item(2)}}})
	a := h.want(request{set: setA, flags: serializeSet, out: full(92)}, ks.StatusSuccess, 92)
	if want := join(setA[:], u32(2), make([]byte, 24), u32(9), u32(4), u32(9), make([]byte, 24), u32(2), u32(4), u32(2)); !bytes.Equal(a.out,
		want) {
		t.Errorf("% x, want\n% x", a.out, want)
	}
	// A GET that produces less than PropertyLength leaves zeros; one that produces more is refused (P-20).
	h = oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 6, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "abcdef")
		irp.IoStatus.Information = 2
		return ks.StatusSuccess
	}})
	if a := h.want(request{set: setA, flags: serializeSet, out: full(60)}, ks.StatusSuccess,
		60); string(a.out[52:]) != "ab\x00\x00\x00\x00\x00\x00" {
		t.Errorf("% x", a.out[52:])
	}
	h = oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 6, Get: answers(ks.StatusSuccess, 7)})
	h.want(request{set: setA, flags: serializeSet, out: full(60)}, ks.StatusBufferTooSmall, 0)
}

// A failing GET, and anything but NT_SUCCESS is failing, fails the request with its status.
func TestP39_FailingGet(t *testing.T) {
	for _, status := range statuses {
		h := oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 4, Get: answers(status, 4)})
		if status.IsSuccess() {
			h.want(request{set: setA, flags: serializeSet, out: full(56)}, ks.StatusSuccess, 56)
		} else {
			h.want(request{set: setA, flags: serializeSet, out: full(56)}, status, 0)
		}
	}
}

// sized is a GET handler of a property that begins with KSMULTIPLE_ITEM.
func sized(sizes ...uint32) engine.Handler {
	calls := 0
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		size := sizes[calls%len(sizes)]
		calls++
		irp.IoStatus.Information = uint64(copy(data, join(u32(size), u32(1), []byte("0123456789abcdef"))))
		return ks.StatusSuccess
	}
}

func TestP40_UnknownSize(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 1, Get: sized(18)})
	for out, want := range map[int]answer{
		0:  {status: ks.StatusBufferOverflow, info: 72},
		1:  {status: ks.StatusBufferTooSmall},
		71: {status: ks.StatusBufferTooSmall},
		72: {status: ks.StatusSuccess, info: 72},
		80: {status: ks.StatusSuccess, info: 72},
	} {
		h.calls = nil
		a := h.want(request{set: setA, flags: serializeSet, out: full(out)}, want.status, want.info)
		gets := []uint32{8} // made for a size answer as well
		if out >= 72 {
			gets = []uint32{8, 18} // the value is read once
			if !bytes.Equal(a.out[20:72], join(make([]byte, 24), u32(1), u32(18), u32(18), u32(1), []byte("0123456789"), []byte{0, 0})) {
				t.Errorf("% x", a.out)
			}
		}
		for i, c := range h.calls {
			if c.out != gets[i%len(gets)] {
				t.Errorf("Out %d: GET of %d bytes, want %v", out, c.out, gets)
			}
		}
		if len(h.calls) != len(gets)*len(paths) {
			t.Errorf("Out %d: %d GETs", out, len(h.calls))
		}
	}
}

func TestP40_Resolve(t *testing.T) {
	refused := map[string]engine.PropertyItem{
		"7 bytes produced": {Get: produces(8, 0, 0, 0, 0, 0, 0)},
		"nothing produced": {Get: accepts},
	}
	for name, item := range refused {
		item.ID, item.SerializedSize = 1, 1
		h := oneItem(t, item)
		for _, q := range []request{{flags: serializeSet}, {flags: serializeSet, out: full(100)}, {flags: serializeSize, out: full(4)}} {
			q.set, q.id = setA, 1
			if a := h.want(q, ks.StatusInvalidBufferSize, 0); a.rule != "P-40" {
				t.Errorf("%s: decided by %s", name, a.rule)
			}
		}
	}
	// P-26 to P-28 hold for that GET as well.
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: sized(8), SerializedSize: 1, MinData: 9})
	h.want(request{set: setA, flags: serializeSet}, ks.StatusBufferTooSmall, 0)
	h = oneItem(t, engine.PropertyItem{ID: 1, Get: sized(8), SerializedSize: 1, MinProperty: 25})
	h.want(request{set: setA, flags: serializeSet}, ks.StatusInvalidBufferSize, 0)
	h.want(request{set: setA, flags: serializeSet, extra: []byte{0}}, ks.StatusBufferOverflow, 60)
}

func TestP41_WorkedExample(t *testing.T) {
	want := golden(t, "testdata/serialized-set.txt")
	o := worked(t)
	if a := o.want(request{set: setA, flags: serializeSet, out: full(96)}, ks.StatusSuccess, 96); !bytes.Equal(a.out, want) {
		t.Errorf("written:\n% x, want\n% x", a.out, want)
	}
	// It is read back, with and without the last padding.
	for _, n := range []int{94, 95, 96} {
		o := worked(t)
		clear(o.values)
		o.want(request{set: setA, flags: unserializeSet, out: want[:n]}, ks.StatusSuccess, 0)
		if !bytes.Equal(o.values[3], []byte{4, 3, 2, 1}) || !bytes.Equal(o.values[5], want[0x58:0x5e]) || len(o.order) != 2*len(paths) {
			t.Errorf("%d bytes: %v", n, o.values)
		}
	}
}

// Every entry begins at a multiple of 4, and what fills the gap is zero.
func TestP41_PaddingBetweenEntries(t *testing.T) {
	for _, sizes := range [][]uint32{{5, 2, 3, 4}, {7, 7}, {2, 6, 9}} {
		var items []engine.PropertyItem
		want := join(setA[:], u32(uint32(len(sizes))))
		for i, n := range sizes {
			value := bytes.Repeat([]byte{byte(i + 1)}, int(n))
			items = append(items, engine.PropertyItem{ID: uint32(i), SerializedSize: n, Get: produces(value...), Set: accepts})
			want = join(want, make([]byte, 24), u32(uint32(i)), u32(n), value, make([]byte, (4-n%4)%4))
		}
		o := newObject(t, items...)
		if a := o.want(request{set: setA, flags: serializeSet, out: full(len(want))}, ks.StatusSuccess, uint64(len(want))); !bytes.Equal(a.out,
			want) {
			t.Errorf("sizes %v:\n% x, want\n% x", sizes, a.out, want)
		}
		o.calls = nil
		o.want(request{set: setA, flags: unserializeSet, out: want}, ks.StatusSuccess, 0)
		for i, c := range o.calls {
			if n := i % len(sizes); c.out != sizes[n] || c.data[0] != byte(n+1) {
				t.Errorf("sizes %v: entry %d arrives as % x", sizes, n, c.data)
			}
		}
	}
}

func TestP42_Validation(t *testing.T) {
	four := serial{id: 1, value: []byte("1234")}
	for name, c := range map[string]struct {
		blob []byte
		want ks.Status
	}{
		"empty":                  {nil, ks.StatusInvalidBufferSize},
		"19 bytes":               {blob(setA, 0)[:19], ks.StatusInvalidBufferSize},
		"no entries":             {blob(setA, 0), ks.StatusSuccess},
		"bytes after the last":   {append(blob(setA, 1, four), 1, 2, 3, 4, 5), ks.StatusSuccess},
		"another set":            {blob(setB, 1, four), ks.StatusInvalidParameter},
		"another set, short":     {blob(setB, 9), ks.StatusInvalidParameter},
		"count too high":         {blob(setA, 2, four), ks.StatusInvalidParameter},
		"count far too high":     {blob(setA, math.MaxUint32, four), ks.StatusInvalidParameter},
		"count too low":          {blob(setA, 1, four, serial{id: 99}), ks.StatusSuccess},
		"length beyond the end":  {blob(setA, 1, serial{id: 1, value: []byte("1234"), length: 5}), ks.StatusInvalidParameter},
		"length of 32 bits":      {blob(setA, 1, serial{id: 1, value: []byte("1234"), length: math.MaxUint32}), ks.StatusInvalidParameter},
		"fit comes before id":    {blob(setA, 1, serial{id: 99, value: []byte("1234"), length: 5}), ks.StatusInvalidParameter},
		"unknown id":             {blob(setA, 1, serial{id: 99, value: []byte("1234")}), ks.StatusNotFound},
		"id comes before length": {blob(setA, 1, serial{id: 99, value: []byte("1")}), ks.StatusNotFound},
		"get-only item":          {blob(setA, 1, serial{id: 4, value: []byte("1234")}), ks.StatusNotFound},
		"unserializable item":    {blob(setA, 1, serial{id: 3, value: []byte("1234")}), ks.StatusNotFound},
		"fast-only item":         {blob(setA, 1, serial{id: 6, value: []byte("1234")}), ks.StatusNotFound},
		"a byte less":            {blob(setA, 1, serial{id: 1, value: []byte("123")}), ks.StatusInvalidBufferSize},
		"a byte more":            {blob(setA, 1, serial{id: 1, value: []byte("12345")}), ks.StatusInvalidBufferSize},
		"less than MinData":      {blob(setA, 1, serial{id: 2, value: []byte("12")}), ks.StatusInvalidBufferSize},
		"MinData":                {blob(setA, 1, serial{id: 2, value: []byte("123")}), ks.StatusSuccess},
		"any size from MinData":  {blob(setA, 1, serial{id: 2, value: []byte("1234567")}), ks.StatusSuccess},
		"twice the same id":      {blob(setA, 2, four, serial{id: 1, value: []byte("5678")}), ks.StatusSuccess},
		"first violation":        {blob(setA, 3, four, serial{id: 99}, serial{id: 1, length: 1 << 31}), ks.StatusNotFound},
		"padding before the end": {blob(setA, 2, serial{id: 2, value: []byte("12345")}, four), ks.StatusSuccess},
		"padding past the end":   {blob(setA, 2, serial{id: 2, value: []byte("12345")}), ks.StatusInvalidParameter},
		"second header cut":      {blob(setA, 2, four, four)[:20+36+31], ks.StatusInvalidParameter},
	} {
		h := &host{TB: t}
		set := h.wrap(accepts)
		h.recompile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Set: set, SerializedSize: 4},
			{ID: 2, Set: set, SerializedSize: 1, MinData: 3},
			{ID: 3, Set: set},
			{ID: 4, Get: set, SerializedSize: 4},
		}, FastIO: []engine.FastPropertyItem{{ID: 6}}}}})
		a := h.want(request{set: setA, id: 99, flags: unserializeSet, out: c.blob}, c.want, 0)
		if c.want.IsError() && (len(h.calls) != 0 || a.rule != "P-42") {
			t.Errorf("%s: %d SETs before the blob was found wrong, by %s", name, len(h.calls), a.rule)
		}
		if t.Failed() {
			t.Fatalf("in %s", name)
		}
	}
}

func TestP42_Apply(t *testing.T) {
	// In blob order, duplicates included.
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 1})
	b := blob(setA, 4, serial{id: 2, value: []byte("x")}, serial{id: 1, value: []byte("1234")}, serial{id: 2},
		serial{id: 1, value: []byte("5678")})
	o.want(request{set: setA, flags: unserializeSet, out: b}, ks.StatusSuccess, 0)
	if !slices.Equal(o.order[:4], []uint32{2, 1, 2, 1}) || string(o.values[1]) != "5678" || len(o.values[2]) != 0 {
		t.Errorf("SETs of %v, values %v", o.order, o.values)
	}
	if first := o.calls[2]; first.data != nil || first.out != 0 {
		t.Errorf("an empty value arrives as % x", first.data)
	}
	// The first SET that fails ends the run; warnings fail, and the Information of a SET does not matter.
	for _, status := range statuses {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4},
			engine.PropertyItem{ID: 2, SerializedSize: 4, Set: answers(status, 1<<40)},
			engine.PropertyItem{ID: 3, SerializedSize: 4})
		b := blob(setA, 3, serial{id: 1, value: u32(7)}, serial{id: 2, value: u32(8)}, serial{id: 3, value: u32(9)})
		want, applied := ks.StatusSuccess, 2
		if !status.IsSuccess() {
			want, applied = status, 1
		}
		if o.want(request{set: setA, flags: unserializeSet, out: b}, want, 0); len(o.values) != applied {
			t.Errorf("%v: %d values applied, want %d", status, len(o.values), applied)
		}
	}
	// MinProperty fails at its entry, and what was applied before stays.
	o = newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 4, MinProperty: 32})
	b = blob(setA, 2, serial{id: 1, value: u32(7)}, serial{id: 2, value: u32(8)})
	if o.want(request{set: setA, flags: unserializeSet, out: b}, ks.StatusInvalidBufferSize, 0); len(o.values) != 1 {
		t.Errorf("values %v", o.values)
	}
	o.want(request{set: setA, flags: unserializeSet, extra: node(0), out: b}, ks.StatusSuccess, 0)
}

func TestP43_InnerRequests(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 6}, engine.PropertyItem{ID: 2, SerializedSize: 1, Get: sized(12)})
	o.values[1] = []byte("abcdef")
	extra := join(u32(42), u32(0), []byte("instance"))
	serialized := join(setA[:], u32(1), make([]byte, 24), u32(1), u32(6), []byte("ABCDEF"))
	for _, modifiers := range []uint32{0, topology, topology | highPriority | fsFilterScope | copyPayload} {
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			for verb, out := range map[uint32][]byte{serializeSet: full(104), unserializeSet: serialized} {
				q := request{set: setA, id: 99, flags: verb | modifiers, extra: extra, out: out, mode: mode}
				o.calls, o.allocs = nil, nil
				irp := o.irp(q)
				status := o.PropertyWithAllocator(irp, o.allocator)
				if status != ks.StatusSuccess || len(o.allocs) != 0 || irp.InputBufferLength != uint32(24+len(extra)) ||
					irp.OutputBufferLength != uint32(len(out)) {
					t.Fatalf("%v: %v, allocator calls %v", q, status, o.allocs)
				}
				inner, ids, lengths := get, []uint32{2, 1, 2}, []uint32{8, 6, 12}
				if verb == unserializeSet {
					inner, ids, lengths = set, []uint32{1}, []uint32{6}
				}
				if len(o.calls) != len(ids) {
					t.Fatalf("%v: %d inner requests, want %d", q, len(o.calls), len(ids))
				}
				for i, c := range o.calls {
					want := join(setA[:], u32(ids[i]), u32(inner|modifiers), extra)
					at := (int(c.out) + 7) &^ 7
					if !bytes.Equal(c.request, want) || c.out != lengths[i] || len(c.data) != int(lengths[i]) || c.in != uint32(len(want)) ||
						!bytes.Equal(c.system[at:at+len(want)], want) {
						t.Errorf("%v: inner request % x with %d bytes of data, want % x with %d", q, c.request, c.out, want, lengths[i])
					}
					if c.irp == irp || c.mode != mode || c.file != &o.file || c.irp.Type3InputBuffer != nil || c.irp.UserBuffer != nil ||
						c.irp.Memory != nil {
						t.Errorf("%v: the inner request runs in mode %v, on file %p", q, c.mode, c.file)
					}
					if verb == serializeSet && slices.ContainsFunc(c.data, func(b byte) bool { return b != 0 }) {
						t.Errorf("%v: the inner GET finds % x", q, c.data)
					}
				}
				if wantFlags := engine.BufferedIO | engine.DeallocateBuffer; irp.Flags&^engine.InputOperation != wantFlags {
					t.Errorf("%v: Flags %#x", q, irp.Flags)
				}
				irp.Finish(status, irp.UserBuffer)
			}
		}
	}
	if string(o.values[1]) != "ABCDEF" {
		t.Errorf("value %q", o.values[1])
	}
	// SOME_NOT_MAPPED has nobody to finish the request (P-18).
	for _, item := range []engine.PropertyItem{{Get: answers(ks.StatusSomeNotMapped, 4)}, {Set: answers(ks.StatusSomeNotMapped, 4)}} {
		item.ID, item.SerializedSize = 1, 4
		o := newObject(t, item)
		if item.Get != nil {
			o.want(request{set: setA, flags: serializeSet, out: full(56)}, ks.StatusNotFound, 0)
		} else {
			o.want(request{set: setA, flags: unserializeSet, out: blob(setA, 1, serial{id: 1, value: u32(1)})}, ks.StatusNotFound, 0)
		}
	}
}

// Pended inner requests are waited for, however late they are completed.
func TestP43_PendedInnerRequest(t *testing.T) {
	for _, final := range []ks.Status{ks.StatusSuccess, ks.StatusNotSupported, ks.StatusSomeNotMapped} {
		later := make(chan func())
		go func() {
			for f := range later {
				f()
			}
		}()
		pend := func(irp *engine.IRP, _, data []byte) ks.Status {
			later <- func() { irp.Complete(final, uint64(copy(data, "late"))) }
			return ks.StatusPending
		}
		h := oneItem(t, engine.PropertyItem{ID: 1, SerializedSize: 4, Get: pend, Set: pend})
		want, info := final, uint64(56)
		if final == ks.StatusSomeNotMapped {
			want = ks.StatusNotFound
		}
		if want != ks.StatusSuccess {
			info = 0
		}
		for range 50 {
			a := h.want(request{set: setA, flags: serializeSet, out: full(56)}, want, info)
			if final == ks.StatusSuccess && string(a.out[52:]) != "late" {
				t.Fatalf("% x", a.out)
			}
			h.want(request{set: setA, flags: unserializeSet, out: blob(setA, 1, serial{id: 1, value: u32(1)})}, want, 0)
		}
		close(later)
	}
}

// FuzzUnserializeSet gives blobs to a set with items of each kind. Whatever is accepted must have been applied in full and
// must be what a second reading of the format finds.
func FuzzUnserializeSet(f *testing.F) {
	example := golden(f, "testdata/serialized-set.txt")
	for n := 0; n <= len(example); n += 13 {
		f.Add(example[:n])
	}
	f.Add(blob(setA, 2, serial{id: 3, value: u32(1)}, serial{id: 7, value: []byte("any")}))
	f.Add(blob(setA, math.MaxUint32, serial{id: 3, value: u32(1)}))
	f.Add(blob(setA, 1, serial{id: 3, value: u32(1), length: math.MaxUint32}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		sizes := map[uint32]uint32{3: 4, 5: 6, 7: 1}
		o := newObject(t, engine.PropertyItem{ID: 3, SerializedSize: 4}, engine.PropertyItem{ID: 4},
			engine.PropertyItem{ID: 5, SerializedSize: 6}, engine.PropertyItem{ID: 7, SerializedSize: 1})
		a := o.via(viaProperty, request{set: setA, flags: unserializeSet, out: data})
		if a.status.IsError() {
			if len(o.calls) != 0 {
				t.Errorf("%v after %d SETs", a.status, len(o.calls))
			}
			return
		}
		if a.status != ks.StatusSuccess || a.info != 0 || !bytes.Equal(data[:16], setA[:]) ||
			len(o.calls) != int(binary.LittleEndian.Uint32(data[16:])) {
			t.Fatalf("%v, Information %d, %d SETs of % x", a.status, a.info, len(o.calls), data)
		}
		at := 20
		for _, c := range o.calls {
			at = (at + 3) &^ 3
			id, n := binary.LittleEndian.Uint32(data[at+24:]), binary.LittleEndian.Uint32(data[at+28:])
			at += 32
			if size := sizes[id]; size == 0 || size > 1 && size != n || c.identifier().ID != id || !bytes.Equal(c.data, data[at:at+int(n)]) {
				t.Fatalf("SET of item %d with % x, but the blob has item %d with %d bytes at %d", c.identifier().ID, c.data, id, n, at)
			}
			at += int(n)
		}
	})
}
