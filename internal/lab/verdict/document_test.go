package verdict

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample has a row for every verdict, counts, a unit of which more is better, and a name that means mischief.
func sample(t *testing.T) *Comparison {
	t.Helper()
	base := times(12, 71.5, 72, 71, 71.8, 71.2)
	scaled := func(f float64) []float64 {
		out := make([]float64, len(base))
		for i := range base {
			out[i] = base[i] * f
		}
		return out
	}
	side := func(source, cpu string, series ...Series) *Measurements {
		return &Measurements{Side: Side{Source: source, Environment: report.Environment{CPU: cpu, GOMAXPROCS: 2, OS: "linux", Arch: "amd64",
			GoVersion: "go1.26.8", Level: "GOAMD64=v1", Commit: "0123456789ab"}}, Series: series}
	}
	timed := func(name string, values []float64) Series {
		return Series{Name: name, Unit: "ns/op", Kind: report.Engine, Better: Lower, Values: values}
	}
	counted := func(name string, n float64) Series {
		return Series{Name: name, Unit: "allocs/op", Kind: report.Engine, Exact: true, Better: Lower, Values: times(12, n)}
	}
	limit := func(v []float64) Series {
		return Series{Name: "20x12/irp/bare", Unit: "ns/op", Kind: report.Limit, Better: Lower, Values: v}
	}
	c, err := New(
		side("old.json", "Example 9000", timed("20x12/irp/engine", base), counted("20x12/irp/engine", 0), timed("1x8/irp/engine", base),
			timed("200x20/irp/engine", base), timed("my|dri\x1b[31mver/irp/engine", times(12, 50, 90, 70)), timed("few/irp/engine", base[:5]),
			Series{Name: "Copy", Unit: "MB/s", Better: Higher, Values: scaled(100)}, timed("gone/irp/engine", base), limit(base)),
		side("new.json", "Example 9000", timed("20x12/irp/engine", scaled(1.07)), counted("20x12/irp/engine", 1),
			timed("1x8/irp/engine", scaled(0.9)),
			timed("200x20/irp/engine", scaled(1.003)), timed("my|dri\x1b[31mver/irp/engine", times(12, 95, 50, 60)),
			timed("few/irp/engine", base[:5]),
			Series{Name: "Copy", Unit: "MB/s", Better: Higher, Values: scaled(130)}, counted("added/irp/engine", 0), limit(scaled(1.04))),
		Options{})
	require.NoError(t, err)
	return c
}

func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	require.NoError(t, write(&got))
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got.String(), "go test ./internal/lab/verdict -update rewrites it")
}

// as writes a comparison in a format.
func as(c *Comparison, format string) func(io.Writer) error {
	return func(w io.Writer) error { return doc.Write(w, c, format, 0) }
}

func TestGolden(t *testing.T) {
	c := sample(t)
	golden(t, "comparison.txt", as(c, "text"))
	golden(t, "comparison.md", as(c, "md"))
	golden(t, "comparison.csv", as(c, "csv"))
	golden(t, "comparison.json", as(c, "json"))
	c.OnlyChanges()
	golden(t, "changes.md", as(c, "md"))
}

type failing struct{}

var errFull = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	c := sample(t)
	for _, write := range []func(io.Writer) error{as(c, "text"), as(c, "md"), as(c, "csv"), as(c, "json")} {
		require.ErrorIs(t, write(failing{}), errFull)
	}
}

func TestJSONMatchesItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("comparison.schema.json")
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, as(sample(t), "json")(&text))
	parse := func() map[string]any {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text.Bytes()))
		require.NoError(t, err)
		return v.(map[string]any)
	}
	require.NoError(t, schema.Validate(parse()))
	first := func(v map[string]any) map[string]any { return v["rows"].([]any)[0].(map[string]any) }
	for name, damage := range map[string]func(v map[string]any){ // a schema that accepts these would accept anything
		"no version":      func(v map[string]any) { delete(v, "schemaVersion") },
		"another verdict": func(v map[string]any) { first(v)["verdict"] = "fine" },
		"no verdict":      func(v map[string]any) { delete(first(v), "verdict") },
		"p is text":       func(v map[string]any) { first(v)["p"] = "0.1" },
		"a surprise":      func(v map[string]any) { first(v)["p99"] = true },
	} {
		v := parse()
		damage(v)
		require.Error(t, schema.Validate(v), name)
	}
}
