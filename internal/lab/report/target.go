package report

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// Target is a number to reach, and how far this run was from it.
type Target struct {
	Name        string   `json:"name"` // area/workload/what: "irp/20x12/dense"
	Description string   `json:"description"`
	Bound       Bound    `json:"bound"`
	Limit       float64  `json:"limit"`
	Stretch     *float64 `json:"stretch,omitempty"` // what would be better still
	Unit        string   `json:"unit"`              // of limit, stretch, value and interval: "x" for a ratio of times

	Value    float64   `json:"value"`              // median of the samples
	Interval *Interval `json:"interval,omitempty"` // absent from too few rounds and for what is counted, not timed
	Verdict  Verdict   `json:"verdict"`
	Samples  []float64 `json:"value_samples"` // of the rounds; one, if it is counted
	Parts    []Part    `json:"parts"`         // the times that value is made of
}

// Part is a time that a target or a stage is computed from.
type Part struct {
	Name    string  `json:"name"`
	NsPerOp float64 `json:"ns_per_op"` // median of the rounds
}

// Bound is the side of its limit on which a target's value has to be.
type Bound string

const (
	AtMost  Bound = "at most"
	AtLeast Bound = "at least"
	Shown   Bound = "none" // the value is there to be seen, and has no limit
)

// Verdict is whether a target was reached.
type Verdict string

const (
	Pass Verdict = "pass" // the value is on the right side
	Near Verdict = "near" // it is not, but its interval reaches there, or too few rounds gave none: measure longer
	Fail Verdict = "fail" // neither the value nor its interval is
	None Verdict = "none" // there is no limit
)

// Summarize fills in value, interval and verdict from the samples of the rounds.
func (t *Target) Summarize() {
	t.Value, t.Interval = stats.Median(t.Samples), interval(t.Samples)
	t.judge(false)
}

// Count fills in the value of a target that is counted, which needs no rounds and leaves no doubt.
func (t *Target) Count(value float64) {
	t.Value, t.Interval, t.Samples = value, nil, []float64{value}
	t.judge(true)
}

func (t *Target) judge(exact bool) {
	switch {
	case t.Bound == Shown:
		t.Verdict = None
	case t.reached(t.Value):
		t.Verdict = Pass
	case !exact && t.Interval == nil, t.Interval != nil && (t.reached(t.Interval.Low) || t.reached(t.Interval.High)):
		t.Verdict = Near
	default:
		t.Verdict = Fail
	}
}

func (t *Target) reached(v float64) bool {
	if t.Bound == AtLeast {
		return v >= t.Limit
	}
	return v <= t.Limit
}

// Missed returns the names of the targets whose verdict is Fail.
func (r *Report) Missed() (names []string) {
	for _, t := range r.Targets {
		if t.Verdict == Fail {
			names = append(names, t.Name)
		}
	}
	return names
}

// Reached counts the targets whose verdict is Pass, and those that have a limit.
func (r *Report) Reached() (reached, limited int) {
	for _, t := range r.Targets {
		if t.Verdict == Pass {
			reached++
		}
		if t.Verdict != None {
			limited++
		}
	}
	return reached, limited
}

func (r *Report) targetSections() []doc.Section {
	if len(r.Targets) == 0 {
		return nil
	}
	t := doc.Table{Columns: []doc.Column{{Name: "target", Words: true}, {Name: "wanted"}, {Name: "measured"}, {Name: "interval", Optional: 1},
		{Name: "verdict", Words: true}, {Name: "from", Words: true, Optional: 2}}}
	for _, g := range r.Targets {
		wanted := fmt.Sprintf("%s %s", g.Bound, g.quantity(g.Limit))
		if g.Bound == Shown {
			wanted = "-"
		}
		if g.Stretch != nil {
			wanted += fmt.Sprintf(" (stretch %s)", g.quantity(*g.Stretch))
		}
		verdict := map[Verdict]string{Pass: "PASS", Near: "FAIL within its interval", Fail: "FAIL", None: "-"}[g.Verdict]
		if g.Verdict == Near && g.Interval == nil {
			verdict = "FAIL, too few rounds"
		}
		var parts []string
		for _, p := range g.Parts {
			parts = append(parts, fmt.Sprintf("%s %s ns", p.Name, doc.Number(p.NsPerOp)))
		}
		from := g.Description
		if len(parts) > 0 {
			from += ": " + strings.Join(parts, ", ")
		}
		t.Rows = append(t.Rows, []string{g.Name, wanted, g.quantity(g.Value), g.Interval.between(g.quantity), verdict, from})
	}
	return []doc.Section{{Title: "targets: median of the rounds with its 95 % interval; counts have none", Table: t}}
}

func (t *Target) quantity(v float64) string {
	switch t.Unit {
	case "x":
		return doc.Times(v)
	case "":
		return doc.Number(v)
	}
	return doc.Number(v) + " " + t.Unit
}

// targetVerdict says what a reader of the table's last page wants to know.
func (r *Report) targetVerdict() []string {
	var near []string
	for _, t := range r.Targets {
		if t.Verdict == Near {
			near = append(near, t.Name)
		}
	}
	reached, limited := r.Reached()
	lines := []string{fmt.Sprintf("%d of %d targets are reached.", reached, limited)}
	if len(near) > 0 {
		lines = append(lines, "Missed, but not beyond the interval, so not decided: "+strings.Join(near, ", ")+".")
	}
	if missed := r.Missed(); len(missed) > 0 {
		lines = append(lines, "Missed: "+strings.Join(missed, ", ")+".")
	}
	return lines
}

// NewPart summarises the rounds of a time, in nanoseconds.
func NewPart(name string, ns []float64) Part { return Part{Name: name, NsPerOp: stats.Median(ns)} }
