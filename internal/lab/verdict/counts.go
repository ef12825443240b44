package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// compareCounts compares counts. Counts that are one number on each side are exact, and their verdict needs no other row:
// it is settled here. Counts that vary are samples like times, and are tested with them.
func (r *Row) compareCounts(old, new []float64, opt Options) {
	if len(old) == 0 || len(new) == 0 {
		r.Verdict = Insufficient
		return
	}
	r.Old.Interval, r.New.Interval = nil, nil
	least := opt.leastCount(old, new, r.Old.Center)
	if constant(old) && constant(new) {
		if r.Old.Center != 0 {
			change := (r.New.Center - r.Old.Center) / math.Abs(r.Old.Center)
			r.Change = &change
		}
		r.Verdict = Same
		if moved := r.New.Center - r.Old.Center; moved != 0 && math.Abs(moved) >= least {
			r.Verdict = r.sided(moved > 0)
		}
		return
	}
	r.warnVarying("before", old)
	r.warnVarying("after", new)
	r.Test = testUnpaired
	r.take(unpaired(old, new), linear(r.Old.Center))
	r.floor = least
	if r.Old.Center != 0 {
		r.floor /= math.Abs(r.Old.Center)
	}
}

func constant(values []float64) bool { return slices.Min(values) == slices.Max(values) }

func (r *Row) warnVarying(side string, values []float64) {
	if !constant(values) {
		r.warn(fmt.Sprintf("the counts %s vary from %s to %s", side, doc.Count(slices.Min(values)), doc.Count(slices.Max(values))))
	}
}

// The least heap object has 8 bytes, and nobody allocates less.
const leastObject = 8

// leastCount is the least change of a count that matters, in its own unit: a share of it if one was asked for; else that of one
// allocation or one in a thousand, whichever is more. go test rounds counts down to whole ones, in which one allocation is 1
// allocs/op and at least 8 B/op: less is a stray one of the runtime, spread over the operations. Reports of ksbench count
// finer: there it is the step to which they are rounded.
func (o Options) leastCount(old, new []float64, center float64) float64 {
	if o.CountFloor != nil {
		return *o.CountFloor * math.Abs(center)
	}
	one := map[string][2]float64{unitAllocs: {1, strayAllocs}, unitBytes: {leastObject, strayBytes}}[o.unit]
	step := one[0]
	if slices.ContainsFunc(slices.Concat(old, new), func(v float64) bool { return v != math.Trunc(v) }) {
		step = one[1]
	}
	return max(step, defaultCount*math.Abs(center))
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
