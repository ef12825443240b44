package page

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// A violin shows so many rounds, and so many reports beside each other have one; more are drawn as intervals.
const (
	shownRounds  = 60
	shownViolins = 3
)

// distributions draws the rounds of every row: a figure for each workload and path.
func distributions(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "distributions", Title: "All rounds", Text: []string{
		"Each dot is one round: the mean time of a request in that batch. The shaded shape is their density, wide where many " +
			"rounds lie; the larger mark is the median, the line through it the 95 % interval of the median. Narrow shapes were measured " +
			"well. Two humps or a long tail mean that something else ran meanwhile, and the median is worth less.",
	}}
	thinned := false
	for _, path := range r.Paths {
		f := fold{Title: path.Name + ": " + path.Description, Open: len(s.Folds) == 0}
		for _, w := range r.Workloads {
			c := in.violins(w.Name, path.Name)
			if len(c.Rows) > 0 {
				f.Figures = append(f.Figures, c.Draw(fmt.Sprintf("violin-%d-%d", len(s.Folds), len(f.Figures))))
			}
		}
		if len(f.Figures) > 0 {
			s.Folds = append(s.Folds, f)
		}
	}
	for _, res := range r.Results {
		thinned = thinned || len(res.Samples) > shownRounds
	}
	if thinned {
		s.Text = append(s.Text, fmt.Sprintf("Of more than %d rounds so many are drawn, evenly chosen by rank; the median and its interval are "+
			"those of all.", shownRounds))
	}
	if len(s.Folds) == 0 {
		return nil, nil
	}
	return s, nil
}

// violins compares the implementations of one report, or each of them in several reports.
func (in Input) violins(workload, path string) plot.Rows {
	r := in.main()
	c := plot.Rows{Title: workload + ", " + path, X: plot.Axis{Label: "nanoseconds per request", Format: doc.Nanoseconds}}
	low, high := 0.0, 0.0
	all := in.measured()
	for _, rep := range all {
		c.Series = append(c.Series, rep.Name)
	}
	for i, impl := range r.Impls {
		row := plot.Row{Name: impl.Name}
		for j, rep := range all {
			res := rep.find(workload, path, impl.Name)
			if res == nil || len(res.Samples) == 0 {
				continue
			}
			values := make([]float64, len(res.Samples))
			for k, sample := range res.Samples {
				values[k] = sample.NsPerOp
			}
			it := item(res.NsPerOp, res.Interval, values)
			if low == 0 || it.Mid < low {
				low = it.Mid
			}
			high = max(high, it.Mid)
			it.Series = j
			if len(all) == 1 {
				it.Series, row.Name = i, impl.Name+": "+doc.Nanoseconds(res.NsPerOp)
			}
			if len(all) > shownViolins {
				it.Values = nil
			}
			row.Items = append(row.Items, it)
		}
		if len(row.Items) > 0 {
			c.Rows = append(c.Rows, row)
		}
	}
	c.X.Log = low > 0 && high/low > 4
	return c
}

// item is a median with its interval, and as many of the values as a violin shows.
func item(median float64, interval *report.Interval, values []float64) plot.Item {
	it := plot.Item{Mid: median, Values: thin(values, shownRounds)}
	if interval != nil {
		it.Low, it.High = interval.Low, interval.High
	}
	return it
}

// thin keeps n of the values, the least and the largest among them, evenly spaced by rank.
func thin(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	sorted := slices.Sorted(slices.Values(values))
	kept := make([]float64, n)
	for i := range kept {
		kept[i] = sorted[i*(len(sorted)-1)/(n-1)]
	}
	return kept
}
