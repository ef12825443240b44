package table

import "math/bits"

// Dense finds the entries of up to 256 sets whose ids are small or follow one another, as nearly all are: one multiplication
// leads to a set that shares its place with no other, and the low bits of the id to the entry. That is half of a Table's way,
// and all that is read on it is a group of 16 bytes. A Dense is immutable; any number of goroutines may search it at once. The
// zero value holds nothing, and must not be searched.
type Dense[V any] struct {
	mix    uint64    // odd
	mask   uint64    // of a product, 0 if there is nothing to find
	memory memory[V] // the groups and the places
}

// The limits of a Dense: sets, groups for each set, and places for each key.
const (
	denseSets   = 256
	denseGroups = 32
	densePlaces = 4
)

// denseShift is how far a product is shifted: what is left are its upper bits, which depend on all of a GUID.
const denseShift = 40

// BuildDense returns a Dense of the entries, which it copies. It is not Ready if the entries do not suit it: if there are too
// many sets, if ids lie far apart, or if a few attempts do not tell the GUIDs apart. The keys must be distinct. One that is not Ready may
// be searched all the same, by who asks a Table for what it does not find: it finds the first entry and no other, and if there are none the
// zero Entry.
func BuildDense[V any](entries []Entry[V]) Dense[V] {
	d, _, _ := buildDense(entries)
	return d
}

// buildDense is BuildDense, and returns what Lookup reads.
func buildDense[V any](entries []Entry[V]) (d Dense[V], groups []group, places []Entry[V]) {
	sets := denseSetsOf(entries)
	if sets == nil || !d.separate(sets) {
		d, sets = Dense[V]{}, nil
	}
	// A set begins behind the last place of the one before that has an id, among those that no id of that one leads to: sets of 12 ids
	// take 12 places each, not 16.
	total, next := 1, 0
	for _, s := range sets {
		total = max(total, next+int(s.mask)+1)
		next += s.used
	}
	groups, places = make([]group, d.mask>>denseShift+1), newEntries[V](total)
	// A group without a set leads to the first place, and a place without an id has the entry of another: a request for it is led
	// elsewhere, so that nobody finds it here.
	for i := range groups {
		groups[i] = newGroup(places, 0, 0)
	}
	if len(entries) != 0 {
		for i := range places {
			places[i] = entries[0]
		}
	}
	from := 0
	for _, s := range sets {
		for _, n := range s.entries {
			places[from+int(entries[n].ID&s.mask)] = entries[n]
		}
		groups[d.place(s.lo, s.hi)] = newGroup(places, from, s.mask)
		from += s.used
	}
	d.memory = newMemory(groups, places)
	return d, groups, places
}

// Ready reports that there is something to find.
func (d *Dense[V]) Ready() bool { return d.mask != 0 }

// denseSet is a GUID, the positions of its entries, the bits in which their ids differ, and how many places there are up to the last
// that has one.
type denseSet struct {
	lo, hi  uint64
	entries []int
	mask    uint32
	used    int
}

// denseSetsOf sorts entries by set, nil if they are none for a Dense.
func denseSetsOf[V any](entries []Entry[V]) (sets []denseSet) {
	index := map[[2]uint64]int{}
	for i := range entries {
		e := &entries[i]
		n, known := index[[2]uint64{e.Lo, e.Hi}]
		if !known {
			if n = len(sets); n == denseSets {
				return nil
			}
			index[[2]uint64{e.Lo, e.Hi}] = n
			sets = append(sets, denseSet{lo: e.Lo, hi: e.Hi})
		}
		sets[n].entries = append(sets[n].entries, i)
	}
	seen := map[uint32]bool{}
	for i := range sets {
		s := &sets[i]
		for size := 1 << bits.Len(uint(len(s.entries)-1)); ; size *= 2 {
			if size > densePlaces*len(s.entries) {
				return nil
			}
			s.mask = uint32(size - 1)
			clear(seen)
			for _, n := range s.entries {
				seen[entries[n].ID&s.mask] = true
			}
			if len(seen) == len(s.entries) {
				break
			}
		}
		for low := range seen {
			s.used = max(s.used, int(low)+1)
		}
	}
	return sets
}

// separate finds how many groups there are, and a multiplier with which no two sets share one.
func (d *Dense[V]) separate(sets []denseSet) bool {
	taken := make(map[uint64]bool, len(sets))
	for count := 1 << bits.Len(uint(len(sets))); count <= denseGroups*len(sets); count *= 2 {
		d.mask = uint64(count-1) << denseShift
		for try := range uint64(64) {
			d.mix = splitmix(golden*(try+1)) | 1
			clear(taken)
			for _, s := range sets {
				taken[d.place(s.lo, s.hi)] = true
			}
			if len(taken) == len(sets) {
				return true
			}
		}
	}
	return false
}

// place returns the number of a set's group.
func (d *Dense[V]) place(lo, hi uint64) uint64 { return (lo ^ hi) * d.mix & d.mask >> denseShift }
