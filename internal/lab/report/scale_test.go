package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestScaleMatchesTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	r := sample(7)
	r.Results, r.Workloads = []Result{}, []Workload{} // a run of nothing else
	r.Environment.Caches = []Cache{{"L1d", 32 << 10}, {"L2", 512 << 10}}
	p := NewScalePoint(40_000, "zipf", "engine", 256, []float64{9, 8, 11, 10, 9, 9})
	p.BytesPerKey, p.BuildNsPerKey = 65.7, 110
	if p.NsPerOp != 9 || p.Interval == nil || p.Interval.Low != 8 || p.Interval.High != 11 {
		t.Errorf("summary %+v", p)
	}
	r.Scale = []ScalePoint{p, NewScalePoint(8, "miss", "map", 1, []float64{20})}
	text := render(t, r.WriteJSON)
	if err := schema.Validate(mustParse(t, text)); err != nil {
		t.Error(err)
	}
	var again Report
	if err := json.Unmarshal([]byte(text), &again); err != nil || render(t, again.WriteJSON) != text {
		t.Errorf("it changes when it is read and written: %v", err)
	}
	// Negative controls.
	for name, bad := range map[string]string{
		"no keys":   strings.Replace(text, `"keys": 8`, `"keys": 0`, 1),
		"no time":   strings.Replace(text, `"ns_per_op": 9,`, ``, 1),
		"no batch":  strings.Replace(text, `"batch": 256`, `"batch": 0`, 1),
		"no rounds": strings.Replace(text, `"ns_samples": [`, `"rounds": [`, 1),
	} {
		if bad == text {
			t.Fatalf("%s: nothing was damaged in\n%s", name, text)
		}
		if schema.Validate(mustParse(t, bad)) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}
