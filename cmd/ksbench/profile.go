package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/profile"
)

// profileCommand records profiles, or checks some.
type profileCommand struct {
	Out      string        `placeholder:"DIR" xor:"what" help:"Record into this directory, then check what was recorded."`
	Check    string        `placeholder:"DIR" xor:"what" help:"Check a directory of recorded profiles. Nothing is recorded."`
	Requests int           `default:"10000000" placeholder:"N" help:"Requests of each workload and profile, at least (${default})."`
	CPUTime  time.Duration `name:"cpu-time" default:"5s" placeholder:"TIME" help:"Least time of each worker for a CPU profile (${default})."`
	Seed     uint64        `default:"1" help:"Seed of the table and the requests (${default})."`
}

// Run is called by kong.
func (c *profileCommand) Run(con *console) error {
	if c.Out == "" && c.Check == "" {
		return badUsage{errors.New("profile: name a folder: --out DIR to record into it, or --check DIR to check what is in it")}
	}
	if c.Requests < 1 {
		return badUsage{fmt.Errorf("--requests %d: must be at least 1", c.Requests)}
	}
	if c.CPUTime < 0 {
		return badUsage{fmt.Errorf("--cpu-time %v: must not be below 0", c.CPUTime)}
	}
	dir, least := c.Check, int64(c.Requests)
	if c.Out == "" {
		err := profile.Find(dir)
		if errors.Is(err, profile.ErrNone) {
			err = fmt.Errorf("%w; ksbench profile --out %s records them", err, dir)
		}
		if err != nil {
			return fault("--check", dir, err)
		}
	} else {
		dir = c.Out
		if err := newDir("--out", dir); err != nil {
			return err
		}
		command := fmt.Sprintf("ksbench profile --out DIR --requests %d --cpu-time %v --seed %d", c.Requests, c.CPUTime, c.Seed)
		line := newProgress(con.stderr)
		err := profile.Record(con.ctx, dir,
			profile.Options{Requests: c.Requests, CPUTime: c.CPUTime, Seed: c.Seed, Command: command, Progress: line.show})
		line.clear()
		if err != nil {
			return fmt.Errorf("--out %s: %w", dir, err)
		}
	}
	source, err := profile.FindSource(con.ctx, ".")
	if err != nil {
		fmt.Fprintf(con.stderr, "ksbench: %v: whether the functions still exist was not checked\n", err)
	}
	sum, err := profile.Check(con.ctx, dir, source, least)
	if err != nil {
		return err
	}
	return con.show(proven{dir, sum}, "text")
}

// proven is what the files of a folder say.
type proven struct {
	dir      string
	sidecars []profile.Sidecar
}

// Document is a line for each file.
func (p proven) Document() *doc.Document {
	t := doc.Table{Columns: append(doc.Figures("workload", "kind", "requests", "bytes"), doc.Column{Name: "says", Words: true})}
	t.Columns[1].Words = true
	for _, s := range p.sidecars {
		t.Rows = append(t.Rows, []string{s.Workload, s.Kind, fmt.Sprint(s.Requests), fmt.Sprint(s.Bytes), s.Says()})
	}
	return &doc.Document{Sections: []doc.Section{{Table: t}}, Summary: []string{
		fmt.Sprintf("%d files in %s prove it: no allocation, contention, wait or collection belongs to a request.", len(p.sidecars), p.dir)}}
}
