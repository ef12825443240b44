package table

import (
	"math"
	"math/bits"
	"slices"
)

const (
	onePart = 32_000  // the most keys of a table that is built as a whole
	maxKeys = 1 << 28 // beyond, the 32 bits that are scaled to buckets no longer spread evenly

	windowBits = 6
	windows    = 1 << windowBits // of a table

	// The index per key: 3 bits, which is 8 keys in 3 buckets, less the eight bytes that each window takes. The smaller
	// tables have pilots of 4 bits a key instead, which takes fewer tries.
	indexBits      = 3
	smallIndexBits = 4

	// Keys per 100 slots, or little more where that makes no whole number of slots: of a table of many parts, of one part, and
	// at most of a table of up to smallSlots. That has a power of two of them, half of which are empty at worst.
	load       = 97
	oneLoad    = 93
	smallLoad  = 97
	smallSlots = 1024
)

// shape is the geometry of an index. A hash is scaled to a bucket, its top bits name a window, and its bucket's pilot gives it
// a slot in the window.
//
// A window is an interval of slots as long as a power of two, so that a mask keeps a pilot's displacement within. The
// number of slots need not be one: windows overlap. How far is known to the build alone, so that Lookup has one formula for
// small tables, whose windows are all the same, and for large ones.
type shape struct {
	buckets uint64
	slots   uint64
	mask    uint64          // slots of a window, less 1
	bases   [windows]uint32 // where they begin
	parts   []part
}

// part is some of a table's windows, one after the other, with the buckets and slots that they have to themselves. Parts are
// built one by one in cache, and in parallel, while Lookup does not know of them.
type part struct{ first, end uint64 } // windows

// newShape returns the shape for n keys. A table of no keys has two slots, so that each can hold a key
// that belongs in the other (see fillEmpty).
func newShape(n int) *shape {
	s := &shape{parts: []part{{0, windows}}}
	keys := uint64(n)
	switch small := keys * 100 / smallLoad; {
	case n == 0:
		s.buckets, s.slots, s.mask = 1, 2, 1
	case small <= smallSlots:
		s.buckets, s.slots = max(keys*smallIndexBits/8, 1), powerOfTwo(2*small-1)
		s.mask = s.slots - 1
	case n <= onePart:
		s.buckets, s.slots = keys*smallIndexBits/8, keys*100/oneLoad
		s.mask = powerOfTwo(s.slots) - 1
	default:
		s.buckets, s.slots = (keys*indexBits/8-8*windows)/windows*windows, keys*100/load/windows*windows
		s.divide()
	}
	window := s.mask + 1
	for _, p := range s.parts {
		slot, end := s.slotsOf(p)
		for i := p.first; i < p.end; i++ {
			s.bases[i] = uint32(slot + place(i-p.first, p.end-p.first, end-slot-window))
		}
	}
	return s
}

// place returns where in a part the i-th of its n windows begins. room is how much longer the part is than a window. Half of the
// windows are at its beginning and half at its end, and the middle one of an odd number in between.
func place(i, n, room uint64) uint64 {
	switch {
	case 2*i+1 < n:
		return 0
	case 2*i+1 == n:
		return room / 2
	}
	return room
}

// divide finds the length of the windows and the parts that are cheapest. All windows have one length and the same share of the
// keys, but for chance, so that a part's slots are proportional to the number of its windows.
func (s *shape) divide() {
	each := s.slots / windows
	lowest := int64(math.MaxInt64)
	for length := powerOfTwo(2 * each); length <= s.slots; length *= 2 {
		var cost [windows + 1]int64  // of the parts of the first i windows
		var last [windows + 1]uint64 // how many windows the last of those parts has
		for i := uint64(1); i <= windows; i++ {
			cost[i] = math.MaxInt64
			for n := uint64(1); n <= i; n++ {
				if c := cost[i-n] + int64(n)*extraTries(n, n*each, length); c < cost[i] {
					cost[i], last[i] = c, n
				}
			}
		}
		if cost[windows] >= lowest {
			continue
		}
		lowest, s.mask, s.parts = cost[windows], length-1, nil
		for i := uint64(windows); i > 0; i -= last[i] {
			s.parts = append(s.parts, part{i - last[i], i})
		}
		slices.Reverse(s.parts)
	}
}

// extraTries is about how many thousandths of a try a key takes more in a part of n windows than if one window were the part, as
// measured. It is made of integers because it decides, and must decide alike on all machines.
//
// Where two windows overlap, slots are taken twice as fast. If that is the middle third of a part, or near it, the last keys
// find free slots only at the ends, each half of them at one; a window that is at neither end has the least. A small part may
// by chance have more keys than it should, and one that does not fit in the cache is slower.
func extraTries(n, slots, window uint64) int64 {
	if n < 2 || slots < window || slots > 2*window {
		return 1 << 40 // never
	}
	ratio := int64(1000 * slots / window)
	d := max(0, min(20*(ratio-1000), 33*(1800-ratio))) + int64(10_000_000/slots+slots/100)
	if n%2 == 1 {
		d += 60 * (ratio - 1000) / int64(n)
	}
	return d
}

// powerOfTwo returns the greatest that is at most n.
func powerOfTwo(n uint64) uint64 { return 1 << (bits.Len64(n) - 1) }

// bucketsOf and slotsOf return where those of a part begin and end.
func (s *shape) bucketsOf(p part) (from, to uint64) {
	return p.first * s.buckets / windows, p.end * s.buckets / windows
}

func (s *shape) slotsOf(p part) (from, to uint64) {
	return p.first * s.slots / windows, p.end * s.slots / windows
}

// bucket scales the upper half of a hash to [0, buckets) (Lemire 2019).
func (s *shape) bucket(h uint64) uint64 { return h >> 32 * s.buckets >> 32 }

// slot displaces the upper half of a hash by its product with the pilot, within its window. The keys of a
// bucket agree in the bits that chose it and differ in the lower ones, so each pilot deals them anew. With
// displacement by a function of the pilot alone, two keys of a bucket with one slot would share it under all pilots, and
// of every two seeds more than one would have such a pair. The product alone would not do: two keys whose hashes are
// neighbours in the bits that it is taken from have neighbouring products with most pilots. Its low bits are left out because
// in them pilots that agree in their own low bits agree.
func (s *shape) slot(h, pilot uint64) uint64 {
	return uint64(s.bases[h>>(64-windowBits)]) + (h>>32^h*pilot>>16)&s.mask
}
