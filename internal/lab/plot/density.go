package plot

import (
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
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
	all := moremath.Sample{Xs: values}
	width := all.StdDev()
	sorted := slices.Sorted(slices.Values(values))
	if iqr := (stats.Quantile(sorted, 0.75) - stats.Quantile(sorted, 0.25)) / 1.34; iqr > 0 {
		width = min(width, iqr)
	}
	if width < 1e-12*math.Abs(all.Mean()) { // equal but for the rounding of the mean
		return 0
	}
	return 0.9 * width * math.Pow(n, -0.2)
}
