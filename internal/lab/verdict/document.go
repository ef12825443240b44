package verdict

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Floor is the least relative change of a time that counts, unless a user says otherwise.
const Floor = 0.05

// Document is the comparison for people: a table to read on a terminal or in a comment on a pull request.
func (c *Comparison) Document() *doc.Document {
	d := &doc.Document{
		Lead: []string{"old: " + c.Old.describe(), "new: " + c.New.describe(),
			fmt.Sprintf("medians, change with its %.0f %% interval; p corrected for %s; changes of less than %s do not count",
				100*confidence, doc.Plural(c.Tested, "row"), strings.TrimPrefix(doc.Percent(c.Effect), "+"))},
		Notes:   c.notes(),
		Summary: []string{c.Summary()},
	}
	t := doc.Table{Columns: []doc.Column{{Name: "verdict", Words: true}, {Name: "benchmark", Words: true, Key: true},
		{Name: "unit", Words: true},
		{Name: "old"}, {Name: "new"}, {Name: "change"}, {Name: "interval", Optional: 1}, {Name: "evidence", Words: true, Optional: 2}}}
	for _, r := range c.Rows {
		t.Rows = append(t.Rows, []string{string(r.Verdict), r.Name, r.unit(), r.Old.format(r), r.New.format(r), r.change(), r.interval(),
			r.evidence()})
	}
	for _, g := range c.GeoMeans {
		r := Row{Unit: g.Unit}
		old, new := Summary{N: 1, Center: g.Old}, Summary{N: 1, Center: g.New}
		t.Rows = append(t.Rows, []string{"", fmt.Sprintf("geometric mean of %d", g.Rows), r.unit(), old.format(r), new.format(r),
			doc.Percent(g.New/g.Old - 1), "-", ""})
	}
	if len(c.Rows) > 0 {
		d.Sections = []doc.Section{{Table: t}}
	}
	return d
}

// WriteCSV writes a line for each row, in the unit of the row. What is not known is empty.
func (c *Comparison) WriteCSV(w io.Writer) error {
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	header := []string{"verdict", "benchmark", "unit", "old", "new", "change", "low", "high", "p", "n_old", "n_new"}
	return doc.WriteCSV(w, header, func(yield func([]string) bool) {
		for _, r := range c.Rows {
			var low, high *float64
			if r.Interval != nil {
				low, high = &r.Interval.Low, &r.Interval.High
			}
			if !yield([]string{string(r.Verdict), r.Name, r.Unit, number(&r.Old.Center), number(&r.New.Center), number(r.Change), number(low),
				number(high), number(r.Holm), strconv.Itoa(r.Old.N), strconv.Itoa(r.New.N)}) {
				return
			}
		}
	})
}

// Document is what the measurements are, a line for each series.
func (m *Measurements) Document() *doc.Document {
	t := doc.Table{Columns: doc.Figures("benchmark", "unit", "median", "samples")}
	t.Columns[1].Words = true
	for _, s := range m.Series {
		row := test(s.Values, s.Values, Options{Exact: s.Exact}.withDefaults())
		row.Unit = s.Unit
		t.Rows = append(t.Rows, []string{s.Name, row.unit(), row.Old.format(row), strconv.Itoa(len(s.Values))})
	}
	d := &doc.Document{Lead: []string{m.describe()}, Sections: []doc.Section{{Table: t}}}
	runs := 1
	for _, s := range m.Series {
		runs = max(runs, len(s.Runs))
	}
	if runs > 1 {
		d.Lead = append(d.Lead, fmt.Sprintf("%d runs: a new one is judged by how far these lie apart", runs))
	}
	for _, warning := range m.Warnings {
		d.Notes = append(d.Notes, "warning: "+warning)
	}
	return d
}

// GeoMean is the geometric mean of the rows of a unit that are above zero on both sides, of which there is more than one. Its quotient
// is the mean of their ratios.
type GeoMean struct {
	Unit string  `json:"unit"`
	Rows int     `json:"rows"`
	Old  float64 `json:"old"`
	New  float64 `json:"new"`
}

