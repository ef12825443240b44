package page

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// comparison is the first report against the last: what changed, and how sure that is.
func comparison(in Input) (*section, error) {
	all := in.measured()
	if len(all) < 2 {
		return nil, nil
	}
	first, last := all[0], in.main()
	old, now := first.measurements(), last.measurements()
	c, err := verdict.New(old, now, verdict.Options{Effect: verdict.Floor})
	if errors.Is(err, verdict.ErrNothingInCommon) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	what := "the engine's time on a path of a workload"
	if last.Bench != nil {
		what = "a metric of a benchmark"
	}
	s := &section{ID: "comparison", Title: "What changed", Headline: c.Summary(), Text: []string{
		fmt.Sprintf("From %s to %s.", first.Name, last.Name),
		"A mark is the change of " + what +
			", the line through it its 95 % interval; left of the dashed line there is less of it. The axis is logarithmic: " +
			"twice as long and half as long are equally far. " +
			fmt.Sprintf("A change counts if chance alone would seldom make it (p below %g, corrected for the number of rows), if it is at least "+
				"%g %%, "+
				"and if its interval leaves out none. Same means that a larger change is excluded; inconclusive, that it is not: measure longer, or "+
				"on a quieter machine.",
				c.Alpha, 100*c.Effect),
	}}
	for _, reason := range verdict.Incomparable(old, now) {
		s.Notes = append(s.Notes, "These runs do not compare: "+reason+".")
	}
	s.Notes = append(s.Notes, c.Warnings...)
	chart := plot.Rows{
		Title: "Change of " + what, Rule: &plot.Tick{Value: 1, Label: "no change"},
		X:      plot.Axis{Label: "change", Log: true, Format: func(times float64) string { return doc.Percent(times - 1) }},
		Series: []string{string(verdict.Same) + " or unclear", string(verdict.Regressed), string(verdict.Improved)},
	}
	t := table{Caption: "verdicts", Header: []string{"benchmark", "verdict", first.Name, last.Name, "change", "p"}}
	for _, row := range c.Rows {
		unit := strings.TrimSuffix(row.Unit, "/op")
		change, p := "", ""
		if row.Change != nil {
			change = doc.Percent(*row.Change)
			it := plot.Item{Series: series(row.Verdict), Mid: 1 + *row.Change}
			if row.Interval != nil {
				it.Low, it.High = 1+row.Interval.Low, 1+row.Interval.High
			}
			if !row.Exact() {
				chart.Rows = append(chart.Rows, plot.Row{Name: row.Name, Items: []plot.Item{it}})
			}
		}
		if row.Holm != nil {
			p = fmt.Sprintf("%.3f", *row.Holm)
		}
		if row.Exact() && row.Verdict == verdict.Same { // counts that stayed: the rule, and not worth a line each
			continue
		}
		t.Rows = append(t.Rows, []cell{{Text: row.Name}, {Text: string(row.Verdict), Class: verdictClass(row.Verdict)},
			{Text: doc.Number(row.Old.Center) + " " + unit}, {Text: doc.Number(row.New.Center) + " " + unit},
			{Text: change, Note: interval(row.Interval, doc.Percent)}, {Text: p}})
	}
	if len(chart.Rows) > 0 {
		s.Figures = append(s.Figures, chart.Draw("change"))
	}
	if len(t.Rows) > 0 {
		s.Folds = append(s.Folds, fold{Title: "Every row", Tables: []table{t}})
	}
	if n := len(c.OnlyOld) + len(c.OnlyNew); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d rows are in one of the two only and were not compared.", n))
	}
	return s, nil
}

// series orders the verdicts for the figure, so that a colour means the same in each.
func series(v verdict.Verdict) int {
	switch v {
	case verdict.Regressed:
		return 1
	case verdict.Improved:
		return 2
	}
	return 0
}

func verdictClass(v verdict.Verdict) string { return [...]string{"open", "bad", "good"}[series(v)] }
