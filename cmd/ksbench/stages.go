package main

import (
	"context"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/stages"
)

// stagesCommand shows where the time goes.
type stagesCommand struct {
	Quick bool    `help:"Few rounds: some seconds."`
	Match pattern `name:"run" placeholder:"REGEXP" help:"Measure only what matches, as in PATH/STAGE or limit/NAME: ^irp/."`
	measurementFlags
}

// Run is called by kong. Many short rounds bear a busy machine better than few long ones.
func (c *stagesCommand) Run(con *console) error {
	opt := stages.Options{Seed: c.Seed, Rounds: c.Rounds.or(10 * usual(c.Quick)), Batch: time.Millisecond, Match: c.Match.Regexp}
	_, err := c.report(con, c.Match, func(ctx context.Context, progress func(int, int, string)) (*report.Report, error) {
		opt.Progress = progress
		return stages.Run(ctx, opt)
	})
	return err
}
