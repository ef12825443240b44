package table

// How LookupBatch is cut up. The arrays of a turn are cleared in each call, which greater numbers would make dear. With far from
// 24 to 64, near from 4 to 16 and batch from 32 to 128 a large table took as long to within 4 %, and small ones 5 % longer with a
// batch of 32.
const (
	far   = 32         // by how many keys an entry is asked for ahead of being compared: they take about as long as a miss
	near  = 8          // by how many keys a pilot is asked for ahead of being read
	few   = near + far // with so many keys there is nothing to compare while the last are hashed
	batch = 64         // how many keys are compared in a turn
)

// LookupBatch looks up many keys at once: out[i] becomes what Lookup of keys[i] returns. It panics if out is shorter than
// keys. In 2,000,000 keys it takes about a third of the time of as many calls of Lookup, whose misses
// overlap only as far as the processor sees past them.
func (t *Table[V]) LookupBatch(keys []Key, out []*Entry[V]) {
	// A key goes through three stages: it is hashed and the line of its pilot asked for; near keys later the pilot is read and the
	// line of the entry asked for; far keys later the entry is compared. One loop does all three, each for another key (advance),
	// as memory is to have something to do all the time: in 2,000,000 keys a key took 20.5 ns so, and 23.5 with 64 hashed and then
	// the 64 before compared. docs/rationale.md has what else was tried.
	out = out[:len(keys):len(out)]
	if len(keys) > few {
		t.lookupMany(keys, out)
	} else {
		t.lookupFew(keys, out)
	}
}

// lookupFew is for at most few keys. It is a function of its own for the sake of its short arrays.
func (t *Table[V]) lookupFew(keys []Key, out []*Entry[V]) {
	var hashes [few]uint64
	var found [few]*Entry[V]
	t.ask(keys, hashes[:])
	t.approach(hashes[:len(keys)], found[:])
	compare(keys, found[:], out)
}

// lookupMany is for more than few keys. At the beginning of each turn hashes are those of keys[far:few], and found are the
// entries of keys[:far]. The last few keys remain: none are behind them to be hashed.
func (t *Table[V]) lookupMany(keys []Key, out []*Entry[V]) {
	var hashes [near + batch]uint64
	var found [far + batch]*Entry[V]
	t.ask(keys[:few], hashes[:])
	t.approach(hashes[:far], found[:])
	copy(hashes[:near], hashes[far:])
	for len(keys) > few {
		n := min(len(keys)-few, batch)
		t.advance(keys[:few+n], &hashes, &found)
		copy(out, found[:n])
		copy(hashes[:near], hashes[n:])
		copy(found[:far], found[n:])
		keys, out = keys[n:], out[n:]
	}
	t.approach(hashes[:near], found[far:])
	compare(keys, found[:], out)
}

// compare writes to out those of the entries found for keys that have the keys, and nil for the others.
func compare[V any](keys []Key, found, out []*Entry[V]) {
	found, out = found[:len(keys)], out[:len(keys)]
	for i := range keys {
		k, e := &keys[i], found[i]
		if e.Lo != k.Lo || e.Hi != k.Hi || e.ID != k.ID {
			e = nil
		}
		out[i] = e
	}
}
