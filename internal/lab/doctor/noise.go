package doctor

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// clock measures how fine the clock is and what reading it takes.
func (s subject) clock() Finding {
	const readings = 20000
	f := Finding{Name: "clock", Grade: Good}
	step := time.Duration(1<<63 - 1)
	begin := s.now()
	last := begin
	for range readings {
		t := s.now()
		if d := t.Sub(last); d > 0 {
			step = min(step, d)
		}
		last = t
	}
	cost := last.Sub(begin) / readings
	f.Saw = fmt.Sprintf("steps of %v, %v for a reading", step, cost)
	switch {
	case last.Equal(begin):
		f.Grade, f.Saw, f.Advice = Bad, "it stands still", "nothing can be timed here"
	case step > 100*time.Microsecond:
		f.Grade, f.Advice = Bad, "a batch of a quick run is only a few steps long: measure without --quick, and no latencies"
	case step > time.Microsecond || cost > 200*time.Nanosecond:
		f.Grade, f.Advice = Warning, "batches are long enough, but --latency sees the clock rather than the request"
	}
	return f
}

// The noise is that of so many batches of about this length.
const (
	batches = 400
	batch   = 2 * time.Millisecond
)

// noise times one piece of work again and again. It needs no memory and no kernel: what varies is the machine.
func (s subject) noise(ctx context.Context) (Finding, error) {
	f := Finding{Name: "noise", Grade: Good}
	turns := 1000
	for s.time(turns) < batch && turns < 1<<30 {
		turns *= 2
	}
	var times []float64
	for range batches {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		times = append(times, float64(s.time(turns)))
	}
	slices.Sort(times)
	spread, tail := stats.Spread(times), times[len(times)*95/100]/stats.Median(times)-1
	f.Saw = fmt.Sprintf("the same work varies by %.1f %% (median distance from the median), one time in 20 by more than %.1f %%", 100*spread,
		100*tail)
	switch {
	case spread > 0.10:
		f.Grade, f.Advice = Bad, "nothing smaller than the noise can be seen: find what runs beside, or another machine"
	case spread > 0.03 || tail > 0.25:
		f.Grade, f.Advice = Warning, "differences of a few percent will not be decided: more rounds (--rounds 50), or a quieter machine"
	}
	return f, nil
}

func (s subject) time(turns int) time.Duration {
	begin := s.now()
	s.work(turns)
	return s.now().Sub(begin)
}

// spun keeps the compiler from leaving the work out.
var spun atomic.Uint64

// spin is a chain of multiplications, each of which needs the one before.
func spin(n int) {
	x := spun.Load() | 1
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	spun.Store(x)
}
