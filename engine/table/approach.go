package table

// The stages of LookupBatch in Go. Processors other than amd64 run them, and purego, invariants and race builds; elsewhere
// the tests hold the assembly to them. Nothing asks for a line without waiting for it here, so there is nothing to gain from doing
// three stages in one loop: loads that follow one another closely overlap best.

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

// step does a turn of LookupBatch. Of its keys, more than few and at most a batch more, it hashes those behind the first few, finds the
// entries of as many before them, and replaces those of the first by nil that do not have the key.
func (t *Table[V]) step(keys []Key, hashes *[near + batch]uint64, found *[far + batch]*Entry[V]) {
	n := len(keys) - few
	t.hashAll(keys[few:], hashes[near:])
	t.touch(hashes[:n], found[far:])
	compare(keys[:n], found[:], found[:])
}
