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
	"runtime"
	"strconv"
	"strings"
)

// Sometimes returns true in about percent of 100 calls when Enabled, false otherwise. It draws from the runtime's
// generator, which cannot be seeded: what depends on it must hold either way.
func Sometimes(percent int) bool {
	return Enabled && rand.IntN(100) < percent
}

// Yield lets other goroutines run in about half of all calls when Strict, where two that should not meet do if they can.
func Yield() {
	if Strict && Sometimes(50) {
		runtime.Gosched()
	}
}

// CheckBounds panics when Enabled and index is not in [0, length).
func CheckBounds(index, length int) {
	if Enabled && uint(index) >= uint(length) {
		panic(fmt.Sprintf("invariants: index %d out of range [0, %d)", index, length))
	}
}

// Violation is a panic of a checked build that names a misuse and the rule against it. What turns panics of handlers into
// statuses lets it through.
type Violation string

// Raise panics with v if it says something.
func (v Violation) Raise() {
	if v != "" {
		panic(v)
	}
}

// Catch calls f and returns the Violation that it panics with, or none. It is for tests.
func Catch(f func()) (v Violation) {
	defer func() {
		if value := recover(); IsViolation(value) {
			v = value.(Violation)
		} else if value != nil {
			panic(value)
		}
	}()
	f()
	return ""
}

// IsViolation reports that what was recovered is a Violation.
func IsViolation(value any) bool {
	if !Enabled {
		return false
	}
	_, ok := value.(Violation)
	return ok
}

// Rethrow panics again with what was recovered if that is a Violation.
func Rethrow(value any) {
	if IsViolation(value) {
		panic(value)
	}
}

// Goroutine returns the number of the calling goroutine, as its stack trace says. It is slow.
func Goroutine() uint64 {
	b := make([]byte, 64)
	text := strings.TrimPrefix(string(b[:runtime.Stack(b, false)]), "goroutine ")
	number, _, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		panic("invariants: " + err.Error())
	}
	return n
}
