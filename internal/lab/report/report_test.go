package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample has a win, a loss, a tie, a row that another filter left out, allocations, and a name that means mischief.
func sample(rounds int) *Report {
	r := &Report{
		SchemaVersion: SchemaVersion,
		Environment: Environment{CPU: "Example 9000", Cores: 2, GOMAXPROCS: 2, OS: "linux", Arch: "amd64", GoVersion: "go1.26.8",
			Level: "GOAMD64=v1", Commit: "unknown"},
		Settings: Settings{Seed: 1, Rounds: rounds, Requests: 65536, BatchNs: 1000000},
		Workloads: []Workload{{Name: "20x12", Description: "20 sets of 12 items", Objects: 1, Items: 240},
			{Name: "my|dri\x1b[31mver", Description: "a user's driver", Objects: 3, Items: 7}},
		Paths: []Path{{"lookup", "find the item"}, {"irp", "a whole request"}},
		Impls: []Impl{{"engine", Engine, "what is measured"}, {"linear", Peer, "a scan"}, {"map", Peer, "a Go map"},
			{"bare", Limit, "only the call"}},
	}
	add := func(workload, path, impl string, allocs, bytes float64, ns ...float64) {
		var samples []Sample
		for i := range rounds {
			samples = append(samples, Sample{Operations: 65536, NsPerOp: ns[i%len(ns)], AllocsPerOp: allocs, BytesPerOp: bytes})
		}
		r.Results = append(r.Results, NewResult(workload, path, impl, samples))
	}
	add("20x12", "lookup", "engine", 0, 0, 4, 4.1, 3.9)
	add("20x12", "lookup", "linear", 0, 0, 28, 29, 27)
	add("20x12", "lookup", "map", 0, 0, 23.4)
	add("20x12", "lookup", "bare", 0, 0, 3.5)
	add("20x12", "irp", "engine", 0, 0, 23)
	add("20x12", "irp", "linear", 1, 48, 147)
	add("my|dri\x1b[31mver", "lookup", "engine", 0, 0, 4, 5)
	add("my|dri\x1b[31mver", "lookup", "linear", 0, 0, 3, 3.1)
	add("my|dri\x1b[31mver", "lookup", "map", 0, 0, 5, 4)
	r.Compare()
	return r
}

func render(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

// as writes a report in a format.
func as(r *Report, format string) func(io.Writer) error {
	return func(w io.Writer) error { return doc.Write(w, r, format, 0) }
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got,
		"%s differs; go test ./internal/lab/report -update rewrites it", name)
}

func TestGolden(t *testing.T) {
	golden(t, "seven.txt", render(t, as(sample(7), "text")))
	golden(t, "seven.md", render(t, as(sample(7), "md")))
	golden(t, "three.txt", render(t, as(sample(3), "text")))
}

func TestRatiosAreWithinARound(t *testing.T) {
	r := sample(7)
	rows := r.Rows()
	engine := rows[Row{"my|dri\x1b[31mver", "lookup", "engine"}]
	require.Len(t, engine.Ratios, 2)
	require.Equal(t, []string{"linear", "map"}, []string{engine.Ratios[0].To, engine.Ratios[1].To})
	// Rounds alternate 4 and 5 for the engine, 5 and 4 for map: 1.25 and 0.8. The ratio of the medians would be 1.
	got := engine.Ratios[1]
	require.Equal(t, []float64{1.25, 0.8, 1.25}, []float64{got.Ratio, got.Interval.Low, got.Interval.High})
	require.Empty(t, rows[Row{"20x12", "lookup", "map"}].Ratios, "of a peer")
}

