//go:build !(purego || invariants || race)

package table

import (
	"testing"
	"unsafe"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestApproach holds the assembly to its twin: one entry for each key, member or stranger, in tables of one part and of many,
// and nothing written behind the last.
func TestApproach(t *testing.T) {
	rng := testkit.Rand(t)
	for _, n := range []int{0, 1, 2, 240, 100_000} {
		table := mustBuild(t, families[0].entries(n), Config{Seed: rng.Uint64()})
		for range 200 {
			keys := make([]Key, 1+rng.IntN(batch))
			for i := range keys {
				keys[i] = Key{rng.Uint64(), rng.Uint64(), rng.Uint32()}
				if n > 0 && rng.IntN(2) == 0 {
					keys[i] = families[0].key(rng.IntN(n))
				}
			}
			var got, want [batch]*Entry[int]
			canary := new(Entry[int])
			got[len(keys)%batch], want[len(keys)%batch] = canary, canary
			table.approach(keys, &got)
			table.touch(keys, &want)
			if got != want {
				t.Fatalf("%d keys in a table of %d: entries %v, want %v", len(keys), n, got, want)
			}
		}
	}
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
	_ [0]struct{} = [unsafe.Sizeof(Key{}) - 24]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Key{}.Hi) - 8]struct{}{}
	_ [0]struct{} = [unsafe.Offsetof(Key{}.ID) - 16]struct{}{}
)
