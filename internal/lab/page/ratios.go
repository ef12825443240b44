package page

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// verdicts says who was faster: in a sentence, by path, and of each comparison.
func verdicts(in Input) (*section, error) {
	r := in.main()
	all := map[judgement]int{}
	var lost []string
	s := &section{ID: "verdict", Title: "Verdict"}
	paths := table{Caption: "comparisons of the engine with its peers", Header: []string{"path", string(faster), string(slower), string(undecided)}}
	for _, path := range r.Paths {
		t := table{Caption: path.Name + ": " + path.Description, Header: append([]string{"workload"}, r.peers()...)}
		counts := map[judgement]int{}
		for _, w := range r.Workloads {
			row, found := plain(w.Name), false
			for _, peer := range r.peers() {
				ratio := r.ratio(w.Name, path.Name, peer)
				if ratio == nil {
					row = append(row, cell{Text: "not measured", Class: "open"})
					continue
				}
				found = true
				j := judge(ratio)
				counts[j]++
				if j == slower {
					lost = append(lost, fmt.Sprintf("%s/%s to %s (%s)", w.Name, path.Name, peer, factor(ratio.Ratio)))
				}
				row = append(row, cell{Text: factor(ratio.Ratio) + " " + string(j), Note: interval(ratio.Interval, factor), Class: j.class()})
			}
			if found {
				t.Rows = append(t.Rows, row)
			}
		}
		if len(t.Rows) == 0 {
			continue
		}
		s.Folds = append(s.Folds, fold{Title: t.Caption, Tables: []table{t}})
		row := []cell{{Text: path.Name, Note: path.Description}}
		for _, j := range []judgement{faster, slower, undecided} {
			c := cell{Text: fmt.Sprint(counts[j]), Class: j.class()}
			if j == slower && counts[j] == 0 {
				c.Class = "open"
			}
			row = append(row, c)
		}
		paths.Rows = append(paths.Rows, row)
		for j, n := range counts {
			all[j] += n
		}
	}
	if len(paths.Rows) == 0 {
		return nil, nil
	}
	s.Tables = []table{paths}
	s.Text = []string{
		headline(all, lost),
		"In the tables of the paths below, a cell says how many times as long as the engine the other implementation takes: 2× is " +
			"twice as long, so the engine is faster; below 1× the engine is slower. It is the median of the ratios within a round, and " +
			"under it stands the interval that holds this median with a confidence of at least 95 %. Only an interval that leaves out 1× is a verdict.",
	}
	return s, nil
}

// factor writes a ratio with as many digits as a measurement deserves.
func factor(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f×", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f×", v)
	}
	return fmt.Sprintf("%.2f×", v)
}

func headline(counts map[judgement]int, lost []string) string {
	all := counts[faster] + counts[slower] + counts[undecided] + counts[unjudged]
	if counts[unjudged] == all {
		return fmt.Sprintf("Too few rounds for a verdict: it takes at least %d.", report.MinRounds)
	}
	text := fmt.Sprintf("Of %d comparisons the engine is faster in %d, slower in %d, and %d are undecided.",
		all, counts[faster], counts[slower], counts[undecided])
	if len(lost) > 8 {
		lost = append(lost[:7:7], fmt.Sprintf("and %d more", len(lost)-7))
	}
	if len(lost) > 0 {
		text += " It loses " + strings.Join(lost, ", ") + "."
	}
	return text
}

func interval(in *report.Interval, text func(float64) string) string {
	if in == nil {
		return ""
	}
	return text(in.Low) + " to " + text(in.High)
}

// ratios draws the same as the table: an interval for each comparison, and where 1× is.
func ratios(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "ratios", Title: "The engine against its peers", Text: []string{
		"One row for each workload, one mark for each other implementation: how many times as long as the engine it takes. " +
			"The line through a mark is its 95 % interval. Right of the dashed line at 1× the engine is faster, left of it slower; " +
			"a line that crosses it leaves that open. The axis is logarithmic: equal distances are equal factors.",
	}}
	for _, path := range r.Paths {
		c := plot.Rows{
			Title: path.Name + ": time of the others in times of the engine's", Series: r.peers(), Rule: &plot.Tick{Value: 1, Label: "1×: as fast as the engine"},
			X: plot.Axis{Label: "times as long as the engine", Log: true, Format: plot.Times},
		}
		for _, w := range r.Workloads {
			row := plot.Row{Name: w.Name}
			for i, peer := range r.peers() {
				if ratio := r.ratio(w.Name, path.Name, peer); ratio != nil {
					it := plot.Item{Series: i, Mid: ratio.Ratio}
					if ratio.Interval != nil {
						it.Low, it.High = ratio.Interval.Low, ratio.Interval.High
					}
					row.Items = append(row.Items, it)
				}
			}
			if len(row.Items) > 0 {
				c.Rows = append(c.Rows, row)
			}
		}
		if len(c.Rows) > 0 {
			s.Figures = append(s.Figures, c.Draw("ratio-"+slug(len(s.Figures))))
		}
	}
	if len(s.Figures) == 0 {
		return nil, nil
	}
	return s, nil
}

// slug is a name for use in an id: names of reports are not, they may be anything.
func slug(n int) string { return fmt.Sprint(n) }
