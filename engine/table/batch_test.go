package table

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// mixture returns n keys, about half of which are among the first size of the family of random ones.
func mixture(rng *rand.Rand, size, n int) []Key {
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = Key{rng.Uint64(), rng.Uint64(), rng.Uint32()}
		if size > 0 && rng.IntN(2) == 0 {
			keys[i] = families[0].key(rng.IntN(size))
			if rng.IntN(8) == 0 {
				keys[i].ID ^= 1 << rng.IntN(32) // a stranger by one bit
			}
		}
	}
	return keys
}

// TestLookupBatchLengths: whatever the number of keys, each is answered as by Lookup, and nothing is written behind the last.
// The numbers are all those about the bounds of the stages and turns, some turns long.
func TestLookupBatchLengths(t *testing.T) {
	rng := testkit.Rand(t)
	for _, size := range []int{0, 1, 240, 40_000} {
		table := mustBuild(t, families[0].entries(size), Config{Seed: rng.Uint64()})
		canary := new(Entry[int])
		for n := range few + 3*batch + 2 {
			keys, out := mixture(rng, size, n), make([]*Entry[int], n+1)
			for i := range out {
				out[i] = canary
			}
			table.LookupBatch(keys, out)
			for i, k := range keys {
				if e := table.Lookup(k.Lo, k.Hi, k.ID); out[i] != e {
					t.Fatalf("key %d of %d in a table of %d: %v, Lookup says %v", i, n, size, out[i], e)
				}
			}
			if out[n] != canary {
				t.Fatalf("%d keys in a table of %d: the element behind the last became %v", n, size, out[n])
			}
		}
	}
}

// TestLookupBatchShort: an out that is too short panics before anything is written, also behind its length.
func TestLookupBatchShort(t *testing.T) {
	table := mustBuild(t, families[0].entries(240), Config{})
	for _, n := range []int{1, few, few + 1, few + batch + 1} {
		keys := make([]Key, n)
		for i := range keys {
			keys[i] = families[0].key(i)
		}
		out := make([]*Entry[int], n)
		if !panics(func() { table.LookupBatch(keys, out[:n-1]) }) {
			t.Errorf("%d keys, %d answers: no panic", n, n-1)
		}
		for i, e := range out {
			if e != nil {
				t.Errorf("%d keys, %d answers: answer %d written", n, n-1, i)
			}
		}
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}
