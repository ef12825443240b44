package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A sweep answers under each setting and with each size of tables, and a setting that decides changes the verdict.
func TestSweepHasAPointForEachSettingAndSize(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t)
	r.compat.MixedVerbs = true // of a host that reads P-25 so
	r.mixed = true
	r.record(filepath.Join(dir, "mixed"), 1, 1, 300, 0)
	args := []string{"sweep", "--manifest", driver, "--traces", filepath.Join(dir, "*.kst"), "--pad", "200x20",
		"--compat", "P-25=accept,P-36=STATUS_NOT_SUPPORTED"}
	rep, want, code := fleet(t, t.Context(), append(args, "--runner", "local")...)
	require.Equal(t, 1, code)
	differ := map[string]uint64{}
	for _, row := range rep.Traffic {
		differ[row.Point] += row.Differ
	}
	under := ", P-25=accept,P-36=STATUS_NOT_SUPPORTED"
	require.Len(t, differ, 4)
	require.Positive(t, differ[driver])
	require.Equal(t, differ[driver], differ[driver+", 200x20 more"])
	require.Zero(t, differ[driver+under])
	require.Zero(t, differ[driver+under+", 200x20 more"])
	_, got, _ := fleet(t, t.Context(), append(args, "--shards", "3")...)
	require.Equal(t, want, got)
}

// What cannot be a point is refused before a trace is read, with what would do.
func TestPointsThatThereAreNot(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.json")
	require.NoError(t, os.WriteFile(other, []byte("no manifest"), 0o600))
	for _, c := range []struct {
		point Point
		says  string
	}{
		{Point{Object: "nobody"}, `has no object "nobody" that applications open; it has "`},
		{Point{Compat: "X=STATUS_NOT_FOUND"}, "--compat: X is no rule"},
		{Point{Pad: "2000"}, `--pad "2000": must be SETSxITEMS`},
		{Point{Pad: "0x1"}, "must be SETSxITEMS"},
		{Point{Pad: "-1x-1"}, "must be SETSxITEMS"},
		{Point{Pad: "1000000x2"}, "at most 1000000 items"},
		{Point{Pad: "1x1 "}, "must be SETSxITEMS"},
	} {
		p, err := readPoint(t.Context(), driver, c.point.Object)
		require.NoError(t, err)
		p.Compat, p.Pad = c.point.Compat, c.point.Pad
		_, err = p.target()
		require.ErrorContains(t, err, c.says)
	}
	traces := farm(t)
	for _, args := range [][]string{
		{"verify", "--manifest", driver, "--object", "nobody"}, {"verify", "--manifest", other},
		{"verify", "--manifest", filepath.Join(t.TempDir(), "none.json")}, {"sweep", "--manifest", driver, "--manifest", driver},
	} {
		rep, _, code := fleet(t, t.Context(), append(args, "--traces", traces)...)
		require.Nil(t, rep)
		require.Equal(t, 2, code, "%q", args)
	}
}
