package table

import "reflect"

const cacheLine = 64

// newEntries returns n zero entries. If an entry's size is a multiple of a cache line, each lies on a line boundary, so
// that a lookup touches as few lines as there can be.
//
// The memory must be typed for the garbage collector because values may hold pointers, and Go has no aligned
// allocation. Its allocator aligns by itself what has no pointers, what is small (up to 512 bytes) and what is large
// (over 32 KiB); in between, an object with pointers begins with a header of 8 bytes and the entries behind it are
// misaligned, all by the same 8 bytes. Those are allocated as the second field of a struct whose first field pads
// them to the boundary; if that is not where they come to lie, they have no pointers. The struct's type is made with reflect
// and stays in its cache: one per number of entries in that range, of which there are about 500. Another way, to round the allocation up to
// the size where it is aligned, would take 32 KiB for a table of nine keys. If some future allocator does otherwise, lookups are only
// slower, and TestAlignment tells.
func newEntries[V any](n int) []Entry[V] {
	entry := reflect.TypeFor[Entry[V]]()
	if size := uintptr(n) * entry.Size(); entry.Size()%cacheLine == 0 && size > 512 && size < 32<<10 {
		padded := reflect.New(reflect.StructOf([]reflect.StructField{
			{Name: "Pad", Type: reflect.TypeFor[[cacheLine - 8]byte]()},
			{Name: "Entries", Type: reflect.ArrayOf(n, entry)},
		}))
		entries := padded.Elem().Field(1).Slice(0, n)
		if entries.Pointer()%cacheLine == 0 {
			return entries.Interface().([]Entry[V])
		}
	}
	entries := make([]Entry[V], n)
	adviseHugePages(entries)
	return entries
}
