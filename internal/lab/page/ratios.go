package page

import (
	"fmt"
	"math"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// verdicts says who was faster: in a sentence, by path, and of each comparison.
func verdicts(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "verdict", Title: "Verdict"}
	paths := table{Caption: "comparisons of the engine with its peers",
		Header: []string{"path", string(report.Faster), string(report.Slower), string(report.Undecided)}}
	for _, path := range r.Paths {
		t := table{Caption: path.Name + ": " + path.Description, Header: append([]string{"workload"}, r.peers()...)}
		counts := map[report.Judgement]int{}
		for _, w := range r.Workloads {
			row, found := plain(w.Name), false
			for _, peer := range r.peers() {
				ratio := r.ratio(w.Name, path.Name, peer)
				if ratio == nil {
					row = append(row, cell{Text: "not measured", Class: "open"})
					continue
				}
				found = true
				j := ratio.Judge()
				counts[j]++
				row = append(row, cell{Text: doc.Times(ratio.Ratio) + " " + string(j), Note: interval(ratio.Interval, doc.Times), Class: class(j)})
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
		for _, j := range []report.Judgement{report.Faster, report.Slower, report.Undecided} {
			c := cell{Text: fmt.Sprint(counts[j]), Class: class(j)}
			if j == report.Slower && counts[j] == 0 {
				c.Class = "open"
			}
			row = append(row, c)
		}
		paths.Rows = append(paths.Rows, row)
	}
	if len(paths.Rows) == 0 {
		return nil, nil
	}
	s.Tables = []table{paths}
	summary := r.Summary()
	s.Headline = summary[0]
	if f := means(r); f != nil {
		s.Figures = []*plot.Figure{f}
	}
	s.Text = append(summary[1:],
		"In the tables of the paths below, a cell says how many times as long as the engine the other implementation takes: 2x is "+
			"twice as long, so the engine is faster; below 1x the engine is slower. It is the median of the ratios within a round, and "+
			"under it stands the interval that holds this median with a confidence of at least 95 %. Only an interval that leaves out 1x is a "+
			"verdict.")
	return s, nil
}

func interval(in *report.Interval, text func(float64) string) string {
	if in == nil {
		return ""
	}
	return text(in.Low) + " to " + text(in.High)
}

// means is the page in one figure: how many times as long as the engine the others take on a path, over all its workloads.
func means(r Report) *plot.Figure {
	c := r.others("Time of the others in times of the engine's, geometric mean of all workloads")
	for _, path := range r.Paths {
		row := plot.Row{Name: path.Name}
		for i, peer := range r.peers() {
			sum, n := 0.0, 0.0
			for _, w := range r.Workloads {
				if ratio := r.ratio(w.Name, path.Name, peer); ratio != nil && ratio.Ratio > 0 {
					sum += math.Log(ratio.Ratio)
					n++
				}
			}
			if n > 0 {
				row.Items = append(row.Items, plot.Item{Series: i, Mid: math.Exp(sum / n)})
			}
		}
		if len(row.Items) > 0 {
			c.Rows = append(c.Rows, row)
		}
	}
	if len(c.Rows) == 0 {
		return nil
	}
	return c.Draw("means")
}

// others is an empty figure of how many times as long as the engine its peers take.
func (r Report) others(title string) plot.Rows {
	return plot.Rows{Title: title, Series: r.peers(), Rule: &plot.Tick{Value: 1, Label: "1x: as fast as the engine"},
		X: plot.Axis{Label: "times as long as the engine", Log: true, Format: doc.Times}}
}

// ratios draws the same as the table: an interval for each comparison, and where 1x is.
func ratios(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "ratios", Title: "The engine against its peers", Text: []string{
		"One row for each workload, one mark for each other implementation: how many times as long as the engine it takes. " +
			"The line through a mark is its 95 % interval. Right of the dashed line at 1x the engine is faster, left of it slower; " +
			"a line that crosses it leaves that open. The axis is logarithmic: equal distances are equal factors.",
	}}
	for _, path := range r.Paths {
		c := r.others(path.Name + ": time of the others in times of the engine's")
		for _, w := range r.Workloads {
			row := plot.Row{Name: w.Name}
			for i, peer := range r.peers() {
				if ratio := r.ratio(w.Name, path.Name, peer); ratio != nil {
					it := item(ratio.Ratio, ratio.Interval, nil)
					it.Series = i
					row.Items = append(row.Items, it)
				}
			}
			if len(row.Items) > 0 {
				c.Rows = append(c.Rows, row)
			}
		}
		if len(c.Rows) > 0 {
			s.Figures = append(s.Figures, c.Draw(fmt.Sprintf("ratio-%d", len(s.Figures))))
		}
	}
	if len(s.Figures) == 0 {
		return nil, nil
	}
	return s, nil
}
