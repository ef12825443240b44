//go:build !(purego || invariants || race)

package table

// The stages of LookupBatch in assembly (approach_amd64.s). header is the address of Table.mixLo, whose neighbours they read,
// too: approach_amd64_test.go freezes where those are. size is that of an entry. The addresses of entries are written without the
// collector's write barrier, which what lies on a stack does not need: found is an array of the caller's and does not
// escape. That is why they do not write to LookupBatch's out.

//go:noescape
func ask(header *uint64, keys address, n int, hashes address)

//go:noescape
func approach(header *uint64, hashes address, n int, found address, size uint64)

//go:noescape
func advance(header *uint64, keys address, n int, hashes address, found address, size uint64)

// ask writes the hashes of the keys, and asks for the lines of their pilots without waiting for any. Its twin is hashAll.
func (t *Table[V]) ask(keys []Key, hashes []uint64) {
	hashes = hashes[:len(keys)]
	ask(&t.mixLo, begin(keys), len(keys), begin(hashes))
}

// approach finds the entries that the hashes lead to, and asks for their lines. Its twin is touch.
func (t *Table[V]) approach(hashes []uint64, found []*Entry[V]) {
	found = found[:len(hashes)]
	approach(&t.mixLo, begin(hashes), len(hashes), begin(found), t.entrySize())
}

// advance does both for a turn, and compares. Its twin is step, which says for which of the keys.
func (t *Table[V]) advance(keys []Key, hashes *[near + batch]uint64, found *[far + batch]*Entry[V]) {
	n := len(keys[few:])
	advance(&t.mixLo, begin(keys), n, begin(hashes[:near+n]), begin(found[:far+n]), t.entrySize())
}
