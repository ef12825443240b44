package verdict

import (
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// permuted returns the two-sided p-value of the hypothesis that it was chance which of the values came to which side: the share
// of all ways to deal them in which the means lie as far apart. Before, the outermost values of both sides together are moved
// in to their neighbours (winsorised): an outlier then weighs no more than an ordinary value that is high. As that
// looks at no side, the p-value stays exact, whatever the distribution.
func permuted(a, b []float64) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	n, total := len(a), len(a)+len(b)
	levels, top := graded(a, b)
	if top == 0 {
		return 1
	}
	sum, all := 0, 0
	for i, level := range levels {
		all += level
		if i < n {
			sum += level
		}
	}
	distance := abs(total*sum - n*all) // from the mean of all deals, times total
	normal := normalDeals(levels, n, float64(distance)/float64(total), float64(all)/float64(total))
	if total > exactDeals || normal > noEvidence {
		return normal
	}
	// ways[k][s] counts the choices of k values with the sum s.
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, n*top+1)
	}
	ways[0][0] = 1
	for i, level := range levels {
		for k := min(n, i+1); k >= 1; k-- {
			from, to := ways[k-1], ways[k][level:]
			for s := range to[:min(len(to), (k-1)*top+1)] {
				to[s] += from[s]
			}
		}
	}
	far, deals := 0.0, 0.0
	for s, w := range ways[n] {
		deals += w
		if abs(total*s-n*all) >= distance {
			far += w
		}
	}
	return min(far/deals, 1)
}

const (
	exactDeals = 60   // the most values whose deals are counted out; of more, sums are as good as normal
	noEvidence = 0.2  // of larger p-values nobody needs more digits
	outermost  = 0.15 // of all values, moved in on each side
	resolution = 1000 // steps of the largest sum
)

// graded winsorises the values of both sides and rounds them to whole steps from 0 to top, those of a first.
func graded(a, b []float64) (levels []int, top int) {
	levels = make([]int, 0, len(a)+len(b))
	sorted := slices.Sorted(slices.Values(slices.Concat(a, b)))
	k := min(int(outermost*float64(len(sorted))), (min(len(a), len(b))-1)/2)
	low, high := sorted[k], sorted[len(sorted)-1-k]
	if low == high {
		return levels, 0
	}
	top = max(resolution/min(len(a), len(b)), 20)
	for _, side := range [][]float64{a, b} {
		for _, v := range side {
			levels = append(levels, int(math.Round((min(max(v, low), high)-low)/(high-low)*float64(top))))
		}
	}
	return levels, top
}

// normalDeals approximates the share of deals of n values whose sum is so far from its mean: their variance is known exactly.
func normalDeals(levels []int, n int, distance, mean float64) float64 {
	squares := 0.0
	for _, level := range levels {
		squares += (float64(level) - mean) * (float64(level) - mean)
	}
	total := float64(len(levels))
	sd := math.Sqrt(float64(n) * (total - float64(n)) / (total * (total - 1)) * squares)
	return math.Erfc(max(distance-0.5, 0) / sd / math.Sqrt2)
}

// reach is the largest distance of the two sides' centres that any deal of these values has: all low ones on one side.
func reach(a, b []float64) float64 {
	sorted := thin(slices.Concat(a, b), reachThinned)
	n := max(len(sorted)*min(len(a), len(b))/(len(a)+len(b)), 1)
	return max(hodgesLehmann(sorted[:n], sorted[n:]), hodgesLehmann(sorted[:len(sorted)-n], sorted[len(sorted)-n:]))
}

// reachThinned is how many quantiles stand for all values when the largest distance is sought.
const reachThinned = 120

func hodgesLehmann(a, b []float64) float64 { return stats.Quantile(distances(a, b), 0.5) }

// distances returns all b-a, sorted.
func distances(a, b []float64) []float64 {
	all := make([]float64, 0, len(a)*len(b))
	for _, y := range b {
		for _, x := range a {
			all = append(all, y-x)
		}
	}
	slices.Sort(all)
	return all
}

func abs(n int) int { return max(n, -n) }
