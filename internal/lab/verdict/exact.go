package verdict

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// compareExact compares counts. The verdict needs no other row: it is settled here.
func (r *Row) compareExact(old, new []float64, alpha float64) {
	if len(old) == 0 || len(new) == 0 {
		r.Verdict = Insufficient
		return
	}
	a, b := sampleOf(old, alpha), sampleOf(new, alpha)
	r.Old.Center = benchmath.AssumeExact.Summary(a, confidence).Center
	r.New.Center = benchmath.AssumeExact.Summary(b, confidence).Center
	r.Old.Interval, r.New.Interval = nil, nil
	r.warnVarying("before", a.Values)
	r.warnVarying("after", b.Values)
	if r.Old.Center != 0 {
		change := (r.New.Center - r.Old.Center) / math.Abs(r.Old.Center)
		r.Change = &change
	}
	disjoint := a.Values[0] > b.Values[len(b.Values)-1] || b.Values[0] > a.Values[len(a.Values)-1]
	switch {
	case disjoint, r.Old.Center != r.New.Center && benchmath.AssumeNothing.Compare(a, b).P < alpha:
		r.Verdict = r.sided(r.New.Center > r.Old.Center)
	case r.Old.Center == r.New.Center:
		r.Verdict = Same
	default:
		r.Verdict = Inconclusive
	}
}

func (r *Row) warnVarying(side string, sorted []float64) {
	if least, most := sorted[0], sorted[len(sorted)-1]; least != most {
		r.warn(fmt.Sprintf("the counts %s vary from %s to %s", side, doc.Count(least), doc.Count(most)))
	}
}

// stray is what the runtime may allocate beside an operation: counts are rounded to it.
const (
	strayAllocs = 1e-3
	strayBytes  = 1e-1
)

// counts rounds allocations or bytes per operation, so that a stray allocation in a batch of thousands of operations is none.
func counts(values []float64, stray float64) []float64 {
	out := slices.Clone(values)
	for i := range out {
		out[i] = math.Round(out[i]/stray) / math.Round(1/stray)
	}
	return out
}
