package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/ksdispatch/ksdispatch/internal/lab/page"
)

// reportCommand writes reports as one HTML page.
type reportCommand struct {
	Files   []string `arg:"" name:"file" help:"Reports, outputs of go test -bench or folders of them, oldest first: last against first."`
	Profile []string `sep:"none" placeholder:"FILE" help:"Draw this profile (pprof) as a flame graph; may be repeated."`
	Title   string   `help:"Title of the page."`
	Out     string   `placeholder:"FILE" help:"Where to write the page, instead of standard output."`
}

// Run is called by kong.
func (c *reportCommand) Run(con *console) error {
	out, err := newOutput(c.Out, con.stdout)
	if err == nil {
		err = cmp.Or(out.distinctFrom(c.Files...), out.distinctFrom(c.Profile...))
	}
	if err != nil {
		return err
	}
	reports, skipped, err := page.ReadFiles(con.ctx, c.Files)
	for _, s := range skipped {
		fmt.Fprintf(con.stderr, "ksbench: passed over: %v\n", s)
	}
	if err != nil {
		return badInput{err}
	}
	profiles, err := page.ReadProfiles(con.ctx, c.Profile)
	if err != nil {
		return badInput{err}
	}
	return out.write(func(w io.Writer) error {
		return page.Write(w, page.Input{Title: c.Title, Reports: reports, Profiles: profiles})
	})
}
