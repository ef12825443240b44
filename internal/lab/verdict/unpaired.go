package verdict

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// unpaired compares independent samples of positive values: Mann-Whitney's p-value, Hodges' and Lehmann's shift of the logarithms,
// and the interval of that shift.
func unpaired(old, new []float64, alpha float64) difference {
	a, b := logs(old), logs(new)
	c := benchmath.AssumeNothing.Compare(sampleOf(a, alpha), sampleOf(b, alpha))
	d := difference{p: min(c.P, 1), attainable: leastRankP(len(a), len(b))}

	n, m := float64(len(a)), float64(len(b))
	a, b = thin(a), thin(b)
	all := make([]float64, 0, len(a)*len(b))
	for _, y := range b {
		for _, x := range a {
			all = append(all, y-x)
		}
	}
	slices.Sort(all)
	// Of the n m differences so many lie outside of the interval on each side: the U that the test just rejects, from its normal
	// approximation, which errs to the safe side for few values.
	outside := 0.5 - z95*math.Sqrt((n+m+1)/(12*n*m))
	d.shift = middle(all)
	d.low, d.high = inner(all, outside)
	return d
}

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// most bounds the pairs that are formed: of more values, that many quantiles stand for all of them. The estimates move
// by less than the distance of two neighbouring quantiles.
const most = 1000

// thin returns at most so many evenly spaced order statistics.
func thin(values []float64) []float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s) <= most {
		return s
	}
	out := make([]float64, most)
	for i := range out {
		out[i] = s[(2*i+1)*len(s)/(2*most)]
	}
	return out
}

// inner returns the values that leave the given fraction of a sorted slice outside on each side, infinities if there are none.
func inner(sorted []float64, outside float64) (low, high float64) {
	k := int(math.Floor(outside * float64(len(sorted))))
	if k < 1 {
		return math.Inf(-1), math.Inf(1)
	}
	return sorted[k-1], sorted[len(sorted)-k]
}

func middle(sorted []float64) float64 {
	m := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[m]
	}
	return (sorted[m-1] + sorted[m]) / 2
}

func logs(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log(v)
	}
	return out
}

// leastRankP is the p-value of two samples that do not overlap: both orders among all ways to deal the ranks.
func leastRankP(n, m int) float64 {
	return min(2*math.Exp(lfact(n)+lfact(m)-lfact(n+m)), 1)
}

// lfact is the logarithm of a factorial.
func lfact(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
