package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// paired compares values that were taken together: Wilcoxon's signed-rank test on the log-ratios, the median of their
// Walsh averages, and the interval that inverts the test.
func paired(old, new []float64) difference {
	ratios := make([]float64, len(old))
	for i := range old {
		ratios[i] = math.Log(new[i]) - math.Log(old[i])
	}
	d := difference{p: signedRank(ratios), attainable: leastSignP(len(ratios)), reach: math.Inf(1)}

	n := float64(len(ratios))
	thinned := thin(ratios, most)
	walsh := make([]float64, 0, len(thinned)*(len(thinned)+1)/2)
	for i, x := range thinned {
		for _, y := range thinned[i:] {
			walsh = append(walsh, (x+y)/2)
		}
	}
	slices.Sort(walsh)
	outside := 0.5 - z95*math.Sqrt((2*n+1)/(6*n*(n+1)))
	d.shift = stats.Quantile(walsh, 0.5)
	d.low, d.high = inner(walsh, outside)
	return d
}

// exactRanks is the most values for which the distribution of the rank sum is counted out; for more it is as good as normal.
const exactRanks = 60

// signedRank returns the two-sided p-value of Wilcoxon's test that values are symmetric about zero. Zeros take part in the
// ranking and then have no sign (J. W. Pratt, 1959): the others weigh as much as if the zeros had been tiny.
func signedRank(values []float64) float64 {
	n := len(values)
	byDistance := slices.Clone(values)
	slices.SortFunc(byDistance, func(x, y float64) int { return cmp.Compare(math.Abs(x), math.Abs(y)) })
	// Ranks are doubled, so that the mean rank of an even number of ties is whole.
	var ranks []int
	positive := 0
	for i := 0; i < n; {
		j := i
		for j < n && math.Abs(byDistance[j]) == math.Abs(byDistance[i]) {
			j++
		}
		rank := i + j + 1 // twice the mean of i+1 ... j
		for _, v := range byDistance[i:j] {
			if v > 0 {
				positive += rank
			}
			if v != 0 {
				ranks = append(ranks, rank)
			}
		}
		i = j
	}
	if len(ranks) == 0 {
		return 1
	}
	total, squares := 0, 0.0
	for _, r := range ranks {
		total += r
		squares += float64(r) * float64(r)
	}
	if n <= exactRanks {
		return exactSignedRank(ranks, positive, total)
	}
	// The sum of independent ±r/2 has the variance Σ r²/4; 1 is half a step of doubled ranks.
	distance := math.Abs(float64(positive)-float64(total)/2) - 1
	if distance <= 0 {
		return 1
	}
	return min(math.Erfc(distance/math.Sqrt(squares/4)/math.Sqrt2), 1)
}

// exactSignedRank counts in how many of the 2^n choices of signs the sum of the positive ranks is as far from its mean.
func exactSignedRank(ranks []int, positive, total int) float64 {
	ways := make([]float64, total+1)
	ways[0] = 1
	reach := 0
	for _, r := range ranks {
		for s := reach; s >= 0; s-- {
			ways[s+r] += ways[s]
		}
		reach += r
	}
	least := min(positive, total-positive)
	tail := 0.0
	for s := 0; s <= least; s++ {
		tail += ways[s]
	}
	return min(2*tail/math.Exp2(float64(len(ranks))), 1)
}

// leastSignP is the p-value of so many pairs that all differ in one direction.
func leastSignP(n int) float64 { return min(math.Exp2(1-float64(n)), 1) }
