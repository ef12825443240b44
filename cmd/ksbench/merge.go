package main

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/input"
	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// mergeCommand adds reports.
type mergeCommand struct {
	Reports []string `arg:"" name:"report" help:"Outputs of go test -bench; or reports of like machines, or of the shards of a run, as JSON."`
	writing
}

func (*mergeCommand) Help() string {
	return `Samples are appended and histograms added, so that the result is what one run with all the rounds would have said.
Reports that differ in more than that are refused with the reason and exit code 3: another processor, GOMAXPROCS,
instruction set, Go version or commit, other settings, a workload with other tables, requests or rows.

Outputs of go test -bench become one, as text for go test's other tools, if they are of one machine and GOMAXPROCS.
Configuration that differs from file to file is left out.

  ksbench run --shard 1/2 --format json --out 1.json    # on one machine
  ksbench run --shard 2/2 --format json --out 2.json    # on another of the same kind
  ksbench merge 1.json 2.json`
}

// Run is called by kong.
func (c *mergeCommand) Run(con *console) error {
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	var sources []report.Source
	var texts []*benchtext.Text
	for _, path := range c.Reports {
		rep, text, err := read(con, path)
		switch {
		case err != nil:
			return badInput{err}
		case text != nil:
			texts = append(texts, text)
		default:
			sources = append(sources, report.Source{Name: path, Report: rep})
		}
	}
	switch {
	case len(texts) > 0 && len(sources) > 0:
		return badInput{errors.New("merge: reports and outputs of go test -bench do not become one; merge each for itself")}
	case len(texts) > 0:
		return c.join(con, out, texts)
	}
	merged, err := report.Merge(sources)
	if errors.As(err, new(*report.Unlike)) {
		return notComparable{err}
	}
	if err != nil {
		return badInput{err}
	}
	return con.write(out, merged, c.Format)
}

// read reads a report, or what go test -bench printed.
func read(con *console, path string) (*report.Report, *benchtext.Text, error) {
	f, err := input.OpenNamed(con.ctx, path, report.MaxBytes)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	all, isText, err := verdict.Sniff(f, path)
	if err != nil {
		return nil, nil, err
	}
	if isText {
		text, err := benchtext.Read(all, path)
		return nil, text, err
	}
	rep, err := report.Read(all, path)
	return rep, nil, err
}

// join writes what go test -bench printed as one text.
func (c *mergeCommand) join(con *console, out *output, texts []*benchtext.Text) error {
	if c.Format != "text" && c.Format != "bench" {
		return badInput{fmt.Errorf("--format %s: outputs of go test -bench become one as text or bench", c.Format)}
	}
	joined, notes, err := verdict.Join(texts, c.Reports)
	if err != nil {
		return notComparable{err}
	}
	if err := out.write(joined.Write); err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(con.stderr, "ksbench: merge: %s\n", note)
	}
	return nil
}
