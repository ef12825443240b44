package page

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/sheet"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// Input is what a page is made from.
type Input struct {
	Title    string    // "" for one made from the reports
	Reports  []Report  // at least one, oldest first
	Profiles []Profile // drawn as flame graphs
	Links    []Link    // of the server that shows the page; none in a file
}

// Report is a report with the name by which the reader knows it, such as its file's.
type Report struct {
	Name string
	*report.Report
	Bench *verdict.Measurements // of go test -bench, in place of results; nil for a report

	pageOnly bool                          // Name is the page's: no file of that name has the report
	rows     map[report.Row]*report.Result // of Write
}

// Of is the input for the page of a single report, which is to stand in a file of that name.
func Of(file string, r *report.Report) Input {
	return Input{Reports: []Report{{Name: filepath.Base(file), Report: r, pageOnly: true}}}
}

// Link leads to another page of the same server.
type Link struct{ Text, URL string }

// section is one part of the page.
type section struct {
	ID, Title string
	Headline  string   // what a reader in a hurry takes along
	Text      []string // what it shows, and how to read it
	Notes     []string // warnings
	Tables    []table
	Figures   []*plot.Figure
	Wide      bool // figures take the whole width
	Folds     []fold
	Commands  []string
	Runs      []Run
	Names     []string // of reports of which two can be picked to compare
}

// fold is a part that the reader opens.
type fold struct {
	Title   string
	Open    bool
	Tables  []table
	Figures []*plot.Figure
}

// table has one header cell for each column; the first cell of a row names it.
type table struct {
	Caption string
	Header  []string
	Rows    [][]cell
}

// cell is one value: its class says what a colour may add to the words.
type cell struct{ Text, Note, Class, URL string }

//go:embed page.css
var pageStyle string

//go:embed page.html
var pageTemplate string

var (
	style  = sheet.New(template.CSS(pageStyle) + plot.Style())
	layout = sheet.Template(pageTemplate)
)

// Policy is the Content-Security-Policy of every page, which a server sends as a header too.
func Policy() string { return style.Policy }

// frame is what the template sees.
type frame struct {
	sheet.Head
	Lead     string
	Links    []Link
	Sections []*section
}

// ErrNoReport says that there is nothing to show.
var ErrNoReport = errors.New("no report to show: measure one with ksbench run --format json --out FILE")

// Write writes the page. It renders into memory first: a page is whole or not written at all.
func Write(w io.Writer, in Input) error {
	if len(in.Reports) == 0 {
		return ErrNoReport
	}
	in.Reports = slices.Clone(in.Reports)
	for i := range in.Reports {
		in.Reports[i].rows = in.Reports[i].Rows()
	}
	f := frame{Head: sheet.Head{Title: in.Title}, Lead: in.lead(), Links: in.Links}
	if f.Title == "" {
		f.Title = "ksbench: " + in.main().Name
	}
	for _, build := range []func(Input) (*section, error){
		comparison, benchHistory, benchSamples, benchNumbers, verdicts, targets, traffic, ratios, loads, distributions, latencies, growth, stages,
		history, flames, numbers, environment, reproduce,
	} {
		s, err := build(in)
		if err != nil {
			return err
		}
		if s != nil {
			f.Sections = append(f.Sections, s)
		}
	}
	return f.write(w)
}

func (f frame) write(w io.Writer) error {
	f.Sheet = style
	var b bytes.Buffer
	if err := layout.Execute(&b, f); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// main is the report that the page is about: the last with rows of workloads or benchmarks, or just the last.
func (in Input) main() Report {
	return in.last(func(r Report) bool { return len(r.Results) > 0 || r.Bench != nil })
}

// last is the newest report that has something, or else the newest.
func (in Input) last(has func(Report) bool) Report {
	for _, r := range slices.Backward(in.Reports) {
		if has(r) {
			return r
		}
	}
	return in.Reports[len(in.Reports)-1]
}

// measured are the reports with rows of workloads, or of benchmarks if the page is about those.
func (in Input) measured() []Report {
	bench := in.main().Bench != nil
	return slices.DeleteFunc(slices.Clone(in.Reports),
		func(r Report) bool { return (r.Bench != nil) != bench || !bench && len(r.Results) == 0 })
}

func (in Input) lead() string {
	r := in.main()
	machine := fmt.Sprintf("%.80s (%.20s/%.20s)", r.Environment.CPU, r.Environment.OS, r.Environment.Arch)
	if r.Bench != nil {
		return fmt.Sprintf("%s of Go benchmarks, on %s.", doc.Plural(len(r.Bench.Series), "metric"), machine)
	}
	if len(r.Results) == 0 {
		return "Measured on " + machine + "."
	}
	if r.Load != nil {
		return fmt.Sprintf("%s, %s, on %s.", doc.Plural(r.Load.Clients, "client"), doc.Plural(r.Settings.Rounds, "interval"), machine)
	}
	return fmt.Sprintf("%d workloads on %d paths, %d implementations, %d interleaved rounds, on %s.",
		len(r.Workloads), len(r.Paths), len(r.Impls), r.Settings.Rounds, machine)
}

func plain(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, t := range texts {
		cells[i].Text = t
	}
	return cells
}
