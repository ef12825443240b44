//go:build !(purego || invariants || race)

package table

import "unsafe"

// approach writes the addresses of the entries of n > 0 keys to *found and behind, and asks for their lines without waiting for
// any (approach_amd64.s). header is the address of Table.mixLo, whose neighbours it reads, too: approach_amd64_test.go
// freezes where they are. size is that of an entry. The addresses are written without the collector's write barrier, which
// what lies on a stack does not need; found is the caller's own and does not escape.
//
//go:noescape
func approach(header *uint64, keys *Key, n int, found unsafe.Pointer, size uint64)

// approach finds the entries of the keys, at most a batch, and has them on the way to the cache. Its twin without
// assembly is touch.
func (t *Table[V]) approach(keys []Key, found *[batch]*Entry[V]) {
	keys = keys[:min(len(keys), batch)]
	approach(&t.mixLo, &keys[0], len(keys), unsafe.Pointer(found), t.entrySize())
}
