package typed_test

import (
	"bytes"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/typed"
)

// TestP28_FixedSizes climbs every size of every fixed form in both verbs on both paths.
func TestP28_FixedSizes(t *testing.T) {
	var (
		i32 atomic.Int32
		u32 atomic.Uint32
		i64 atomic.Int64
		u64 atomic.Uint64
		yes atomic.Bool
		f32 typed.Locked[float32]
		st  typed.Locked[ks.SteppingLong]
	)
	i32.Store(-2)
	u32.Store(0xFFFFFFFE)
	i64.Store(-3)
	u64.Store(1 << 63)
	yes.Store(true)
	f32.Store(-1.5)
	st.Store(ks.SteppingLong{SteppingDelta: 1, Bounds: ks.BoundsLong{SignedMinimum: -1, SignedMaximum: 5}})
	o := open(t, typed.ScalarVar(0, &i32), typed.ScalarVar(1, &u32), typed.ScalarVar(2, &i64), typed.ScalarVar(3, &u64),
		typed.ScalarVar(4, &yes), typed.ScalarVar(5, &f32), typed.StructVar(6, ks.SizeSteppingLong, ks.DecodeSteppingLong, &st))
	for id, x := range []struct {
		wire, next []byte // the value now, and one to SET
		fastSet    bool
	}{
		{[]byte{0xFE, 0xFF, 0xFF, 0xFF}, []byte{1, 2, 3, 0x80}, true},
		{[]byte{0xFE, 0xFF, 0xFF, 0xFF}, []byte{1, 2, 3, 0x80}, true},
		{[]byte{0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, []byte{1, 2, 3, 4, 5, 6, 7, 0x80}, true},
		{[]byte{0, 0, 0, 0, 0, 0, 0, 0x80}, []byte{1, 2, 3, 4, 5, 6, 7, 0x80}, true},
		{[]byte{1, 0, 0, 0}, []byte{0, 0, 0, 0}, true},
		{[]byte{0, 0, 0xC0, 0xBF}, []byte{0, 0, 0x80, 0x3F}, true},
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 5, 0, 0, 0}, bytes.Repeat([]byte{7}, 16), false},
	} {
		size := uint32(len(x.wire))
		var rungs []rung
		rungs = append(rungs, rung{get, nil, size, ks.StatusBufferOverflow, nil, false},
			rung{set, nil, size, ks.StatusBufferOverflow, nil, false})
		for n := 1; n < int(size); n++ {
			rungs = append(rungs, rung{get, room(n), 0, ks.StatusBufferTooSmall, nil, false},
				rung{set, room(n), 0, ks.StatusBufferTooSmall, nil, false})
		}
		rungs = append(rungs,
			rung{get, room(int(size)), size, ks.StatusSuccess, x.wire, true},
			rung{get, then(nil, int(size)+5), size, ks.StatusSuccess, then(x.wire, 5), true},
			rung{set, x.next, 0, ks.StatusSuccess, nil, x.fastSet},
			rung{get, room(int(size)), size, ks.StatusSuccess, x.next, true},
			rung{set, then(x.wire, 9), 0, ks.StatusSuccess, nil, x.fastSet},
			rung{get, room(int(size)), size, ks.StatusSuccess, x.wire, true})
		o.climb(uint32(id), rungs)
	}
}

// TestP28_WithoutMinData asks the handlers themselves, as a declaration that dropped the items and kept the fast items
// does: they check sizes on their own.
func TestP28_WithoutMinData(t *testing.T) {
	var v atomic.Uint64
	var st typed.Locked[ks.SteppingLong]
	s, err := typed.PropertySet(testSet, typed.ScalarVar(0, &v), typed.StructVar(1, ks.SizeSteppingLong, ks.DecodeSteppingLong, &st))
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Items {
		it := &s.Items[i]
		size := int(it.MinData)
		for n := range size {
			for _, h := range []engine.Handler{it.Get, it.Set} {
				irp := &engine.IRP{IoStatus: engine.IoStatus{Information: 99}}
				status := h(irp, request(0, get), make([]byte, n))
				wantN, want := uint64(0), ks.StatusBufferTooSmall
				if n == 0 {
					wantN, want = uint64(size), ks.StatusBufferOverflow
				}
				if status != want || irp.IoStatus.Information != wantN {
					t.Errorf("item %d, %d bytes: %v %d; want %v %d", i, n, status, irp.IoStatus.Information, want, wantN)
				}
			}
		}
	}
}

