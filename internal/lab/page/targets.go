package page

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// targets are the numbers to reach, and how far the run was from them.
func targets(in Input) (*section, error) {
	r := in.last(func(r Report) bool { return len(r.Targets) > 0 })
	if len(r.Targets) == 0 {
		return nil, nil
	}
	t := table{Caption: "targets", Header: []string{"target", "wanted", "measured", "verdict", "from"}}
	counts := map[report.Verdict]int{}
	for _, g := range r.Targets {
		counts[g.Verdict]++
		quantity := func(v float64) string { return strings.TrimSpace(doc.Number(v) + " " + g.Unit) }
		wanted := cell{Text: string(g.Bound) + " " + quantity(g.Limit)}
		if g.Bound == report.Shown {
			wanted.Text = "-"
		}
		if g.Stretch != nil {
			wanted.Note = "better " + quantity(*g.Stretch)
		}
		class, word := "open", "missed within its interval"
		switch g.Verdict {
		case report.Pass:
			class, word = "good", "reached"
		case report.Fail:
			class, word = "bad", "missed"
		case report.None:
			class, word = "", "-"
		}
		var parts []string
		for _, p := range g.Parts {
			parts = append(parts, p.Name+" "+doc.Nanoseconds(p.NsPerOp))
		}
		t.Rows = append(t.Rows, []cell{{Text: g.Name, Note: g.Description}, wanted,
			{Text: quantity(g.Value), Note: interval(g.Interval, doc.Number)},
			{Text: word, Class: class}, {Text: strings.Join(parts, ", ")}})
	}
	reached, limited := r.Reached()
	return &section{ID: "targets", Title: "Targets", Headline: fmt.Sprintf("%d of %d reached", reached, limited),
		Tables: []table{t}, Text: []string{
			fmt.Sprintf("%d of %d targets are reached, %d are missed, %d are missed by less than the interval and so not decided.",
				reached, limited, counts[report.Fail], counts[report.Near]),
			"A value is the median of the rounds, with its 95 % interval under it; counts have none. x is a ratio of two times, which the last " +
				"column names.",
		}}, nil
}
