package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// judging are the flags of every command that compares.
type judging struct {
	Alpha       float64  `default:"0.05" placeholder:"P" help:"Chance of any false alarm among all rows (${default})."`
	Match       string   `name:"run" placeholder:"REGEXP" help:"Compare only rows whose name matches."`
	Exact       []string `placeholder:"UNIT,..." help:"Units that are counts, of which any change counts, besides allocs/op and B/op: bits/key."`
	Higher      []string `name:"higher-is-better" placeholder:"UNIT,..." help:"Units of which more is better, whatever the text and their names say."`
	Lower       []string `name:"lower-is-better" placeholder:"UNIT,..." help:"Units of which less is better."`
	Format      string   `enum:"text,json,md,csv" default:"text" help:"How to write the comparison: text, json, md or csv."`
	OnlyChanges bool     `help:"Write only rows that improved, regressed or changed, and nothing at all if there are none."`
	Out         string   `placeholder:"FILE" help:"Where to write the comparison, instead of standard output."`

	names *regexp.Regexp
}

// check is called before anything is read or measured.
func (j *judging) check() (err error) {
	if !(j.Alpha > 0 && j.Alpha < 1) {
		return badInput{fmt.Errorf("--alpha %v: must be between 0 and 1", j.Alpha)}
	}
	for _, unit := range j.Higher {
		if slices.Contains(j.Lower, unit) {
			return badInput{fmt.Errorf("--higher-is-better and --lower-is-better both name %s", unit)}
		}
	}
	if j.names, err = regexp.Compile(j.Match); err != nil {
		return badInput{fmt.Errorf("--run: %w", err)}
	}
	return nil
}

// load reads one side from a file, or from standard input if it is called -.
func (j *judging) load(con *console, path string) (m *verdict.Measurements, err error) {
	if path == "-" {
		m, err = verdict.Read(con.input(), "standard input", j.Exact)
	} else {
		m, err = verdict.Load(con.ctx, path, j.Exact)
	}
	switch {
	case con.ctx.Err() != nil:
		return nil, errors.New("interrupted; nothing was written")
	case err != nil:
		return nil, badInput{err}
	}
	return m, nil
}

// compare keeps what matches of both sides and compares it.
func (j *judging) compare(old, new *verdict.Measurements, opt verdict.Options) (*verdict.Comparison, error) {
	verdict.Align(old, new) // before rows are dropped by their names
	old.Match(j.names)
	new.Match(j.names)
	opt.Alpha, opt.HigherIsBetter, opt.LowerIsBetter = j.Alpha, j.Higher, j.Lower
	return verdict.New(old, new, opt)
}

// write writes the comparison as the flags say. That it cannot be written is nothing that a comparison found: a gate must not
// end with the exit code of a regression, so it counts as bad input.
func (j *judging) write(con *console, out *output, c *verdict.Comparison) error {
	var err error
	if j.OnlyChanges {
		c.OnlyChanges()
	}
	if j.OnlyChanges && !c.Changed() {
		err = out.write(func(io.Writer) error { return nil })
	} else {
		err = con.write(out, c, j.Format)
	}
	if err != nil {
		return badInput{err}
	}
	return nil
}
