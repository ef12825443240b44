package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/perf/benchunit"
)

// page is what both the text and the Markdown say, before either has laid it out.
type page struct {
	sides   []string
	reading string
	header  []string
	rows    [][]string
	summary string
	notes   []string
}

func (c *Comparison) page() page {
	p := page{
		sides: []string{"old: " + c.Old.describe(), "new: " + c.New.describe()},
		reading: fmt.Sprintf("medians, change with its %.0f %% interval; p corrected for %s; changes of less than %s do not count",
			100*confidence, plural(c.Tested, "row"), strings.TrimPrefix(percent(c.Effect), "+")),
		header:  []string{"verdict", "benchmark", "unit", "old", "new", "change", "evidence"},
		summary: c.Summary(),
	}
	for _, r := range c.Rows {
		p.rows = append(p.rows, []string{string(r.Verdict), printable(r.Name), printable(r.unit()), r.Old.format(r), r.New.format(r), r.change(), r.evidence()})
	}
	p.notes = c.notes()
	return p
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
		notes = append(notes, "warning: "+printable(w))
	}
	var texts []string
	rows := map[string][]string{}
	for _, r := range c.Rows {
		for _, w := range r.Warnings {
			if rows[w] == nil {
				texts = append(texts, w)
			}
			rows[w] = append(rows[w], printable(r.Name+" "+r.Unit))
		}
	}
	for _, text := range texts {
		notes = append(notes, fmt.Sprintf("warning: %s: %s", text, listed(rows[text])))
	}
	if len(c.OnlyOld) > 0 {
		notes = append(notes, "gone, and not compared: "+printable(listed(c.OnlyOld)))
	}
	if len(c.OnlyNew) > 0 {
		notes = append(notes, "new, and not compared: "+printable(listed(c.OnlyNew)))
	}
	return notes
}

func (s Side) describe() string {
	parts := []string{}
	add := func(format string, v any) {
		if text := fmt.Sprint(v); text != "" && text != "0" && text != unknown {
			parts = append(parts, fmt.Sprintf(format, printable(text)))
		}
	}
	add("%s", s.Environment.CPU)
	add("GOMAXPROCS=%s", s.Environment.GOMAXPROCS)
	add("%s", s.Environment.GoVersion)
	add("%s", s.Environment.Level)
	add("commit %s", s.Environment.Commit)
	if len(parts) == 0 {
		return printable(s.Source)
	}
	return printable(s.Source) + " (" + strings.Join(parts, ", ") + ")"
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
	if s.N == 0 {
		return "-"
	}
	if r.Exact() {
		return number(s.Center)
	}
	v, unit := benchunit.Tidy(s.Center, r.Unit)
	text := benchunit.Scale(v, benchunit.ClassOf(unit))
	if strings.HasPrefix(unit, "sec") {
		text += "s"
	}
	if s.Interval == nil || s.Center == 0 {
		return text
	}
	return text + fmt.Sprintf(" ±%.0f%%", 100*max(s.Interval.High-s.Center, s.Center-s.Interval.Low)/math.Abs(s.Center))
}

func (r Row) change() string {
	if r.Change == nil {
		if r.Exact() && r.Old.Center != r.New.Center {
			return "from " + number(r.Old.Center)
		}
		return "-"
	}
	text := percent(*r.Change)
	if r.Interval != nil {
		text += fmt.Sprintf(" [%s, %s]", percent(r.Interval.Low), percent(r.Interval.High))
	}
	return text
}

// evidence is "p=0.004 n=15", or "exact".
func (r Row) evidence() string {
	if r.Exact() {
		return "exact"
	}
	n := fmt.Sprintf("n=%d", r.New.N)
	if r.Old.N != r.New.N {
		n = fmt.Sprintf("n=%d+%d", r.Old.N, r.New.N)
	}
	switch {
	case r.Holm == nil:
		return n
	case *r.Holm < 0.0005:
		return "p<0.001 " + n
	}
	return fmt.Sprintf("p=%.3f %s", *r.Holm, n)
}

func percent(v float64) string {
	switch p := 100 * v; {
	case math.Abs(p) >= 999.5:
		return fmt.Sprintf("%+.0f%%", p)
	case math.Abs(p) < 0.05:
		return "0.0%"
	default:
		return fmt.Sprintf("%+.1f%%", p)
	}
}

// number shows a count with up to four decimals.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// listed joins names, but not more than a reader looks through.
func listed(names []string) string {
	if len(names) > 6 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}

// printable keeps what a file calls its rows from steering a terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, s)
}
