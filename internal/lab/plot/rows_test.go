package plot

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func violins() Rows {
	return Rows{
		Title: "20x12 irp", X: Axis{Label: "nanoseconds per request"}, Series: []string{"engine", "linear"},
		Rows: []Row{
			{"engine", []Item{{Series: 0, Values: []float64{23, 23.2, 22.8, 23.1, 29}, Mid: 23.1, Low: 22.8, High: 23.2}}},
			{"linear", []Item{{Series: 1, Values: []float64{147, 147, 147}, Mid: 147}}},
			{"once", []Item{{Series: 1, Values: []float64{90}, Mid: 90}}},
		},
	}
}

func TestRowsDrawEveryValue(t *testing.T) {
	f := violins().Draw("v")
	_, classes := parse(t, f)
	require.Equal(t, 9, classes["dot"])
	require.Equal(t, 3+2, classes["mark"], "medians and the legend")
	require.Equal(t, 12, f.Marks)
	require.Equal(t, 1, classes["area"], "equal values have no density")
	require.Equal(t, 1, classes["span"])
	require.Equal(t, []string{"engine", "engine", "23.1", "22.8 to 23.2", "23 23.2 22.8 23.1 29"}, f.Table[0])
	require.Contains(t, f.Summary, "linear linear: 147")

	c := violins()
	c.X.Log, c.Rule = true, &Tick{1, "1×"}
	c.Rows[0].Items[0].Values[0], c.Rows[0].Items[0].Low = 0, math.NaN()
	f = c.Draw("v")
	_, classes = parse(t, f)
	require.Equal(t, 11, f.Marks)
	require.Equal(t, 1, classes["rule"])
	parse(t, Rows{}.Draw("empty"))
}

func TestRowsShowHostileNamesHarmlessly(t *testing.T) {
	for _, name := range hostile {
		c := violins()
		c.Title, c.Series[0], c.Rows[1].Name = name, name, name
		c.Rule = &Tick{30, name}
		elements, _ := parse(t, c.Draw("v"))
		require.Zero(t, elements["script"]+elements["img"])
		require.Equal(t, 1, elements["svg"])
	}
}

// The estimate is a density: even over the whole axis it sums to one, and it has its top where the values are.
func TestDensity(t *testing.T) {
	values := []float64{1, 1.1, 0.9, 1, 1.05, 5}
	at := density(values, -2, 8, 1001)
	top := 0
	for i := range at {
		if at[i] > at[top] {
			top = i
		}
	}
	require.InDelta(t, 1, -2+float64(top)*0.01, 0.1)
	require.Equal(t, 1.0, at[top])
	// Silverman by hand: sd 1.633, IQR 0.0875, so 0.9 * 0.0875/1.34 * 6^-0.2.
	require.InDelta(t, 0.9*0.0875/1.34*math.Pow(6, -0.2), bandwidth(values), 1e-9)
	require.Zero(t, bandwidth([]float64{3, 3, 3}))
	require.Zero(t, bandwidth([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}))
	require.Zero(t, bandwidth([]float64{1, 2}))
	require.Nil(t, density(nil, 0, 1, 10))
}
