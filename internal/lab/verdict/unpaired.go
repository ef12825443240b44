package verdict

import (
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// unpaired compares independent samples: the p-value of the permutation test, Hodges' and Lehmann's shift, and its interval.
func unpaired(a, b []float64) difference {
	d := difference{p: permuted(a, b), attainable: leastRankP(len(a), len(b)), reach: reach(a, b)}
	n, m := float64(len(a)), float64(len(b))
	all := distances(thin(a, most), thin(b, most))
	// Of the n m differences so many lie outside of the interval on each side: the U that a rank test just rejects, from its
	// normal approximation, which errs to the safe side for few values.
	outside := 0.5 - z95*math.Sqrt((n+m+1)/(12*n*m))
	d.shift = stats.Quantile(all, 0.5)
	d.low, d.high = inner(all, outside)
	return d
}

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// most bounds the pairs that are formed: of more values, that many quantiles stand for all of them. The estimates move
// by less than the distance of two neighbouring quantiles.
const most = 1000

// thin sorts, and returns at most so many evenly spaced order statistics.
func thin(values []float64, most int) []float64 {
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

func logs(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log(v)
	}
	return out
}

// leastRankP is the p-value of two samples that do not overlap: both orders among all ways to deal the values.
func leastRankP(n, m int) float64 {
	return min(2*math.Exp(lfact(n)+lfact(m)-lfact(n+m)), 1)
}

// lfact is the logarithm of a factorial.
func lfact(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
