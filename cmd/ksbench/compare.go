package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/revision"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// compareCommand says what changed between two measurements, or between two revisions that it measures.
type compareCommand struct {
	Old string `arg:"" optional:"" help:"A report (--format json), the output of go test -bench, or - for standard input."`
	New string `arg:"" optional:"" help:"Another of the same kind."`

	judging
	Effect percentage `default:"2%" help:"Least relative change of a time that counts (${default})."`

	Fail bool `help:"Exit with 1 if anything regressed."`

	Rev       []string      `sep:"none" placeholder:"REV" help:"Given twice: build the Go benchmarks of two git revisions and let them take turns."`
	Package   []string      `default:"./bench" placeholder:"DIR" help:"With --rev: the packages whose benchmarks to run (${default})."`
	Bench     string        `default:"." placeholder:"REGEXP" help:"With --rev: the benchmarks, as for go test."`
	Benchtime time.Duration `default:"30ms" help:"With --rev: how long one benchmark runs in one turn (${default})."`
	Layouts   int           `default:"10" placeholder:"N" help:"With --rev: in how many random orders the functions are linked (${default})."`
	Rounds    rounds        `default:"4" placeholder:"N" help:"With --rev: blocks of four turns for each layout (${default})."`
	Seed      uint64        `default:"1" help:"With --rev: seed of the layouts and of the order of turns (${default})."`
}

// Run is called by kong.
func (c *compareCommand) Run(con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	out, err := newOutput(c.Out, con.stdout)
	if err == nil {
		err = out.spare(c.Old, c.New)
	}
	if err != nil {
		return err
	}
	opt := verdict.Options{Effect: float64(c.Effect)}
	var old, new *verdict.Measurements
	switch {
	case len(c.Rev) == 2 && c.Old == "":
		opt.Paired = true
		old, new, err = c.revisions(con)
	case len(c.Rev) == 0 && c.New != "":
		if c.Old == "-" && c.New == "-" {
			return badInput{errors.New("only one side can come from standard input")}
		}
		if old, err = c.load(con, c.Old); err == nil {
			new, err = c.load(con, c.New)
		}
	default:
		err = badInput{errors.New("compare: name two files, or two revisions as --rev OLD --rev NEW")}
	}
	if err != nil {
		return err
	}
	comparison, err := c.compare(old, new, opt)
	if err != nil {
		return notComparable{fmt.Errorf("compare: not comparable: %w", err)}
	}
	for _, reason := range verdict.Incomparable(old, new) {
		comparison.Warnings = append(comparison.Warnings, "not the same conditions: "+reason)
	}
	regressed := comparison.Counts[verdict.Regressed]
	if err := c.write(con, out, comparison); err != nil {
		return err
	}
	if c.Fail && regressed > 0 {
		return fmt.Errorf("compare: regressed: %d", regressed)
	}
	return nil
}

func (c *compareCommand) revisions(con *console) (old, new *verdict.Measurements, err error) {
	if c.Layouts < 1 {
		return nil, nil, badInput{fmt.Errorf("--layouts %d: must be at least 1", c.Layouts)}
	}
	if c.Benchtime <= 0 {
		return nil, nil, badInput{fmt.Errorf("--benchtime %v: must be more than 0", c.Benchtime)}
	}
	line := newProgress(con.stderr)
	old, new, err = revision.Measure(con.ctx, revision.Config{
		Old: c.Rev[0], New: c.Rev[1], Packages: c.Package, Bench: c.Bench, Benchtime: c.Benchtime,
		Layouts: c.Layouts, Rounds: int(c.Rounds), Seed: c.Seed, Exact: c.Exact, Progress: line.show,
	})
	line.clear()
	switch {
	case con.ctx.Err() != nil:
		return nil, nil, errors.New("interrupted; nothing was written")
	case errors.Is(err, revision.ErrInput):
		return nil, nil, badInput{err}
	case err != nil:
		return nil, nil, fmt.Errorf("compare --rev: %w", err)
	}
	return old, new, nil
}
