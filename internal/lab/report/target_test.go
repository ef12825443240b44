package report

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func target(name string, bound Bound, limit float64, samples ...float64) Target {
	t := Target{Name: name, Description: "a test", Bound: bound, Limit: limit, Unit: "x", Samples: samples,
		Parts: []Part{{"irp/engine", 24.6}, {"bare", 3.71}}}
	t.Summarize()
	return t
}

func counted(name string, bound Bound, limit, value float64, unit string) Target {
	t := Target{Name: name, Description: "a count", Bound: bound, Limit: limit, Unit: unit, Parts: []Part{}}
	t.Count(value)
	return t
}

// targets has one of each verdict, in both directions.
func targets() *Report {
	r := sample(7)
	r.Workloads, r.Paths, r.Impls, r.Results = []Workload{}, []Path{}, []Impl{}, []Result{}
	stretch := 5.0
	irp := target("irp/20x12/bare", AtMost, 6, 5.8, 5.9, 6.1, 5.9, 5.9, 5.9, 5.9)
	irp.Stretch = &stretch
	r.Targets = []Target{
		irp,
		target("irp/20x12/near", AtMost, 6, 6.1, 6.2, 5.9, 6.1, 6.2, 6.1, 6.2),
		target("irp/20x12/slow", AtMost, 6, 6.1, 6.2, 6.1, 6.1, 6.2, 6.1, 6.2),
		target("irp/20x12/linear", AtLeast, 2.5, 147, 150, 148, 149, 150, 151, 152),
		target("irp/20x12/few", AtLeast, 2.5, 2.4, 2.4),
		counted("memory/index", AtMost, 3, 3.01, "bits/key"),
		counted("heap", AtMost, 0, 0, ""),
	}
	return r
}

func TestTargetVerdicts(t *testing.T) {
	want := []Verdict{Pass, Near, Fail, Pass, Near, Fail, Pass}
	for i, target := range targets().Targets {
		require.Equal(t, want[i], target.Verdict, target.Name)
	}
	require.Equal(t, []string{"irp/20x12/slow", "memory/index"}, targets().Missed())
	slow := target("slow", AtLeast, 4, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9)
	require.Equal(t, Fail, slow.Verdict, "just below what is at least wanted")
}

func TestATargetWithoutALimitIsNotCounted(t *testing.T) {
	r := targets()
	r.Targets = append(r.Targets, target("shown", Shown, 0, 2, 2, 2, 2, 2, 2))
	reached, limited := r.Reached()
	require.Equal(t, []int{3, 7}, []int{reached, limited})
	require.Contains(t, render(t, as(r, "text")), "3 of 7 targets are reached.")
}

func TestTargetGolden(t *testing.T) {
	golden(t, "targets.txt", render(t, as(targets(), "text")))
	golden(t, "targets.md", render(t, as(targets(), "md")))
}

func TestTargetSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	parsed := mustParse(t, render(t, targets().WriteJSON)).(map[string]any)
	require.NoError(t, schema.Validate(parsed))
	first := parsed["targets"].([]any)[0].(map[string]any)
	for key := range first {
		if slices.Contains([]string{"stretch", "interval"}, key) {
			continue
		}
		value := first[key]
		delete(first, key)
		require.Error(t, schema.Validate(parsed), "the schema does not miss %s", key)
		first[key] = value
	}
	first["verdict"] = "perhaps"
	require.Error(t, schema.Validate(parsed), "the schema accepts a verdict that is none")
}

func TestTargetsStandBesideResults(t *testing.T) {
	r := sample(7)
	r.Targets = targets().Targets
	text := render(t, as(r, "text"))
	for _, want := range []string{"It loses", "3 of 7 targets are reached.", "irp/20x12/near"} {
		require.Contains(t, text, want)
	}
}