func geoMeans(rows []Row) (means []GeoMean) {
	at := map[string]int{}
	for _, r := range rows {
		if r.Old.Center <= 0 || r.New.Center <= 0 {
			continue
		}
		i, ok := at[r.Unit]
		if !ok {
			i = len(means)
			at[r.Unit] = i
			means = append(means, GeoMean{Unit: r.Unit})
		}
		g := &means[i]
		g.Rows++
		g.Old += math.Log(r.Old.Center)
		g.New += math.Log(r.New.Center)
	}
	several := means[:0]
	for _, g := range means {
		if n := float64(g.Rows); g.Rows > 1 {
			g.Old, g.New = math.Exp(g.Old/n), math.Exp(g.New/n)
			several = append(several, g)
		}
	}
	return several
}

// Summary counts the verdicts: "1 regressed, 3 same".
func (c *Comparison) Summary() string {
	var parts []string
	for _, v := range []Verdict{Regressed, Improved, Changed, Same, Inconclusive, Insufficient} {
		if n := c.Counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

// notes lists the warnings, each text once with the rows that it is about, then the rows of one side.
func (c *Comparison) notes() (notes []string) {
	for _, w := range c.Warnings {
		notes = append(notes, "warning: "+w)
	}
	var texts []string
	rows := map[string][]string{}
	for _, r := range c.Rows {
		for _, w := range r.Warnings {
			if rows[w] == nil {
				texts = append(texts, w)
			}
			rows[w] = append(rows[w], r.Name+" "+r.Unit)
		}
	}
	for _, text := range texts {
		notes = append(notes, fmt.Sprintf("warning: %s: %s", text, doc.Listed(rows[text])))
	}
	if len(c.OnlyOld) > 0 {
		notes = append(notes, "gone, and not compared: "+doc.Listed(c.OnlyOld))
	}
	if len(c.OnlyNew) > 0 {
		notes = append(notes, "new, and not compared: "+doc.Listed(c.OnlyNew))
	}
	return notes
}

func (s Side) describe() string {
	if machine := s.Environment.String(); machine != "" {
		return s.Source + " (" + machine + ")"
	}
	return s.Source
}

// unit is the unit that a row's values are shown in: with their prefix times name theirs themselves.
func (r Row) unit() string {
	if _, unit := benchunit.Tidy(1, r.Unit); !r.Exact() && !strings.HasPrefix(unit, "sec") {
		return unit
	}
	return r.Unit
}

// format writes "71.50ns ±2%", a count as it is.
func (s Summary) format(r Row) string {
	switch {
	case s.N == 0:
		return "-"
	case r.Exact():
		return doc.Count(s.Center)
	case s.Interval == nil:
		return doc.Quantity(s.Center, r.Unit)
	}
	return doc.Quantity(s.Center, r.Unit) + doc.Within(s.Center, s.Interval.Low, s.Interval.High)
}

// tiny is what a percentage of one decimal does not show.
const tiny = 0.0005

func (r Row) change() string {
	switch {
	case r.Change != nil && math.Abs(*r.Change) < tiny && (r.Verdict == Improved || r.Verdict == Regressed || r.Verdict == Changed):
		return fmt.Sprintf("%+.1g%%", 100**r.Change) // nobody believes in a change by 0.0 %
	case r.Change != nil:
		return doc.Percent(*r.Change)
	case r.Exact() && r.Old.Center != r.New.Center:
		return "from " + doc.Count(r.Old.Center)
	}
	return "-"
}

func (r Row) interval() string {
	if r.Change == nil || r.Interval == nil {
		return "-"
	}
	return doc.Percent(r.Interval.Low) + " to " + doc.Percent(r.Interval.High)
}

// evidence is "p=0.004 n=15", or "exact".
func (r Row) evidence() string {
	if r.Test == testExact {
		return "exact"
	}
	n := fmt.Sprintf("n=%d", r.New.N)
	if r.Old.N != r.New.N {
		n = fmt.Sprintf("n=%d+%d", r.Old.N, r.New.N)
	}
	if r.Test == testRuns {
		n = fmt.Sprintf("runs=%d+%d", r.Old.Runs, r.New.Runs)
	}
	switch {
	case r.Holm == nil:
		return n
	case *r.Holm < 0.0005:
		return "p<0.001 " + n
	}
	return fmt.Sprintf("p=%.3f %s", *r.Holm, n)
}
