package page

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
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
			"machine. " +
			"The numbers give the report of each place and its commit.",
	}}
	var ticks []plot.Tick
	t := table{Caption: "reports", Header: []string{"place", "report", "commit", "time"}}
	for i, rep := range all {
		ticks = append(ticks, plot.Tick{Value: float64(i + 1), Label: fmt.Sprint(i + 1)})
		t.Rows = append(t.Rows, plain(fmt.Sprint(i+1), rep.Name, rep.Environment.Commit, rep.when()))
	}
	for _, path := range r.Paths {
		c := plot.Lines{Title: path.Name + ": the engine over time", X: plot.Axis{Label: "report", Ticks: ticks},
			Y: plot.Axis{Label: "nanoseconds per request", Log: true, Format: doc.Nanoseconds}}
		for _, w := range r.Workloads {
			curve := plot.Series{Name: w.Name}
			for i, rep := range all {
				if res := rep.find(w.Name, path.Name, rep.engine()); res != nil {
					p := plot.Point{X: float64(i + 1), Y: res.NsPerOp}
					if res.Interval != nil {
						p.Low, p.High = res.Interval.Low, res.Interval.High
					}
					curve.Points = append(curve.Points, p)
				}
			}
			if len(curve.Points) > 1 {
				c.Series = append(c.Series, curve)
			}
		}
		for part := range (len(c.Series) + perHistory - 1) / perHistory {
			piece := c
			piece.Series = c.Series[part*perHistory : min(len(c.Series), (part+1)*perHistory)]
			s.Figures = append(s.Figures, piece.Draw(fmt.Sprintf("history-%d", len(s.Figures))))
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
