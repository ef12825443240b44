package table

// The stages of LookupBatch in Go. Processors other than amd64 run them, and purego, invariants and race builds; elsewhere
// the tests hold the assembly to them. They are one after the other for all keys of a turn: a load is waited for sooner or
// later, and those overlap best that follow one another closely.

// hashAll writes the hashes of the keys.
func (t *Table[V]) hashAll(keys []Key, hashes []uint64) {
	seed := t.seed()
	hashes = hashes[:len(keys)]
	for i := range keys {
		k := &keys[i]
		hashes[i] = seed.hash(k.Lo, k.Hi, k.ID)
	}
}

// touch finds the entries that the hashes, at most a batch, lead to, and loads them. The second loop has nothing but the
// loads, so that as many of them as possible are under way at a time.
func (t *Table[V]) touch(hashes []uint64, found []*Entry[V]) {
	found = found[:len(hashes)]
	for i, h := range hashes {
		found[i] = t.entry(h, t.pilot(t.bucket(h)))
	}
	var los [batch]uint64 // written so that the compiler does not leave the loads out
	for i, e := range found {
		los[i%batch] = e.Lo
	}
}

// step does a turn of LookupBatch with n keys, at most a batch, and the few behind them. It hashes the last n, finds the entries
// of the n that are near keys before those, and of the entries found for the first n it replaces by nil those without the key.
func (t *Table[V]) step(keys []Key, hashes *[near + batch]uint64, found *[far + batch]*Entry[V]) {
	n := len(keys) - few
	t.hashAll(keys[few:], hashes[near:])
	t.touch(hashes[:n], found[far:])
	compare(keys[:n], found[:], found[:])
}