// TestBool has the two sides of BOOL: 0 or 1 out, anything else than 0 is true in.
func TestBool(t *testing.T) {
	var v atomic.Bool
	o := open(t, typed.ScalarVar(0, &v).OneOf(true).Default(true))
	for _, in := range [][]byte{{1, 0, 0, 0}, {0, 0, 0, 0x80}, {0xFF, 0xFF, 0xFF, 0xFF}} {
		v.Store(false)
		o.climb(0, []rung{{set, in, 0, ks.StatusSuccess, nil, true}, {get, room(4), 4, ks.StatusSuccess, []byte{1, 0, 0, 0}, true}})
	}
	o.climb(0, []rung{{set, make([]byte, 4), 0, ks.StatusInvalidParameter, nil, true}})
	if !v.Load() {
		t.Error("a refused SET changed the variable")
	}
}

// TestFunc checks that functions see the request on both paths and that their status is the answer.
func TestFunc(t *testing.T) {
	var o *object
	var calls int
	result := ks.StatusSuccess
	see := func(r typed.Request) ks.Status {
		calls++
		id, ok := ks.DecodeIdentifier(r.Property)
		if !ok || id.Set != testSet || id.ID != 3 || r.File == nil {
			o.t.Errorf("the function sees %+v", r)
		}
		return result
	}
	o = open(t,
		typed.ScalarFunc(3, func(r typed.Request) (uint32, ks.Status) { return 7, see(r) }, func(r typed.Request, v uint32) ks.Status {
			if v != 9 {
				o.t.Errorf("the setter gets %d", v)
			}
			return see(r)
		}))
	nine, seven, zero := []byte{9, 0, 0, 0}, []byte{7, 0, 0, 0}, make([]byte, 4)
	for _, x := range []struct {
		returned, get, set ks.Status
		n                  uint32
		out                []byte
	}{
		{ks.StatusSuccess, ks.StatusSuccess, ks.StatusSuccess, 4, seven},
		{0x104, 0x104, 0x104, 4, seven}, // informational: STATUS_REPARSE
		{ks.StatusSomeNotMapped, ks.StatusNotFound, ks.StatusNotFound, 0, nil},
		{ks.StatusPending, ks.StatusUnsuccessful, ks.StatusUnsuccessful, 0, nil},
		{ks.StatusBufferOverflow, ks.StatusBufferOverflow, ks.StatusBufferOverflow, 0, nil},
		{ks.StatusNotSupported, ks.StatusNotSupported, ks.StatusNotSupported, 0, nil},
	} {
		result = x.returned
		o.climb(3, []rung{{get, zero, x.n, x.get, x.out, true}, {set, nine, 0, x.set, nil, true}})
	}
	if calls != 6*4 {
		t.Errorf("%d calls; want %d: one for each request", calls, 6*4)
	}
}

