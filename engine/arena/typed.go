//go:build !purego

package arena

import (
	"fmt"
	"math"
	"reflect"
	"sync"
)

// Make returns n zeroed values of type T in memory of the arena, with len and cap n; Unmake, Release and Reset free them.
// It fails like Alloc does, and for a T that holds a pointer of any kind, a string included: the garbage collector does
// not look into an arena and would free what only the arena refers to.
func Make[T any](a *Arena, n int) ([]T, error) {
	t := reflect.TypeFor[T]()
	if err := pointerFree(t); err != nil {
		return nil, err
	}
	size := int(t.Size())
	if n == 0 || size == 0 && n > 0 {
		return make([]T, n), nil // takes no memory
	}
	bytes := -1 // Alloc refuses that
	if n >= 0 && n <= math.MaxInt/max(size, 1) {
		bytes = n * size
	}
	b, err := a.Alloc(bytes)
	if err != nil {
		return nil, err
	}
	return view[T](b, n), nil
}

// Unmake frees what Make returned, as Free does.
func Unmake[T any](a *Arena, s []T) { a.Free(unview(s)) }

// checked holds the verdict on each type that Make was asked for, so that a call costs a lookup: reflect.Type -> error.
var checked sync.Map

func pointerFree(t reflect.Type) error {
	if v, ok := checked.Load(t); ok {
		err, _ := v.(error)
		return err
	}
	var verdict any = true
	if path, kind := pointerIn(t, t.String()); path != "" {
		verdict = fmt.Errorf("arena: %v may not live in an arena: %s is a %v, which the garbage collector must see", t, path, kind)
	}
	checked.Store(t, verdict)
	err, _ := verdict.(error)
	return err
}

// pointerIn returns the path to a pointer in t and its kind, "" if there is none.
func pointerIn(t reflect.Type, path string) (string, reflect.Kind) {
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64,
		reflect.Complex128:
		return "", k
	case reflect.Array:
		if t.Len() == 0 {
			return "", k
		}
		return pointerIn(t.Elem(), path+"[0]")
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if p, k := pointerIn(f.Type, path+"."+f.Name); p != "" {
				return p, k
			}
		}
		return "", k
	default:
		return path, k
	}
}
