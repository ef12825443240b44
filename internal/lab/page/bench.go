package page

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// OfBench is the report of what go test -bench printed: it has no rounds, and no engine.
func OfBench(name string, m *verdict.Measurements) Report {
	return Report{Name: name, Report: &report.Report{Environment: m.Environment}, Bench: m}
}

// measurements are what of a report can be compared. They are the caller's: comparing names them.
func (r Report) measurements() *verdict.Measurements {
	if r.Bench != nil {
		return r.Bench.Clone()
	}
	return verdict.FromReport(r.Report, r.Name)
}

// texts are the outputs of go test -bench if the page is about one, with one name for one benchmark in all of them.
func (in Input) texts() (all []*verdict.Measurements) {
	if in.main().Bench == nil {
		return nil
	}
	for _, r := range in.measured() {
		all = append(all, r.measurements())
	}
	verdict.Align(all...)
	return all
}

// units are those of a side, in its order.
func units(m *verdict.Measurements) (list []string) {
	seen := map[string]bool{}
	for _, s := range m.Series {
		if !seen[s.Unit] {
			seen[s.Unit] = true
			list = append(list, s.Unit)
		}
	}
	return list
}

// benchHistory draws the medians of benchmarks over the files, oldest first: a fold for each unit.
func benchHistory(in Input) (*section, error) {
	all, files := in.texts(), in.measured()
	if len(all) < 3 {
		return nil, nil
	}
	s := &section{ID: "history", Title: "History", Text: []string{
		"The median in each file, oldest left, with its 95 % interval. A step that stays is a change; a single peak was the machine.",
	}}
	names := table{Caption: "files", Header: []string{"place", "file"}}
	for i, r := range files {
		names.Rows = append(names.Rows, plain(fmt.Sprint(i+1), r.Name))
	}
	type row struct{ name, unit string }
	points := map[row][]plot.Point{}
	positive := map[string]bool{}
	for i, m := range all {
		for _, of := range m.Series {
			sum := of.Summary()
			points[row{of.Name, of.Unit}] = append(points[row{of.Name, of.Unit}], point(i, sum.Center, sum.Interval))
			was, seen := positive[of.Unit]
			positive[of.Unit] = (was || !seen) && sum.Center > 0 && (sum.Interval == nil || sum.Interval.Low > 0)
		}
	}
	for k, unit := range units(all[len(all)-1]) {
		c := plot.Lines{Title: unit + " over time", X: places("file", len(files)), Y: quantities(unit)}
		c.Y.Log = positive[unit]
		var curves []plot.Series
		for _, of := range all[len(all)-1].Series {
			if of.Unit == unit && len(points[row{of.Name, unit}]) > 1 {
				curves = append(curves, plot.Series{Name: of.Name, Points: points[row{of.Name, unit}]})
			}
		}
		f := fold{Title: unit, Open: len(s.Folds) == 0}
		for part := range slices.Chunk(curves, perHistory) {
			c.Series = part
			f.Figures = append(f.Figures, c.Draw(fmt.Sprintf("bench-history-%d-%d", k, len(f.Figures))))
		}
		if len(f.Figures) > 0 {
			s.Folds = append(s.Folds, f)
		}
	}
	if len(s.Folds) == 0 {
		return nil, nil
	}
	s.Folds = append(s.Folds, fold{Title: "The files", Tables: []table{names}})
	return s, nil
}

func quantities(unit string) plot.Axis {
	return plot.Axis{Label: unit, Format: func(v float64) string { return doc.Quantity(v, unit) }}
}

// perFigure is how many benchmarks a figure of samples holds.
const perFigure = 16

// benchSamples draws every sample of the files, or of the last if there are many.
func benchSamples(in Input) (*section, error) {
	all, files := in.texts(), in.measured()
	if len(all) == 0 {
		return nil, nil
	}
	if len(all) > shownViolins {
		all, files = all[len(all)-1:], files[len(files)-1:]
	}
	s := &section{ID: "samples", Title: "All samples", Text: []string{
		"Each dot is one line of figures; the larger mark is the median, the line through it its 95 % interval. Two humps or a long tail mean " +
			"that something else ran meanwhile.",
	}}
	type row struct{ name, unit string }
	items := map[row][]plot.Item{}
	for i, m := range all {
		for _, of := range m.Series {
			sum := of.Summary()
			it := item(sum.Center, sum.Interval, of.Values)
			it.Series = i
			items[row{of.Name, of.Unit}] = append(items[row{of.Name, of.Unit}], it)
		}
	}
	last := all[len(all)-1]
	for k, unit := range units(last) {
		c := plot.Rows{Title: unit, X: quantities(unit)}
		for _, r := range files {
			c.Series = append(c.Series, r.Name)
		}
		var rows []plot.Row
		low, high := 0.0, 0.0
		for _, of := range last.Series {
			if of.Unit != unit || of.Exact {
				continue
			}
			center := of.Summary().Center
			if len(rows) == 0 {
				low, high = center, center
			}
			low, high = min(low, center), max(high, center)
			rows = append(rows, plot.Row{Name: of.Name, Items: items[row{of.Name, unit}]})
		}
		c.X.Log = low > 0 && high/low > 4
		f := fold{Title: unit, Open: len(s.Folds) == 0}
		for part := range slices.Chunk(rows, perFigure) {
			c.Rows = part
			f.Figures = append(f.Figures, c.Draw(fmt.Sprintf("bench-samples-%d-%d", k, len(f.Figures))))
		}
		if len(f.Figures) > 0 {
			s.Folds = append(s.Folds, f)
		}
	}
	if len(s.Folds) == 0 {
		return nil, nil
	}
	return s, nil
}

// benchNumbers are the medians of the last file: a table for each unit.
func benchNumbers(in Input) (*section, error) {
	all := in.texts()
	if len(all) == 0 {
		return nil, nil
	}
	s := &section{ID: "numbers", Title: "All numbers", Text: []string{
		"The median of each benchmark, its 95 % interval, and how many samples there are.",
	}}
	last := all[len(all)-1]
	for _, unit := range units(last) {
		t := table{Caption: unit, Header: []string{"benchmark", "median", "samples"}}
		format := func(v float64) string { return doc.Quantity(v, unit) }
		for _, of := range last.Series {
			if of.Unit == unit {
				sum := of.Summary()
				median := cell{Text: format(sum.Center), Note: interval(sum.Interval, format)}
				t.Rows = append(t.Rows, []cell{{Text: of.Name}, median, {Text: fmt.Sprint(sum.N)}})
			}
		}
		s.Folds = append(s.Folds, fold{Title: unit, Open: len(s.Folds) == 0, Tables: []table{t}})
	}
	return s, nil
}
