package engine_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// newRand returns a generator with a fresh seed, which it logs; KSDISPATCH_SEED replays one.
func newRand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("KSDISPATCH_SEED"); s != "" {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("KSDISPATCH_SEED=%s: %v", s, err)
		}
		seed = v
	}
	t.Logf("KSDISPATCH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
