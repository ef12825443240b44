package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ksdispatch/ksdispatch/bench/report"
	"github.com/ksdispatch/ksdispatch/bench/scale"
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
		return badInput{fmt.Errorf("--max %d: must be 8 to %d", c.Max, scale.MaxKeys)}
	}
	out, err := newOutput(c.Out, con.stdout)
	if err != nil {
		return err
	}
	if c.Dir != "" {
		if err := os.MkdirAll(c.Dir, 0o777); err != nil {
			return badInput{fmt.Errorf("--dir %s: %w", c.Dir, err)}
		}
	}
	line := newProgress(con.stderr)
	opt.Progress = line.show
	rep, err := scale.Run(con.ctx, opt)
	line.clear()
	switch {
	case con.ctx.Err() != nil:
		return errors.New("interrupted; nothing was written")
	case err != nil:
		return err
	}
	if c.Dir != "" {
		if err := writeScale(c.Dir, rep); err != nil {
			return err
		}
	}
	return out.write(func(w io.Writer) error {
		switch c.Format {
		case "md":
			return scale.WriteMarkdown(w, rep)
		case "csv":
			return scale.WriteCSV(w, rep)
		case "json":
			return rep.WriteJSON(w)
		}
		return scale.WriteText(w, rep)
	})
}

// writeScale writes all files of a result.
func writeScale(dir string, rep *report.Report) error {
	files := []struct {
		name   string
		render func(io.Writer) error
	}{{"scale.json", rep.WriteJSON}, {"scale.csv", func(w io.Writer) error { return scale.WriteCSV(w, rep) }}}
	for i, chart := range scale.Charts(rep) {
		file := files[0]
		file.name, file.render = [...]string{"scale.svg", "scale-bytes.svg", "scale-build.svg"}[i], chart.Draw("scale").WriteSVG
		files = append(files, file)
	}
	for _, f := range files {
		out, err := newOutput(filepath.Join(dir, f.name), nil)
		if err != nil {
			return err
		}
		if err := out.write(f.render); err != nil {
			return err
		}
	}
	return nil
}
