package main

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/ksdispatch/ksdispatch/bench"
)

// runCommand measures and reports.
type runCommand struct {
	Quick    bool     `help:"Few and short rounds: everything in under 20 seconds."`
	Match    string   `name:"run" placeholder:"REGEXP" help:"Measure only what matches, as in WORKLOAD/PATH/IMPL: 20x12/irp/."`
	Manifest []string `sep:"none" placeholder:"FILE..." help:"Measure the drivers of these manifests instead of the built-in workloads."`
	Rounds   int      `placeholder:"N" help:"Rounds, each with one batch of everything (default: 15, with --quick 6)."`
	Seed     uint64   `default:"1" help:"Seed of the tables, the requests and the order within a round (${default})."`
	Files    []string `arg:"" optional:"" name:"file" hidden:"" help:"More manifests, after --manifest."`
	writing
}

const (
	fullRounds, fullBatch   = 15, 15 * time.Millisecond
	quickRounds, quickBatch = 6, time.Millisecond / 2
	maxRounds               = 10000
)

// Run is called by kong.
func (c *runCommand) Run(con *console) error {
	opt, err := c.options()
	if err != nil {
		return badInput{err}
	}
	workloads, err := c.workloads()
	if err != nil {
		return badInput{err}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	line := newProgress(con.stderr)
	opt.Progress = line.show
	rep, err := bench.Run(con.ctx, workloads, opt)
	line.clear()
	switch {
	case errors.Is(err, bench.ErrNoMatch):
		return badInput{fmt.Errorf("--run %s: %w", c.Match, err)}
	case con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was written")
	case err != nil:
		return err
	}
	return out.write(renderer(rep, c.Format))
}

func (c *runCommand) options() (bench.Options, error) {
	opt := bench.Options{Seed: c.Seed, Rounds: fullRounds, Batch: fullBatch}
	if c.Quick {
		opt.Rounds, opt.Batch = quickRounds, quickBatch
	}
	if c.Rounds != 0 {
		opt.Rounds = c.Rounds
	}
	if opt.Rounds < 1 || opt.Rounds > maxRounds {
		return opt, fmt.Errorf("--rounds %d: must be 1 to %d", c.Rounds, maxRounds)
	}
	if c.Match != "" {
		match, err := regexp.Compile(c.Match)
		if err != nil {
			return opt, fmt.Errorf("--run: %w", err)
		}
		opt.Match = match
	}
	return opt, nil
}

// workloads are the built-in ones, or those of the user's manifests.
func (c *runCommand) workloads() ([]bench.Workload, error) {
	if len(c.Manifest) == 0 {
		if len(c.Files) > 0 {
			return nil, fmt.Errorf("unexpected argument %q: not a command, and a manifest follows --manifest", c.Files[0])
		}
		return bench.Default()
	}
	var workloads []bench.Workload
	for _, path := range append(c.Manifest, c.Files...) {
		w, err := bench.FromManifest(path)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, w)
	}
	return workloads, nil
}
