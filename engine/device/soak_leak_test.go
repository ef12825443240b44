//go:build !race && !windows

package device_test

import (
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/resident"
)

// Not here: the race detector has hundreds of megabytes of its own, which come and go, and Wine says the same number for ever.

// TestSoak_FindsLeak leaves 64 bytes behind for each request, and after some thousand more is resident than may be. With
// KSDISPATCH_SOAK_LEAK=1000 TestSoak leaves them for every thousandth, and fails after half an hour.
func TestSoak_FindsLeak(t *testing.T) {
	if resident.Bytes() == 0 {
		t.Skip("the system does not say what is resident")
	}
	sent := func(n int64) func(*tally) {
		return func(total *tally) {
			for n += total.requests.Load(); total.requests.Load() < n; {
				time.Sleep(time.Millisecond)
			}
		}
	}
	if _, early, late := soak(t, 1, sent(2000), sent(20_000)); !grew(early, late) {
		t.Errorf("%d bytes are resident, before the leak %d", late, early)
	}
}
