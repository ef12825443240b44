// Package stages takes a request apart: where its time goes, step by step, beside the least that the machine needs for
// such steps.
//
// # How a step is measured
//
// A processor has several hundred instructions in flight and overlaps steps that lie far apart, so a step has no time
// of its own. Each number here is a difference between two loops over the same requests, and names the two.
//
// PropertyWithBuffers, whose allocator is the caller's, can run longer and longer prefixes of one request, each ended
// by something that the rules refuse at that point. The time of a step is what a prefix takes more than the one before:
//
//	verb      no verb in the flags: refused by P-25 after lengths and identifier
//	checked   an output buffer one byte short: refused by P-28 after the lookup and the checks
//	guarded   an allocator that refuses, called under the guard that recovers from panics
//	buffered  one that takes a buffer, gives it back and refuses
//	empty     a whole request, but for data: MinData 0, and no output buffer
//	filled    with 4 bytes of data
//
// These steps add up to the whole by construction. But refusing takes time too, which is part of one step and missing
// from the next.
//
// IoControl refuses nothing between its checks and the handler. Up to the checks it is measured as a prefix; each step
// from there on is a loop that does that step alone, less the same loop without it. Turns of such a loop overlap
// freely, while in a request one step waits for another. So their sum differs from the whole; the whole, and the whole
// less its prefix, show by how much.
//
// The parts of a lookup come from loops that repeat what package table describes, up to the hash and up to the pilot,
// and from Lookup itself.
//
// Limits are the machine's own: a load that waits for the one before it, over growing working sets; a call through a
// func value that is always predicted; a guard; reading the clock.
//
// All loops take turns as package measure describes, and differences are taken within a round. Before it is timed,
// every loop is checked to do what its name says.
package stages

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
	Seed     uint64
	Rounds   int
	Batch    time.Duration  // least length of a batch
	Match    *regexp.Regexp // keep only the stages whose path/name matches, "limit/name" for limits; nil for all
	Progress func(done, total int, what string)
}

// definition is a stage: a sum of subjects' times less that of others.
type definition struct {
	name        string
	kind        report.StageKind
	path        string
	plus, minus []string
	method      string
}

// Run measures and returns the stages as a report. It ends early with the context's error.
func Run(ctx context.Context, opt Options) (*report.Report, error) {
	rep := report.New(machine.Describe(), report.Settings{Seed: opt.Seed, Rounds: opt.Rounds, Requests: lab.Requests,
		BatchNs: int64(opt.Batch), Prime: measure.Primed})
	rep.Environment.Caches = machine.Caches()
	selected := slices.DeleteFunc(append(definitions(), limits()...), func(d definition) bool { return !opt.wants(d.path, d.name) })
	chases := slices.DeleteFunc(chases(rep.Environment.Caches), func(c *chase) bool { return !opt.wants("", c.name) })
	if len(selected)+len(chases) == 0 {
		return nil, lab.ErrNoMatch
	}
	if len(selected) > 0 {
		p, err := newPipeline(opt.Seed, lab.Requests)
		if err != nil {
			return nil, err
		}
		rep.Stages, err = p.measure(ctx, selected, opt)
		if err = errors.Join(err, p.close()); err != nil {
			return nil, err
		}
	}
	for _, c := range chases {
		s, err := c.stage(ctx, opt.Seed, opt.Rounds)
		if err != nil {
			return nil, err
		}
		rep.Stages = append(rep.Stages, s)
	}
	return rep, nil
}

// wants reports whether a stage is among those that are asked for.
func (o *Options) wants(path, name string) bool {
	if path == "" {
		path = "limit"
	}
	return o.Match == nil || o.Match.MatchString(path+"/"+name)
}

// measure checks the loops and times those that are needed.
func (p *pipeline) measure(ctx context.Context, selected []definition, opt Options) (stages []report.Stage, err error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("before timing: %w", err)
	}
	var names []string
	for _, d := range selected {
		names = append(append(names, d.plus...), d.minus...)
	}
	turn := func(done, total int) {
		if opt.Progress != nil {
			opt.Progress(done, total, "stages")
		}
	}
	rounds, err := measure.Rounds(ctx, p.subjects(), names,
		measure.Config{Rounds: opt.Rounds, Cycle: 1, Batch: opt.Batch, Prime: measure.Primed, Seed: opt.Seed}, turn)
	if err != nil {
		return nil, err
	}
	for _, d := range selected {
		stages = append(stages, report.NewStage(d.name, d.kind, d.path, d.method, difference(rounds, d.plus, d.minus)))
	}
	return stages, nil
}

// difference is plus less minus in each round.
func difference(rounds map[string][]float64, plus, minus []string) []float64 {
	ns := make([]float64, len(rounds[plus[0]]))
	for i := range ns {
		for _, name := range plus {
			ns[i] += rounds[name][i]
		}
		for _, name := range minus {
			ns[i] -= rounds[name][i]
		}
	}
	return ns
}
