package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// measurementFlags are the flags of targets and stages.
type measurementFlags struct {
	Format string `enum:"text,json,md" default:"text" help:"How to write the report: text, json or md."`
	Out    string `placeholder:"FILE" help:"Where to write the report, instead of standard output."`
	Rounds rounds `placeholder:"N" help:"Rounds, each with one batch of everything (default: 15, with --quick 6)."`
	Seed   uint64 `default:"1" help:"Seed of the tables, the requests and the order within a round (${default})."`
}

// usual is how many rounds there are unless --rounds says otherwise.
func usual(quick bool) int {
	if quick {
		return quickRounds
	}
	return fullRounds
}

// report measures and writes. Where the report goes is looked at first: nobody is to wait for nothing.
func (f *measurementFlags) report(con *console, match pattern,
	measure func(ctx context.Context, progress func(done, total int, what string)) (*report.Report, error)) (*report.Report, error) {
	out, err := newOutput(f.Out, con.stdout)
	if err != nil {
		return nil, err
	}
	line := newProgress(con.stderr)
	line.note(out, f.Format)
	rep, err := measure(con.ctx, line.show)
	line.clear()
	if errors.Is(err, lab.ErrNoMatch) {
		return nil, badUsage{fmt.Errorf("--run %s: %w", match, err)}
	}
	if err != nil {
		return nil, err
	}
	rep.Settings.Command = con.command
	return rep, con.write(out, rep, f.Format)
}
