package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The test by its definition: all choices of signs, one by one.
func TestSignedRankIsTheShareOfSigns(t *testing.T) {
	rng := testkit.Rand(t)
	for range 200 {
		values := make([]float64, 1+rng.IntN(10))
		for i := range values {
			values[i] = float64(rng.IntN(13) - 6) // ties and zeros
		}
		n, sum := len(values), func(sign func(i int) bool) float64 {
			s := 0.0
			for i, v := range values {
				rank := 0.5 // the mean rank of equal distances
				for _, w := range values {
					if math.Abs(w) < math.Abs(v) {
						rank++
					} else if math.Abs(w) == math.Abs(v) {
						rank += 0.5
					}
				}
				if v != 0 && sign(i) {
					s += rank
				} else if v != 0 {
					s -= rank
				}
			}
			return math.Abs(s)
		}
		got := sum(func(i int) bool { return values[i] > 0 })
		as := 0
		for signs := range 1 << n {
			if sum(func(i int) bool { return signs>>i&1 == 1 }) >= got-1e-9 {
				as++
			}
		}
		require.InDelta(t, float64(as)/float64(int(1)<<n), signedRank(values), 1e-9, "%v", values)
	}
}

// The counted distribution and its normal approximation meet where one takes over from the other.
func TestSignedRankApproximation(t *testing.T) {
	rng := testkit.Rand(t)
	for range 20 {
		values := make([]float64, exactRanks+1)
		for i := range values {
			values[i] = rng.NormFloat64() + 0.3
		}
		approximate := signedRank(values)
		ranks, positive := []int{}, 0
		for i, v := range slices.SortedFunc(slices.Values(values),
			func(a, b float64) int { return int(math.Copysign(1, math.Abs(a)-math.Abs(b))) }) {
			ranks = append(ranks, 2*(i+1))
			if v > 0 {
				positive += 2 * (i + 1)
			}
		}
		require.InDelta(t, exactSignedRank(ranks, positive, len(values)*(len(values)+1)), approximate, 0.005)
	}
}

func TestPublishedExamples(t *testing.T) {
	// Hollander and Wolfe, Nonparametric Statistical Methods, example 3.1: Hamilton depression scale before and after. The
	// sum of the positive ranks is 40 of 45, which 10 of the 512 choices of signs reach or exceed on either side of the mean.
	before := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	after := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	d := make([]float64, len(before))
	for i := range before {
		d[i] = before[i] - after[i]
	}
	require.InDelta(t, 20.0/512, signedRank(d), 1e-12)

	// Two samples of five that do not overlap: 2 of the 252 ways to deal the ranks.
	require.InDelta(t, 2.0/252, leastRankP(5, 5), 1e-12)
	c := Compare([]float64{3, 1, 6, 2, 5, 4}, []float64{9, 7, 12, 8, 11, 10}, Options{})
	require.InDelta(t, 2.0/924, *c.P, 1e-12)
	require.InDelta(t, leastRankP(6, 6), *c.P, 1e-12)

	// S. Holm's procedure on p = 0.01, 0.02, 0.03, 0.04 and 0.5.
	rows := make([]*Row, 5)
	for i, p := range []float64{0.03, 0.5, 0.01, 0.04, 0.02} {
		rows[i] = &Row{P: &p}
	}
	holm(rows)
	for i, want := range []float64{0.09, 0.5, 0.05, 0.09, 0.08} {
		require.InDelta(t, want, *rows[i].Holm, 1e-12)
	}
}

// The intervals enclose the true change as often as they say, and the chance of a false alarm is what was asked for, on noise as
// machines make it: skewed, with two modes, and drifting for pairs.
func TestCoverage(t *testing.T) {
	rng := testkit.Rand(t)
	noise := func() float64 {
		v := math.Exp(0.01 * rng.NormFloat64())
		if rng.IntN(3) == 0 {
			v *= 1.4
		}
		if rng.IntN(20) == 0 {
			v *= 1 + 5*rng.ExpFloat64()
		}
		return v
	}
	const trials = 300
	for _, n := range []int{6, 15, 80} {
		for _, pairs := range []bool{false, true} {
			t.Run(fmt.Sprintf("n=%d/paired=%v", n, pairs), func(t *testing.T) {
				alarms, outside := 0, 0
				for range trials {
					a, b, host := make([]float64, n), make([]float64, n), 1.0
					for i := range a {
						if pairs {
							host *= math.Exp(0.1 * rng.NormFloat64())
						}
						a[i], b[i] = 70*noise()*host, 70*noise()*host
					}
					same := Compare(a, b, Options{Paired: pairs})
					if *same.P < 0.05 {
						alarms++
					}
					for i := range b {
						b[i] *= 1.05
					}
					slower := Compare(a, b, Options{Paired: pairs})
					if slower.Interval.Low > 0.05 || slower.Interval.High < 0.05 {
						outside++
					}
					require.InDelta(t, (1+*same.Change)*1.05-1, *slower.Change, 1e-9)
				}
				// 5 % of 300 is 15, the standard deviation 3.8.
				require.Less(t, alarms, 35)
				require.Less(t, outside, 38)
			})
		}
	}
}

// Pairs find what independent samples cannot, on a machine whose speed wanders.
func TestPairsSeeThroughDrift(t *testing.T) {
	rng := testkit.Rand(t)
	found := map[bool]int{}
	for range 50 {
		a, b, host := make([]float64, 40), make([]float64, 40), 1.0
		for i := range a {
			host *= math.Exp(0.1 * rng.NormFloat64())
			a[i], b[i] = host*math.Exp(0.01*rng.NormFloat64()), 1.05*host*math.Exp(0.01*rng.NormFloat64())
		}
		for _, pairs := range []bool{false, true} {
			if Compare(a, b, Options{Paired: pairs}).Verdict == Regressed {
				found[pairs]++
			}
		}
	}
	require.Equal(t, 50, found[true])
	require.Less(t, found[false], 10)
}

func TestThinningKeepsTheEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 1))
	a, b := make([]float64, 20000), make([]float64, 20000)
	for i := range a {
		a[i], b[i] = math.Exp(0.2*rng.NormFloat64()), 1.03*math.Exp(0.2*rng.NormFloat64())
	}
	for _, pairs := range []bool{false, true} {
		r := Compare(a, b, Options{Paired: pairs})
		require.InDelta(t, 0.03, *r.Change, 0.012)
		require.Equal(t, Regressed, r.Verdict)
		require.Less(t, r.Interval.High-r.Interval.Low, 0.02)
	}
}

func TestValuesStayInPlace(t *testing.T) {
	a, b := []float64{3, 1, 2, 5, 4, 6, 7}, []float64{9, 8, 7, 1, 2, 3, 4}
	for _, opt := range []Options{{}, {Paired: true}, {Exact: true}} {
		Compare(a, b, opt)
	}
	require.Equal(t, []float64{3, 1, 2, 5, 4, 6, 7}, a)
	require.Equal(t, []float64{9, 8, 7, 1, 2, 3, 4}, b)
}
