package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/scale"
)

// scaleCommand measures how the table grows.
type scaleCommand struct {
	Quick  bool   `help:"Up to 131,072 keys, few and short rounds: a few seconds."`
	Max    int    `default:"4000000" placeholder:"KEYS" help:"The largest table, 8 to 4,000,000 keys (${default})."`
	Rounds rounds `placeholder:"N" help:"Rounds, each with one batch of everything of a size (default: 9, with --quick 6)."`
	Seed   uint64 `default:"1" help:"Seed of the keys, the requests and the order within a round (${default})."`
	Format string `enum:"text,md,csv,json" default:"text" help:"How to write the result: text, md, csv or json."`
	Out    string `placeholder:"FILE" help:"Where to write the result, instead of standard output."`
	Dir    string `placeholder:"DIR" help:"Write scale.json, scale.csv and the charts as SVG into this directory, too."`
}

const (
	scaleRounds, scaleBatch, scaleQuickBatch = 9, 20 * time.Millisecond, 2 * time.Millisecond
	scaleQuickMax                            = 131_072
)

// Run is called by kong.
func (c *scaleCommand) Run(con *console) error {
	opt := scale.Options{Max: c.Max, Rounds: scaleRounds, Batch: scaleBatch, Seed: c.Seed}
	if c.Quick {
		opt.Max, opt.Rounds, opt.Batch = min(c.Max, scaleQuickMax), quickRounds, scaleQuickBatch
	}
	opt.Rounds = c.Rounds.or(opt.Rounds)
	if opt.Max < 8 || opt.Max > scale.MaxKeys {
		return badUsage{fmt.Errorf("--max %d: must be 8 to %d", c.Max, scale.MaxKeys)}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	files, err := c.files()
	if err == nil {
		err = distinct(append(files, out)...)
	}
	if err != nil {
		return err
	}
	line := newProgress(con.stderr)
	if c.Dir != "" {
		line.note(files[0], "json")
	} else {
		line.note(out, c.Format)
	}
	opt.Progress = line.show
	rep, err := scale.Run(con.ctx, opt)
	line.clear()
	if err != nil {
		return err
	}
	rep.Settings.Command = con.command
	for i, f := range files {
		if err := f.write(renderers(rep)[i]); err != nil {
			return err
		}
	}
	return con.write(out, scale.Growth{Report: rep}, c.Format)
}

// files are those of --dir, none without it.
func (c *scaleCommand) files() (files []*output, err error) {
	if c.Dir == "" {
		return nil, nil
	}
	if err := newDir("--dir", c.Dir); err != nil {
		return nil, err
	}
	for _, name := range []string{"scale.json", "scale.csv", "scale.svg", "scale-bytes.svg", "scale-build.svg"} {
		f, err := newOutputOf("--dir", filepath.Join(c.Dir, name), nil)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// renderers write what belongs into the files, in their order.
func renderers(rep *report.Report) []func(io.Writer) error {
	all := []func(io.Writer) error{rep.WriteJSON, scale.Growth{Report: rep}.WriteCSV}
	for _, chart := range scale.Charts(rep) {
		all = append(all, chart.Draw("scale").WriteSVG)
	}
	return all
}
