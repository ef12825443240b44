package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestScaleMatchesTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	r := sample(7)
	r.Results, r.Workloads = []Result{}, []Workload{} // a run of nothing else
	r.Environment.Caches = []Cache{{"L1d", 32 << 10}, {"L2", 512 << 10}}
	p := NewScalePoint(40_000, "zipf", "engine", 256, []float64{9, 8, 11, 10, 9, 9})
	p.BytesPerKey, p.BuildNsPerKey = 65.7, 110
	require.NotNil(t, p.Interval)
	require.Equal(t, []float64{9, 8, 11}, []float64{p.NsPerOp, p.Interval.Low, p.Interval.High})
	r.Scale = []ScalePoint{p, NewScalePoint(8, "miss", "map", 1, []float64{20})}
	text := render(t, r.WriteJSON)
	require.NoError(t, schema.Validate(mustParse(t, text)))
	var again Report
	require.NoError(t, json.Unmarshal([]byte(text), &again))
	require.Equal(t, text, render(t, again.WriteJSON), "it changes when it is read and written")
	// Negative controls.
	for name, bad := range map[string]string{
		"no keys":   strings.Replace(text, `"keys": 8`, `"keys": 0`, 1),
		"no time":   strings.Replace(text, `"ns_per_op": 9,`, ``, 1),
		"no batch":  strings.Replace(text, `"batch": 256`, `"batch": 0`, 1),
		"no rounds": strings.Replace(text, `"ns_samples": [`, `"rounds": [`, 1),
	} {
		require.NotEqual(t, text, bad, "%s: nothing was damaged", name)
		require.Error(t, schema.Validate(mustParse(t, bad)), name)
	}
}
