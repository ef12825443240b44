package invariants

import "testing"

func panics(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestSometimes(t *testing.T) {
	const calls = 10_000
	for _, percent := range []int{0, 10, 50, 100} {
		hits := 0
		for range calls {
			if Sometimes(percent) {
				hits++
			}
		}
		lo, hi := calls*(percent-5)/100, calls*(percent+5)/100
		if !Enabled {
			lo, hi = 0, 0
		}
		if percent == 0 && hits != 0 || percent == 100 && Enabled && hits != calls {
			t.Errorf("Sometimes(%d) was true %d times of %d", percent, hits, calls)
		}
		if hits < lo || hits > hi { // ten standard deviations or more: this does not happen by chance
			t.Errorf("Sometimes(%d) was true %d times of %d, want %d to %d", percent, hits, calls, lo, hi)
		}
	}
}

func TestCheckBounds(t *testing.T) {
	for _, c := range []struct {
		index, length int
		ok            bool
	}{{0, 1, true}, {4, 5, true}, {0, 0, false}, {5, 5, false}, {-1, 5, false}} {
		got := panics(func() { CheckBounds(c.index, c.length) })
		if want := Enabled && !c.ok; (got != nil) != want {
			t.Errorf("CheckBounds(%d, %d) panicked with %v, want a panic: %t", c.index, c.length, got, want)
		}
	}
}
