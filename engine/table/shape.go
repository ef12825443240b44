package table

const (
	partKeys = 32_000  // the most keys of a part, on average
	maxKeys  = 1 << 28 // beyond, the 32 bits that are scaled to slots no longer spread evenly

	// Pilots per key: 3 bits, which is 8 keys in 3 buckets. The smaller tables, of one part, have 4 bits instead: they
	// take 5 tries per key instead of 8.
	indexBits      = 3
	smallIndexBits = 4

	// The load factor is 0.97 or, where that is no whole number of slots, little more.
	loadNum = 97
	loadDen = 100
)

// shape is the geometry of an index. A hash is scaled to a bucket and, once its bucket's pilot has displaced it, to a slot.
//
// The top bits of a hash name the part of the table that it belongs to. The numbers of buckets and of slots are multiples
// of the number of parts and free spares the top bits from displacement, so that the buckets and the slots of a part are
// two intervals that no other part touches: parts are built one by one in cache, and in parallel, while Lookup does
// not know of them.
type shape struct {
	buckets uint64
	slots   uint64
	free    uint64 // the bits of a hash that a pilot may change
}

// newShape returns the shape for n keys in 1<<k parts. A table of no keys has two slots, so that each can hold a key
// that belongs in the other (see fillEmpty).
func newShape(n int, k uint) shape {
	if n == 0 {
		return shape{buckets: 1, slots: 2, free: ^uint64(0)}
	}
	bits := uint64(indexBits)
	if k == 0 {
		bits = smallIndexBits
	}
	return shape{
		buckets: max(uint64(n)*bits/8>>k<<k, 1),
		slots:   uint64(n) * loadDen / loadNum >> k << k,
		free:    ^uint64(0) >> k,
	}
}

// bucket scales the upper half of a hash to [0, buckets) (Lemire 2019).
func (s shape) bucket(h uint64) uint64 { return h >> 32 * s.buckets >> 32 }

// slot displaces the upper half of a hash by its lower half times the pilot, and scales it to [0, slots). The keys of a
// bucket agree in the bits that chose it and differ in the lower half, so each pilot deals them anew. With
// displacement by a function of the pilot alone, two keys of a bucket with one slot would share it under all pilots, and
// of every two seeds more than one would have such a pair.
func (s shape) slot(h, pilot uint64) uint64 { return (h ^ h<<32*pilot&s.free) >> 32 * s.slots >> 32 }
