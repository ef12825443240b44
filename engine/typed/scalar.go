package typed

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/ks/kssets"
)

// Value is the Go type of a scalar property. On the wire it is little-endian: LONG, ULONG, LONGLONG, ULONGLONG, BOOL (4
// bytes, 0 or 1 out, 0 or anything else in) or FLOAT.
type Value interface {
	int32 | uint32 | int64 | uint64 | bool | float32
}

// Cell is a variable that is safe for concurrent use, such as *atomic.Int32, *atomic.Uint64, *atomic.Bool or *[Locked].
// For a [Scalar] T is a [Value].
type Cell[T any] interface {
	Load() T
	Store(T)
}

// Scalar declares a property that is one number or truth value. Its methods say which values a SET may have, and so what
// BASICSUPPORT and DEFAULTVALUES report; without any of them a SET takes all values. What is allowed by one of several
// ranges, steps or values is allowed. A SET of another value is STATUS_INVALID_PARAMETER and calls no setter. A GET is not
// checked.
//
// The methods of Scalar come before those of [Property], which forget the type.
type Scalar[T Value] struct{ Property }

// ScalarVar declares a property that lives in a variable: typed.ScalarVar(4, &level) for an atomic.Int32 level.
func ScalarVar[T Value](id uint32, cell Cell[T]) Scalar[T] {
	var get getWord
	var set setWord
	switch c := any(cell).(type) { // the usual cells without an interface and without a conversion of T
	case nil:
	case *atomic.Int32:
		get = func(Request) (uint64, ks.Status) { return uint64(uint32(c.Load())), ks.StatusSuccess }
		set = func(_ Request, w uint64) ks.Status { c.Store(int32(w)); return ks.StatusSuccess }
	case *atomic.Uint32:
		get = func(Request) (uint64, ks.Status) { return uint64(c.Load()), ks.StatusSuccess }
		set = func(_ Request, w uint64) ks.Status { c.Store(uint32(w)); return ks.StatusSuccess }
	case *atomic.Int64:
		get = func(Request) (uint64, ks.Status) { return uint64(c.Load()), ks.StatusSuccess }
		set = func(_ Request, w uint64) ks.Status { c.Store(int64(w)); return ks.StatusSuccess }
	case *atomic.Uint64:
		get = func(Request) (uint64, ks.Status) { return c.Load(), ks.StatusSuccess }
		set = func(_ Request, w uint64) ks.Status { c.Store(w); return ks.StatusSuccess }
	default:
		get = func(Request) (uint64, ks.Status) { return wordOf(cell.Load()), ks.StatusSuccess }
		set = func(_ Request, w uint64) ks.Status { cell.Store(valueOf[T](w)); return ks.StatusSuccess }
	}
	return Scalar[T]{scalar(id, formOf[T](), get, set)}
}

// ScalarFunc declares a property that is computed. get or set may be nil: that verb is not supported then (P-26). Both are called
// concurrently. If one returns a status that is not a success, the request ends with it.
func ScalarFunc[T Value](id uint32, get func(Request) (T, ks.Status), set func(Request, T) ks.Status) Scalar[T] {
	var g getWord
	var s setWord
	if get != nil {
		g = func(r Request) (uint64, ks.Status) {
			v, status := get(r)
			return wordOf(v), status
		}
	}
	if set != nil {
		s = func(r Request, w uint64) ks.Status { return set(r, valueOf[T](w)) }
	}
	return Scalar[T]{scalar(id, formOf[T](), g, s)}
}

// getWord and setWord are a getter and a setter of wire values.
type (
	getWord func(Request) (uint64, ks.Status)
	setWord func(Request, uint64) ks.Status
)

// scalar is the one implementation of all scalars. Copied into the generic functions that call it, its closures would be
// compiled there without inlining what they call, and a GET takes 9.1 instead of 7.7 ns without the dispatcher.
//
//go:noinline
func scalar(id uint32, f form, get getWord, set setWord) Property {
	p := Property{id: id, size: uint32(f.size), fastSet: true, limits: limits{form: f}}
	if get != nil {
		p.get = func(l *limits, r Request, data []byte) (uint64, ks.Status) {
			if len(data) < l.size {
				return short(data, l.size)
			}
			w, status := get(r)
			if status != ks.StatusSuccess {
				if status = outcome(status); !status.IsSuccess() {
					return 0, status
				}
			}
			l.put(data, w)
			return uint64(l.size), status
		}
	}
	if set != nil {
		p.set = func(l *limits, r Request, data []byte) (uint64, ks.Status) {
			if len(data) < l.size {
				return short(data, l.size)
			}
			w := l.read(data) // one load: on the fast path the caller may change the data meanwhile (S-2)
			if !l.allow(w) {
				return 0, ks.StatusInvalidParameter
			}
			return 0, outcome(set(r, w))
		}
	}
	return p
}

// Range allows lo to hi: a KSPROPERTY_BOUNDS_LONG or KSPROPERTY_BOUNDS_LONGLONG under KSPROPERTY_MEMBER_RANGES. For
// integers only.
func (s Scalar[T]) Range(lo, hi T) Scalar[T] {
	if s.ordered("range", lo, hi) {
		s.limits.ranges = added(s.limits.ranges, span{s.key(lo), s.key(hi), 1})
	}
	return s
}

