package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/bench/internal/machine"
	"github.com/ksdispatch/ksdispatch/bench/internal/measure"
	"github.com/ksdispatch/ksdispatch/bench/report"
)

// ErrNoMatch says that Options.Match left nothing to measure.
var ErrNoMatch = errors.New("nothing to measure has a name that matches")

// Options say how to measure.
type Options struct {
	Seed   uint64         // of tables, requests and order
	Rounds int            // batches of everything; from report.MinRounds on there are intervals
	Batch  time.Duration  // least length of a batch
	Match  *regexp.Regexp // measure only rows whose workload/path/impl matches; nil for all

	// Progress is called between batches with how many of all there are; nil for none. It must not allocate much.
	Progress func(done, total int, workload string)
}

// verified is how many random requests go through each peer before anything is timed.
const verified = 2000

// row is one thing to time.
type row struct {
	path report.Path
	impl report.Impl
}

func (r row) name(w Workload) string { return w.Name + "/" + r.path.Name + "/" + r.impl.Name }

func (r row) loop() loop { return loops[[2]string{r.path.Name, r.impl.Name}] }

// Run measures the workloads one after the other, all rows of one taking turns, and returns the report. It ends early
// with the context's error. Any other error is a failure of the measurement itself: a peer that does not answer as the
// engine does, a table that does not build. Workloads of the same name are told apart by a number.
func Run(ctx context.Context, workloads []Workload, opt Options) (*report.Report, error) {
	rep := &report.Report{
		SchemaVersion: report.SchemaVersion,
		Environment:   machine.Describe(),
		Settings:      report.Settings{Seed: opt.Seed, Rounds: opt.Rounds, Requests: Requests, BatchNs: int64(opt.Batch)},
		Paths:         slices.Clone(paths),
		Impls:         slices.Clone(impls),
	}
	workloads = distinct(workloads)
	selected, total := make([][]row, len(workloads)), 0
	for i, w := range workloads {
		selected[i] = w.rows(opt.Match)
		total += len(selected[i]) * opt.Rounds
	}
	if total == 0 {
		return nil, ErrNoMatch
	}
	done := 0
	for i, w := range workloads {
		if len(selected[i]) == 0 {
			continue
		}
		err := w.run(ctx, rep, selected[i], opt, func() {
			done++
			if opt.Progress != nil {
				opt.Progress(done, total, w.Name)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	rep.Compare()
	return rep, nil
}

// distinct gives the second of two workloads with one name another.
func distinct(workloads []Workload) []Workload {
	seen := map[string]int{}
	var all []Workload
	for _, w := range workloads {
		seen[w.Name]++
		if n := seen[w.Name]; n > 1 {
			w.Name = fmt.Sprintf("%s#%d", w.Name, n)
		}
		all = append(all, w)
	}
	return all
}

func (w Workload) rows(match *regexp.Regexp) (rows []row) {
	for _, p := range paths {
		for _, impl := range impls {
			if r := (row{p, impl}); match == nil || match.MatchString(r.name(w)) {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func (w Workload) run(ctx context.Context, rep *report.Report, rows []row, opt Options, turn func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := verify(w.generate(opt.Seed), opt.Seed, verified); err != nil {
		return fmt.Errorf("%s: before timing: %w", w.Name, err)
	}
	b, err := w.prepare(opt.Seed)
	if err != nil {
		return err
	}
	defer b.close() // arenas of its own; nothing is lost if one cannot be closed
	if err := b.checksums(rows); err != nil {
		return fmt.Errorf("%s: before timing: %w", w.Name, err)
	}
	tasks := make([]measure.Task, len(rows))
	for i, r := range rows {
		send := r.loop()
		tasks[i].Run = func(n int) { sink.Add(send(b, n)) }
	}
	samples, err := measure.Interleaved(ctx, tasks, measure.Config{
		Rounds: opt.Rounds, Cycle: Requests, Batch: opt.Batch, Seed: opt.Seed, Turn: turn,
	})
	if err != nil {
		return err
	}
	items := 0
	for _, o := range b.objects {
		items += len(o.answering())
	}
	rep.Workloads = append(rep.Workloads, report.Workload{Name: w.Name, Description: w.Description, Objects: len(b.objects), Items: items, Digest: b.digest()})
	for i, r := range rows {
		rep.Results = append(rep.Results, report.NewResult(w.Name, r.path.Name, r.impl.Name, rounds(samples[i])))
	}
	return nil
}

// checksums runs each loop over some of the prepared requests. The peers' loops must come to the same end as the
// engine's: that the timed loops themselves do what was verified.
func (b *bed) checksums(rows []row) error {
	want, from := map[string]uint64{}, map[string]string{}
	for _, r := range rows {
		if r.impl.Kind == report.Limit {
			continue
		}
		sum := r.loop()(b, Requests/16)
		if other, ok := from[r.path.Name]; !ok {
			want[r.path.Name], from[r.path.Name] = sum, r.impl.Name
		} else if sum != want[r.path.Name] {
			return fmt.Errorf("%s: the checksum of %s is %#x, of %s %#x", r.path.Name, r.impl.Name, sum, other, want[r.path.Name])
		}
	}
	return nil
}

func rounds(samples []measure.Sample) []report.Sample {
	out := make([]report.Sample, len(samples))
	for i, s := range samples {
		out[i] = report.Sample{Operations: s.Operations, NsPerOp: s.NsPerOp(), AllocsPerOp: s.AllocsPerOp(), BytesPerOp: s.BytesPerOp()}
	}
	return out
}
