package verdict

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

func times(n int, values ...float64) (out []float64) {
	for i := range n {
		out = append(out, values[i%len(values)])
	}
	return out
}

func TestVerdicts(t *testing.T) {
	base := times(12, 100, 100.5, 99.5, 100.2)
	scaled := func(f float64) []float64 {
		out := make([]float64, len(base))
		for i, v := range base {
			out[i] = v * f
		}
		return out
	}
	for _, c := range []struct {
		name     string
		old, new []float64
		opt      Options
		want     Verdict
		warns    string
	}{
		{"equal", base, base, Options{}, Same, ""},
		{"slower", base, scaled(1.05), Options{}, Regressed, ""},
		{"faster", base, scaled(0.95), Options{}, Improved, ""},
		{"slower pairs", base, scaled(1.05), Options{Paired: true}, Regressed, ""},
		{"more is better", base, scaled(1.05), Options{Better: Higher}, Improved, ""},
		{"less is worse", base, scaled(0.95), Options{Better: Higher}, Regressed, ""},
		{"certain but small", base, scaled(1.01), Options{}, Same, ""},
		{"below the effect", base, scaled(1.05), Options{Effect: 0.2}, Same, ""},
		{"noise", times(12, 100, 150, 70, 200), times(12, 110, 75, 140, 190), Options{}, Inconclusive, ""},
		{"few", base[:5], scaled(2)[:5], Options{}, Insufficient, "needs 6 samples on each side"},
		{"one each", base[:1], scaled(2)[:1], Options{}, Insufficient, "needs 6 samples"},
		{"few on one side", base, scaled(2)[:2], Options{}, Insufficient, "needs 6 samples"},
		{"few for the alpha", base[:6], scaled(2)[:6], Options{Alpha: 0.0001}, Insufficient, "needs 9 samples"},
		{"none", nil, base, Options{}, Insufficient, "needs 6 samples"},
		{"no numbers", base, append(times(11, 1), math.NaN()), Options{}, Insufficient, "not a number"},
		{"infinite", base, append(times(11, 1), math.Inf(1)), Options{}, Insufficient, "not a number"},
		{"no pairs", base, base[:11], Options{Paired: true}, Insufficient, "no pairs"},
		{"zeros", times(12, 0), times(12, 0), Options{}, Same, "at or below zero"},
		{"from zero", times(12, 0), base, Options{}, Regressed, "at or below zero"},

		{"no allocation", times(12, 0), times(12, 0), Options{Exact: true}, Same, ""},
		{"one more", times(12, 0), times(12, 1), Options{Exact: true}, Regressed, ""},
		{"one of a thousand more", times(1, 1000), times(1, 1001), Options{Exact: true}, Regressed, ""},
		{"one less", times(12, 2), times(12, 1), Options{Exact: true}, Improved, ""},
		{"varying alike", times(12, 1047, 1048), times(12, 1048, 1047, 1047), Options{Exact: true}, Same, "vary from 1047 to 1048"},
		{"varying apart", times(12, 1047, 1048), times(12, 1049), Options{Exact: true}, Regressed, "before vary"},
		{"a stray one", append(times(11, 0), 3), times(12, 1), Options{Exact: true}, Regressed, "before vary from 0 to 3"},
		{"apart by chance", []float64{5, 5, 6}, []float64{7, 7, 8}, Options{Exact: true}, Insufficient, "vary"},
		{"varying alike, and one is high", append(times(11, 100, 104), 190), times(12, 101, 103), Options{Exact: true}, Inconclusive, "vary"},
		{"no counts", nil, nil, Options{Exact: true}, Insufficient, ""},
	} {
		r := Compare(c.old, c.new, c.opt)
		require.Equal(t, c.want, r.Verdict, "%s: %+v", c.name, r)
		warnings := strings.Join(r.Warnings, "; ")
		if c.warns == "" {
			require.Empty(t, warnings, c.name)
		} else {
			require.Contains(t, warnings, c.warns, c.name)
		}
	}
}

// A family that is larger than its samples can tell apart is insufficient, and not a gate that never fires.
func TestFamiliesNeedSamples(t *testing.T) {
	side := func(n int, v float64) *Measurements {
		m := &Measurements{}
		for i := range n {
			m.Series = append(m.Series, Series{Name: strings.Repeat("x", i+1), Unit: "ns/op", Values: times(6, v, v+1), Better: Lower})
		}
		return m
	}
	few, err := New(side(20, 100), side(20, 200), Options{})
	require.NoError(t, err)
	require.Equal(t, 20, few.Counts[Regressed], few.Summary())
	many, err := New(side(40, 100), side(40, 200), Options{})
	require.NoError(t, err)
	require.Equal(t, 40, many.Counts[Insufficient], many.Summary())
	require.Contains(t, many.Rows[0].Warnings[0], "needs 7 samples on each side to find a difference among 40 rows")
}

// A machine that slows down moves the limits too, and is no regression of the engine; a slower engine does not move them.
func TestLimitsConfirm(t *testing.T) {
	run := func(engine, bare float64) *Measurements {
		r := &report.Report{
			Settings:  report.Settings{Rounds: 12},
			Workloads: []report.Workload{{Name: "w"}},
			Impls:     []report.Impl{{Name: "engine", Kind: report.Engine}, {Name: "floor", Kind: report.Limit}, {Name: "bare", Kind: report.Limit}},
		}
		for name, ns := range map[string]float64{"engine": engine, "floor": bare / 3, "bare": bare} {
			result := report.Result{Workload: "w", Path: "irp", Impl: name}
			for _, v := range times(12, 0.99, 1, 1.01, 1.005) {
				result.Samples = append(result.Samples, report.Sample{Operations: 1, NsPerOp: ns * v})
			}
			r.Results = append(r.Results, result)
		}
		return FromReport(r, "file")
	}
	for _, c := range []struct {
		engine, bare float64
		want         Verdict
	}{
		{70, 4, Same},
		{84, 4, Regressed},
		{56, 4, Improved},
		{84, 4.8, Inconclusive},
		{56, 3.2, Inconclusive},
		{84, 3, Regressed},
		{70, 5, Same},
	} {
		got, err := New(run(70, 4), run(c.engine, c.bare), Options{})
		require.NoError(t, err)
		require.Equal(t, c.want, got.Rows[0].Verdict, "%v", c)
		require.Equal(t, c.want == Inconclusive, strings.Contains(strings.Join(got.Rows[0].Warnings, ""), "does not confirm"), "%v", c)
	}
}
