package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/selftest"
)

// selftestCommand tries the verdicts themselves.
type selftestCommand struct {
	Simulate bool `help:"Instead try the verdicts on simulated noise of known kinds: nothing is measured, and the seed decides the result."`
	Trials   int  `default:"300" placeholder:"N" help:"With --simulate: gates of each kind (${default}: a minute or two)."`

	Quick  bool    `help:"Fewer pairs: done in half a minute."`
	Match  pattern `name:"run" placeholder:"REGEXP" help:"Try only workloads whose name matches."`
	Format string  `enum:"text,json" default:"text" help:"How to write the result: text or json."`
	Out    string  `placeholder:"FILE" help:"Where to write the result, instead of standard output."`
	Seed   uint64  `default:"1" help:"Seed of the tables, the requests and the order in the pairs (${default})."`
}

const (
	selftestBlocks = 800
	quickBlocks    = 250
)

// trial is how verdicts did.
type trial interface {
	doc.Documented
	OK() bool
}

// Run is called by kong.
func (c *selftestCommand) Run(con *console) error {
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	try, wrong := c.measure, "too many verdicts were wrong"
	if c.Simulate {
		try, wrong = c.simulate, "verdicts do not hold what they promise"
	}
	line := newProgress(con.stderr)
	result, err := try(con.ctx, line.show)
	line.clear()
	if err != nil {
		return err
	}
	if err := con.write(out, result, c.Format); err != nil {
		return err
	}
	if !result.OK() {
		return errors.New(wrong)
	}
	return nil
}

// measure judges pairs of the same.
func (c *selftestCommand) measure(ctx context.Context, progress func(done, total int, what string)) (trial, error) {
	workloads, err := lab.Default()
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(workloads, func(w lab.Workload) bool { return c.Match.Regexp != nil && !c.Match.MatchString(w.Name) })
	if len(chosen) == 0 {
		return nil, badUsage{fmt.Errorf("--run %s: no workload has a name that matches", c.Match)}
	}
	opt := selftest.Options{Seed: c.Seed, Blocks: selftestBlocks, Progress: progress}
	if c.Quick {
		opt.Blocks = quickBlocks
	}
	return selftest.Run(ctx, chosen, opt)
}

// simulate needs no machine.
func (c *selftestCommand) simulate(ctx context.Context, progress func(done, total int, what string)) (trial, error) {
	if c.Trials < 1 {
		return nil, badInput{fmt.Errorf("--trials %d: must be at least 1", c.Trials)}
	}
	return selftest.Simulate(ctx, c.Seed, c.Trials, progress)
}
