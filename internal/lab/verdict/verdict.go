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

	// CountFloor is the least relative change of a count that matters; nil for that of one allocation or one in a thousand,
	// whichever is more.
	CountFloor *float64

	HigherIsBetter, LowerIsBetter []string // units, for New: whatever the sources and their names say

	unit string // of the values
}

const (
	defaultAlpha  = 0.05
	defaultEffect = 0.02
	defaultCount  = 0.001
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
	p := pair{old: Series{Unit: opt.unit, Values: old}, new: Series{Unit: opt.unit, Values: new}, row: test(old, new, opt)}
	judge([]*pair{&p}, opt)
	return p.row
}

// Row is one metric of one benchmark on both sides.
type Row struct {
	Name     string           `json:"name"`
	Kind     report.Kind      `json:"kind,omitempty"` // of a report's row
	Unit     string           `json:"unit"`           // "ns/op"
	Better   Direction        `json:"better"`
	Test     string           `json:"test"`            // "permutation", "signed-rank", "between-runs", "exact"
	Count    bool             `json:"count,omitempty"` // the values are counts
	Old      Summary          `json:"old"`
	New      Summary          `json:"new"`
	Change   *float64         `json:"change,omitempty"` // 0.05: 5 % more than before; absent where there is no ratio
	Interval *report.Interval `json:"interval,omitempty"`
	P        *float64         `json:"p,omitempty"`      // that chance alone makes such a difference; absent for exact counts
	Holm     *float64         `json:"p_holm,omitempty"` // the same, corrected for the number of rows that could be called; this one is judged
	Verdict  Verdict          `json:"verdict"`
	Warnings []string         `json:"warnings"`

	measured Series // the new side

	found difference // before it was scaled
	scale scale
	moved difference // on the scale of floor
	floor float64    // the least change that counts
	blind bool       // so few values that no change, however large, could have been called
}

// Summary is one side of a row.
type Summary struct {
	N        int              `json:"n"`
	Runs     int              `json:"runs,omitempty"` // that the values are of, where that is judged
	Center   float64          `json:"center"`         // the median
	Interval *report.Interval `json:"interval,omitempty"`
}

// Exact reports whether the row's values are counts.
func (r Row) Exact() bool { return r.Count }

// Worse reports whether the row moved by the given share or more, for the worse or nobody knows whether. It need not mean anything.
func (r Row) Worse(floor float64) bool {
	m := r.moved.shift
	switch {
	case r.P == nil:
		return false
	case !r.scale.ratio:
		floor = math.SmallestNonzeroFloat64
	}
	return r.Better != Higher && m >= floor || r.Better != Lower && m <= -floor
}

const (
	testExact    = "exact"
	testUnpaired = "permutation"
	testPaired   = "signed-rank"
	testRuns     = "between-runs"
)

// test fills in everything but what depends on the other rows.
func test(old, new []float64, opt Options) Row {
	row := Row{Unit: opt.unit, Better: opt.Better, Warnings: []string{}, Count: opt.Exact, Old: summarise(old), New: summarise(new)}
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
		row.compareCounts(old, new, opt)
		return row
	}
	if opt.Paired && len(old) != len(new) {
		row.warn(fmt.Sprintf("%d values before and %d after are no pairs", len(old), len(new)))
		return row
	}
	if len(old) == 0 || len(new) == 0 {
		return row
	}
	switch {
	case slices.Min(old) <= 0 || slices.Min(new) <= 0:
		row.warn("values at or below zero: the change is the difference by the median before")
		row.floor = opt.Effect
		if row.Old.Center == 0 { // against nothing, any change is a large one
			row.floor = 0
		}
		row.Test = testUnpaired
		row.take(unpaired(old, new), linear(row.Old.Center))
	case opt.Paired:
		row.floor = opt.Effect
		row.take(paired(old, new), logarithmic)
	default:
		row.floor = opt.Effect
		row.take(unpaired(logs(old), logs(new)), logarithmic)
	}
	return row
}

// difference is how much higher one side is than the other, on the scale of the values that were compared.
type difference struct {
	shift, low, high float64 // the bounds are infinite if there are too few values for any
	p                float64 // that chance alone makes such a difference
	attainable       float64 // the least p that so many values can give
	reach            float64 // the largest shift that these values can give, however they are dealt to the sides
}

// scale makes a relative change of a difference.
type scale struct {
	of    func(float64) float64
	ratio bool // else there is nothing that the change is relative to
	log   bool // of logarithms
}

var logarithmic = scale{of: math.Expm1, ratio: true, log: true}

func linear(center float64) scale {
	if center == 0 {
		return scale{of: func(v float64) float64 { return v }}
	}
	return scale{of: func(v float64) float64 { return v / math.Abs(center) }, ratio: true}
}

// take says what was found.
func (r *Row) take(d difference, s scale) {
	r.found, r.scale = d, s
	r.moved = difference{shift: s.of(d.shift), low: s.of(d.low), high: s.of(d.high), reach: s.of(d.reach), p: d.p, attainable: d.attainable}
	r.P = &d.p
	r.Change, r.Interval = nil, nil
	if !s.ratio {
		return
	}
	change := r.moved.shift
	r.Change = &change
	if !math.IsInf(d.low, 0) {
		r.Interval = &report.Interval{Low: r.moved.low, High: r.moved.high, Confidence: confidence}
	}
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
