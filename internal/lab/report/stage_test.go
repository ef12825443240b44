package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// staged has a path whose parts do not add up, one that was not taken apart, a part below zero, and a limit.
func staged() *Report {
	r := sample(7)
	r.Workloads, r.Paths, r.Impls, r.Results = []Workload{}, []Path{}, []Impl{}, []Result{}
	load := NewStage("load, 1 MiB, L2", StageLimit, "", "waits for the one before", []float64{4})
	load.Bytes = 1 << 20
	r.Stages = []Stage{
		NewStage("decode", StagePart, "irp", "loop", []float64{1, 2, 1, 1, 1, 1, 1}),
		NewStage("zero", StagePart, "irp", "loop, less another", []float64{-0.01, -0.02, 0, -0.01, -0.01, 0, 0.2}),
		NewStage("checks", StagePart, "irp", "refused", []float64{7, 8, 7, 7, 7, 7, 9}),
		NewStage("irp", StageWhole, "irp", "IoControl", []float64{10, 10, 10, 10, 11, 10, 10}),
		NewStage("lookup", StageWhole, "lookup", "Table.Lookup", []float64{4, 4, 4, 4, 4, 4, 4}),
		load,
	}
	return r
}

func TestStageGolden(t *testing.T) {
	golden(t, "stages.txt", render(t, as(staged(), "text")))
	golden(t, "stages.md", render(t, as(staged(), "md")))
}

func TestStageSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	parsed := mustParse(t, render(t, staged().WriteJSON)).(map[string]any)
	require.NoError(t, schema.Validate(parsed))
	first := parsed["stages"].([]any)[0].(map[string]any)
	for key, value := range first {
		if key == "interval" {
			continue
		}
		delete(first, key)
		require.Error(t, schema.Validate(parsed), "the schema does not miss %s", key)
		first[key] = value
	}
	first["kind"] = "half"
	require.Error(t, schema.Validate(parsed), "the schema accepts a kind that is none")
}
