package plot

import (
	"math"
	"slices"
)

// density is a Gaussian kernel estimate at n places from low to high, scaled so that its highest value is 1. Values and
// places are in the space in which the axis is even. It is nil where there is nothing to estimate: fewer than three values,
// or all of them the same.
func density(values []float64, low, high float64, n int) []float64 {
	h := bandwidth(values)
	if h == 0 {
		return nil
	}
	at := make([]float64, n)
	top := 0.0
	for i := range at {
		x := low + (high-low)*float64(i)/float64(n-1)
		for _, v := range values {
			z := (x - v) / h
			at[i] += math.Exp(-z * z / 2)
		}
		top = max(top, at[i])
	}
	for i := range at {
		at[i] /= top
	}
	return at
}

// bandwidth is Silverman's rule, whose minimum keeps one outlier from smearing all the others; where more than half of the
// values are the same, the standard deviation alone has to do.
func bandwidth(values []float64) float64 {
	n := float64(len(values))
	if n < 3 {
		return 0
	}
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	width := math.Sqrt(squares / (n - 1))
	sorted := slices.Sorted(slices.Values(values))
	if iqr := (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34; iqr > 0 {
		width = min(width, iqr)
	}
	if width < 1e-12*math.Abs(mean) { // equal but for the rounding of the mean
		return 0
	}
	return 0.9 * width * math.Pow(n, -0.2)
}

// quantile interpolates between the order statistics (R's type 7).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
