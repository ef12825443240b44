package engine

import (
	"strconv"
	"testing"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A table entry is one cache line on a 64-bit host: key, index and what GET, SET and the fast path need. The conversions
// do not compile if a size changes.
var (
	_ = [64 - (^uint(0)>>63^1)*(64-48)]byte([unsafe.Sizeof(entry{})]byte{}) // 48 bytes with 4-byte pointers
	_ = [40 - (^uint(0)>>63^1)*(40-24)]byte([unsafe.Sizeof(slot{})]byte{})
)

func TestEntriesLieOnOneCacheLine(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("the layout is made for 64-bit hosts")
	}
	for _, n := range []int{1, 2, 3, 100, 1000} {
		set := PropertySet{Set: ks.GUID{1}}
		for id := range n {
			set.Items = append(set.Items, PropertyItem{ID: uint32(id)})
		}
		d, err := Compile(Config{PropertySets: []PropertySet{set}})
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := set.Set.Words()
		for id := range n {
			if at := uintptr(unsafe.Pointer(d.properties.table.Lookup(lo, hi, uint32(id)))); at%64 != 0 {
				t.Fatalf("%d items: the entry of item %d is at %#x, which is %d bytes into a cache line", n, id, at, at%64)
			}
		}
	}
}
