package table

import (
	"math/rand/v2"
	"testing"
)

func mustBuild[V any](t testing.TB, entries []Entry[V], cfg Config) *Table[V] {
	t.Helper()
	table, err := Build(entries, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func keyOf[V any](e *Entry[V]) Key { return Key{e.Lo, e.Hi, e.ID} }

// verify holds a table against the entries it was built of: each is found, alone and in a batch, and no other slot
// answers.
func verify(t testing.TB, table *Table[int], entries []Entry[int]) {
	t.Helper()
	if table.Len() != len(entries) {
		t.Fatalf("Len() = %d, want %d", table.Len(), len(entries))
	}
	keys, out := make([]Key, len(entries)), make([]*Entry[int], len(entries))
	for i := range entries {
		keys[i] = keyOf(&entries[i])
	}
	table.LookupBatch(keys, out)
	for i := range entries {
		e := table.Lookup(keys[i].Lo, keys[i].Hi, keys[i].ID)
		if e == nil || *e != entries[i] {
			t.Fatalf("Lookup(%s) = %v, want %v", keys[i].text(), e, entries[i])
		}
		if out[i] != e {
			t.Fatalf("LookupBatch: %s: %v, Lookup says %v", keys[i].text(), out[i], e)
		}
	}
	answering := 0
	for i := range table.entries {
		if e := &table.entries[i]; table.Lookup(e.Lo, e.Hi, e.ID) == e {
			answering++
		}
	}
	if answering != len(entries) {
		t.Fatalf("%d slots answer to their keys, want %d", answering, len(entries))
	}
}

// refuse checks that strangers get no answer: the zero key, random keys, and keys one bit from a member.
func refuse(t testing.TB, table *Table[int], entries []Entry[int], rng *rand.Rand) {
	t.Helper()
	member := make(map[Key]bool, len(entries))
	for i := range entries {
		member[keyOf(&entries[i])] = true
	}
	strangers := []Key{{}, {^uint64(0), ^uint64(0), ^uint32(0)}}
	for range 1000 {
		strangers = append(strangers, Key{rng.Uint64(), rng.Uint64(), rng.Uint32()})
		if len(entries) > 0 {
			k := keyOf(&entries[rng.IntN(len(entries))])
			switch b := rng.IntN(160); {
			case b < 64:
				k.Lo ^= 1 << b
			case b < 128:
				k.Hi ^= 1 << (b - 64)
			default:
				k.ID ^= 1 << (b - 128)
			}
			strangers = append(strangers, k)
		}
	}
	out := make([]*Entry[int], len(strangers))
	table.LookupBatch(strangers, out)
	for i, k := range strangers {
		if e := table.Lookup(k.Lo, k.Hi, k.ID); !member[k] && (e != nil || out[i] != nil) {
			t.Fatalf("stranger %s got %v, in a batch %v", k.text(), e, out[i])
		}
	}
}
