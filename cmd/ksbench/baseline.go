package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/baseline"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
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
	Append bool `help:"Keep it beside the runs that are there, and in place of none: a new run is then judged by how far those lie apart."`

	Name string `arg:"" help:"Letters, digits and ._-"`
	File string `arg:"" optional:"" default:"-" help:"A report in JSON or the output of go test -bench; - for standard input (${default})."`
}

// Run is called by kong.
func (c *baselineSave) Run(con *console, parent *baselineCommand) error {
	var from io.Reader
	source := "standard input"
	if c.File == "-" {
		from = con.input()
	} else {
		f, info, err := baseline.Open(con.ctx, c.File) // of a baseline what it holds, not what it is wrapped in
		if err != nil {
			return badInput{err}
		}
		defer f.Close()
		if info != nil && len(info.Runs) > 1 {
			return badInput{fmt.Errorf("%s: holds %d runs: copy the file instead", c.File, len(info.Runs))}
		}
		from, source = f, c.File
	}
	var saved *verdict.Measurements
	dir, runs := baseline.Folder(parent.Dir), 0
	check := func(path string) error {
		f, info, err := baseline.Open(con.ctx, path)
		if err != nil { // of what was read, which is in a file of another name now
			return errors.New(strings.ReplaceAll(err.Error(), path, source))
		}
		defer f.Close()
		if runs = len(info.Runs); runs == 1 {
			saved, err = verdict.Read(f, source, nil)
			return err
		}
		if err := f.Rewind(info.Runs[runs-1].Begin); err != nil {
			return err
		}
		if _, err := verdict.Read(f, source, nil); err != nil {
			return err
		}
		saved, err = verdict.Load(con.ctx, path, nil) // are they comparable?
		if err != nil {                               // what is to replace a baseline has another name
			return errors.New(strings.ReplaceAll(err.Error(), path, c.Name))
		}
		return nil
	}
	var err error
	if c.Append {
		err = baseline.Append(con.ctx, dir, c.Name, from, time.Now(), check)
	} else {
		err = baseline.Save(dir, c.Name, from, time.Now(), check)
	}
	switch {
	case err != nil && con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was saved")
	case err != nil:
		return badInput{fmt.Errorf("nothing was saved: %w", err)}
	}
	of := ""
	if runs > 1 {
		of = fmt.Sprintf(" of %d runs", runs)
	}
	fmt.Fprintf(con.stderr, "saved %s in %s: %d series of samples%s\n", c.Name, dir, len(saved.Series), of)
	return nil
}

type baselineList struct{}

// Run is called by kong.
func (c *baselineList) Run(con *console, parent *baselineCommand) error {
	infos, damaged := baseline.List(con.ctx, baseline.Folder(parent.Dir))
	if err := con.show(kept(infos), "text"); err != nil {
		return err
	}
	if len(infos)+len(damaged) == 0 {
		fmt.Fprintf(con.stderr, "nothing is saved in %s\n", baseline.Folder(parent.Dir))
	}
	if len(damaged) > 0 {
		return badInput{errors.Join(damaged...)}
	}
	return nil
}

// kept are the baselines of a folder.
type kept []baseline.Info

// Document is a line for each.
func (k kept) Document() *doc.Document {
	t := doc.Table{Columns: doc.Figures("name", "saved", "digest", "bytes", "runs")}
	for _, b := range k {
		t.Rows = append(t.Rows, []string{b.Name, b.Saved.Format(time.RFC3339), fmt.Sprintf("%016x", b.Digest), fmt.Sprint(b.Size),
			fmt.Sprint(len(b.Runs))})
	}
	return &doc.Document{Sections: []doc.Section{{Table: t}}}
}

type baselineShow struct {
	Name  string   `arg:"" help:"A saved baseline, or any file that compare reads."`
	Exact []string `placeholder:"UNIT,..." help:"Units that are counts besides allocs/op and B/op."`
}

// Run is called by kong.
func (c *baselineShow) Run(con *console, parent *baselineCommand) error {
	path, err := baseline.Find(baseline.Folder(parent.Dir), c.Name)
	if err != nil {
		return badInput{err}
	}
	m, err := verdict.Load(con.ctx, path, c.Exact)
	if err != nil {
		return badInput{err}
	}
	return con.show(m, "text")
}
