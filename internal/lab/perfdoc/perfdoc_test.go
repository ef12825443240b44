package perfdoc

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/stretchr/testify/require"
)

const (
	root        = "../../.."
	performance = "docs/performance.md"
)

// release makes the tests ask for what a release needs, and a change in between does not.
var release = flag.Bool("release", false, "the reports must be of one commit, and name nothing that is gone")

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

// The pages say what the reports say: no figure was typed, none was left from an earlier report.
func TestPagesAreFilledFromTheirReports(t *testing.T) {
	d, err := Load(root)
	require.NoError(t, err)
	pages, err := d.Pages()
	require.NoError(t, err)
	require.Contains(t, pages, "README.md")
	for name, blocks := range pages {
		want := page(t, name)
		got, err := Fill(want, blocks)
		require.NoError(t, err, name)
		require.Equal(t, want, got, "go run ./internal/lab/perfdoc/gen")

		// Negative control: a digit that somebody changed.
		digit := regexp.MustCompile(`[0-9.]+x( ±[0-9]+%)? \|`).FindStringIndex(want)
		require.NotNil(t, digit, name)
		typed := want[:digit[0]] + "0.123x |" + want[digit[1]:]
		got, err = Fill(typed, blocks)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NotEqual(t, typed, got)
	}
}

// A row that a report has not got is an error that names it, and no gap in the table.
func TestShownRowsAreMeasured(t *testing.T) {
	d := &Data{Run: &report.Report{Results: []report.Result{{Workload: "20x12", Path: "irp", Impl: "engine"}}}}
	_, err := d.speed()
	require.ErrorContains(t, err, "run.json has no result of 2000x20/irp/engine")
}

// Every report is stamped.
func TestReportsAreStamped(t *testing.T) {
	d, err := Load(root)
	require.NoError(t, err)
	commits := map[string]bool{}
	for _, s := range d.Profiles {
		commits[s.Environment.Commit] = true
	}
	text := page(t, performance)
	for _, rep := range []*report.Report{d.Targets, d.Stages, d.Run, d.RunPGO, d.Scale, d.Peers, d.PeersPGO} {
		if len(rep.Results)+len(rep.Targets)+len(rep.Stages)+len(rep.Scale) == 0 {
			require.Same(t, d.RunPGO, rep, "the only one that a page may do without")
			continue
		}
		e := rep.Environment
		commits[e.Commit] = true
		require.NotEqual(t, "unknown", e.Commit)
		require.NotContains(t, e.Commit, "dirty")
		require.Contains(t, text, e.Commit)
		require.Contains(t, text, e.GoVersion)
		require.Contains(t, text, e.CPU)
	}
	if *release {
		require.Len(t, commits, 1, "go run ./internal/lab/perfdoc/gen -measure")
	}
}

// In a release, every workload, path and implementation that the page names can be measured.
func TestNamesExist(t *testing.T) {
	d, err := Load(root)
	require.NoError(t, err)
	if *release {
		require.Empty(t, gone(t, d.Run), "go run ./internal/lab/perfdoc/gen -measure")
		require.Empty(t, gone(t, d.RunPGO))
	}

	// Negative control.
	forged := report.Report{Results: []report.Result{{Workload: "1x8", Path: "irp", Impl: "engine"}}}
	forged.Results = append([]report.Result{{Workload: "1x8", Path: "irp", Impl: "wheel"}, {Workload: "1x9", Path: "irp", Impl: "engine"}},
		forged.Results...)
	require.Equal(t, []string{"1x8/irp/wheel", "1x9/irp/engine"}, gone(t, &forged))
}

func gone(t *testing.T, rep *report.Report) (names []string) {
	t.Helper()
	workloads, err := lab.Default()
	require.NoError(t, err)
	known := map[string]bool{}
	for _, w := range workloads {
		known[w.Name] = true
	}
	stand, err := lab.Synthetic(1, 8).Stand(1)
	require.NoError(t, err)
	defer stand.Close()
	for _, r := range rep.Results {
		if !known[r.Workload] || stand.Loop(r.Path, r.Impl) == nil {
			names = append(names, r.Name())
		}
	}
	return names
}

// What the prose names in backquotes as a file or a package is there.
func TestPathsExist(t *testing.T) {
	check := func(text string) (missing []string) {
		for _, m := range regexp.MustCompile("`((?:bench|cmd|docs|engine|profiles)/[a-z/.]+)`|\\]\\(([^)#]+)\\)").FindAllStringSubmatch(text,
			-1) {
			path := filepath.Join(root, m[1])
			if m[2] != "" {
				path = filepath.Join(root, "docs", m[2])
			}
			if _, err := os.Stat(path); err != nil {
				missing = append(missing, m[1]+m[2])
			}
		}
		return missing
	}
	text := regexp.MustCompile(`docs/performance/\*\.json`).ReplaceAllString(page(t, performance), "docs/performance.md")
	require.Empty(t, check(text))
	require.Equal(t, []string{"bench/wheel", "wheel.svg"},
		check("`bench/wheel` and `internal/lab/scale`, [a](performance.md), ![b](wheel.svg)"))
}

