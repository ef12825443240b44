// Package revision measures the Go benchmarks of two git revisions against each other.
//
// Two revisions measured one after the other are compared with the hour as much as with each other. So the package
// builds both first, each in a temporary git worktree, and then lets their test binaries take turns, a benchmark at a
// time, in blocks of A B B A or B A A B as in package pair.
//
// A change that moves code moves other code too, and the position of a loop in memory can be worth several percent, as
// much as the effects one hopes to measure (golang/go#67822: a 10 % slowdown at p = 0.000 that was the layout alone).
// So both revisions are linked in several random orders (-ldflags=-randlayout=N), and the verdict is based on one ratio
// per layout, not per turn: many turns of one layout tell a lot about that layout and nothing about the code. It takes
// six layouts to call a difference; the default is ten.
package revision

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// Config says what to measure.
type Config struct {
	Old, New  string        // revisions, as git names them
	Packages  []string      // patterns of go list, relative to the current folder
	Bench     string        // regular expression of go test
	Benchtime time.Duration // of one turn
	Layouts   int           // random link orders of each revision
	Rounds    int           // blocks of four turns for each layout
	Seed      uint64        // of the layouts and the order
	Exact     []string      // units that are counts, as in verdict.ReadGoBench

	// Progress is called before each step; nil for none.
	Progress func(done, total int, step string)
}

// ErrInput is what an error is that the user can mend: no such revision, no such package, no benchmark in both.
var ErrInput = errors.New("bad input")

// Measure returns the measurements of both revisions, whose values with one index are pairs: one for each layout. A benchmark or a
// metric that one of them alone has is a series without values there. No worktree remains, also when the context ends, whose error
// is returned then.
func Measure(ctx context.Context, cfg Config) (old, new *verdict.Measurements, err error) {
	dir, err := os.MkdirTemp("", "ksbench-revisions-")
	if err != nil {
		return nil, nil, err
	}
	r := &run{cfg: cfg, ctx: ctx, dir: dir, rng: rand.New(rand.NewPCG(cfg.Seed, 0x72657673))}
	defer func() { err = errors.Join(err, r.cleanup()) }()
	if err := r.checkout(); err != nil {
		return nil, nil, err
	}
	if err := r.packages(); err != nil {
		return nil, nil, err
	}
	sides := [2]*verdict.Measurements{{Side: r.side(0)}, {Side: r.side(1)}}
	names, err := r.list(sides)
	if err != nil {
		return nil, nil, err
	}
	for i, n := range names {
		r.progress(i, len(names), n.name)
		if err := r.benchmark(n, sides); err != nil {
			return nil, nil, err
		}
	}
	return sides[0], sides[1], nil
}

// run is one comparison under way. Side 0 is the old revision, 1 the new.
type run struct {
	cfg      Config
	ctx      context.Context
	dir      string   // everything that is made
	top      string   // of the user's repository
	prefix   string   // of the current folder in it
	patterns []string // of packages, as the user wrote them
	sides    [2]checkout
	rng      *rand.Rand
}

func (r *run) side(i int) verdict.Side {
	s := verdict.Side{Source: r.sides[i].rev, Environment: machine.Describe()}
	s.Environment.Commit = r.sides[i].commit[:12]
	return s
}

func (r *run) progress(done, total int, step string) {
	if r.cfg.Progress != nil {
		r.cfg.Progress(done, total, step)
	}
}

// benchmark measures one benchmark in all layouts and adds its series to both sides.
func (r *run) benchmark(b benchmark, sides [2]*verdict.Measurements) error {
	var order []string // units: what a program prints, as a seed, does not make it another benchmark
	series := [2]map[string]*verdict.Series{{}, {}}
	for layout := range r.cfg.Layouts {
		values := [2]map[string][]float64{{}, {}}
		for range r.cfg.Rounds {
			first := r.rng.IntN(2)
			for _, side := range []int{first, 1 - first, 1 - first, first} {
				m, err := r.turn(side, layout, b)
				if err != nil {
					return err
				}
				for _, s := range m.Series {
					k := s.Unit
					values[side][k] = append(values[side][k], s.Values...)
					if series[side][k] == nil {
						s.Values = nil
						series[side][k] = &s
						if series[1-side][k] == nil {
							order = append(order, k)
						}
					}
				}
			}
		}
		for _, k := range order {
			if old, new := values[0][k], values[1][k]; len(old) == 2*r.cfg.Rounds && len(new) == len(old) {
				a, b := reduce(old, new, series[0][k].Exact)
				series[0][k].Values, series[1][k].Values = append(series[0][k].Values, a), append(series[1][k].Values, b)
			}
		}
	}
	for _, k := range order {
		for i := range sides {
			s, other := series[i][k], series[1-i][k]
			if s != nil && (other == nil || len(s.Values) == r.cfg.Layouts) {
				sides[i].Series = append(sides[i].Series, *s)
			}
		}
	}
	return nil
}

// reduce makes one pair of the turns of a layout: the median of the old values, and as much more as the median block says. Of
// counts it is the least on each side.
func reduce(old, new []float64, exact bool) (a, b float64) {
	if exact || slices.Min(old) <= 0 || slices.Min(new) <= 0 {
		return slices.Min(old), slices.Min(new)
	}
	ratios := make([]float64, len(old)/2)
	for i := range ratios {
		ratios[i] = math.Log(new[2*i]*new[2*i+1]) - math.Log(old[2*i]*old[2*i+1])
	}
	a = stats.Median(old)
	return a, a * math.Exp(stats.Median(ratios)/2)
}

// inputError is an ErrInput that says what to mend.
type inputError struct{ error }

func (e inputError) Unwrap() error      { return e.error }
func (inputError) Is(target error) bool { return target == ErrInput }

func input(format string, args ...any) error { return inputError{fmt.Errorf(format, args...)} }
