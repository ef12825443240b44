// Package testkit has seeds that can be replayed, and a count of allocations that other goroutines do not disturb. Only tests
// import it. It imports the standard library alone, so that the tests of every package may.
package testkit

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// SeedVariable names the environment variable, a decimal number, that replays a random test with the seed that it logged.
const SeedVariable = "KSDISPATCH_SEED"

// Seed returns a fresh seed, or the one that the environment names, and logs it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv(SeedVariable); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("%s: %v", SeedVariable, err)
		}
	}
	t.Logf("%s=%d", SeedVariable, seed)
	return seed
}

// Rand returns a generator with that seed.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(Seed(t), 0))
}

// Allocs returns how often a call of f allocates on the heap, after one that warms up. It is the least of up to five
// measurements, because testing.AllocsPerRun counts the whole process: others can only add to it. It means nothing under
// the race detector, which allocates.
func Allocs(f func()) float64 {
	least := testing.AllocsPerRun(200, f)
	for i := 0; i < 4 && least != 0; i++ {
		least = min(least, testing.AllocsPerRun(200, f))
	}
	return least
}
