// Package targets measures how far the engine is from the figures that it should reach.
//
// A target is a ratio of times: to the least that the machine needs for the same requests, or to what people would
// write otherwise. Ratios travel between machines where nanoseconds do not. The subjects of a group take turns as
// package measure describes. A target has a value in each round, and the median of the rounds with its interval
// (package stats) is compared with the limit. A target fails when the whole interval is on the wrong side. Bits per
// key, heap allocations and other counts are counted, not timed.
//
// On a shared machine a batch is disturbed or it is not, and a median tolerates that as long as fewer than half are. So
// subjects whose cycle is short have sixteen rounds of short batches in place of one. A batch that short would mostly
// measure what the caches held when it began, so batches of requests are primed: the comparison is of steady states, as
// in a loop over b.N. Builds and other subjects that allocate are not primed; their units are long enough for the
// collector to run a few times in each, as it is part of their cost. Neither are lookups all over a table that fits
// into no cache.
//
// Subjects call exported functions only, with every check on. Subjects on workloads are the loops of package lab,
// verified as for its own reports: floor, bare, lookup, fast and irp mean here what they mean there. A unit of time is
// the mean of a request over a whole cycle, or of a key over a whole build.
package targets

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Options say how to measure.
type Options struct {
	Seed     uint64         // of tables, requests and order
	Rounds   int            // batches of every subject, at least
	Quick    bool           // short batches, fewer requests to count
	Match    *regexp.Regexp // measure only the targets whose name matches; nil for all
	Progress func(done, total int, name string)
}

// group is targets that are measured together.
type group struct {
	name  string
	rows  []row
	often int  // rounds in place of one, with batches as much shorter; 0 is 1
	prime int  // units before each batch that are not timed, for those that allocate nothing
	large bool // the subjects allocate nothing and keep a heap of millions of keys
	// open makes the subjects that take turns. It is nil for targets that are counted.
	open func(c *config) (*subjects, error)
	// count returns the values of the targets in rows, by their names.
	count func(ctx context.Context, c *config) (map[string]float64, error)
}

// row is a target: a product of times divided by another, or a count.
type row struct {
	name, what  string
	bound       report.Bound
	limit       float64
	stretch     float64  // 0 for none
	over, under []string // names of subjects
	beside      []string // of others that are shown with them: what bounds the target on this machine
	unit        string   // of a count; "x" otherwise
}

// subjects are what takes turns.
type subjects struct {
	run   map[string]subject
	close func() error // may be nil
}

// subject is one of them.
type subject = measure.Subject

type config struct {
	Options
	batch time.Duration
}

// Run measures the targets and returns them as a report. It ends early with the context's error.
func Run(ctx context.Context, opt Options) (*report.Report, error) {
	groups, err := all(opt.Quick)
	if err != nil {
		return nil, err
	}
	return run(ctx, groups, opt)
}

func run(ctx context.Context, groups []group, opt Options) (*report.Report, error) {
	c := &config{Options: opt, batch: 15 * time.Millisecond}
	if opt.Quick {
		c.batch = 2 * time.Millisecond
	}
	rep := report.New(machine.Describe(), report.Settings{Seed: opt.Seed, Rounds: opt.Rounds, Requests: lab.Requests, BatchNs: int64(c.batch)})
	total := 0
	for i := range groups {
		groups[i].rows = matching(groups[i].rows, opt.Match)
		total += len(groups[i].rows)
	}
	if total == 0 {
		return nil, lab.ErrNoMatch
	}
	for _, g := range groups {
		if len(g.rows) == 0 {
			continue
		}
		if opt.Progress != nil {
			opt.Progress(len(rep.Targets), total, g.name)
		}
		targets, err := g.measure(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.name, err)
		}
		rep.Targets = append(rep.Targets, targets...)
	}
	return rep, nil
}

func matching(rows []row, match *regexp.Regexp) (selected []row) {
	for _, r := range rows {
		if match == nil || match.MatchString(r.name) {
			selected = append(selected, r)
		}
	}
	return selected
}

func (g group) measure(ctx context.Context, c *config) (targets []report.Target, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if g.open == nil {
		values, err := g.count(ctx, c)
		for _, r := range g.rows {
			t := r.target()
			t.Count(values[r.name])
			targets = append(targets, t)
		}
		return targets, err
	}
	s, err := g.open(c)
	if err != nil {
		return nil, err
	}
	if s.close != nil {
		defer func() { err = errors.Join(err, s.close()) }()
	}
	rounds, err := g.rounds(ctx, c, s)
	if err != nil {
		return nil, err
	}
	for _, r := range g.rows {
		targets = append(targets, r.summarize(rounds))
	}
	return targets, nil
}

// rounds returns for each subject that a row needs the time of an operation in ns, round by round.
func (g group) rounds(ctx context.Context, c *config, s *subjects) (map[string][]float64, error) {
	var names []string
	for _, r := range g.rows {
		names = append(names, r.subjects()...)
	}
	often := max(g.often, 1)
	if g.large && c.Quick {
		often = 1
	}
	return measure.Rounds(ctx, s.run, names, measure.Config{Rounds: often * c.Rounds, Cycle: 1, Batch: c.batch / time.Duration(often),
		Seed: c.Seed, Steady: g.large, Prime: g.prime}, nil)
}

func (r row) target() report.Target {
	t := report.Target{Name: r.name, Description: r.what, Bound: r.bound, Limit: r.limit, Unit: r.unit, Parts: []report.Part{}}
	if r.stretch != 0 {
		t.Stretch = &r.stretch
	}
	return t
}

func (r row) subjects() []string { return slices.Concat(r.over, r.under, r.beside) }

func (r row) summarize(rounds map[string][]float64) report.Target {
	t := r.target()
	t.Samples = make([]float64, len(rounds[r.over[0]]))
	for i := range t.Samples {
		t.Samples[i] = 1
		for _, name := range r.over {
			t.Samples[i] *= rounds[name][i]
		}
		for _, name := range r.under {
			t.Samples[i] /= rounds[name][i]
		}
	}
	t.Summarize()
	for _, name := range r.subjects() {
		t.Parts = append(t.Parts, report.NewPart(name, rounds[name]))
	}
	return t
}
