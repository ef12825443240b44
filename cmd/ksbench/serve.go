package main

import (
	"fmt"
	"os"

	"github.com/ksdispatch/ksdispatch/internal/lab/serve"
)

// serveCommand shows the reports of a folder in a browser.
type serveCommand struct {
	Dir    string `arg:"" name:"folder" default:"." help:"A folder of reports (.json) and outputs of go test -bench (.txt, .bench)."`
	Listen string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where to listen; port 0 takes a free one (${default})."`
	Public bool   `help:"Allow an address that others can reach. They may then read every report of the folder."`
}

// Run is called by kong.
func (c *serveCommand) Run(con *console) error {
	info, err := os.Stat(c.Dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s: is a file; name the folder that it is in", c.Dir)
	}
	if err == nil {
		_, err = os.ReadDir(c.Dir)
	}
	if err != nil {
		return badInput{err}
	}
	l, err := serve.Listen(c.Listen, c.Public)
	if err != nil {
		return badUsage{fmt.Errorf("--listen: %w", err)}
	}
	if _, err := fmt.Fprintf(con.stdout, "http://%s/\n", l.Addr()); err != nil {
		_ = l.Close()
		return badInput{fmt.Errorf("standard output: %w", err)} // nobody would know the address
	}
	fmt.Fprintf(con.stderr, "ksbench: reports of %s; Ctrl-C ends it\n", c.Dir)
	return serve.Serve(con.ctx, l, c.Dir)
}