func TestFill(t *testing.T) {
	blocks := map[string]string{"a": "new a", "b": "new b\n"}
	got, err := Fill("x\n<!-- begin a -->\nold\n<!-- end a -->\ny\n<!-- begin b -->\n<!-- end b -->\n", blocks)
	require.NoError(t, err)
	want := "x\n<!-- begin a -->\n\nnew a\n\n<!-- end a -->\ny\n<!-- begin b -->\n\nnew b\n\n<!-- end b -->\n"
	require.Equal(t, want, got)
	again, err := Fill(got, blocks)
	require.NoError(t, err)
	require.Equal(t, want, again)
	for bad, says := range map[string]string{
		"<!-- begin a -->\n<!-- end a -->\n":                   "no block b",
		"<!-- begin c -->\n<!-- end c -->\n":                   "line 1: there is no block c",
		"<!-- begin a -->\n<!-- begin b -->\n":                 "line 2: b begins in a",
		"<!-- begin a -->\n<!-- end b -->\n":                   `line 2: b ends, but "a" is open`,
		"<!-- end a -->\n":                                     `line 1: a ends, but "" is open`,
		"<!-- begin a -->\n<!-- end a -->\n<!-- begin b -->\n": "b does not end",
		"<!-- begin a -->\n<!-- end a -->\n<!-- begin a -->\n<!-- end a -->\n<!-- begin b -->\n<!-- end b -->\n<!--": "line 3: a is there twice",
	} {
		_, err := Fill(bad, blocks)
		require.ErrorContains(t, err, says, bad)
	}
}

// A loss is listed when all of its interval is one, and only against implementations that do the same.
func TestLosses(t *testing.T) {
	ratio := func(to string, median, low, high float64) report.Ratio {
		return report.Ratio{To: to, Ratio: median, Interval: &report.Interval{Low: low, High: high}}
	}
	rep := &report.Report{
		Impls: []report.Impl{{Name: "engine", Kind: report.Engine}, {Name: "linear", Kind: report.Peer}, {Name: "bare", Kind: report.Limit}},
		Results: []report.Result{
			{Workload: "won", Path: "irp", Impl: "engine", Ratios: []report.Ratio{ratio("linear", 2, 1.9, 2.1), ratio("bare", 0.2, 0.1, 0.3)}},
			{Workload: "close", Path: "irp", Impl: "engine", Ratios: []report.Ratio{ratio("linear", 0.9, 0.8, 1.1)}},
			{Workload: "lost", Path: "irp", Impl: "engine", Ratios: []report.Ratio{ratio("linear", 0.7, 0.6, 0.8)}},
		},
	}
	none := &report.Report{}
	d := &Data{Run: rep, Peers: none, Scale: none, Targets: none}
	require.Contains(t, d.losses(), "1 of 3 comparisons")
	require.Contains(t, d.losses(), "| lost | irp | linear | 0.7x | 0.6x to 0.8x |")
	require.NotContains(t, d.losses(), "close")
	rep.Results = rep.Results[:1]
	require.Contains(t, d.losses(), "Nowhere in the 1 comparisons")
	ns := func(impl string, v float64) report.ScalePoint {
		return report.NewScalePoint(8, "miss", impl, 1, []float64{v, v, v, v, v, v})
	}
	d.Scale = &report.Report{Scale: []report.ScalePoint{ns("engine", 10), ns("map", 5)}}
	require.Contains(t, d.losses(), "| 8 keys, miss | lookup | map | 0.5x |  |")
	target := func(name string, value, low, high float64) report.Target {
		return report.Target{Name: name, Value: value, Interval: &report.Interval{Low: low, High: high}}
	}
	d.Targets = &report.Report{Targets: []report.Target{target("devices/64/irp/dense", 0.8, 0.7, 0.9), target("devices/64/irp/map", 1.5, 1, 2),
		target("devices/64/one", 0.5, 0.4, 0.6)}}
	require.Contains(t, d.losses(), "2 of 4 comparisons")
	require.Contains(t, d.losses(), "| devices/64 | irp | dense | 0.8x | 0.7x to 0.9x |")
}

// The commands on the page are those that gen runs.
func TestReproduce(t *testing.T) {
	for _, c := range Commands {
		require.Contains(t, reproduce(), strings.Join(c.Args[:2], " "))
	}
}
