package page

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchText is what go test -bench prints of two packages, with times around ns.
func benchText(ns int) string {
	var b strings.Builder
	for i, pkg := range []string{"example.com/m/cache", "example.com/n/cache"} {
		fmt.Fprintf(&b, "goos: linux\ngoarch: amd64\npkg: %s\ncpu: Example 9000\n", pkg)
		for k := range 10 {
			fmt.Fprintf(&b, "BenchmarkGet/<b>-8 \t 100\t %d.%d ns/op\t %d B/op\t %d items/sec\n", ns+300*i, k, 16*i, 1000/ns)
		}
		fmt.Fprintf(&b, "PASS\nok  \t%s\t1.2s\n", pkg)
	}
	return b.String()
}

func TestBenchPage(t *testing.T) {
	dir := t.TempDir()
	for i, ns := range []int{100, 100, 50} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.txt", i)), []byte(benchText(ns)), 0o666))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "readme.txt"), []byte("These were measured at night.\n"), 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "z.bench"), []byte(benchText(50)+"panic: x\n"), 0o666))
	reports, skipped, err := ReadFiles(context.Background(), []string{dir})
	require.NoError(t, err)
	require.Len(t, reports, 3)
	require.Len(t, skipped, 1)
	require.ErrorContains(t, skipped[0], "z.bench:33: the test run failed")
	text := render(t, Input{Reports: reports})
	for _, want := range []string{`id="comparison"`, `id="history"`, `id="samples"`, `id="numbers"`, "From 0.txt to 2.txt.", "improved",
		"m/cache.Get/&lt;b&gt;", "n/cache.Get/&lt;b&gt;", "6 metrics of Go benchmarks", "items/sec over time", "Example 9000"} {
		require.Contains(t, text, want)
	}
	for _, not := range []string{"<b>", "engine", "rounds", "git checkout", `id="verdict"`} {
		require.NotContains(t, text, not)
	}
	require.NotContains(t, render(t, Input{Reports: reports[:2]}), `id="history"`)

	// A page is about the reports of one kind; the others are named where it was measured.
	both := render(t, Input{Reports: append(reports, Report{Name: "r.json", Report: everything(t, "name", 1)})})
	require.Contains(t, both, `id="verdict"`)
	require.NotContains(t, both, "m/cache")
}

// A server shows what it has read to several readers at once.
func TestBenchPagesShare(t *testing.T) {
	var reports []Report
	for i, ns := range []int{100, 100, 50} {
		r, err := Read(strings.NewReader(benchText(ns)), fmt.Sprint(i))
		require.NoError(t, err)
		reports = append(reports, r)
	}
	want := render(t, Input{Reports: reports})
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			require.NoError(t, Write(new(strings.Builder), Input{Reports: reports[:1+n%3]}))
		})
	}
	wait.Wait()
	require.Equal(t, want, render(t, Input{Reports: reports}))
}
