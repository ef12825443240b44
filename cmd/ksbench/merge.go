package main

import (
	"errors"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// mergeCommand adds reports.
type mergeCommand struct {
	Reports []string `arg:"" name:"report" help:"Reports of like machines, or of the shards of a run, as JSON."`
	writing
}

func (*mergeCommand) Help() string {
	return `Samples are appended and histograms added, so that the result is what one run with all the rounds would have said.
Reports that differ in more than that are refused with the reason and exit code 3: another processor, GOMAXPROCS,
instruction set, Go version or commit, other settings, a workload with other tables, requests or rows.

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
	sources := make([]report.Source, len(c.Reports))
	for i, path := range c.Reports {
		rep, err := report.ReadFile(con.ctx, path)
		if err != nil {
			return badInput{err}
		}
		sources[i] = report.Source{Name: path, Report: rep}
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
