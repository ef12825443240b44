package table

import (
	"reflect"
	"runtime"
	"testing"
	"unsafe"
)

type value40 struct {
	get, set func()
	sizes    [24]byte
}

// Lookup reads the beginning of an entry as a Key. A layout for which that is wrong does not compile.
var (
	_ [0]struct{} = [unsafe.Offsetof(Key{}.Lo) - unsafe.Offsetof(Entry[int]{}.Lo)]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Key{}.Hi) - unsafe.Offsetof(Entry[int]{}.Hi)]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Key{}.ID) - unsafe.Offsetof(Entry[int]{}.ID)]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Entry[int]{}.Tag) - 20]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Entry[int]{}.Value) - 24]struct{}{}
)

// TestAlignment: entries of a cache line's size lie on one, in tables of any size, with pointers and without.
func TestAlignment(t *testing.T) {
	sizes := []int{1000, 4096, 5000, 40_000}
	for n := range 600 {
		sizes = append(sizes, n)
	}
	misaligned := 0 // of plain slices: the negative control
	for _, n := range sizes {
		if off := uintptr(unsafe.Pointer(unsafe.SliceData(newEntries[value40](n)))) % cacheLine; off != 0 && n > 0 && ptr64 {
			t.Errorf("%d entries with pointers: %d bytes off", n, off)
		}
		if off := uintptr(unsafe.Pointer(unsafe.SliceData(newEntries[[40]byte](n)))) % cacheLine; off != 0 && n > 0 {
			t.Errorf("%d entries without pointers: %d bytes off", n, off)
		}
		if e := newEntries[value40](n); len(e) != n || cap(e) != n {
			t.Errorf("%d entries: len %d, cap %d", n, len(e), cap(e))
		}
		if n > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(make([]Entry[value40], n))))%cacheLine != 0 {
			misaligned++
		}
	}
	if ptr64 && misaligned == 0 {
		t.Error("make aligns entries by itself: newEntries is not needed any more")
	}
}

const ptr64 = unsafe.Sizeof(uintptr(0)) == 8 // else a value40 has 32 bytes and an entry no line's size

func TestEntryFillsALine(t *testing.T) {
	if size := unsafe.Sizeof(Entry[value40]{}); ptr64 && size != cacheLine {
		t.Errorf("%d bytes", size)
	}
	if size := unsafe.Sizeof(Entry[[40]byte]{}); size != cacheLine {
		t.Errorf("%d bytes", size)
	}
}

// TestEntriesAreTyped: the collector must see the pointers of values in padded memory.
func TestEntriesAreTyped(t *testing.T) {
	entries := newEntries[*int](100)
	if got := reflect.TypeOf(entries); got != reflect.TypeFor[[]Entry[*int]]() {
		t.Fatal(got)
	}
	type line struct {
		p *[1000]int
		_ [32]byte
	}
	lines := newEntries[line](50)
	for i := range lines {
		lines[i].Value.p = &[1000]int{i}
	}
	churn := 0
	for range 50 {
		runtime.GC()
		churn += len(make([]int, 100_000))
	}
	for i := range lines {
		if lines[i].Value.p[0] != i {
			t.Fatalf("entry %d of %d lost its value", i, churn)
		}
	}
}
