//go:build !amd64 || purego || invariants || race

package table

// approach finds the slots of the keys, at most a batch, and has their entries in the cache. Its twin in assembly does not
// wait for them.
func (t *Table[V]) approach(keys []Key, slots *[batch]uint32) { t.touch(keys, slots) }
