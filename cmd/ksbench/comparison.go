package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"golang.org/x/perf/benchproc"

	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// comparisonFlags are the flags of every command that compares.
type comparisonFlags struct {
	Alpha       float64    `default:"0.05" placeholder:"P" help:"Chance of any false alarm among all rows (${default})."`
	Floor       percentage `default:"${floor}" aliases:"effect" help:"Least relative change of a time that counts (${default})."`
	Filter      string     `placeholder:"FILTER" help:"Compare only what this filter of benchstat matches: '.unit:ns/op /size:(4k OR 8k)'."`
	OldName     string     `placeholder:"NAME" help:"What to call the old side (default: its file or revision)."`
	NewName     string     `placeholder:"NAME" help:"What to call the new side."`
	Match       pattern    `name:"run" placeholder:"REGEXP" help:"Compare only rows whose name matches."`
	Exact       []string   `placeholder:"UNIT,..." help:"Units of which any change counts, besides allocs/op and B/op: bits/key."`
	CountFloor  *tolerance `placeholder:"PERCENT" help:"Least relative change of a count that counts (default: 0.1%, or one allocation)."`
	Higher      []string   `name:"higher-is-better" placeholder:"UNIT,..." help:"Units of which more is better, whatever they are called."`
	Lower       []string   `name:"lower-is-better" placeholder:"UNIT,..." help:"Units of which less is better."`
	Ignore      []string   `placeholder:"KEY,..." help:"Keys of \"key: value\" lines that tell no benchmarks apart."`
	Format      string     `enum:"text,json,md,csv" default:"text" help:"How to write the comparison: text, json, md or csv."`
	OnlyChanges bool       `help:"Write only rows that improved, regressed or changed, and nothing at all if there are none."`
	Out         string     `placeholder:"FILE" help:"Where to write the comparison, instead of standard output."`

	filter *benchproc.Filter // nil without one
}

// check is called before anything is read or measured.
func (f *comparisonFlags) check() (err error) {
	if !(f.Alpha > 0 && f.Alpha < 1) {
		return badUsage{fmt.Errorf("--alpha %v: must be between 0 and 1", f.Alpha)}
	}
	for _, unit := range f.Higher {
		if slices.Contains(f.Lower, unit) {
			return badUsage{fmt.Errorf("--higher-is-better and --lower-is-better both name %s", unit)}
		}
	}
	if f.Filter != "" {
		if f.filter, err = benchproc.NewFilter(f.Filter); err != nil {
			return badUsage{fmt.Errorf("--filter: %w", err)}
		}
	}
	return nil
}

// load reads one side from a file, or from standard input if it is called -.
func (f *comparisonFlags) load(con *console, path string) (m *verdict.Measurements, err error) {
	if path == "-" {
		m, err = verdict.Read(con.input(), "standard input", f.Exact)
	} else {
		m, err = verdict.Load(con.ctx, path, f.Exact)
	}
	if err != nil {
		return nil, badInput{err}
	}
	m.Ignore(f.Ignore)
	return m, nil
}

// compare keeps what matches of both sides and compares it.
func (f *comparisonFlags) compare(old, new *verdict.Measurements, opt verdict.Options) (*verdict.Comparison, error) {
	verdict.Align(old, new) // before rows are dropped by their names
	if f.Match.Regexp != nil {
		old.Match(f.Match.Regexp)
		new.Match(f.Match.Regexp)
	}
	if f.filter != nil {
		old.Filter(f.filter)
		new.Filter(f.filter)
	}
	old.Source, new.Source = cmp.Or(f.OldName, old.Source), cmp.Or(f.NewName, new.Source)
	opt.Effect = float64(f.Floor)
	opt.Alpha, opt.HigherIsBetter, opt.LowerIsBetter = f.Alpha, f.Higher, f.Lower
	opt.CountFloor = (*float64)(f.CountFloor)
	return verdict.New(old, new, opt)
}

// write writes the comparison as the flags say. That it cannot be written is nothing that a comparison found: a gate must not
// end with the exit code of a regression, so it counts as bad input.
func (f *comparisonFlags) write(con *console, out *output, c *verdict.Comparison) error {
	var err error
	if f.OnlyChanges {
		c.OnlyChanges()
	}
	if f.OnlyChanges && !c.Changed() {
		err = out.write(func(io.Writer) error { return nil })
	} else {
		err = con.write(out, c, f.Format)
	}
	if err != nil {
		return badInput{err}
	}
	return nil
}
