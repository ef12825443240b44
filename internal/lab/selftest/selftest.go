// Package selftest asks whether the verdicts of this program can be believed on this machine, now.
//
// A tool that says "regressed" should be asked what it says when nothing changed, and whether it notices when something
// did. For each workload the engine answers requests, and then the processor spins for a number of turns given at run
// time. Both variants are one function at one address, with an argument that differs or does not; so the code is the
// same on both sides, and the planted difference is the only one:
//
//	A/A         the same number of turns, twice for each workload: any verdict but same or inconclusive is a false alarm
//	slower      5 % more time: must be regressed
//	faster      5 % less time: must be improved
//	allocation  one heap object more in a hundred requests: must be regressed
//
// A first measurement, in pairs as well, finds how many turns make 5 %. Package pair takes the pairs and package
// verdict judges them, with Holm's correction over the workloads of one kind. Run adds pairs until the interval of the
// change is short enough or there are sixteen times as many; stopping at a short interval favours neither sign.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/pair"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// Options say how to test.
type Options struct {
	Seed   uint64  // of the tables, the requests and the order in the pairs
	Blocks int     // least number of pairs of a comparison
	Effect float64 // least change that counts, 0 for verdict's default

	// Progress is called after each comparison; nil for none.
	Progress func(done, total int, workload string)
}

const (
	planted   = 0.05
	batch     = 60 * time.Microsecond
	precision = 0.008 // half of the interval of a change, at which no more pairs are added
	most      = 16    // times Blocks
)

// Run tests every workload. The error is the context's, or that of a workload that cannot be made ready.
func Run(ctx context.Context, workloads []lab.Workload, opt Options) (*Result, error) {
	t := &tester{ctx: ctx, opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0x73656c66)), total: len(workloads) * (len(kinds) + 1)}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, w := range workloads {
		if err := t.workload(w); err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	return t.result()
}

type tester struct {
	ctx         context.Context
	opt         Options
	rng         *rand.Rand
	old, new    [len(kinds)]verdict.Measurements
	done, total int
}

// subject is one workload, ready.
type subject struct {
	send     func(n int)
	requests int     // in a batch
	turns    int     // that the unchanged variant spins after a batch
	perTurn  float64 // time of a turn as a fraction of the unchanged batch
}

func (t *tester) workload(w lab.Workload) (err error) {
	stand, err := w.Prepare(t.opt.Seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.Close()) }()
	runtime.GC()
	send := stand.Loop("irp", "engine")
	s := subject{send: send, requests: calibrate(send)}
	if err := t.weigh(&s); err != nil {
		return err
	}
	step := int(math.Round(planted / s.perTurn))
	for k, kind := range kinds {
		for i := range kind.repeat {
			name := w.Name
			if kind.repeat > 1 {
				name = fmt.Sprintf("%s#%d", w.Name, i+1)
			}
			series := verdict.Series{Name: name, Unit: "ns/op", Better: verdict.Lower}
			was, is := series, series
			if kind.allocates {
				was.Unit, is.Unit, was.Exact, is.Exact = "allocs/op", "allocs/op", true, true
				was.Values, is.Values = s.allocations(0), s.allocations(s.requests/perAllocation)
			} else if was.Values, is.Values, err = t.compare(s, s.turns, s.turns+kind.steps*step); err != nil {
				return err
			}
			t.old[k].Series, t.new[k].Series = append(t.old[k].Series, was), append(t.new[k].Series, is)
			t.done++
			if t.opt.Progress != nil {
				t.opt.Progress(t.done, t.total, w.Name)
			}
		}
	}
	return nil
}

// calibrate returns how many requests take about as long as three quarters of a batch, in hundreds.
func calibrate(run func(n int)) int {
	for n := 1000; ; n *= 2 {
		best := time.Duration(math.MaxInt64)
		for range 20 {
			start := time.Now()
			run(n)
			best = min(best, time.Since(start))
		}
		if best >= measure.Visible() {
			return max(int(3*batch/4*time.Duration(n)/best)/perAllocation, 1) * perAllocation
		}
	}
}