func TestVerdictNamesEveryLoss(t *testing.T) {
	lines := strings.Join(sample(7).Summary(), "\n")
	want := "Of 5 comparisons with linear, map the engine is faster in 3, slower in 1, and 1 are undecided."
	require.Contains(t, lines, want)
	require.NotContains(t, lines, "bare", "a limit is no opponent")
	require.Contains(t, lines, "It loses my|dri\x1b[31mver/lookup to linear (0.75x).", "the loss is missing")
	require.Contains(t, lines, "Too close to tell: my|dri\x1b[31mver/lookup to map", "the tie is missing")
	few := strings.Join(sample(5).Summary(), "\n")
	require.Contains(t, few, "Too few rounds for a verdict: it takes at least 6.", "five rounds")
	r := sample(7)
	r.Results = r.Results[:6]
	require.Equal(t, []string{"Of 3 comparisons with linear, map the engine is faster in 3, slower in 0, and 0 are undecided."}, r.Summary(),
		"without the loss")
	r.Results = r.Results[1:2]
	require.Contains(t, strings.Join(r.Summary(), "\n"), "compared with nothing", "without the engine")
}

func TestWarnings(t *testing.T) {
	ns := func(values ...float64) (s []Sample) {
		for _, v := range values {
			s = append(s, Sample{Operations: 1, NsPerOp: v})
		}
		return s
	}
	for _, c := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"quiet", ns(10, 10, 10, 10, 11, 90), ""},
		{"noisy", ns(10, 12, 8, 13, 6, 10), warnSpread},
		{"few", ns(10, 10, 10, 10, 10), warnRounds},
		{"allocating now and then", append(ns(1, 1, 1, 1, 1), Sample{NsPerOp: 1, AllocsPerOp: 0.5}), warnAllocs},
		{"a stray allocation", append(ns(1, 1, 1, 1, 1), Sample{NsPerOp: 1, AllocsPerOp: 2.0 / 65536}), ""},
	} {
		require.Equal(t, c.want, strings.Join(NewResult("w", "p", "i", c.samples).Warnings, "; "), c.name)
		varied := strings.Join(NewVaried("w", "p", "i", c.samples).Warnings, "; ")
		require.Equal(t, strings.Trim(strings.ReplaceAll(c.want, warnAllocs, ""), "; "), varied, c.name)
	}
}

type failing struct{}

var errFull = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	r := sample(7)
	for name, write := range map[string]func(io.Writer) error{"text": as(r, "text"), "md": as(r, "md"), "json": r.WriteJSON} {
		require.ErrorIs(t, write(failing{}), errFull, name)
	}
}

func TestJSONMatchesItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	text := render(t, sample(7).WriteJSON)
	parse := func() map[string]any {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		require.NoError(t, err)
		return v.(map[string]any)
	}
	require.NoError(t, schema.Validate(parse()))
	require.NoError(t, schema.Validate(mustParse(t, render(t, sample(3).WriteJSON))), "without intervals")
	// Negative controls: a schema that accepts these would accept anything.
	first := func(v map[string]any) map[string]any { return v["results"].([]any)[0].(map[string]any) }
	for name, damage := range map[string]func(v map[string]any){
		"no version":       func(v map[string]any) { delete(v, "schemaVersion") },
		"another version":  func(v map[string]any) { v["schemaVersion"] = json.Number("2") },
		"no machine":       func(v map[string]any) { delete(v, "environment") },
		"empty commit":     func(v map[string]any) { v["environment"].(map[string]any)["commit"] = "" },
		"no time":          func(v map[string]any) { delete(first(v), "ns_per_op") },
		"time is text":     func(v map[string]any) { first(v)["ns_per_op"] = "4.0" },
		"no samples":       func(v map[string]any) { first(v)["samples"] = []any{} },
		"no digest":        func(v map[string]any) { v["workloads"].([]any)[0].(map[string]any)["digest"] = "abc" },
		"ratios are null":  func(v map[string]any) { first(v)["ratios"] = nil },
		"a surprise":       func(v map[string]any) { first(v)["p99"] = json.Number("1") },
		"a kind of no use": func(v map[string]any) { v["impls"].([]any)[0].(map[string]any)["kind"] = "friend" },
	} {
		v := parse()
		damage(v)
		require.Error(t, schema.Validate(v), name)
	}
}

func mustParse(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return v
}
