package latency

import (
	"context"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Config says how to send.
type Config struct {
	Cycle    int           // requests after which the work repeats
	Every    int           // closed loop: one request in so many is timed
	Rate     float64       // open loop: requests per second; 0 for a closed loop
	Duration time.Duration // of the pass, about
	Least    int           // values that a closed loop takes at least, however long that is
}

// Result holds one value per timed request, in nanoseconds.
type Result struct {
	Every    int
	Service  *hdrhistogram.Histogram // from the real start to the end
	Response *hdrhistogram.Histogram // from the intended start to the end; nil in a closed loop
	Clock    *hdrhistogram.Histogram // between two readings of the clock
	Behind   int64                   // open loop: requests that began after the intended start of the next
}

// Measure sends requests until the time is over or the context ends; then it returns what there is, and the context's
// error. send sends n requests from position at of the cycle on.
func Measure(ctx context.Context, send func(at, n int), cfg Config) (Result, error) {
	base := time.Now()
	return machine{
		now:   func() int64 { return int64(time.Since(base)) }, // reads the monotonic clock only: half of time.Now
		sleep: time.Sleep, settle: runtime.GC,
	}.measure(ctx, send, cfg)
}

// machine is what tests replace.
type machine struct {
	now    func() int64
	sleep  func(time.Duration)
	settle func()
}

func (m machine) measure(ctx context.Context, send func(at, n int), cfg Config) (Result, error) {
	m.settle()
	if cfg.Rate > 0 {
		return m.open(ctx, send, cfg)
	}
	return m.closed(ctx, send, cfg)
}

// patience is how many values are taken between two looks at the context and the remaining time.
const patience = 64

func (m machine) closed(ctx context.Context, send func(at, n int), cfg Config) (Result, error) {
	r := Result{Every: max(cfg.Every, 1), Service: report.NewHistogram(), Clock: report.NewHistogram()}
	begin, at := m.now(), 0
	for n := 0; ; n++ {
		if n%patience == 0 {
			if err := ctx.Err(); err != nil {
				return r, err
			}
		}
		if n >= max(cfg.Least, 1) && m.now()-begin >= int64(cfg.Duration) {
			return r, nil
		}
		if untimed := r.Every - 1; untimed > 0 {
			send(at, untimed)
			at = (at + untimed) % cfg.Cycle
		}
		m.clock(r.Clock)
		start := m.now()
		send(at, 1)
		end := m.now()
		report.Record(r.Service, end-start)
		at = (at + 1) % cfg.Cycle
	}
}

func (m machine) open(ctx context.Context, send func(at, n int), cfg Config) (Result, error) {
	r := Result{Every: 1, Service: report.NewHistogram(), Response: report.NewHistogram(), Clock: report.NewHistogram()}
	for range 10_000 {
		m.clock(r.Clock)
	}
	gap := float64(time.Second) / cfg.Rate
	total := max(int(cfg.Rate*cfg.Duration.Seconds()), 1)
	begin := m.now()
	for i := range total {
		if i%patience == 0 {
			if err := ctx.Err(); err != nil {
				return r, err
			}
		}
		intended := begin + int64(float64(i)*gap)
		start := m.now()
		for start < intended {
			if err := m.wait(ctx, time.Duration(intended-start)); err != nil {
				return r, err
			}
			start = m.now()
		}
		send(i%cfg.Cycle, 1)
		end := m.now()
		report.Record(r.Service, end-start)
		report.Record(r.Response, end-intended)
		if float64(start-intended) >= gap {
			r.Behind++
		}
	}
	return r, nil
}

// clock records what a reading of the clock takes.
func (m machine) clock(h *hdrhistogram.Histogram) {
	start := m.now()
	report.Record(h, m.now()-start)
}

// wait sleeps through most of a long wait. A sleep ends late by up to a millisecond, so that the rest is spun.
func (m machine) wait(ctx context.Context, left time.Duration) error {
	const spin, nap = 2 * time.Millisecond, 50 * time.Millisecond
	if left <= spin {
		return nil
	}
	m.sleep(min(left-spin, nap))
	return ctx.Err()
}
