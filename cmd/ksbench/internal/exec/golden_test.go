package exec

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

var rewrite = flag.Bool("rewrite", false, "write what is answered now to testdata; read the difference before committing it")

// session returns a session of a manifest file.
func session(t testing.TB, path string, options Options) *Session {
	t.Helper()
	m, err := manifest.LoadFile(path)
	require.NoError(t, err)
	s, err := New(m, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// golden is a session of testdata/manifest.json.
func golden(t testing.TB) *Session {
	return session(t, "testdata/manifest.json", Options{Explain: true})
}

// run answers text.
func run(t testing.TB, s *Session, text string) (outcomes string, malformed int) {
	t.Helper()
	var out bytes.Buffer
	malformed, err := s.Run(strings.NewReader(text), &out)
	require.NoError(t, err)
	return out.String(), malformed
}

// expect compares line by line, so that the first difference is readable.
func expect(t *testing.T, requests, want, got string) {
	t.Helper()
	r, w, g := strings.Split(requests, "\n"), strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "(no line)"
		}
		require.Equal(t, line(w), line(g), "line %d, request %.400s", i+1, line(r))
	}
}

// TestExpectations answers the recorded requests that judge the model, too: every byte of every outcome must match.
func TestExpectations(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "engine", "internal", "model", "testdata", "expectations")
	drivers := filepath.Join("..", "..", "..", "..", "engine", "manifest", "drivers", "data")
	for _, c := range []struct {
		name, manifest string
		lines          int
	}{
		{"sample", filepath.Join(dir, "sample-manifest.json"), 334},
		{"driver-wds-avscamera", filepath.Join(drivers, "wds-avscamera.json"), 406},
		{"driver-wds-simpleaudiosample", filepath.Join(drivers, "wds-simpleaudiosample.json"), 320},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests, err := os.ReadFile(filepath.Join(dir, c.name+"-requests.jsonl"))
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(dir, c.name+"-expected.jsonl"))
			require.NoError(t, err)
			require.Equal(t, c.lines, bytes.Count(want, []byte{'\n'}))
			got, malformed := run(t, session(t, c.manifest, Options{}), string(requests))
			require.Zero(t, malformed)
			expect(t, string(requests), string(want), got)
		})
	}
}

// TestExpectationsNotice is its control: with another reading of a rule, some outcome differs.
func TestExpectationsNotice(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "engine", "internal", "model", "testdata", "expectations")
	requests, err := os.ReadFile(filepath.Join(dir, "sample-requests.jsonl"))
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join(dir, "sample-expected.jsonl"))
	require.NoError(t, err)
	for _, text := range []string{"P-25=accept", "P-26=STATUS_NOT_SUPPORTED", "P-27=0xc000000D", "P-33=strict", "P-38=STATUS_UNSUCCESSFUL"} {
		compat, err := traffic.ParseCompat(text)
		require.NoError(t, err)
		got, _ := run(t, session(t, filepath.Join(dir, "sample-manifest.json"), Options{Compat: compat}), string(requests))
		require.NotEqual(t, string(want), got, text)
	}
}

// TestOps answers at least one request of every op, buffer, fault and program. The outcomes were read against the rules
// before they were committed.
func TestOps(t *testing.T) {
	requests, err := os.ReadFile("testdata/ops.jsonl")
	require.NoError(t, err)
	got, malformed := run(t, golden(t), string(requests))
	require.Zero(t, malformed)
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/ops-expected.jsonl", []byte(got), 0o666))
	}
	want, err := os.ReadFile("testdata/ops-expected.jsonl")
	require.NoError(t, err)
	expect(t, string(requests), string(want), got)
}

// TestNew refuses what no line could be answered with.
func TestNew(t *testing.T) {
	m, err := manifest.LoadFile("testdata/manifest.json")
	require.NoError(t, err)
	_, err = New(m, Options{Object: "nobody"})
	require.ErrorContains(t, err, `no object "nobody"`)

	// A file that loads compiles too, but for P-3. A manifest made in a program need not.
	twice := &m.Objects[1].PropertySets[0]
	twice.Items = append(twice.Items, twice.Items[0])
	_, err = New(m, Options{})
	require.ErrorContains(t, err, fmt.Sprintf("object %q: ", m.Objects[1].Name))
	require.ErrorContains(t, err, "declared twice")
}

// TestObject is the default object, and how a line names another.
func TestObject(t *testing.T) {
	const get = `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":4`
	s := session(t, "testdata/manifest.json", Options{Object: "refused"})
	got, _ := run(t, s, get+"}\n"+get+`,"object":"plain"}`)
	first, second, _ := strings.Cut(got, "\n")
	require.Contains(t, first, "STATUS_INVALID_PARAMETER")
	require.Contains(t, second, "STATUS_SUCCESS")
}
