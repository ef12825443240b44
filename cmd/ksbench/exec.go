package main

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/cmd/ksbench/internal/exec"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// execCommand answers request lines.
type execCommand struct {
	Manifest string `required:"" placeholder:"FILE" help:"The manifest whose objects answer."`
	Object   string `placeholder:"NAME" help:"The object of requests that name none (default: the first)."`
	Requests string `placeholder:"FILE" help:"Read the requests from a file instead of standard input."`
	MaxOut   uint32 `name:"max-out" default:"67108864" placeholder:"BYTES" help:"The longest buffer, or INSUFFICIENT_RESOURCES (${default})."`
	Explain  bool   `help:"Name the rule that decided in each outcome."`
	Compat   string `placeholder:"RULE=ANSWER,..." help:"Answer as another host where no source pins the rule: P-25=accept."`
}

// Run is called by kong.
func (c *execCommand) Run(con *console) (err error) {
	compat, err := traffic.ParseCompat(c.Compat)
	if err != nil {
		return badUsage{fmt.Errorf("--compat: %w", err)}
	}
	if c.MaxOut == 0 {
		return badInput{errors.New("--max-out 0: must be at least 1")}
	}
	m, err := lab.LoadManifest(con.ctx, c.Manifest)
	if err != nil {
		return badInput{err}
	}
	session, err := exec.New(m, exec.Options{Object: c.Object, Explain: c.Explain, Compat: compat, MaxOut: c.MaxOut})
	if err != nil {
		return badInput{fmt.Errorf("%s: %w", c.Manifest, err)}
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	requests, done, err := con.lines(c.Requests)
	if err != nil {
		return err
	}
	defer done()
	out := &watched{w: con.stdout}
	malformed, err := session.Run(requests, out)
	switch {
	case out.err != nil:
		return badInput{fmt.Errorf("standard output: %w", out.err)}
	case con.ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return badInput{fmt.Errorf("requests: %w", err)}
	case malformed > 0:
		return fmt.Errorf("malformed request lines: %d; their outcomes say what is wrong", malformed)
	}
	return nil
}
