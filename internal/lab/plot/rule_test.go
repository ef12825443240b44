package plot

import (
	"math"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
	"github.com/stretchr/testify/require"
)

// Rules outside of the axis are left out; all others stand within the frame, and their names stand apart.
func TestRulesStandApart(t *testing.T) {
	rng := testkit.Rand(t)
	axis := Axis{Label: "keys", Log: true}
	x := axis.scale([]float64{8, 4e6}, 60, 500)
	f := &Figure{width: width}
	for range 300 {
		var ticks []Tick
		for range rng.IntN(6) {
			ticks = append(ticks, Tick{math.Pow(10, rng.Float64()*9-1), strings.Repeat("L", 1+rng.IntN(20))})
		}
		placed, rows := f.layRules(ticks, axis, x)
		for i, r := range placed {
			require.Less(t, r.row, rows)
			require.GreaterOrEqual(t, r.from, x.from-1e-9)
			require.LessOrEqual(t, r.from+extent(r.name), x.to+1e-9)
			for _, before := range placed[:i] {
				if before.row == r.row {
					require.LessOrEqual(t, before.from+extent(before.name), r.from, "%q runs into %q", before.name, r.name)
				}
			}
		}
		within := 0
		for _, tick := range ticks {
			if tick.Value >= x.low && tick.Value <= x.high {
				within++
			}
		}
		require.Len(t, placed, within)
	}
}

func TestRulesAreDrawn(t *testing.T) {
	c := growth()
	_, before := parse(t, c.Draw("g"))
	c.Rules = []Tick{{500, "L1 32 KiB"}, {1, "left of the axis"}, {math.NaN(), "nowhere"}, {9000, `<script>`}}
	f := c.Draw("g")
	elements, classes := parse(t, f)
	require.Zero(t, before["rule"])
	require.Equal(t, 2, classes["rule"])
	require.Zero(t, elements["script"])
	require.Contains(t, string(f.Inline()), "L1 32 KiB")
	require.NotContains(t, string(f.Inline()), "left of the axis")
}
