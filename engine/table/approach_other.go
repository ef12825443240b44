//go:build !amd64 || purego || invariants || race

package table

// approach finds the entries of the keys, at most a batch, and has them in the cache. Its twin in assembly does not
// wait for them.
func (t *Table[V]) approach(keys []Key, found *[batch]*Entry[V]) { t.touch(keys, found) }
