package table

import "math/bits"

// Direct finds an entry with one load: a sum of two products, of the GUID and of the id, leads to a place that no other key has. A Table
// waits for a pilot on its way, and needs no empty places; a Direct has up to sixteen for a key, which costs memory but no time, as nobody
// touches them. So it suits up to a few hundred keys, which is what objects have. A Direct is immutable; any number of goroutines may
// search it at once. One that is not Ready must not be searched.
type Direct[V any] struct {
	mix    uint64    // of a GUID. Its low bits are also the mask of the sum, 0 if there is nothing to find
	mixID  uint64    // of an id, a multiple of 1<<32: what lies above an id has no part in the product
	memory memory[V] // the places
}

const (
	directPlaces = 1024                    // at most, 64 KiB of entries that fill a line
	directPerKey = 16                      // places for each key, at most
	directTries  = 1024                    // for each number of places
	directCrowd  = 5                       // at most this many collisions are expected of one try, of which one in 150 then has none
	directLine   = 6                       // a place's number is a multiple of 1<<directLine, as the entries of a cache line lie
	directShift  = 46                      // to such a number
	directMask   = 1<<(64-directShift) - 1 // of what is left by that
)

// BuildDirect returns a Direct of the entries, which it copies. It is not Ready if there are none or too many, or if some attempts do not
// give each a place of its own. The keys must be distinct.
func BuildDirect[V any](entries []Entry[V]) Direct[V] {
	d, _ := buildDirect(entries)
	return d
}

// buildDirect is BuildDirect, and returns the places.
func buildDirect[V any](entries []Entry[V]) (d Direct[V], places []Entry[V]) {
	if !d.separate(entries) {
		return Direct[V]{}, nil
	}
	places = newEntries[V](int(d.mask()>>directLine) + 1)
	for i := range places {
		places[i] = entries[0] // whose key leads elsewhere, so that nobody finds it here
	}
	for i := range entries {
		e := &entries[i]
		places[d.place(e.Lo, e.Hi, e.ID)] = *e
	}
	d.memory = newMemory(places)
	return d, places
}

// Ready reports that there is something to find.
func (d *Direct[V]) Ready() bool { return d.mix != 0 }

// separate finds how many places there are, and two factors with which no two entries share one. Of the factors for ids one sends those
// that follow one another to places that do, so that sets are placed as a whole, which is possible with fewer places; the others scatter
// what lies anywhere.
func (d *Direct[V]) separate(entries []Entry[V]) bool {
	n := len(entries)
	if n == 0 || n > directPlaces {
		return false
	}
	sets := map[[2]uint64]bool{}
	for i := range entries {
		sets[[2]uint64{entries[i].Lo, entries[i].Hi}] = true
	}
	collisions := n * min(len(sets), n/2) // expected, times the number of places
	var taken [directPlaces]uint32        // by the try of that number
	try := uint32(0)
	for count := max(2, 1<<bits.Len(uint(n-1))); count <= min(directPlaces, max(2, directPerKey*n)); count *= 2 {
		if collisions > directCrowd*count {
			continue
		}
		for range directTries {
			try++
			d.mix = splitmix(golden*uint64(try))&^directMask | uint64(count-1)<<directLine
			d.mixID = 1 << (directShift + directLine)
			if try%2 == 0 {
				d.mixID = (splitmix(d.mix) | 1) << 32
			}
			if d.separates(entries, &taken, try) {
				return true
			}
		}
	}
	return false
}

// separates reports that no two entries share a place.
func (d *Direct[V]) separates(entries []Entry[V], taken *[directPlaces]uint32, try uint32) bool {
	for i := range entries {
		e := &entries[i]
		p := &taken[d.place(e.Lo, e.Hi, e.ID)]
		if *p == try {
			return false
		}
		*p = try
	}
	return true
}

func (d *Direct[V]) mask() uint64 { return d.mix & directMask }

// sum is what leads to the place of a key. The bytes of hi are reversed because the upper bits of a factor reach no more than those of the
// product: who makes GUIDs by hand counts their last byte up. The uppermost reach no place: keys that differ in those alone, as ids do in
// bit 31, have no Direct.
func (d *Direct[V]) sum(lo, hi uint64, id uint32) uint64 {
	return (lo^bits.ReverseBytes64(hi))*d.mix + uint64(id)*d.mixID
}

// place returns the number of a key's place.
func (d *Direct[V]) place(lo, hi uint64, id uint32) uint64 {
	return d.sum(lo, hi, id) >> directShift & d.mix >> directLine
}