// weigh finds out what a turn costs beside the requests, and lets the unchanged variant spin for a quarter of its time. It
// weighs twice: first from no turns to a guess, then from the unchanged variant to twice the change that will be planted, as
// the cost of the first turns is not that of later ones.
func (t *tester) weigh(s *subject) error {
	const guess = 20000
	change, err := t.change(s, 0, guess)
	if err != nil {
		return err
	}
	s.turns = max(int(guess/(3*change)), 1)
	twice := max(int(2*planted*(guess/change+float64(s.turns))), 1)
	if change, err = t.change(s, s.turns, s.turns+twice); err != nil {
		return err
	}
	s.perTurn = change / float64(twice)
	return nil
}

// attempts is how often a change is measured that a busy machine hid.
const attempts = 10

// change is by how much more time the batch takes with b turns than with a.
func (t *tester) change(s *subject, a, b int) (float64, error) {
	for range attempts {
		as, bs, err := t.compare(*s, a, b)
		if err != nil {
			return 0, err
		}
		if change := verdict.Compare(as, bs, verdict.Options{Paired: true}).Change; change != nil && *change > 0 {
			return *change, nil
		}
	}
	return 0, errors.New("spinning takes no time: the clock does not advance")
}

// compare measures pairs of the variants that spin for so many turns, in nanoseconds per request, until their change is known.
func (t *tester) compare(s subject, a, b int) (was, is []float64, err error) {
	for blocks := t.opt.Blocks; ; blocks *= 2 {
		as, bs, err := pair.Measure(t.ctx, func() { s.batch(a) }, func() { s.batch(b) },
			pair.Config{Blocks: blocks - len(was), Seed: t.rng.Uint64()})
		if err != nil {
			return nil, nil, err
		}
		was, is = append(was, as...), append(is, bs...)
		in := verdict.Compare(was, is, verdict.Options{Paired: true}).Interval
		if in != nil && in.High-in.Low <= 2*precision || blocks >= most*t.opt.Blocks {
			break
		}
	}
	for i := range was {
		was[i] /= float64(s.requests)
		is[i] /= float64(s.requests)
	}
	return was, is, nil
}

// sink takes what would otherwise be left out.
var (
	sink  atomic.Uint64
	spare []byte
)

// batch is both variants.
func (s subject) batch(turns int) {
	s.send(s.requests)
	sink.Add(spin(turns))
}

// spin turns so often. A turn keeps the processor as busy as the requests do: a chain of multiplications, each waiting for the one
// before, was tried and does not slow down when a neighbour takes the sibling of the core, as requests do, so that
// a planted 5 % was anything from 3 % to 7 %.
//
//go:noinline
func spin(turns int) uint64 {
	w, x, y, z := uint64(1), uint64(2), uint64(3), uint64(4)
	for range turns {
		w ^= w << 13
		x ^= x << 13
		y ^= y << 13
		z ^= z << 13
		w ^= w >> 7
		x ^= x >> 7
		y ^= y >> 7
		z ^= z >> 7
		w ^= w << 17
		x ^= x << 17
		y ^= y << 17
		z ^= z << 17
	}
	return w + x + y + z
}

// perAllocation is how many requests share the planted allocation.
const perAllocation = 100

// allocations counts the heap objects per request of some batches that allocate so many besides.
func (s subject) allocations(planted int) []float64 {
	counts := make([]float64, 8)
	for i := range counts {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.batch(0)
		for range planted {
			spare = make([]byte, 16)
			sink.Add(uint64(len(spare)))
		}
		runtime.ReadMemStats(&after)
		counts[i] = float64(after.Mallocs-before.Mallocs) / float64(s.requests)
	}
	return counts
}

// environment is said of both sides of every comparison.
func environment() verdict.Side {
	return verdict.Side{Source: "this machine", Environment: machine.Describe()}
}
