package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What cannot be written is refused before any work, by the name of its flag and of what the user named.
func TestOutputsThatCannotBeAreRefusedBeforeWork(t *testing.T) {
	traces, dir := farm(t), t.TempDir()
	old := filepath.Join(dir, "old.json")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o600))
	require.NoError(t, os.Symlink(old, filepath.Join(dir, "link.json")))
	first := strings.Replace(traces, "*", "planted.0", 1)
	within(t, func(*Work) (bool, error) {
		t.Error("work was done")
		return false, nil
	})
	for _, c := range []struct{ out, mix, says string }{
		{dir + "/none/report.json", "", "--out " + dir + "/none/report.json: no such file or directory"},
		{dir, "", "--out " + dir + ": is no file"},
		{first, "", "--out " + first + ": is read, too"},
		{os.DevNull, "", "--out " + os.DevNull + ": is no file"},
		{old, dir + "/none/mix.txt", "--mix " + dir + "/none/mix.txt: no such file or directory"},
		{old, dir + "/../" + filepath.Base(dir) + "/old.json", "is what --out names"},
		{old, dir + "/link.json", "is what --out names"},
	} {
		job := &Job{Kind: Mine, Differences: 1, Points: []Point{{Name: "recorded"}}}
		err := (&common{Traces: []string{traces}, Out: c.out, Runner: "local"}).run(t.Context(), job, c.mix)
		require.ErrorContains(t, err, c.says)
		require.NotContains(t, err.Error(), ".tmp")
	}
	text, err := os.ReadFile(old)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
}

// The report and the mix are both there or neither.
func TestReportAndMixAreWrittenTogether(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two", "two")
	require.NoError(t, os.Mkdir(filepath.Dir(two), 0o700))
	var all []*output
	for _, name := range []string{one, two} {
		o, err := newOutput("--out", name, nil)
		require.NoError(t, err)
		o.text = []byte(name)
		all = append(all, o)
	}
	require.NoError(t, os.Remove(filepath.Dir(two)))
	require.ErrorContains(t, write(all), "--out "+two+": no such file")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, os.Mkdir(filepath.Dir(two), 0o700))
	require.NoError(t, write(all))
	require.FileExists(t, one)
	require.FileExists(t, two)
}

// A file under several names is one trace.
func TestLinksToATraceAreThatTrace(t *testing.T) {
	traces := farm(t)
	_, want, _ := fleet(t, t.Context(), "mine", "--traces", traces)
	first := strings.Replace(traces, "*", "planted.0", 1)
	dir := filepath.Dir(traces)
	require.NoError(t, os.Symlink(first, filepath.Join(dir, "z-soft.kst")))
	require.NoError(t, os.Link(first, filepath.Join(dir, "z-hard.kst")))
	_, got, code := fleet(t, t.Context(), "mine", "--traces", traces, "--traces", dir+"/./*.kst")
	require.Zero(t, code)
	require.Equal(t, want, got)
	// Negative control: a copy is another file, and which of them is meant nobody knows.
	text, err := os.ReadFile(first)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "z-copy.kst"), text, 0o600))
	rep, _, code := fleet(t, t.Context(), "mine", "--traces", traces)
	require.Nil(t, rep)
	require.Equal(t, 2, code)
}
