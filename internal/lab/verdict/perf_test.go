package verdict

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// perfFiles returns the benchmark files that golang.org/x/perf tests itself with: those that benchfmt finds a result in.
func perfFiles(t *testing.T) map[string][]byte {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/perf").Output()
	require.NoError(t, err)
	files := map[string][]byte{}
	root := strings.TrimSpace(string(dir))
	for _, of := range []string{"benchfmt", "benchproc", "benchseries", filepath.Join("cmd", "benchstat"),
		filepath.Join("cmd", "benchseries")} {
		err := filepath.WalkDir(filepath.Join(root, of), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.Contains(path, "testdata") || filepath.Ext(path) == ".go" || filepath.Ext(path) == ".json" ||
				filepath.Ext(path) == ".csv" {
				return err
			}
			text, err := os.ReadFile(path)
			if name, _ := filepath.Rel(root, path); err == nil && bytes.Contains(append([]byte("\n"), text...), []byte("\nBenchmark")) {
				files[name] = text
			}
			return err
		})
		require.NoError(t, err)
	}
	require.Greater(t, len(files), 50)
	return files
}

// Every file of others is read, or is of a run that failed, and the medians are those of benchmath.
func TestPerfFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 20 MB")
	}
	medians := 0
	for name, text := range perfFiles(t) {
		m, err := Read(bytes.NewReader(text), name, nil)
		if err != nil {
			require.ErrorContains(t, err, "the test run failed", name)
			require.Regexp(t, `(?m)^(fatal error: |signal: |panic: |exit status |FAIL|\s*--- FAIL)`, string(text), name)
			continue
		}
		want := map[string][]float64{}
		reader := benchfmt.NewReader(bytes.NewReader(text), name)
		for reader.Scan() {
			r, ok := reader.Result().(*benchfmt.Result)
			if !ok {
				continue
			}
			var config []string
			for _, c := range r.Config {
				if c.Key != "pkg" {
					config = append(config, c.Key+": "+string(c.Value)+"\n")
				}
			}
			slices.Sort(config)
			for _, v := range r.Values {
				value, unit := v.Value, v.Unit
				if v.OrigUnit != "" {
					value, unit = v.OrigValue, v.OrigUnit
				}
				of := Benchmark{r.GetConfig("pkg"), string(r.Name), strings.Join(config, "")}
				key := fmt.Sprintf("%+v %s", of, unit)
				want[key] = append(want[key], value)
			}
		}
		require.Len(t, m.Series, len(want), name)
		for _, s := range m.Series {
			values := want[fmt.Sprintf("%+v %s", s.Benchmark, s.Unit)]
			require.True(t, slices.Equal(values, s.Values), "%s: %s", name, s.Name)
			summary := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
			require.Equal(t, summary.Center, summarise(s.Values).Center, "%s: %s", name, s.Name)
			medians++
		}
	}
	require.Greater(t, medians, 5000)
}
