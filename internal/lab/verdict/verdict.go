package verdict

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Verdict is what can be said of a change.
type Verdict string

const (
	Improved     Verdict = "improved"
	Same         Verdict = "same"
	Regressed    Verdict = "regressed"
	Changed      Verdict = "changed" // and nobody says whether for the better
	Inconclusive Verdict = "inconclusive"
	Insufficient Verdict = "insufficient"
)

// Options are the thresholds of a comparison. The zero value of a field stands for its default.
type Options struct {
	Alpha  float64 // chance of a false alarm in the whole comparison, 0.05
	Effect float64 // least relative change that counts, 0.02
	Paired bool    // values with one index were taken together, and which came first was drawn at random
	Exact  bool    // values are counts: any change counts
	Better Direction

	HigherIsBetter, LowerIsBetter []string // units, for New: whatever the sources and their names say
}

const (
	defaultAlpha  = 0.05
	defaultEffect = 0.02
	confidence    = 0.95 // of every interval
)

func (o Options) withDefaults() Options {
	if o.Alpha == 0 {
		o.Alpha = defaultAlpha
	}
	if o.Effect == 0 {
		o.Effect = defaultEffect
	}
	if o.Better == "" {
		o.Better = Lower
	}
	return o
}

// Compare says how the values of new differ from those of old. Neither slice is changed. It is a comparison with a single row; for
// many, whose verdicts must allow for each other, see New.
func Compare(old, new []float64, opt Options) Row {
	opt = opt.withDefaults()
	rows := []Row{test(old, new, opt)}
	settle(rows, opt)
	return rows[0]
}

// Row is one metric of one benchmark on both sides.
type Row struct {
	Name     string           `json:"name"`
	Kind     report.Kind      `json:"kind,omitempty"` // of a report's row
	Unit     string           `json:"unit"`           // "ns/op"
	Better   Direction        `json:"better"`
	Test     string           `json:"test"` // "mann-whitney", "signed-rank", "exact"
	Old      Summary          `json:"old"`
	New      Summary          `json:"new"`
	Change   *float64         `json:"change,omitempty"` // 0.05: 5 % more than before; absent where there is no ratio
	Interval *report.Interval `json:"interval,omitempty"`
	P        *float64         `json:"p,omitempty"`      // that chance alone makes such a difference; absent for counts
	Holm     *float64         `json:"p_holm,omitempty"` // the same, corrected for the number of rows; this one is judged
	Verdict  Verdict          `json:"verdict"`
	Warnings []string         `json:"warnings"`

	attainable float64 // the least p that this many values could have
}

// Summary is one side of a row.
type Summary struct {
	N        int              `json:"n"`
	Center   float64          `json:"center"` // the median; of counts the most frequent value
	Interval *report.Interval `json:"interval,omitempty"`
}

// Exact reports whether the row's values are counts.
func (r Row) Exact() bool { return r.Test == testExact }

const (
	testExact    = "exact"
	testUnpaired = "mann-whitney"
	testPaired   = "signed-rank"
)

// test fills in everything but what depends on the other rows.
func test(old, new []float64, opt Options) Row {
	row := Row{Better: opt.Better, Warnings: []string{}, Old: summarise(old), New: summarise(new), attainable: 1}
	switch {
	case opt.Exact:
		row.Test = testExact
	case opt.Paired:
		row.Test = testPaired
	default:
		row.Test = testUnpaired
	}
	for _, v := range slices.Concat(old, new) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			row.Old, row.New = Summary{N: len(old)}, Summary{N: len(new)}
			row.warn("a value is not a number")
			return row
		}
	}
	if opt.Exact {
		row.compareExact(old, new, opt.Alpha)
		return row
	}
	if opt.Paired && len(old) != len(new) {
		row.warn(fmt.Sprintf("%d values before and %d after are no pairs", len(old), len(new)))
		return row
	}
	if len(old) == 0 || len(new) == 0 {
		return row
	}
	if slices.Min(old) <= 0 || slices.Min(new) <= 0 {
		row.compareUnlogged(old, new, opt.Alpha)
		return row
	}
	var d difference
	if opt.Paired {
		d = paired(old, new)
	} else {
		d = unpaired(old, new, opt.Alpha)
	}
	row.attainable = d.attainable
	change := math.Expm1(d.shift)
	row.Change, row.P = &change, &d.p
	if !math.IsInf(d.low, 0) {
		row.Interval = &report.Interval{Low: math.Expm1(d.low), High: math.Expm1(d.high), Confidence: confidence}
	}
	return row
}

// difference is the log of a ratio, with the p-value that there is none.
type difference struct {
	shift, low, high float64 // the bounds are infinite if there are too few values for any
	p                float64
	attainable       float64 // the least p that so many values can give
}

// compareUnlogged is for metrics that reach zero or less, where a ratio means nothing.
func (r *Row) compareUnlogged(old, new []float64, alpha float64) {
	r.warn("values at or below zero: no ratio, no interval")
	c := benchmath.AssumeNothing.Compare(sampleOf(old, alpha), sampleOf(new, alpha))
	r.P, r.attainable = &c.P, leastRankP(len(old), len(new))
}

func (r *Row) warn(text string) { r.Warnings = append(r.Warnings, text) }

// sampleOf copies the values: NewSample sorts what it is given, and pairs must keep their places.
func sampleOf(values []float64, alpha float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.Thresholds{CompareAlpha: alpha})
}

func summarise(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	s := benchmath.AssumeNothing.Summary(sampleOf(values, defaultAlpha), confidence)
	sum := Summary{N: len(values), Center: s.Center}
	if !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) {
		sum.Interval = &report.Interval{Low: s.Lo, High: s.Hi, Confidence: s.Confidence}
	}
	return sum
}
