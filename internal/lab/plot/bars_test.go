package plot

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

func TestBarsDrawEveryPart(t *testing.T) {
	c := Bars{Title: "Stages", X: Axis{Label: "nanoseconds", Format: doc.Nanoseconds}, Bars: []Bar{
		{"irp", []Part{{"validate", 3}, {"lookup", 4}, {"handler", 2}}},
		{"fast", []Part{{"lookup", 4}, {"handler", 2}, {"nothing", 0}, {"wrong", math.NaN()}, {"less", -1}}},
	}}
	f := c.Draw("b")
	elements, classes := parse(t, f)
	require.Equal(t, 5, f.Marks)
	require.Equal(t, 5, classes["part"])
	require.Equal(t, 6, elements["rect"], "and the background")
	require.Equal(t, []string{"bar", "validate", "lookup", "handler", "nothing", "wrong", "less"}, f.Header)
	require.Equal(t, []string{"fast", "", "4 ns", "2 ns", "0 ns", "- ns", "-1 ns"}, f.Table[1])
	parse(t, Bars{}.Draw("empty"))
	for _, name := range hostile {
		c.Bars[0].Name, c.Bars[0].Parts[0].Name = name, name
		elements, _ := parse(t, c.Draw("b"))
		require.Zero(t, elements["script"]+elements["img"])
	}
}

func TestFlameDrawsTheStacks(t *testing.T) {
	root := &Frame{Name: "all", Value: 100}
	run := root.Child("main.run")
	run.Value = 90
	dispatch := run.Child("github.com/ksdispatch/ksdispatch/engine.(*Dispatcher).Property")
	dispatch.Value = 60
	run.Child("runtime.memmove").Value = 10
	root.Child("tiny").Value = 0.1 // below what is drawn
	require.Same(t, run, root.Child("main.run"))

	f := Flame{Title: "CPU", Root: root}.Draw("f")
	_, classes := parse(t, f)
	require.Equal(t, 4, f.Marks)
	require.Equal(t, 4, classes["flame"])
	require.Equal(t, 3*flameHeight, f.height)
	require.Equal(t, []string{"github.com/ksdispatch/ksdispatch/engine.(*Dispatcher).Property", "60", "60.0 %"}, f.Table[0])
	require.Equal(t, []string{"main.run", "20", "20.0 %"}, f.Table[1])
	require.Contains(t, string(f.Inline()), ">engine.(*Dispatcher).Property</text>")
	parse(t, Flame{}.Draw("empty"))
	for _, name := range hostile {
		dispatch.Name = name
		elements, _ := parse(t, Flame{Root: root}.Draw("f"))
		require.Zero(t, elements["script"]+elements["img"])
	}
}

func TestShort(t *testing.T) {
	for _, c := range [][2]string{
		{"github.com/x/y.(*T).M", "y.(*T).M"}, {"runtime.memmove", "runtime.memmove"}, {"a/b.F[go.shape.int]", "b.F[go.shape.int]"},
		{"main.main.func1", "main.main.func1"}, {"", ""}, {"a/b.(*T[c/d.E]).M", "b.(*T[c/d.E]).M"},
	} {
		require.Equal(t, c[1], short(c[0]))
	}
}
