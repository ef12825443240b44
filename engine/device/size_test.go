//go:build (amd64 || arm64) && !(purego || invariants || race)

package device_test

import (
	"reflect"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

// TestOverlappedIsOneCacheLine: what a program has thousands of, and what each completion and its reader touch.
func TestOverlappedIsOneCacheLine(t *testing.T) {
	if n := reflect.TypeFor[device.Overlapped]().Size(); n != 64 {
		t.Errorf("an Overlapped has %d bytes", n)
	}
}

// TestHandleLiesOnCacheLines: a Handle is as long as a size class of the allocator that is a multiple of a cache line, so that its first
// three lines are all that a short request touches of it (TestHotFieldsOfIRP in package engine), with what Dispatcher asks for.
func TestHandleLiesOnCacheLines(t *testing.T) {
	h := reflect.TypeFor[device.Handle]()
	if h.Size() != 512 {
		t.Errorf("a Handle has %d bytes", h.Size())
	}
	for at, name := range []string{"object", "device", "irp"} {
		if f, ok := h.FieldByName(name); !ok || f.Offset != uintptr(at)*8 {
			t.Errorf("%s is %d bytes into a Handle", name, f.Offset)
		}
	}
	for range 100 {
		if h := new(device.Handle); uintptr(reflect.ValueOf(h).UnsafePointer())%64 != 0 {
			t.Fatalf("a Handle at %p", h)
		}
	}
}
