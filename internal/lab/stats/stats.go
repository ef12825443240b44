// Package stats summarises a handful of timings: a median, how far the values lie from it, and how well it is known.
//
// Timings of a shared machine are skewed and have outliers of any size on one side, so nothing here assumes a normal
// distribution and nothing is thrown away. The interval of a median is the classical one from order statistics: of n
// independent values the number below the true median is binomial(n, 1/2), so the k-th smallest and the k-th largest
// enclose it with the probability 1 - 2 P(B < k), whatever the distribution (W. R. Thompson, 1936; Conover, Practical
// Nonparametric Statistics, 3.2). It needs no resampling and no seed, and it shows when there are too few values: with
// fewer than six no interval reaches 95 %. golang.org/x/perf/benchmath uses the same interval; its Mann-Whitney test
// does not fit here, because the rounds are paired and the ratio within a round is what is summarised.
package stats

import (
	"math"
	"slices"
)

// Interval encloses a median with the given probability, which is at least the one that was asked for.
type Interval struct {
	Low, High  float64
	Confidence float64
}

// Median returns the middle value, or the mean of the middle two; NaN without values. values is not changed.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	m := len(s) / 2
	if len(s)%2 == 1 {
		return s[m]
	}
	return (s[m-1] + s[m]) / 2
}

// Quantile interpolates between the values, which are sorted and at least one (Hyndman and Fan's type 7, the one of most programs).
func Quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Spread returns the median distance from the median as a fraction of the median: half of the values lie within
// ± Spread of it. It is NaN without values and 0 for a zero median.
func Spread(values []float64) float64 {
	m := Median(values)
	if m == 0 {
		return 0
	}
	distances := make([]float64, len(values))
	for i, v := range values {
		distances[i] = math.Abs(v - m)
	}
	return Median(distances) / math.Abs(m)
}

// MedianInterval returns the narrowest symmetric interval of order statistics that encloses the median with at least
// the given confidence (0 < confidence < 1). It reports false if the values are too few for any.
func MedianInterval(values []float64, confidence float64) (Interval, bool) {
	n := len(values)
	// outside is P(B < k) + P(B > n-k) for the interval from the k-th smallest to the k-th largest.
	term := math.Pow(0.5, float64(n)) // P(B = 0); underflows to 0 past a thousand values, which no report has
	outside := 2 * term
	k, covered := 0, 0.0
	for j := 1; 2*j <= n && 1-outside >= confidence; j++ {
		k, covered = j, 1-outside
		term *= float64(n-j+1) / float64(j)
		outside += 2 * term
	}
	if k == 0 {
		return Interval{}, false
	}
	s := slices.Sorted(slices.Values(values))
	return Interval{Low: s[k-1], High: s[n-k], Confidence: covered}, true
}
