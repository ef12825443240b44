//go:build !purego

package arena

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

type plain struct {
	_ [0]func()
	A [3]uint16
	B struct{ C, D complex128 }
	E uintptr
	F bool
}

type holder struct {
	plain
	List [2]struct {
		Name string
	}
}

func refused[T any](t *testing.T, a *Arena, want string) {
	t.Helper()
	for range 2 { // the second time the verdict is remembered
		s, err := Make[T](a, 1)
		if s != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Make[%v]: %v, want an error with %q", reflect.TypeFor[T](), err, want)
		}
	}
}

func TestMakeRefusesPointers(t *testing.T) {
	a := newArena(t, Config{})
	refused[*int](t, a, "*int is a ptr")
	refused[string](t, a, "string is a string")
	refused[[]byte](t, a, "[]uint8 is a slice")
	refused[any](t, a, "is a interface")
	refused[map[int]int](t, a, "is a map")
	refused[chan int](t, a, "is a chan")
	refused[func()](t, a, "is a func")
	refused[unsafe.Pointer](t, a, "is a unsafe.Pointer")
	refused[[4][2]*int](t, a, "[4][2]*int[0][0] is a ptr")
	refused[holder](t, a, "arena.holder may not live in an arena: arena.holder.List[0].Name is a string")
	if s := a.Stats(); s.Allocs != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMake(t *testing.T) {
	a := newArena(t, Config{})
	p, err := Make[plain](a, 100)
	if err != nil || len(p) != 100 || cap(p) != 100 {
		t.Fatalf("%d, %d, %v", len(p), cap(p), err)
	}
	for i := range p {
		if p[i].E != 0 || p[i].B.D != 0 {
			t.Fatalf("value %d is not zero: %+v", i, p[i])
		}
		p[i].E = ^uintptr(0)
	}
	if s := a.Stats(); s.Live != 1 || s.Bytes != int(roundUp(100*uint(unsafe.Sizeof(plain{})))) {
		t.Errorf("%+v", s)
	}
	Unmake(a, p)
	for _, n := range []int{-1, -1 << 31, int(^uint(0)>>1)/8 + 1, int(^uint(0) >> 1)} {
		if s, err := Make[uint64](a, n); s != nil || !errors.Is(err, ErrTooLarge) {
			t.Errorf("Make(%d): %d values, %v", n, len(s), err)
		}
	}
	none, err := Make[uint64](a, 0)
	if none == nil || len(none) != 0 || err != nil {
		t.Errorf("none: %v, %v", none, err)
	}
	nothing, err := Make[struct{}](a, 10)
	if len(nothing) != 10 || err != nil {
		t.Errorf("nothing: %v, %v", nothing, err)
	}
	Unmake(a, none)
	Unmake(a, nothing)
	if s := a.Stats(); s.Live != 0 || s.Strays != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMakeNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	a := newArena(t, Config{})
	if n := testkit.Allocs(func() {
		p, err := Make[plain](a, 3)
		if err != nil {
			panic(err)
		}
		Unmake(a, p)
	}); n != 0 {
		t.Errorf("%v heap allocations", n)
	}
}
