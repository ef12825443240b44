//go:build !race

package testkit

import "testing"

var sink []byte

func TestAllocs(t *testing.T) {
	if n := Allocs(func() {}); n != 0 {
		t.Errorf("nothing allocates %v times", n)
	}
	if n := Allocs(func() { sink = make([]byte, 8) }); n != 1 {
		t.Errorf("one allocation counts as %v", n)
	}
	// What happens in one of the measurements, and in the first call, does not count.
	calls := 0
	if n := Allocs(func() {
		if calls++; calls <= 201 {
			sink = make([]byte, 8)
		}
	}); n != 0 {
		t.Errorf("a disturbance of one measurement counts as %v", n)
	}
}
