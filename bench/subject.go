package bench

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
)

// subject is what a user's benchmark measures: requests of some kind.
type subject struct {
	count int
	name  func(i int) string             // of a request, for errors
	try   func(i int) error              // sends one and says what is wrong with the answer
	send  func(first, n int) (wrong int) // sends n in a cycle, beginning with first, and counts wrong answers; it allocates nothing itself
}

// benchmark is the body of a Go benchmark.
func (s subject) benchmark(b *testing.B) {
	b.Helper()
	if err := s.check(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	allocs := mallocs()
	wrong := s.send(0, b.N)
	allocs = mallocs() - allocs
	b.StopTimer()
	if err := s.judge(b.N, wrong, allocs); err != nil {
		b.Error(err)
	}
}

// shown bounds the wrong answers that an error lists.
const shown = 3

// check sends every request and counts allocations, before anything is timed.
func (s subject) check() error {
	if s.count == 0 {
		return errors.New("no requests to send")
	}
	var errs []error
	wrong := 0
	for i := range s.count {
		if err := s.try(i); err != nil {
			if wrong++; wrong <= shown {
				errs = append(errs, fmt.Errorf("request %d: %w", i, err))
			}
		}
	}
	if wrong > shown {
		errs = append(errs, fmt.Errorf("and %d more of %d requests", wrong-shown, s.count))
	}
	if wrong > 0 {
		return errors.Join(errs...)
	}
	if s.allocates(0, s.count) == 0 {
		return nil
	}
	for i := range s.count {
		if n := s.allocates(i, 1); n > 0 {
			return fmt.Errorf("request %d: %s: heap allocations: %d each time; a handler, or what it calls, allocates", i, s.name(i), n)
		}
	}
	return fmt.Errorf("heap allocations each time that all %d requests are sent, but by none of them alone", s.count)
}

// judge looks at what the timed loop did. A request that was answered rightly before need not be now, and an allocation may
// come once in a million requests: an amortised one, which no request alone shows.
func (s subject) judge(n, wrong int, allocs uint64) error {
	if wrong > 0 {
		return fmt.Errorf("%d of %d timed requests were not answered as they want, though each was when it was sent first: "+
			"do handlers keep a state?", wrong, n)
	}
	if allocs == 0 || !countsAllocations {
		return nil
	}
	if allocs = min(allocs, s.allocates(0, n)); allocs > 0 {
		return fmt.Errorf("heap allocations: %d in %d requests", allocs, n)
	}
	return nil
}

// allocates returns how many heap objects are allocated while n requests are sent. It is the least of up to three counts:
// the count is the whole process's, and others can only add to it.
func (s subject) allocates(first, n int) uint64 {
	if !countsAllocations {
		return 0
	}
	least := ^uint64(0)
	for range 3 {
		before := mallocs()
		s.send(first, n)
		if least = min(least, mallocs()-before); least == 0 {
			break
		}
	}
	return least
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
