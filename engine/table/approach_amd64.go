//go:build !(purego || invariants || race)

package table

// approach writes the slots of n > 0 keys to *slots and behind, and asks for the lines of their entries without waiting for
// any (approach_amd64.s). header is the address of Table.mixLo, whose seven neighbours it reads, too: approach_amd64_test.go
// freezes where they are. size is that of an entry.
//
//go:noescape
func approach(header *uint64, keys *Key, n int, slots *uint32, size uint64)

// approach finds the slots of the keys, at most a batch, and has their entries on the way to the cache. Its twin without
// assembly is touch.
func (t *Table[V]) approach(keys []Key, slots *[batch]uint32) {
	keys = keys[:min(len(keys), batch)]
	approach(&t.mixLo, &keys[0], len(keys), &slots[0], t.entrySize())
}
