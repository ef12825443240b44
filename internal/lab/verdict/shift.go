package verdict

import (
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// What a machine does to all benchmarks at once, and a change of the code hardly ever.
const (
	leastCommon = 5       // benchmarks: fewer may well share the code that changed
	mostCommon  = 1.5     // the largest factor by which a machine that is fit to measure changes its speed
	commonShare = 3.0 / 4 // of the benchmarks that must have moved the same way
)

// takeBackShift takes back regressions that are those of all: if at least three quarters of five benchmarks or more moved in one
// direction, for certain and by a factor below mostCommon in the middle, a row regressed only if it also did so against
// that middle. It returns the middle if it took back any.
func takeBackShift(pairs []*pair, tested int, opt Options) *float64 {
	var slower []float64 // the logarithms of the factors by which benchmarks got worse
	moved, seen := map[bool]int{}, map[string]bool{}
	for _, p := range pairs {
		worse, ok := p.worse()
		if !ok || seen[p.new.id] {
			continue
		}
		seen[p.new.id] = true
		slower = append(slower, worse*p.row.found.shift)
		if p.row.found.low > 0 || p.row.found.high < 0 {
			moved[worse*p.row.found.shift > 0]++
		}
	}
	if len(slower) < leastCommon || float64(moved[true]) < commonShare*float64(len(slower)) {
		return nil
	}
	slices.Sort(slower)
	common := stats.Quantile(slower, 0.5)
	if common > math.Log(mostCommon) {
		return nil
	}
	taken := false
	for _, p := range pairs {
		worse, ok := p.worse()
		if !ok || p.row.Verdict != Regressed {
			continue
		}
		shifted := slices.Clone(p.old.Values)
		for i := range shifted {
			shifted[i] *= math.Exp(worse * common)
		}
		d := p.row.found
		alone := test(shifted, p.new.Values, Options{Effect: opt.Effect, Better: p.row.Better}).found
		if worse*d.shift-common < math.Log1p(opt.Effect) || max(alone.p, *p.row.P)*float64(tested) > opt.Alpha {
			p.row.Verdict = Inconclusive
			taken = true
		}
	}
	if !taken {
		return nil
	}
	change := math.Expm1(common)
	return &change
}

// worse is 1 if more is worse and -1 if less is, of a time that can be shared by a factor.
func (p *pair) worse() (sign float64, ok bool) {
	if p.row.P == nil || p.row.Count || p.row.Better == Unknown || !p.row.scale.log || len(p.new.control) > 0 {
		return 0, false
	}
	if p.row.Better == Higher {
		return -1, true
	}
	return 1, true
}
