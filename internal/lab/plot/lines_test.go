package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile names are what a report from a stranger may hold.
var hostile = []string{
	`<script>alert(1)</script>`, `"><svg onload=alert(1)>`, `</title></svg><img src=x onerror=alert(1)>`, `]]>&amp;&#0;`,
	"\u202eright to left", "\x00\x1b[31m\u2028", strings.Repeat("long ", 400), "",
}

// parse checks that the figure is well-formed and returns how often each element occurs, and all attribute values.
func parse(t *testing.T, f *Figure) (elements map[string]int, classes map[string]int) {
	t.Helper()
	elements, classes = map[string]int{}, map[string]int{}
	var b strings.Builder
	require.NoError(t, f.WriteSVG(&b))
	d := xml.NewDecoder(strings.NewReader(b.String()))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return elements, classes
		}
		require.NoError(t, err)
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements[start.Name.Local]++
		for _, a := range start.Attr {
			require.NotContains(t, a.Value, "NaN", start.Name.Local)
			require.NotContains(t, a.Value, "Inf", start.Name.Local)
			require.False(t, strings.HasPrefix(a.Name.Local, "on"), "%s has a handler %s", start.Name.Local, a.Name.Local)
			if a.Name.Local == "class" {
				for _, c := range strings.Fields(a.Value) {
					classes[c]++
				}
			}
		}
	}
}

func growth() Lines {
	return Lines{
		Title: "Growth", X: Axis{Label: "items", Log: true}, Y: Axis{Label: "nanoseconds per request", Log: true},
		Series: []Series{
			{Name: "engine", Points: []Point{{8, 4, 3.9, 4.1}, {240, 4.5, 4.4, 4.7}, {40000, 9, 8, 12}}},
			{Name: "linear", Points: []Point{{8, 6, 0, 0}, {240, 60, 0, 0}, {40000, 9000, 0, 0}}},
		},
	}
}

func TestLinesDrawEveryPoint(t *testing.T) {
	f := growth().Draw("g")
	elements, classes := parse(t, f)
	require.Equal(t, 6, f.Marks)
	require.Equal(t, f.Marks+2, classes["mark"], "and one for each name in the legend")
	require.Equal(t, 2, classes["line"])
	require.Equal(t, 1, classes["area"], "only one curve has intervals")
	require.Equal(t, 1, elements["desc"])
	require.Equal(t, []string{"items", "engine", "linear"}, f.Header)
	require.Equal(t, []string{"40000", "9 (8 to 12)", "9000"}, f.Table[2])
	require.Contains(t, f.Summary, "engine: 4 at 8, 9 at 40")
}

// The picture cannot show a zero on a logarithmic axis; the table does, and nothing divides by it.
func TestWhatCannotBeDrawnStaysInTheTable(t *testing.T) {
	for _, odd := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		c := growth()
		c.Series[0].Points[1].Y = odd
		f := c.Draw("g")
		parse(t, f)
		require.Equal(t, 5, f.Marks)
		require.Len(t, f.Table, 3)
	}
	parse(t, Lines{Series: []Series{{Name: "nothing"}}}.Draw("empty"))
	parse(t, Lines{Series: []Series{{Points: []Point{{0, 0, 0, 0}}}}}.Draw("zero"))
	parse(t, Lines{Series: []Series{{Points: []Point{{1e300, 1e-300, 0, 0}, {-1e300, 1e300, 0, 0}}}}}.Draw("far"))
}

func TestHostileNamesAreShownHarmlessly(t *testing.T) {
	for _, name := range hostile {
		c := growth()
		c.Title, c.Summary, c.X.Label, c.Series[0].Name = name, name, name, name
		f := c.Draw(name)
		elements, _ := parse(t, f)
		require.Zero(t, elements["script"]+elements["img"], name)
		require.Equal(t, 1, elements["svg"], name)
		require.NotContains(t, string(f.Inline()), "\u202e")
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		axis      Axis
		low, high float64
		want      []float64
	}{
		{Axis{Zero: true}, 3, 47, []float64{0, 10, 20, 30, 40}},
		{Axis{}, 100, 104, []float64{100, 101, 102, 103, 104}},
		{Axis{Log: true}, 4, 900, []float64{10, 30, 100, 300, 1000}},
		{Axis{Log: true}, 1, 1e12, []float64{1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12}},
		{Axis{Log: true}, 3, 30, []float64{5, 10, 20}},
		{Axis{Log: true}, 4, 4.2, []float64{4, 4.1, 4.2}},
	} {
		s := c.axis.scale([]float64{c.low, c.high}, 0, 100)
		got := s.ticks(6)
		require.Len(t, got, len(c.want), "%v to %v: %v", c.low, c.high, got)
		require.InDeltaSlice(t, c.want, got, 1e-9*c.high, "%v to %v: %v", c.low, c.high, got)
		require.InDelta(t, c.low, s.outer(s.inner(c.low)), 1e-9)

		require.Greater(t, s.at(c.high), s.at(c.low))
		require.GreaterOrEqual(t, s.at(c.low), 0.0)
		require.LessOrEqual(t, s.at(c.high), 100.0)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	require.ErrorIs(t, growth().Draw("g").WriteSVG(full{}), errFull)
}
