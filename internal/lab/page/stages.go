package page

import (
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// stages are the parts of a request's time.
func stages(in Input) (*section, error) {
	r := in.last(func(r Report) bool { return len(r.Stages) > 0 })
	if len(r.Stages) == 0 {
		return nil, nil
	}
	s := &section{ID: "stages", Title: "Where a request's time goes", Text: []string{
		"Each bar is a way through the engine, its pieces what the parts of it take, measured one by one. The processor works on several " +
			"parts at once, " +
			"so the pieces do not add up to the whole, which the table gives as well, with how each number was got. A part below zero was too " +
			"small to tell from none and is not drawn.",
	}}
	c := plot.Bars{Title: "Parts of a request", X: plot.Axis{Label: "nanoseconds", Format: doc.Nanoseconds}}
	t := table{Caption: "stages", Header: []string{"stage", "of", "kind", "time", "method"}}
	bars := map[string]int{}
	for _, g := range r.Stages {
		kind := map[report.StageKind]string{report.StagePart: "part", report.StageWhole: "whole",
			report.StageLimit: "limit of the machine"}[g.Kind]
		t.Rows = append(t.Rows, []cell{{Text: g.Name}, {Text: g.Path}, {Text: kind},
			{Text: doc.Nanoseconds(g.NsPerOp), Note: interval(g.Interval, doc.Number)}, {Text: g.Method}})
		if g.Kind != report.StagePart {
			continue
		}
		i, seen := bars[g.Path]
		if !seen {
			i = len(c.Bars)
			bars[g.Path] = i
			c.Bars = append(c.Bars, plot.Bar{Name: g.Path})
		}
		c.Bars[i].Parts = append(c.Bars[i].Parts, plot.Part{Name: g.Name, Value: g.NsPerOp})
	}
	if len(c.Bars) > 0 {
		s.Figures = append(s.Figures, c.Draw("stages-parts"))
	}
	s.Folds = []fold{{Title: "Every stage, and what the machine does at best", Tables: []table{t}}}
	return s, nil
}