// Step allows lo, lo+step, lo+2*step and so on up to hi: a KSPROPERTY_STEPPING_LONG or KSPROPERTY_STEPPING_LONGLONG under
// KSPROPERTY_MEMBER_STEPPEDRANGES. For integers only.
func (s Scalar[T]) Step(lo, hi, step T) Scalar[T] {
	if !s.ordered("stepped range", lo, hi) {
		return s
	}
	if zero := s.limits.keyOf(0); s.key(step) <= zero {
		s.fail("stepped range %v to %v: step %v; it must be positive", lo, hi, step)
	} else {
		s.limits.steps = added(s.limits.steps, span{s.key(lo), s.key(hi), s.key(step) - zero})
	}
	return s
}

// OneOf allows each of some values: KSPROPERTY_MEMBER_VALUES. FLOATs are compared bit by bit.
func (s Scalar[T]) OneOf(values ...T) Scalar[T] {
	if len(values) == 0 {
		s.fail("OneOf without a value; name at least one")
	}
	for _, v := range values {
		s.limits.values = added(s.limits.values, s.key(v))
	}
	return s
}

// Default says which value the property has at first: a list of one value with KSPROPERTY_MEMBER_FLAG_DEFAULT, which is what
// DEFAULTVALUES returns (P-36). It must be allowed. Default only describes: the owner sets the variable.
func (s Scalar[T]) Default(v T) Scalar[T] {
	if s.limits.hasDefault {
		s.fail("a second default, %v; a property has one", v)
	}
	s.limits.hasDefault, s.limits.defaultKey = true, s.key(v)
	return s
}

// declaration checks what only the finished declaration can tell.
func (s Scalar[T]) declaration() Property {
	if l := &s.limits; l.hasDefault && !l.allow(l.wordOfKey(l.defaultKey)) {
		s.fail("the default %v is not one of the values that are allowed", valueOf[T](l.wordOfKey(l.defaultKey)))
	}
	return s.Property
}

func (s *Scalar[T]) key(v T) uint64 { return s.limits.keyOf(wordOf(v)) }

func (s *Scalar[T]) ordered(what string, lo, hi T) bool {
	switch {
	case !s.limits.integer:
		s.fail("a %s of %T; only integers have ranges (KSPROPERTY_BOUNDS_LONG), name the values with OneOf", what, lo)
	case s.key(lo) > s.key(hi):
		s.fail("%s %v to %v: the low end is above the high end", what, lo, hi)
	default:
		return true
	}
	return false
}

// formOf is the wire form of T.
func formOf[T Value]() form {
	switch any(*new(T)).(type) {
	case int32:
		return form{size: 4, bias: signed, integer: true, vt: kssets.VT_I4}
	case uint32:
		return form{size: 4, integer: true, vt: kssets.VT_UI4}
	case int64:
		return form{size: 8, bias: signed, integer: true, vt: kssets.VT_I8}
	case uint64:
		return form{size: 8, integer: true, vt: kssets.VT_UI8}
	case bool:
		return form{size: 4, truth: true, vt: kssets.VT_BOOL}
	}
	return form{size: 4, vt: kssets.VT_R4}
}

// wordOf is the wire value of v, zero-extended to 64 bits.
func wordOf[T Value](v T) uint64 {
	switch p := any(&v).(type) {
	case *int32:
		return uint64(uint32(*p))
	case *uint32:
		return uint64(*p)
	case *int64:
		return uint64(*p)
	case *uint64:
		return *p
	case *bool:
		if *p {
			return 1
		}
	case *float32:
		return uint64(math.Float32bits(*p))
	}
	return 0
}

// valueOf is the value of a wire value.
func valueOf[T Value](w uint64) (v T) {
	switch p := any(&v).(type) {
	case *int32:
		*p = int32(w)
	case *uint32:
		*p = uint32(w)
	case *int64:
		*p = int64(w)
	case *uint64:
		*p = w
	case *bool:
		*p = w != 0
	case *float32:
		*p = math.Float32frombits(uint32(w))
	}
	return v
}

// form is how a scalar lies on the wire.
type form struct {
	size    int    // bytes: 4 or 8; 0 if the property is no scalar
	bias    uint64 // signed or 0
	integer bool
	truth   bool   // anything but 0 is 1
	vt      uint32 // VARENUM, the id in KSPROPTYPESETID_General
}

// signed is the bias of signed values.
const signed = 1 << 63

// put writes a wire value.
func (f *form) put(b []byte, w uint64) {
	if f.size == 4 {
		binary.LittleEndian.PutUint32(b, uint32(w))
	} else {
		binary.LittleEndian.PutUint64(b, w)
	}
}

// read reads a wire value with one load.
func (f *form) read(b []byte) uint64 {
	if f.size == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	w := uint64(binary.LittleEndian.Uint32(b))
	if f.truth && w != 0 {
		w = 1
	}
	return w
}

// keyOf maps a wire value to a number that is ordered as the values are: signed values are extended and their sign bit is
// flipped.
func (f *form) keyOf(w uint64) uint64 {
	if f.bias != 0 && f.size == 4 {
		w = uint64(int64(int32(w)))
	}
	return w ^ f.bias
}

// wordOfKey is the inverse of keyOf; the upper half does not matter for 4 bytes.
func (f *form) wordOfKey(key uint64) uint64 { return key ^ f.bias }
