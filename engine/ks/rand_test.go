package ks

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// newRand returns a generator whose seed is fresh, logged, and taken from KSDISPATCH_SEED (decimal) if that is set.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("KSDISPATCH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("KSDISPATCH_SEED: %v", err)
		}
	}
	t.Logf("KSDISPATCH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
