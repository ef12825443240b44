package typed_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
	"github.com/ksdispatch/ksdispatch/engine/typed"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// description asks BASICSUPPORT or DEFAULTVALUES as clients do: 40 bytes first, then the whole.
func (o *object) description(id, verb uint32) (head ks.PropertyDescription, lists []byte) {
	o.t.Helper()
	b := make([]byte, ks.SizePropertyDescription)
	if n, status := o.irp(id, verb, b); n != ks.SizePropertyDescription || status != ks.StatusSuccess {
		o.t.Fatalf("40 bytes: %v %d", status, n)
	}
	head, _ = ks.DecodePropertyDescription(b)
	b = make([]byte, head.DescriptionSize)
	if n, status := o.irp(id, verb, b); n != head.DescriptionSize || status != ks.StatusSuccess {
		o.t.Fatalf("%d bytes: %v %d", head.DescriptionSize, status, n)
	}
	return head, b[ks.SizePropertyDescription:]
}

// hex is 4 bytes for each int, 8 for each int64 and a FLOAT for each float64.
func hex(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(p))
		case float64:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(p)))
		case int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(p))
		}
	}
	return b
}

// TestP33_Values compares the member lists byte by byte: the structure of each kind for both sizes, ranges first and the
// default last.
func TestP33_Values(t *testing.T) {
	var i32 typed.Locked[int32]
	var u32 typed.Locked[uint32]
	var i64 typed.Locked[int64]
	var u64 typed.Locked[uint64]
	var yes typed.Locked[bool]
	var f32 typed.Locked[float32]
	var st typed.Locked[ks.BoundsLong]
	var b typed.Bytes
	var s typed.Text
	const ranges, stepped, values, plain, def = 1, 2, 3, 0, 1
	const most, least = math.MaxInt32, int64(math.MinInt64)
	all := typed.ScalarVar(0, &i32).Default(-7).OneOf(99, -7).Step(-10, 10, 5).Range(-3, 3).Range(20, most)
	rangesOf32, steppedOf32 := hex(ranges, 8, 2, plain, -3, 3, 20, most), hex(stepped, 16, 1, plain, 5, 0, -10, 10)
	valuesOf32, default32 := hex(values, 4, 2, plain, 99, -7), hex(values, 4, 1, def, -7)
	long := typed.ScalarVar(0, &i64).Step(math.MinInt64, -1, 1<<40).Range(math.MinInt64, math.MaxInt64)
	rangesOf64 := hex(ranges, 16, 1, plain, least, int64(math.MaxInt64))
	steppedOf64 := hex(stepped, 24, 1, plain, int64(1<<40), least, int64(-1))
	unsigned, default64 := typed.ScalarVar(0, &u64).OneOf(math.MaxUint64).Default(math.MaxUint64), hex(values, 8, 1, def, int64(-1))
	float, defaultFloat := typed.ScalarVar(0, &f32).OneOf(-1.5).Default(-1.5), hex(values, 4, 1, def, -1.5)
	for i, x := range []struct {
		d        typed.Declaration
		vt       uint32
		n        uint32 // lists
		lists    []byte
		defaults []byte
	}{
		{typed.ScalarVar(0, &i32), kssets.VT_I4, 0, nil, nil},
		{all, kssets.VT_I4, 4, slices.Concat(rangesOf32, steppedOf32, valuesOf32, default32), default32},
		{typed.ScalarVar(0, &u32).Range(1, math.MaxUint32), kssets.VT_UI4, 1, hex(ranges, 8, 1, plain, 1, -1), nil},
		{long, kssets.VT_I8, 2, slices.Concat(rangesOf64, steppedOf64), nil},
		{unsigned, kssets.VT_UI8, 2, slices.Concat(hex(values, 8, 1, plain, int64(-1)), default64), default64},
		{typed.ScalarVar(0, &yes).Default(true), kssets.VT_BOOL, 1, hex(values, 4, 1, def, 1), hex(values, 4, 1, def, 1)},
		{float, kssets.VT_R4, 2, slices.Concat(hex(values, 4, 1, plain, -1.5), defaultFloat), defaultFloat},
		{typed.BlobVar(0, 8, &b), kssets.VT_BLOB, 0, nil, nil},
		{typed.StringVar(0, 8, &s), kssets.VT_LPWSTR, 0, nil, nil},
	} {
		o := open(t, x.d)
		head, lists := o.description(0, ks.PropertyTypeBasicSupport)
		want := ks.PropertyDescription{AccessFlags: 3, DescriptionSize: 40 + uint32(len(x.lists)),
			PropTypeSet: ks.Identifier{Set: kssets.KSPROPTYPESETID_General, ID: x.vt}, MembersListCount: x.n}
		if head != want || !bytes.Equal(lists, x.lists) {
			t.Errorf("declaration %d: BASICSUPPORT\n%+v % x; want\n%+v % x", i, head, lists, want, x.lists)
		}
		head, lists = o.description(0, ks.PropertyTypeDefaultValues)
		want.DescriptionSize = 40 + uint32(len(x.defaults))
		want.MembersListCount = min(1, uint32(len(x.defaults)))
		if head != want || !bytes.Equal(lists, x.defaults) {
			t.Errorf("declaration %d: DEFAULTVALUES\n%+v % x; want\n%+v % x", i, head, lists, want, x.defaults)
		}
	}

	// A structure has no Values.
	o := open(t, typed.StructVar(0, ks.SizeBoundsLong, ks.DecodeBoundsLong, &st))
	if head, _ := o.description(0, ks.PropertyTypeBasicSupport); head != (ks.PropertyDescription{AccessFlags: 3, DescriptionSize: 40}) {
		t.Errorf("structure: %+v", head)
	}
	if _, status := o.irp(0, ks.PropertyTypeDefaultValues, make([]byte, 40)); status != ks.StatusNotFound {
		t.Errorf("structure: DEFAULTVALUES %v (P-36)", status)
	}
}