// TestP21_Panics lets every kind of function panic.
func TestP21_Panics(t *testing.T) {
	var value any
	boom := func(typed.Request) { panic(value) }
	o := open(t,
		typed.ScalarFunc(0, func(r typed.Request) (int32, ks.Status) { boom(r); return 0, 0 },
			func(r typed.Request, _ int32) ks.Status { boom(r); return 0 }),
		typed.StructFunc(1, ks.SizeBoundsLong, ks.DecodeBoundsLong,
			func(r typed.Request) (ks.BoundsLong, ks.Status) { boom(r); return ks.BoundsLong{}, 0 },
			func(r typed.Request, _ ks.BoundsLong) ks.Status { boom(r); return 0 }),
		typed.StringFunc(2, 8, func(r typed.Request) (string, ks.Status) { boom(r); return "", 0 },
			func(r typed.Request, _ typed.UTF16) ks.Status { boom(r); return 0 }),
		typed.BlobFunc(3, 8, func(r typed.Request) ([]byte, ks.Status) { boom(r); return nil, 0 },
			func(r typed.Request, _ []byte) ks.Status { boom(r); return 0 }))
	for _, x := range []struct {
		thrown any
		want   ks.Status
	}{{"oops", ks.StatusAccessViolation}, {ks.StatusNotSupported, ks.StatusNotSupported}} {
		value = x.thrown
		for id := range uint32(4) {
			for _, flags := range []uint32{get, set} {
				before := o.panics
				n, status, _ := o.both(id, flags, make([]byte, 8), flags == get || id == 0)
				if n != 0 || status != x.want || o.panics == before {
					t.Errorf("id %d flags %d: %v %d, %d panics reported; want %v 0", id, flags, status, n, o.panics-before, x.want)
				}
			}
		}
	}
}

// TestP26_Access drops one verb in every way that there is.
func TestP26_Access(t *testing.T) {
	var v atomic.Int32
	var b typed.Bytes
	var st typed.Locked[ks.BoundsLong]
	read := func(typed.Request) (int32, ks.Status) { return 1, ks.StatusSuccess }
	write := func(typed.Request, int32) ks.Status { return ks.StatusSuccess }
	for i, x := range []struct {
		d        typed.Declaration
		get, set bool
	}{
		{typed.ScalarVar(0, &v), true, true},
		{typed.ScalarVar(0, &v).ReadOnly(), true, false},
		{typed.ScalarVar(0, &v).WriteOnly(), false, true},
		{typed.ScalarFunc(0, read, nil), true, false},
		{typed.ScalarFunc(0, nil, write), false, true},
		{typed.BlobVar(0, 8, &b).ReadOnly(), true, false},
		{typed.StructVar(0, ks.SizeBoundsLong, ks.DecodeBoundsLong, &st).WriteOnly(), false, true},
	} {
		o := open(t, x.d)
		for flags, has := range map[uint32]bool{get: x.get, set: x.set} {
			_, status, _ := o.both(0, flags, make([]byte, 8), has && (flags == get || i < 5))
			if want := map[bool]ks.Status{true: ks.StatusSuccess, false: ks.StatusNotFound}[has]; status != want {
				t.Errorf("declaration %d flags %d: %v; want %v", i, flags, status, want)
			}
		}
		access := make([]byte, 4)
		if _, status := o.irp(0, ks.PropertyTypeBasicSupport, access); status != ks.StatusSuccess || access[0]&1 != 0 != x.get ||
			access[0]&2 != 0 != x.set {
			t.Errorf("declaration %d: BASICSUPPORT %v, access %v", i, status, access)
		}
	}
}

// TestP27_MinProperty needs a node request.
func TestP27_MinProperty(t *testing.T) {
	var v atomic.Int32
	o := open(t, typed.ScalarVar(0, &v).Range(0, 5).MinProperty(ks.SizeNode))
	if _, status, _ := o.both(0, get, make([]byte, 4), false); status != ks.StatusInvalidBufferSize {
		t.Errorf("a request of 24 bytes: %v", status)
	}
	if _, status := o.h.IoControl(ks.IoctlProperty, append(request(0, get), make([]byte, 8)...), make([]byte, 4)); status != ks.StatusSuccess {
		t.Errorf("a request of 32 bytes: %v", status)
	}
}

