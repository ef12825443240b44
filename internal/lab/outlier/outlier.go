// Package outlier counts timings that lie far from the others. It removes none.
//
// The rule is J. W. Tukey's (Exploratory Data Analysis, 1977): with the quartiles Q1 and Q3, a value is a mild outlier
// beyond Q1 - 1.5 (Q3-Q1) or Q3 + 1.5 (Q3-Q1), and a severe one beyond 3 times that distance. An outlier of a timing is
// nearly always a real event, such as a preempted thread or another machine on the same core, so leaving it out would
// flatter. The reported median and its interval hardly notice it. The count tells a reader how quiet the machine was.
package outlier

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// Counts are the values outside of the fences, by side and distance.
type Counts struct {
	LowSevere, LowMild, HighMild, HighSevere int
}

// Count classifies the values. Fewer than four have no quartiles worth the name, and no outliers.
func Count(values []float64) (c Counts) {
	if len(values) < 4 {
		return c
	}
	s := slices.Sorted(slices.Values(values))
	q1, q3 := stats.Quantile(s, 0.25), stats.Quantile(s, 0.75)
	d := q3 - q1
	for _, v := range s {
		switch {
		case v < q1-3*d:
			c.LowSevere++
		case v < q1-1.5*d:
			c.LowMild++
		case v > q3+3*d:
			c.HighSevere++
		case v > q3+1.5*d:
			c.HighMild++
		}
	}
	return c
}