// model is a list of what is allowed, in arithmetic that cannot wrap: every value of the four types is a small integer here
// or lies within a few steps of an end, so that walking from lo to hi is exact.
type model[T int32 | uint32 | int64 | uint64] struct {
	lo, hi, step, one []T // parallel; step 0: a plain range
}

func (m *model[T]) allows(v T) bool {
	if len(m.lo)+len(m.one) == 0 {
		return true
	}
	for i := range m.lo {
		if v < m.lo[i] || v > m.hi[i] {
			continue
		}
		if m.step[i] == 0 {
			return true
		}
		for w := m.lo[i]; ; w += m.step[i] {
			if w == v {
				return true
			}
			if m.hi[i]-w < m.step[i] { // hi-w fits: the walk is short and lo to hi is no more than 64 steps
				break
			}
		}
	}
	for _, w := range m.one {
		if w == v {
			return true
		}
	}
	return false
}

// testModel declares random limits and compares random SETs and GETs, on both paths, with the model and with what
// BASICSUPPORT reported.
func testModel[T int32 | uint32 | int64 | uint64](t *testing.T, r *rand.Rand, lowest, highest T, size int) {
	corner := func() T {
		d := T(r.Uint64N(100))
		return [...]T{lowest + d, highest - d, T(0) + d, highest/2 - 50 + d}[r.IntN(4)]
	}
	encode := func(v T) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(v))
		return b[:size:size]
	}
	for range 300 {
		var cell typed.Locked[T]
		var m model[T]
		d := typed.ScalarVar(9, &cell)
		for range r.IntN(4) {
			switch lo, hi := corner(), corner(); {
			case lo > hi:
				d = d.OneOf(lo, hi)
				m.one = append(m.one, lo, hi)
			case r.IntN(2) == 0:
				d = d.Range(lo, hi)
				m.lo, m.hi, m.step = append(m.lo, lo), append(m.hi, hi), append(m.step, 0)
			default:
				step := T(1 + r.IntN(9))
				if hi = lo + T(r.Uint64N(64)); hi < lo {
					hi = highest
				}
				d = d.Step(lo, hi, step)
				m.lo, m.hi, m.step = append(m.lo, lo), append(m.hi, hi), append(m.step, step)
			}
		}
		if r.IntN(2) == 0 {
			v := corner()
			if m.allows(v) {
				d = d.Default(v)
			} else if _, err := typed.PropertySet(testSet, d.Default(v)); err == nil {
				t.Fatalf("the default %v is accepted by %+v", v, m)
			}
		}
		o := open(t, d)
		current := cell.Load()
		for range 40 {
			v := corner()
			if r.IntN(3) == 0 && len(m.lo) > 0 {
				v = m.lo[0] + T(r.Uint64N(70)) - 3
			}
			n, status, _ := o.both(9, set, encode(v), true)
			want := ks.StatusInvalidParameter
			if m.allows(v) {
				want, current = ks.StatusSuccess, v
			}
			if n != 0 || status != want {
				t.Fatalf("SET %v: %v %d; want %v 0; %+v", v, status, n, want, m)
			}
			n, status, out := o.both(9, get, make([]byte, size), true)
			if int(n) != size || status != ks.StatusSuccess || !bytes.Equal(out, encode(current)) {
				t.Fatalf("GET: %v %d % x; want %v", status, n, out, current)
			}
		}
		if err := o.h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestModel(t *testing.T) {
	r := testkit.Rand(t)
	testModel[int32](t, r, math.MinInt32, math.MaxInt32, 4)
	testModel[uint32](t, r, 0, math.MaxUint32, 4)
	testModel[int64](t, r, math.MinInt64, math.MaxInt64, 8)
	testModel[uint64](t, r, 0, math.MaxUint64, 8)
}
