package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// Target is a number to reach, and how far this run was from it.
type Target struct {
	Name        string   `json:"name"` // area/workload/what: "lookup/20x12/floor"
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
)

// Verdict is whether a target was reached.
type Verdict string

const (
	Pass Verdict = "pass" // the value is on the right side
	Near Verdict = "near" // it is not, but its interval reaches there, or too few rounds gave none: measure longer
	Fail Verdict = "fail" // neither the value nor its interval is
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

func (r *Report) targetSections() []section {
	if len(r.Targets) == 0 {
		return nil
	}
	s := section{
		title:  "targets: median of the rounds with its 95 % interval; what is counted has none",
		header: []string{"target", "wanted", "measured", "interval", "verdict", "from"},
	}
	for _, t := range r.Targets {
		wanted := fmt.Sprintf("%s %s", t.Bound, t.quantity(t.Limit))
		if t.Stretch != nil {
			wanted += fmt.Sprintf(" (stretch %s)", t.quantity(*t.Stretch))
		}
		between := "-"
		if t.Interval != nil {
			between = t.quantity(t.Interval.Low) + " to " + t.quantity(t.Interval.High)
		}
		verdict := map[Verdict]string{Pass: "PASS", Near: "FAIL within its interval", Fail: "FAIL"}[t.Verdict]
		if t.Verdict == Near && t.Interval == nil {
			verdict = "FAIL, too few rounds"
		}
		from := printable(t.Description)
		if len(t.Parts) > 0 {
			from += ":"
			for i, p := range t.Parts {
				from += fmt.Sprintf("%s %s %s ns", map[bool]string{true: ","}[i > 0], printable(p.Name), nanoseconds(p.NsPerOp))
			}
		}
		s.rows = append(s.rows, []string{printable(t.Name), wanted, t.quantity(t.Value), between, verdict, from})
	}
	return []section{s}
}

// quantity shows two decimals of small values: many limits are near 1.
func (t *Target) quantity(v float64) string {
	digits := 2
	if v >= 100 {
		digits = 0
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "0"), ".0")
	}
	switch t.Unit {
	case "x":
		return text + "x"
	case "":
		return text
	}
	return text + " " + t.Unit
}

// targetVerdict says what a reader of the table's last page wants to know.
func (r *Report) targetVerdict() []string {
	var near []string
	passed := 0
	for _, t := range r.Targets {
		switch t.Verdict {
		case Pass:
			passed++
		case Near:
			near = append(near, printable(t.Name))
		}
	}
	lines := []string{fmt.Sprintf("%d of %d targets are reached.", passed, len(r.Targets))}
	if len(near) > 0 {
		lines = append(lines, "Missed, but not beyond the interval, so not decided: "+strings.Join(near, ", ")+".")
	}
	if missed := r.Missed(); len(missed) > 0 {
		lines = append(lines, "Missed: "+printable(strings.Join(missed, ", "))+".")
	}
	return lines
}

// NewPart summarises the rounds of a time, in nanoseconds.
func NewPart(name string, ns []float64) Part { return Part{Name: name, NsPerOp: stats.Median(ns)} }
