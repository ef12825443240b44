package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/page"
	"github.com/ksdispatch/ksdispatch/internal/near"
)

// runCommand measures and reports.
type runCommand struct {
	Quick    bool     `help:"Few and short rounds: everything in under half a minute."`
	Match    pattern  `name:"run" placeholder:"REGEXP" help:"Measure only what matches, as in WORKLOAD/PATH/IMPL: 20x12/irp/."`
	Manifest []string `sep:"none" placeholder:"FILE..." help:"Measure the drivers of these manifests instead of the built-in workloads."`
	Rounds   rounds   `placeholder:"N" help:"Rounds, each with one batch of everything (default: 15, with --quick 6)."`
	Seed     uint64   `default:"1" help:"Seed of the tables, the requests and the order within a round (${default})."`
	Latency  bool     `help:"Time single requests too, in a pass of its own: quantiles, beside those of the clock."`
	Rate     rate     `placeholder:"N" help:"Send N requests of --latency a second, done or not, and show service and response times."`
	Pin      *int     `placeholder:"CPU" help:"Keep the measuring thread on this CPU, from 0 (Linux)."`
	Shard    string   `placeholder:"I/N" help:"Measure only part I of N of the rounds; ksbench merge adds the parts."`
	HTML     string   `name:"html" placeholder:"FILE" help:"Write the report as an HTML page, too."`
	Files    []string `arg:"" optional:"" name:"file" hidden:"" help:"More manifests, after --manifest."`
	writing
}

const (
	fullRounds, fullBatch   = 15, 15 * time.Millisecond
	quickRounds, quickBatch = 6, time.Millisecond / 2
)

// Run is called by kong.
func (c *runCommand) Run(con *console) error {
	opt, err := c.options()
	if err != nil {
		return badInput{err}
	}
	workloads, err := c.workloads(con.ctx)
	if err != nil {
		return badInput{err}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	html, err := newOutputOf("--html", c.HTML, nil)
	if err == nil {
		manifests := append(c.Manifest, c.Files...)
		err = cmp.Or(distinct(out, html), out.distinctFrom(manifests...), html.distinctFrom(manifests...))
	}
	if err != nil {
		return err
	}
	line := newProgress(con.stderr)
	line.note(out, c.Format)
	opt.Progress = line.show
	rep, err := lab.Run(con.ctx, workloads, opt)
	line.clear()
	switch {
	case errors.Is(err, lab.ErrNoMatch):
		return badUsage{fmt.Errorf("--run %s: %w", c.Match, err)}
	case errors.Is(err, lab.ErrPin):
		return badUsage{fmt.Errorf("--pin: %w", err)}
	case rep == nil:
		return err
	}
	rep.Settings.Command = con.command
	if c.Quick {
		fmt.Fprintln(con.stderr, "ksbench: --quick is for a look: the times of two such reports cannot be judged; leave it out for that")
	}
	if err := con.write(out, rep, c.Format); err != nil {
		return err
	}
	if c.HTML != "" {
		if err := html.write(func(w io.Writer) error { return page.Write(w, page.Of(c.HTML, rep)) }); err != nil {
			return err
		}
	}
	if con.ctx.Err() == nil {
		return nil
	}
	return errors.New("interrupted; the report holds what was measured until then")
}

func (c *runCommand) options() (lab.Options, error) {
	opt := lab.Options{Seed: c.Seed, Rounds: fullRounds, Batch: fullBatch}
	if c.Quick {
		opt.Rounds, opt.Batch = quickRounds, quickBatch
	}
	opt.Rounds = c.Rounds.or(opt.Rounds)
	opt.Match, opt.Latency, opt.Rate, opt.Pin = c.Match.Regexp, c.Latency || c.Rate != 0, float64(c.Rate), c.Pin
	var err error
	opt.Shard, err = parseShard(c.Shard, opt.Rounds)
	return opt, err
}

// parseShard reads "2/4", the second of four.
func parseShard(text string, rounds int) (s lab.Shard, err error) {
	if text == "" {
		return s, nil
	}
	number, count, ok := strings.Cut(text, "/")
	if s.Number, err = strconv.Atoi(number); err == nil {
		s.Count, err = strconv.Atoi(count)
	}
	if !ok || err != nil || s.Number < 1 || s.Number > s.Count {
		return s, fmt.Errorf("--shard %s: must be I/N with I from 1 to N", text)
	}
	if s.Rounds(rounds) == 0 {
		return s, fmt.Errorf("--shard %s: %d rounds are dealt in pairs and do not go around; there must be at least %d", text, rounds,
			2*s.Count-1)
	}
	return s, nil
}

// workloads are the built-in ones, or those of the user's manifests.
func (c *runCommand) workloads(ctx context.Context) ([]lab.Workload, error) {
	if len(c.Manifest) == 0 {
		if len(c.Files) > 0 {
			// every command has examples
			return nil, badUsage{fmt.Errorf("unexpected argument %q: not a command, and a manifest follows --manifest%s", c.Files[0],
				near.Hint(c.Files[0], maps.Keys(helpExamples)))}
		}
		return lab.Default()
	}
	var workloads []lab.Workload
	for _, path := range append(c.Manifest, c.Files...) {
		w, err := lab.FromManifest(ctx, path)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, w)
	}
	return workloads, nil
}
