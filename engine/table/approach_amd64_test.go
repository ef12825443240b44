//go:build !(purego || invariants || race)

package table

import (
	"testing"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestStages holds the assembly to its twins: for members and strangers, in tables of one part and of many, for none to a whole
// batch of keys, and with nothing written elsewhere.
func TestStages(t *testing.T) {
	rng := testkit.Rand(t)
	for _, size := range []int{0, 1, 2, 240, 100_000} {
		table := mustBuild(t, families[0].entries(size), Config{Seed: rng.Uint64()})
		for n := range batch + 1 {
			keys := mixture(rng, size, few+n)
			canary := new(Entry[int])
			var hashes, hashesWant [near + batch]uint64
			var found, foundWant [far + batch]*Entry[int]
			for i := range hashes {
				hashes[i] = rng.Uint64()
			}
			for i := range found {
				found[i] = canary
			}
			hashesWant, foundWant = hashes, found
			same := func(stage string) {
				t.Helper()
				if hashes != hashesWant {
					t.Fatalf("%s of %d keys in a table of %d: hashes %x, want %x", stage, n, size, hashes, hashesWant)
				}
				if found != foundWant {
					t.Fatalf("%s of %d keys in a table of %d: entries %v, want %v", stage, n, size, found, foundWant)
				}
			}
			table.ask(keys[:n], hashes[near:])
			table.hashAll(keys[:n], hashesWant[near:])
			same("ask")
			table.approach(hashes[near:near+n], found[far:])
			table.touch(hashes[near:near+n], foundWant[far:])
			same("approach")

			// As they are before a turn.
			table.hashAll(keys[far:few], hashes[:])
			table.touch(hashed(table, keys[:far]), found[:])
			hashesWant, foundWant = hashes, found
			table.advance(keys, &hashes, &found)
			table.step(keys, &hashesWant, &foundWant)
			same("advance")
		}
	}
}

func hashed(t *Table[int], keys []Key) []uint64 {
	hashes := make([]uint64, len(keys))
	t.hashAll(keys, hashes)
	return hashes
}

// What approach_amd64.s takes for granted. Another layout does not compile.
var (
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.mixHi) - unsafe.Offsetof(Table[int]{}.mixLo) - 8]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.mixID) - unsafe.Offsetof(Table[int]{}.mixLo) - 16]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.buckets) - unsafe.Offsetof(Table[int]{}.mixLo) - 24]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.mask) - unsafe.Offsetof(Table[int]{}.mixLo) - 32]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.pilotAt) - unsafe.Offsetof(Table[int]{}.mixLo) - 40]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Table[int]{}.windows) - unsafe.Offsetof(Table[int]{}.mixLo) - 48]struct{}{}
	_ [0]struct{} = [windowBits - 6]struct{}{}
)