// TestP39_Serialized takes a set out and puts it back.
func TestP39_Serialized(t *testing.T) {
	var a, b, c atomic.Uint32
	a.Store(1)
	b.Store(2)
	c.Store(3)
	o := open(t, typed.ScalarVar(0, &a).Serialized(), typed.ScalarVar(1, &b), typed.ScalarVar(2, &c).Range(0, 9).Serialized())
	blob := make([]byte, 256)
	n, status := o.irp(0, ks.PropertyTypeSerializeSet, blob)
	if want := uint32(ks.SizeSerialHdr + 2*(ks.SizeSerial+4)); status != ks.StatusSuccess || n != want {
		t.Fatalf("SERIALIZESET %v %d; want %d bytes", status, n, want)
	}
	a.Store(7)
	b.Store(7)
	c.Store(7)
	if _, status := o.irp(0, ks.PropertyTypeUnserializeSet, blob[:n]); status != ks.StatusSuccess || a.Load() != 1 || b.Load() != 7 ||
		c.Load() != 3 {
		t.Errorf("UNSERIALIZESET %v: %d %d %d", status, a.Load(), b.Load(), c.Load())
	}
	blob[n-4] = 10
	if _, status := o.irp(0, ks.PropertyTypeUnserializeSet, blob[:n]); status != ks.StatusInvalidParameter || c.Load() != 3 {
		t.Errorf("UNSERIALIZESET of what is out of range: %v, %d", status, c.Load())
	}
}

// wide writes more than it says.
type wide struct{}

func (wide) Put(b []byte) { b[9] = 1 }

