package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func otherGeometry(t testing.TB) Histogram {
	h := hdrhistogram.New(1, math.MaxInt64, 5)
	require.NoError(t, h.RecordValue(3))
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	require.NoError(t, err)
	return Histogram(text)
}

// The quantiles of a histogram are those of an exact sort, to a part in a thousand; below 2048 ns they are the same.
func TestQuantilesAgreeWithASort(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 3))
	for name, draw := range map[string]func() float64{
		"short":       func() float64 { return 20 + 30*rng.Float64() },
		"exponential": func() float64 { return 25 + 1000*rng.ExpFloat64() },
		"heavy tail":  func() float64 { return 30 * math.Pow(1-rng.Float64(), -1.2) },
		"two humps":   func() float64 { return 40 + 5*rng.NormFloat64() + float64(rng.IntN(2))*1e6 },
	} {
		h, exact := NewHistogram(), []int64{}
		for range 30_000 {
			v := int64(min(max(draw(), LowestLatency), HighestLatency))
			require.NoError(t, h.RecordValue(v))
			exact = append(exact, v)
		}
		slices.Sort(exact)
		d, err := NewDistribution(h)
		require.NoError(t, err)
		require.Equal(t, int64(len(exact)), d.Count)
		for _, q := range []struct {
			quantile float64
			got      int64
		}{{0, d.Min}, {0.5, d.P50}, {0.9, d.P90}, {0.99, d.P99}, {0.999, d.P999}, {0.9999, d.P9999}, {1, d.Max}} {
			want := exact[max(int(math.Ceil(q.quantile*float64(len(exact))-1e-6))-1, 0)]
			off := math.Abs(float64(q.got - want))
			if want < 2048 {
				require.Zero(t, off, "%s: quantile %v is %d, sorted %d", name, q.quantile, q.got, want)
			}
			require.LessOrEqual(t, off, float64(want)/1000, "%s: quantile %v is %d, sorted %d", name, q.quantile, q.got, want)
		}
	}
}

// The histogram in a report is the one that was recorded.
func TestHistogramRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 4))
	h := NewHistogram()
	for range 10_000 {
		require.NoError(t, h.RecordValue(1+rng.Int64N(1<<rng.IntN(35))))
	}
	d, err := NewDistribution(h)
	require.NoError(t, err)
	back, err := d.Histogram.Decode()
	require.NoError(t, err)
	require.True(t, back.Equals(h))
	require.NoError(t, d.check())
}
