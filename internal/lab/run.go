package lab

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/affinity"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// ErrNoMatch says that Options.Match left nothing to measure.
var ErrNoMatch = errors.New("nothing to measure has a name that matches")

// Options say how to measure.
type Options struct {
	Seed   uint64         // of tables, requests and order
	Rounds int            // batches of everything; from report.MinRounds on there are intervals
	Batch  time.Duration  // least length of a batch
	Match  *regexp.Regexp // measure only rows whose workload/path/impl matches; nil for all

	Latency bool    // time single requests too, in a pass of its own after the rounds
	Rate    float64 // send those so many times a second, whether or not the one before is done; 0 for one after the other
	Pin     *int    // keep the measuring thread on this CPU; nil for none
	Shard   Shard   // measure only a part of the rounds

	// Progress is called between batches with how many of all there are; nil for none. It must not allocate much.
	Progress func(done, total int, workload string)
}

// Shard is one of several runs that share the rounds: run Number, from 1, of Count. The zero value is a run of its own.
type Shard struct{ Number, Count int }

// Rounds returns how many of the rounds of all shards the shard measures.
func (s Shard) Rounds(of int) int { return measure.Share(of, s.Number-1, s.Count) }

func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Count)
}

// ErrPin says that this process cannot be kept on Options.Pin.
var ErrPin = affinity.Err

// verified is how many random requests go through each peer before anything is timed.
const verified = 2000

// row is one thing to time.
type row struct {
	path report.Path
	impl report.Impl
}

func (r row) name(w Workload) string { return w.Name + "/" + r.path.Name + "/" + r.impl.Name }

func (r row) loop() loop { return loops[[2]string{r.path.Name, r.impl.Name}] }

// Run measures the workloads one after the other, all rows of one taking turns, and returns the report. If the context
// ends early, the error is the context's, and the report has the rounds that were complete by then and is marked so; it is nil
// if there are none. Any other error is a failure of the measurement itself: a peer that does not answer as the engine
// does, a table that does not build. Workloads of the same name are told apart by a number.
func Run(ctx context.Context, workloads []Workload, opt Options) (*report.Report, error) {
	if opt.Pin != nil {
		release, err := affinity.Pin(*opt.Pin)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	share := opt.Shard.Rounds(opt.Rounds)
	rep := report.New(machine.Describe(), report.Settings{Seed: opt.Seed, Rounds: share, Requests: Requests, BatchNs: int64(opt.Batch),
		Prime: measure.Primed, Latency: opt.Latency, Rate: opt.Rate, Pin: opt.Pin, Shard: opt.Shard.String()})
	rep.Paths, rep.Impls = slices.Clone(paths), slices.Clone(impls)
	workloads = distinct(workloads)
	turns := share // of each row
	if opt.Latency {
		turns++
	}
	selected, total := make([][]row, len(workloads)), 0
	for i, w := range workloads {
		selected[i] = w.rows(opt.Match)
		total += len(selected[i]) * turns
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
		if err != nil && (ctx.Err() == nil || len(rep.Results) == 0) {
			return nil, err
		}
		if err != nil {
			rep.Incomplete = true
			rep.Compare()
			return rep, err
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
			if r := (row{p, impl}); r.loop() != nil && (match == nil || match.MatchString(r.name(w))) {
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
	tasks, warmed := make([]measure.Task, len(rows)), make([]measure.WarmUp, len(rows))
	for i, r := range rows {
		send := r.loop()
		tasks[i].Run = func(n int) { sink.Add(send(b, n)) }
	}
	samples, interrupted := measure.Interleaved(ctx, tasks, measure.Config{
		Rounds: opt.Rounds, Cycle: Requests, Batch: opt.Batch, Prime: measure.Primed, Seed: opt.Seed, Turn: turn,
		WarmUp: warmUps * opt.Batch, Warmed: func(i int, took measure.WarmUp) { warmed[i] = took },
		Shard: opt.Shard.Number - 1, Shards: opt.Shard.Count,
	})
	if len(samples) == 0 || len(samples[0]) == 0 {
		return interrupted
	}
	items := 0
	for _, o := range b.objects {
		items += len(o.answering())
	}
	rep.Workloads = append(rep.Workloads,
		report.Workload{Name: w.Name, Description: w.Description, Objects: len(b.objects), Items: items, Digest: b.digest()})
	var passes []*report.Latency
	if opt.Latency && interrupted == nil {
		passes, interrupted = b.latencies(ctx, rows, opt, turn)
	}
	for i, r := range rows {
		res := report.NewResult(w.Name, r.path.Name, r.impl.Name, rounds(samples[i]))
		res.WarmUp = &report.WarmUp{Ns: int64(warmed[i].Elapsed), Batches: warmed[i].Batches, Stable: warmed[i].Stable}
		if i < len(passes) {
			res.Latency = passes[i]
		}
		rep.Results = append(rep.Results, res)
	}
	return interrupted
}

// warmUps is for how many batches at most a row is warmed up: a limit for machines that never get steady.
const warmUps = 4

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
		out[i] = report.Sample{Operations: s.Operations, NsPerOp: s.NsPerOp(), AllocsPerOp: s.AllocsPerOp(), BytesPerOp: s.BytesPerOp(),
			GCCycles: int(s.Cycles)}
	}
	return out
}