// TestMistakes names each mistake of a declaration, and finds several at once.
func TestMistakes(t *testing.T) {
	var (
		v     atomic.Int32
		f     typed.Locked[float32]
		yes   atomic.Bool
		bytes typed.Bytes
		text  typed.Text
		long  typed.Bytes
		full  typed.Text

		bounds typed.Locked[ks.BoundsLong]
	)
	if err := errors.Join(long.Store(make([]byte, 9)), full.Store("long")); err != nil {
		t.Fatal(err) // before they are bound there is no limit
	}
	x := typed.ScalarVar(0, &v)
	getBounds := func(typed.Request) (ks.BoundsLong, ks.Status) { return ks.BoundsLong{}, 0 }
	setBounds := func(typed.Request, ks.BoundsLong) ks.Status { return 0 }
	for _, c := range []struct {
		d    typed.Declaration
		want string // "": fine
	}{
		{x.Range(5, 5), ""},
		{x.Range(math.MinInt32, math.MaxInt32).Default(-1), ""},
		{x.Step(-4, 7, 2).Default(6), ""},
		{x.Range(1, 2).OneOf(9).Default(9), ""},
		{x.Range(5, 4), "range 5 to 4: the low end is above the high end"},
		{x.Range(0, -1), "range 0 to -1"},
		{x.Step(5, 4, 1), "stepped range 5 to 4"},
		{x.Step(0, 4, 0), "step 0; it must be positive"},
		{x.Step(0, 4, -1), "step -1; it must be positive"},
		{x.Step(0, 4, 2).Default(3), "the default 3 is not one of"},
		{x.Step(0, 4, 2).Default(-2), "the default -2 is not one of"},
		{x.Default(3).Range(0, 2), "the default 3 is not one of"},
		{x.Default(1).Default(1), "a second default, 1"},
		{x.OneOf(), "OneOf without a value"},
		{x.OneOf(1, 2).Default(3), "the default 3 is not"},
		{typed.ScalarVar(0, &f).Range(0, 1), "a range of float32; only integers"},
		{typed.ScalarVar(0, &f).Step(0, 1, 1), "a stepped range of float32"},
		{typed.ScalarVar(0, &f).OneOf(0.5, 1).Default(0.5), ""},
		{typed.ScalarVar(0, &f).OneOf(0.5, 1).Default(0.75), "the default 0.75 is not"},
		{typed.ScalarVar(0, &yes).Range(false, true), "a range of bool"},
		{typed.ScalarVar[int32](0, nil), "neither GET nor SET is left"},
		{x.ReadOnly().WriteOnly(), "neither GET nor SET is left"},
		{typed.ScalarFunc[int32](0, nil, nil).Range(2, 1), "range 2 to 1"},
		{nil, "declaration 0 is nil"},
		{typed.StructFunc(0, ks.SizeBoundsLong, nil, getBounds, nil), ""},
		{typed.StructFunc(0, ks.SizeBoundsLong, nil, nil, setBounds), "a setter without a decoder"},
		{typed.StructFunc(0, 0, ks.DecodeBoundsLong, getBounds, setBounds), "a size of 0 bytes"},
		{typed.StructFunc(0, -1, ks.DecodeBoundsLong, getBounds, setBounds), "a size of -1 bytes"},
		{typed.StructFunc(0, 4, ks.DecodeBoundsLong, getBounds, setBounds), "is the size right?"},
		{typed.StructFunc(0, 9, nil, func(typed.Request) (wide, ks.Status) { return wide{}, 0 }, nil), "is the size right?"},
		{typed.StructVar(0, ks.SizeBoundsLong, ks.DecodeBoundsLong, nil), "neither GET nor SET is left"},
		{typed.BlobVar(0, 0, &bytes), "a size of 0 bytes"},
		{typed.BlobVar(0, 8, nil), "neither GET nor SET is left"},
		{typed.BlobVar(0, 8, &long), "has 9 bytes already, above the limit of 8"},
		{typed.BlobFunc(0, -1, nil, nil), "a size of -1 bytes"},
		{typed.BlobFunc(0, 1, nil, nil).Serialized(), "only a property of fixed size"},
		{typed.StringVar(0, 0, &text), "a limit of 0 code units"},
		{typed.StringVar(0, math.MaxInt32, &text), "a limit of 2147483647 code units"},
		{typed.StringVar(0, 4, &full), "has 8 bytes already, above the limit of 6"},
		{typed.StringVar(0, 5, &full), ""},
		{typed.StringVar(0, 5, nil), "neither GET nor SET is left"},
		{typed.StringFunc(0, 1, nil, nil), "neither GET nor SET is left"},
		{typed.ScalarPer(0, typed.PerNode, nil, &v).Range(0, 9).Default(3), ""},
		{typed.ScalarPer(0, typed.PerNode, &v).Range(0, -1), "range 0 to -1"},
		{typed.ScalarPer[int32](0, typed.PerNode), "no variable; name one"},
		{typed.ScalarPer[int32](0, typed.PerNode, nil, nil), "no variable; name one"},
		{typed.ScalarPer(0, typed.PerChannel+1, &v), "3 is none of PerNode, PerPin and PerChannel"},
		{typed.ScalarPer(0, typed.PerPin, &v).ReadOnly().WriteOnly(), "neither GET nor SET is left"},
		{typed.StructPer(0, typed.PerPin, 4, ks.DecodeBoundsLong, &bounds, &bounds), "variable 0: Put does not write"},
		{typed.StructPer(0, typed.PerPin, 0, ks.DecodeBoundsLong, &bounds), "a size of 0 bytes"},
		{typed.StringPer(0, typed.PerPin, 4, &text, &full), "variable 1: the variable has 8 bytes already, above the limit of 6"},
		{typed.BlobPer(0, typed.PerPin, 8, &bytes, &long), "variable 1: the variable has 9 bytes already, above the limit of 8"},
		{typed.BlobPer(0, typed.PerPin, 0, &bytes), "a size of 0 bytes"},
	} {
		s, err := typed.PropertySet(testSet, c.d)
		if c.want == "" {
			if err != nil {
				t.Errorf("%v", err)
			} else if _, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{s}}); err != nil {
				t.Errorf("%v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), testSet.String()) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %v; want one line with %q and the set", err, c.want)
		}
		if s.Items != nil || s.FastIO != nil {
			t.Errorf("%q: a set is returned with the error", c.want)
		}
	}
	_, err := typed.PropertySet(testSet, x.Range(5, 4).OneOf(), typed.ScalarVar(7, &v), typed.ScalarVar(8, &v).Default(1).Default(2))
	if n := strings.Count(err.Error(), "\n"); n != 2 || !strings.Contains(err.Error(), "property 8: a second") {
		t.Errorf("three mistakes give\n%v", err)
	}
}

