//go:build !amd64 || purego || invariants || race

package table

// The stages by the names of those in assembly.

func (t *Table[V]) ask(keys []Key, hashes []uint64) { t.hashAll(keys, hashes) }

func (t *Table[V]) approach(hashes []uint64, found []*Entry[V]) { t.touch(hashes, found) }

func (t *Table[V]) advance(keys []Key, hashes *[near + batch]uint64, found *[far + batch]*Entry[V]) {
	t.step(keys, hashes, found)
}
