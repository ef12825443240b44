package page

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// history draws the engine's medians over the reports, oldest first.
func history(in Input) (*section, error) {
	all := in.measured()
	if len(all) < 3 {
		return nil, nil
	}
	r := in.main()
	s := &section{ID: "history", Title: "History", Text: []string{
		"The engine's median in each report, oldest left, with its 95 % interval. A step that stays is a change; a single peak was the " +
			"machine. The numbers give the report of each place and its commit.",
	}}
	t := table{Caption: "reports", Header: []string{"place", "report", "commit", "time"}}
	for i, rep := range all {
		t.Rows = append(t.Rows, plain(fmt.Sprint(i+1), rep.Name, rep.Environment.Commit, rep.when()))
	}
	for _, path := range r.Paths {
		c := plot.Lines{Title: path.Name + ": the engine over time", X: places("report", len(all)),
			Y: plot.Axis{Label: "nanoseconds per request", Log: true, Format: doc.Nanoseconds}}
		for _, w := range r.Workloads {
			curve := plot.Series{Name: w.Name}
			for i, rep := range all {
				if res := rep.find(w.Name, path.Name, rep.Engine()); res != nil {
					curve.Points = append(curve.Points, point(i, res.NsPerOp, res.Interval))
				}
			}
			if len(curve.Points) > 1 {
				c.Series = append(c.Series, curve)
			}
		}
		for part := range slices.Chunk(c.Series, perHistory) {
			c.Series = part
			s.Figures = append(s.Figures, c.Draw(fmt.Sprintf("history-%d", len(s.Figures))))
		}
	}
	if len(s.Figures) == 0 {
		return nil, nil
	}
	s.Folds = []fold{{Title: "The reports", Tables: []table{t}}}
	return s, nil
}

// perHistory is how many curves a figure holds before they hide each other.
const perHistory = 4

// places is the axis of n files or reports, from 1, oldest first.
func places(label string, n int) plot.Axis {
	axis := plot.Axis{Label: label}
	for i := range n {
		axis.Ticks = append(axis.Ticks, plot.Tick{Value: float64(i + 1), Label: fmt.Sprint(i + 1)})
	}
	return axis
}

// point is the median of file or report i, from 0.
func point(i int, median float64, interval *report.Interval) plot.Point {
	p := plot.Point{X: float64(i + 1), Y: median}
	if interval != nil {
		p.Low, p.High = interval.Low, interval.High
	}
	return p
}
