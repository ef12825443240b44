package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/selftest"
)

// selftestCommand tries the verdicts themselves.
type selftestCommand struct {
	Simulate bool `help:"Instead try the verdicts on simulated noise of known kinds: nothing is measured, and the seed decides the result."`
	Trials   int  `default:"300" placeholder:"N" help:"With --simulate: gates of each kind (${default}: a minute or two)."`

	Quick  bool   `help:"Fewer pairs: done in half a minute."`
	Match  string `name:"run" placeholder:"REGEXP" help:"Try only workloads whose name matches."`
	Format string `enum:"text,json" default:"text" help:"How to write the result: text or json."`
	Out    string `placeholder:"FILE" help:"Where to write the result, instead of standard output."`
	Seed   uint64 `default:"1" help:"Seed of the tables, the requests and the order in the pairs (${default})."`
}

const (
	selftestBlocks = 800
	quickBlocks    = 250
)

// Run is called by kong.
func (c *selftestCommand) Run(con *console) error {
	if c.Simulate {
		return c.simulate(con)
	}
	workloads, err := lab.Default()
	if err != nil {
		return err
	}
	match, err := regexp.Compile(c.Match)
	if err != nil {
		return badUsage{fmt.Errorf("--run: %w", err)}
	}
	var chosen []lab.Workload
	for _, w := range workloads {
		if match.MatchString(w.Name) {
			chosen = append(chosen, w)
		}
	}
	if len(chosen) == 0 {
		return badUsage{fmt.Errorf("--run %s: no workload has a name that matches", c.Match)}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	line := newProgress(con.stderr)
	opt := selftest.Options{Seed: c.Seed, Blocks: selftestBlocks, Progress: line.show}
	if c.Quick {
		opt.Blocks = quickBlocks
	}
	result, err := selftest.Run(con.ctx, chosen, opt)
	line.clear()
	switch {
	case con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was written")
	case err != nil:
		return err
	}
	if err := con.write(out, result, c.Format); err != nil {
		return err
	}
	if !result.OK() {
		return errors.New("too many verdicts were wrong")
	}
	return nil
}

// simulate needs no machine.
func (c *selftestCommand) simulate(con *console) error {
	if c.Trials < 1 {
		return badInput{fmt.Errorf("--trials %d: must be at least 1", c.Trials)}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	line := newProgress(con.stderr)
	result, err := selftest.Simulate(con.ctx, c.Seed, c.Trials, line.show)
	line.clear()
	switch {
	case con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was written")
	case err != nil:
		return err
	}
	if err := con.write(out, result, c.Format); err != nil {
		return err
	}
	if !result.OK() {
		return errors.New("verdicts do not hold what they promise")
	}
	return nil
}
