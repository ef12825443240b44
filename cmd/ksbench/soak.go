package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/soak"
)

// soakCommand keeps devices busy with everything that can go wrong.
type soakCommand struct {
	Duration time.Duration `default:"1m" placeholder:"TIME" help:"How long (${default}); from 2m on resident memory is judged, too."`
	Seed     *uint64       `help:"Seed of the requests (default: another each time, which is printed)."`
	Plant    string        `enum:",lost,doubled,leaked,memory" default:"" placeholder:"FAULT" help:"Plant one: lost, doubled, leaked, memory."`
	Patience time.Duration `default:"10s" placeholder:"TIME" help:"A request that nobody has completed after so long is lost (${default})."`
	Trace    string        `default:"soak.kst" placeholder:"FILE" help:"Where to write the trace of a fault (${default})."`
	Format   string        `enum:"text,json,md" default:"text" help:"How to write the result: text, json or md."`
	Out      string        `placeholder:"FILE" help:"Where to write the result, instead of standard output."`
}

// Run is called by kong.
func (c *soakCommand) Run(con *console) error {
	switch {
	case c.Duration <= 0:
		return badUsage{fmt.Errorf("--duration %v: must be more than 0", c.Duration)}
	case c.Patience < 10*time.Millisecond:
		return badUsage{fmt.Errorf("--patience %v: must be at least 10ms", c.Patience)}
	}
	opt := soak.Options{Duration: c.Duration, Plant: c.Plant, Patience: c.Patience}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	kst, err := newOutputOf("--trace", c.Trace, nil)
	if err == nil {
		err = distinct(out, kst)
	}
	if err != nil {
		return err
	}
	opt.Seed = con.seed(c.Seed)
	line := newProgress(con.stderr)
	opt.Progress = func(elapsed time.Duration, requests int64) {
		line.show(int(elapsed.Milliseconds()), int(c.Duration.Milliseconds()), doc.Plural(requests, "request"))
	}
	res, interrupted := soak.Run(con.ctx, opt)
	line.clear()
	if len(res.Trace) > 0 {
		err := kst.write(func(w io.Writer) error {
			_, err := w.Write(res.Trace)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := con.write(out, res, c.Format); err != nil {
		return err
	}
	switch {
	case len(res.Trace) > 0:
		return fmt.Errorf("%s; ksbench trace verify %s does it again", res.Fault, c.Trace)
	case res.Fault != "":
		return errors.New(res.Fault)
	case interrupted != nil:
		return errors.New("interrupted; the result is that of what ran until then")
	}
	return nil
}

// replaySoak replays the trace of a soak to a driver that does what that of the recording did. A fault that is there again is an error.
func replaySoak(ctx context.Context, r *trace.Reader, plant string, opt trace.ReplayOptions) (*trace.Result, error) {
	d := soak.NewDriver(soak.DefaultPatience, func() {})
	defer d.Close()
	res, err := trace.Replay(ctx, r, d.Opener(plant), opt)
	if err != nil {
		return nil, err
	}
	if f := d.Fault(); f != nil {
		return res, f
	}
	return res, nil
}
