package main

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// compareCommand says what changed between two measurements, or between two revisions that it measures.
type compareCommand struct {
	Old string `arg:"" optional:"" help:"A report (--format json), the output of go test -bench, or - for standard input."`
	New string `arg:"" optional:"" help:"Another of the same kind."`

	comparisonFlags
	revisionFlags

	Fail bool `help:"Exit with 1 if anything regressed."`
}

// Run is called by kong.
func (c *compareCommand) Run(con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	out, err := newOutput(c.Out, con.stdout)
	if err == nil {
		err = out.distinctFrom(c.Old, c.New)
	}
	if err != nil {
		return err
	}
	var opt verdict.Options
	var old, new *verdict.Measurements
	switch {
	case len(c.Rev) > 0 && c.Old == "":
		opt.Paired = true
		old, new, err = c.measure(con, c.Exact)
	case len(c.Rev) == 0 && c.New != "":
		if c.Old == "-" && c.New == "-" {
			return badUsage{errors.New("only one side can come from standard input")}
		}
		if old, err = c.load(con, c.Old); err == nil {
			new, err = c.load(con, c.New)
		}
	default:
		err = badUsage{errors.New("compare: name two files, or two revisions as --rev OLD --rev NEW")}
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
