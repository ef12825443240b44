package verdict

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The test by its definition: all deals, one by one.
func TestPermutedIsTheShareOfDeals(t *testing.T) {
	rng := testkit.Rand(t)
	for range 100 {
		a, b := make([]float64, 1+rng.IntN(6)), make([]float64, 6)
		for i := range a {
			a[i] = float64(rng.IntN(20)) + 6
		}
		for i := range b {
			b[i] = float64(rng.IntN(20))
		}
		levels, top := graded(a, b)
		if top == 0 {
			continue
		}
		mean := 0.0
		for _, level := range levels {
			mean += float64(level*len(a)) / float64(len(levels))
		}
		distance := func(chosen uint) float64 {
			sum := 0.0
			for i, level := range levels {
				if chosen>>i&1 == 1 {
					sum += float64(level)
				}
			}
			return math.Abs(sum - mean)
		}
		got, far, deals := distance(1<<len(a)-1), 0, 0
		for chosen := range uint(1) << len(levels) {
			if bits.OnesCount(chosen) == len(a) {
				deals++
				if distance(chosen) >= got-1e-9 {
					far++
				}
			}
		}
		p := permuted(a, b)
		if p > noEvidence {
			require.Greater(t, float64(far)/float64(deals), noEvidence/2, "%v %v", a, b)
			continue
		}
		require.InDelta(t, float64(far)/float64(deals), p, 1e-9, "%v %v", a, b)
		require.InDelta(t, p, permuted(b, a), 1e-9)
	}
}

// The counted shares and their approximation meet where one takes over from the other.
func TestPermutedApproximation(t *testing.T) {
	rng := testkit.Rand(t)
	for range 20 {
		a, b := make([]float64, exactDeals/2), make([]float64, exactDeals/2)
		for i := range a {
			a[i], b[i] = rng.NormFloat64(), rng.NormFloat64()+0.6
		}
		exact := permuted(a, b)
		levels, _ := graded(a, b)
		sum, mean := 0.0, 0.0
		for i, level := range levels {
			mean += float64(level) / float64(len(levels))
			if i < len(a) {
				sum += float64(level)
			}
		}
		require.InDelta(t, exact, normalDeals(levels, len(a), math.Abs(sum-mean*float64(len(a))), mean), 0.01)
	}
}

// An outlier before hides no change after: a rank test of ten and ten has p = 0.0015 here.
func TestOutliersHideNothing(t *testing.T) {
	old := []float64{100, 101, 99, 100.5, 400, 99.5, 100.2, 101.3, 98.9, 100.7}
	new := []float64{150, 151, 149, 150.5, 150.1, 149.5, 150.2, 151.3, 148.9, 150.7}
	require.Less(t, permuted(logs(old), logs(new)), 1.5e-4)
	require.Greater(t, permuted(logs(old), logs(old[1:])), 0.5)
}
