package main

import (
	"io"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// writing are the flags of commands that write a report.
type writing struct {
	Format string `enum:"text,json,md,bench,csv" default:"text" help:"How to write the report: text, json, md, bench (what benchstat reads) or csv."`
	Out    string `placeholder:"FILE" help:"Where to write the report, instead of standard output."`
}

// renderer returns what writes the report in a format.
func renderer(rep *report.Report, format string) func(io.Writer) error {
	switch format {
	case "json":
		return rep.WriteJSON
	case "md":
		return rep.WriteMarkdown
	case "bench":
		return rep.WriteGoBench
	case "csv":
		return rep.WriteCSV
	}
	return rep.WriteText
}
