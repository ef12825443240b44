package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/targets"
)

// targetsCommand measures the targets and fails with those that are missed.
type targetsCommand struct {
	Quick bool    `help:"Short batches, 6 rounds, and 10,000,000 requests to count instead of 100,000,000: under a minute."`
	Match pattern `name:"run" placeholder:"REGEXP" help:"Measure only the targets whose name matches: ^irp/."`
	measurementFlags
}

// Run is called by kong.
func (c *targetsCommand) Run(con *console) error {
	opt := targets.Options{Seed: c.Seed, Rounds: c.Rounds.or(usual(c.Quick)), Quick: c.Quick, Match: c.Match.Regexp}
	rep, err := c.report(con, c.Match, func(ctx context.Context, progress func(int, int, string)) (*report.Report, error) {
		opt.Progress = progress
		return targets.Run(ctx, opt)
	})
	if err != nil {
		return err
	}
	return judge(rep)
}

// judge is the exit code: whoever runs this in a check wants no table to read.
func judge(rep *report.Report) error {
	if missed := rep.Missed(); len(missed) > 0 {
		_, limited := rep.Reached()
		return fmt.Errorf("%d of %d targets are missed beyond their intervals: %s", len(missed), limited, strings.Join(missed, ", "))
	}
	return nil
}
