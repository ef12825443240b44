// Package caller is compiled by TestInlined.
package caller

import "github.com/ksdispatch/ksdispatch/engine/table"

// Value makes an entry of 64 bytes.
type Value struct {
	Get, Set func()
	Sizes    [24]byte
}

// Lookup has the call that must be inlined.
func Lookup(t *table.Table[Value], lo, hi uint64, id uint32) *table.Entry[Value] {
	return t.Lookup(lo, hi, id)
}

// Direct has the other that must be.
func Direct(d *table.Direct[Value], lo, hi uint64, id uint32) *table.Entry[Value] {
	return d.Lookup(lo, hi, id)
}

// Find has a third.
func Find(d *table.Direct[Value], lo, hi, word uint64) uint32 {
	if e, ok := d.Find(lo, hi, word); ok {
		return e.Tag
	}
	return 0
}

// Batch has one that is not.
func Batch(t *table.Table[Value], keys []table.Key, out []*table.Entry[Value]) {
	t.LookupBatch(keys, out)
}
