package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// baselineCommand keeps measurements under names.
type baselineCommand struct {
	Save baselineSave `cmd:"" help:"Keep a report or the output of go test -bench under a name, in place of what was kept there."`
	List baselineList `cmd:"" help:"List what is kept, and check it."`
	Show baselineShow `cmd:"" help:"Show what a baseline holds."`

	Dir string `default:"${baselines}" placeholder:"DIR" help:"The folder of saved baselines (${default})."`
}

type baselineSave struct {
	Name string `arg:"" help:"Letters, digits and ._-"`
	File string `arg:"" optional:"" default:"-" help:"A report (--format json) or the output of go test -bench; - for standard input (${default})."`
}

// Run is called by kong.
func (c *baselineSave) Run(con *console, parent *baselineCommand) error {
	var from io.Reader
	source := "standard input"
	if c.File == "-" {
		from = con.input()
	} else {
		f, _, err := baseline.Open(con.ctx, c.File) // of a baseline what it holds, not what it is wrapped in
		if err != nil {
			return badInput{err}
		}
		defer f.Close()
		from, source = f, c.File
	}
	var kept *verdict.Measurements
	err := baseline.Save(parent.Dir, c.Name, from, time.Now(), func(path string) error {
		f, _, err := baseline.Open(con.ctx, path)
		if err != nil {
			return err
		}
		defer f.Close()
		kept, err = verdict.Read(f, source, nil)
		return err
	})
	switch {
	case err != nil && con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was saved")
	case err != nil:
		return badInput{fmt.Errorf("nothing was saved: %w", err)}
	}
	fmt.Fprintf(con.stderr, "saved %s in %s: %d series of samples\n", c.Name, parent.Dir, len(kept.Series))
	return nil
}

type baselineList struct{}

// Run is called by kong.
func (c *baselineList) Run(con *console, parent *baselineCommand) error {
	infos, damaged := baseline.List(con.ctx, parent.Dir)
	if err := show(con, func(out io.Writer) error {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		if len(infos) > 0 {
			fmt.Fprintln(w, "name\tsaved\tdigest\tbytes")
		}
		for _, b := range infos {
			fmt.Fprintf(w, "%s\t%s\t%016x\t%d\n", b.Name, b.Saved.Format(time.RFC3339), b.Digest, b.Size)
		}
		return w.Flush()
	}); err != nil {
		return err
	}
	if len(infos)+len(damaged) == 0 {
		fmt.Fprintf(con.stderr, "nothing is saved in %s\n", parent.Dir)
	}
	if len(damaged) > 0 {
		return badInput{errors.Join(damaged...)}
	}
	return nil
}

type baselineShow struct {
	Name  string   `arg:"" help:"A saved baseline, or any file that compare reads."`
	Exact []string `placeholder:"UNIT,..." help:"Units that are counts besides allocs/op and B/op."`
}

// Run is called by kong.
func (c *baselineShow) Run(con *console, parent *baselineCommand) error {
	path, err := baseline.Find(parent.Dir, c.Name)
	if err != nil {
		return badInput{err}
	}
	m, err := verdict.Load(con.ctx, path, c.Exact)
	if err != nil {
		return badInput{err}
	}
	return show(con, m.WriteText)
}

// show renders to standard output.
func show(con *console, render func(io.Writer) error) error {
	out, err := newOutput("", con.stdout)
	if err != nil {
		return err
	}
	return out.write(render)
}
