package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/revision"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// revisionFlags are the flags of the commands that measure two revisions themselves.
type revisionFlags struct {
	Rev       []string      `sep:"none" placeholder:"REV" help:"Given twice: let the Go benchmarks of two git revisions take turns."`
	Package   []string      `default:"." placeholder:"PATTERN" help:"With --rev: packages, as for go test: ./... (${default})."`
	Bench     string        `default:"." placeholder:"REGEXP" help:"With --rev: the benchmarks, as for go test."`
	Benchtime time.Duration `default:"30ms" help:"With --rev: how long one benchmark runs in one turn (${default})."`
	Layouts   int           `default:"10" placeholder:"N" help:"With --rev: in how many random orders the functions are linked (${default})."`
	Rounds    rounds        `default:"4" placeholder:"N" help:"With --rev: blocks of four turns for each layout (${default})."`
	Seed      uint64        `default:"1" help:"With --rev: seed of the layouts and of the order of turns (${default})."`
}

// measure measures both revisions in turns.
func (c *revisionFlags) measure(con *console, exact []string) (old, new *verdict.Measurements, err error) {
	switch {
	case len(c.Rev) != 2:
		return nil, nil, badUsage{fmt.Errorf("--rev: given %d times; name two revisions, as --rev OLD --rev NEW", len(c.Rev))}
	case c.Layouts < 1:
		return nil, nil, badUsage{fmt.Errorf("--layouts %d: must be at least 1", c.Layouts)}
	case c.Benchtime <= 0:
		return nil, nil, badUsage{fmt.Errorf("--benchtime %v: must be more than 0", c.Benchtime)}
	}
	line := newProgress(con.stderr)
	old, new, err = revision.Measure(con.ctx, revision.Config{
		Old: c.Rev[0], New: c.Rev[1], Packages: c.Package, Bench: c.Bench, Benchtime: c.Benchtime,
		Layouts: c.Layouts, Rounds: int(c.Rounds), Seed: c.Seed, Exact: exact, Progress: line.show,
	})
	line.clear()
	switch {
	case errors.Is(err, revision.ErrInput):
		return nil, nil, badInput{err}
	case err != nil:
		return nil, nil, fmt.Errorf("--rev: %w", err)
	}
	return old, new, nil
}
