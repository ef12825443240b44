// Package invariants switches checks that production builds do without.
//
// Enabled is a constant, so `if invariants.Enabled { ... }` costs a production build neither an instruction nor a node of
// the inliner's budget. It is true under the build tags invariants and race: whoever asks the race detector for
// concurrency errors wants the other ones as well. An unchecked access in a hot path is written beside its checked twin:
//
//	if invariants.Enabled {
//		invariants.CheckBounds(i, len(entries))
//	}
//	e := unchecked(entries, i)
//
// A check that changes behaviour, or costs more than what it checks, runs only sometimes, so that invariant builds keep
// testing the program that ships; cockroachdb/pebble wrapped every iterator until it noticed that the plain ones were no
// longer tested (pebble issue 3687), and saw such checks take 40% of its CPU time (4278).
//
// The shape follows github.com/cockroachdb/pebble/internal/invariants.
package invariants

import (
	"fmt"
	"math/rand/v2"
)

// Sometimes returns true in about percent of 100 calls when Enabled, false otherwise. It draws from the runtime's
// generator, which cannot be seeded: what depends on it must hold either way.
func Sometimes(percent int) bool {
	return Enabled && rand.IntN(100) < percent
}

// CheckBounds panics when Enabled and index is not in [0, length).
func CheckBounds(index, length int) {
	if Enabled && uint(index) >= uint(length) {
		panic(fmt.Sprintf("invariants: index %d out of range [0, %d)", index, length))
	}
}
