package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// writing are the flags of commands that write a report.
type writing struct {
	Format string `enum:"text,json,md,bench,csv" default:"text" help:"How to write the report: text, json, md, csv or, for benchstat, bench."`
	Out    string `placeholder:"FILE" help:"Where to write the report, instead of standard output."`
}

// write writes v in a format to where a command's output goes.
func (con *console) write(out *output, v doc.Documented, format string) error {
	width := con.width
	if out.path != "" {
		width = con.fileWidth
	}
	return out.write(func(w io.Writer) error { return doc.Write(w, v, format, width) })
}

// show writes v to standard output.
func (con *console) show(v doc.Documented, format string) error {
	out, err := newOutput("", con.stdout)
	if err != nil {
		return err
	}
	return con.write(out, v, format)
}

// widthOf is how wide a text may be: as wide as a terminal is, else as COLUMNS says, else, with 0, as it wants to be.
func widthOf(stdout io.Writer) int {
	if f, ok := stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil {
		return 0
	}
	return max(width, 0)
}