// TestDeclarationsAreValues starts two declarations from one, and changes one after its set was made.
func TestDeclarationsAreValues(t *testing.T) {
	var v atomic.Int32
	base := typed.ScalarVar(0, &v).Range(0, 0).Range(1, 1).Range(2, 2) // three, so that append has room left for a fourth
	a, b := base.Range(10, 11).OneOf(50), base.Range(20, 21).OneOf(60)
	oa := open(t, a)
	a = a.Range(30, 31)
	ob := open(t, b)
	_ = a.Range(20, 21)
	for _, x := range []struct {
		v    byte
		a, b bool
	}{{0, true, true}, {10, true, false}, {20, false, true}, {30, false, false}, {50, true, false}, {60, false, true}} {
		_, sa, _ := oa.both(0, set, []byte{x.v, 0, 0, 0}, true)
		_, sb, _ := ob.both(0, set, []byte{x.v, 0, 0, 0}, true)
		if sa.IsSuccess() != x.a || sb.IsSuccess() != x.b {
			t.Errorf("SET %d: %v and %v; want success %t and %t", x.v, sa, sb, x.a, x.b)
		}
	}

	wrong := typed.ScalarVar(0, &v).OneOf().OneOf().OneOf()
	c, d := wrong.Range(7, 6), wrong.Range(9, 8)
	if _, err := typed.PropertySet(testSet, c); err == nil || !strings.Contains(err.Error(), "range 7 to 6") {
		t.Errorf("the mistakes of one declaration are %v", err)
	}
	if _, err := typed.PropertySet(testSet, d); err == nil || !strings.Contains(err.Error(), "range 9 to 8") {
		t.Errorf("the mistakes of the other are %v", err)
	}
}

// greedy is a codec that takes all it is given.
type greedy struct{ n int }

func (greedy) Put(b []byte) {
	for i := range b[:cap(b)] {
		b[:cap(b)][i] = 1
	}
}

// TestStructBounds gives a structure no more than its size, and refuses what its decoder refuses.
func TestStructBounds(t *testing.T) {
	var seen typed.Locked[greedy]
	o := open(t, typed.StructVar(0, 4, func(b []byte) (greedy, bool) { return greedy{cap(b)}, b[0] != 0xFF }, &seen))
	o.climb(0, []rung{
		{get, room(7), 4, ks.StatusSuccess, then([]byte{1, 1, 1, 1}, 3), true},
		{set, room(7), 0, ks.StatusSuccess, nil, false},
		{set, []byte{0xFF, 0, 0, 0}, 0, ks.StatusInvalidParameter, nil, false},
	})
	if n := seen.Load().n; n != 4 {
		t.Errorf("the decoder gets %d bytes; want 4", n)
	}
}

// TestLinking checks that the names taken from kssets do not bring its tables. The control is the program that does.
func TestLinking(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command")
	}
	const table = "engine/ks/kssets.sets"
	for dir, carries := range map[string]bool{"./testdata/declare": false, "../ks/kssets/testdata/lookup": true} {
		exe := filepath.Join(t.TempDir(), "program")
		if out, err := exec.Command(tool, "build", "-o", exe, dir).CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		out, err := exec.Command(tool, "tool", "nm", exe).Output()
		if err != nil {
			t.Fatalf("go tool nm: %v", err)
		}
		found := false
		for line := range strings.Lines(string(out)) {
			found = found || strings.HasSuffix(strings.TrimSpace(line), table)
		}
		if found != carries {
			t.Errorf("program %s carries %s: %t; want %t", dir, table, found, carries)
		}
	}
}
