package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever bytes a trace has, each job ends with the place of what is broken, or leaves it out and says so, with a pipeline as without.
func TestBrokenTracesAreNamedOrLeftOut(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t)
	r.record(filepath.Join(dir, "whole"), 1, 1, 200, 0)
	r.record(filepath.Join(dir, "broken"), 2, 2, 200, 0)
	broken := filepath.Join(dir, "broken.0.kst")
	whole, err := os.ReadFile(broken)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(24, 24))
	damaged := map[string][]byte{"empty": {}, "short": whole[:10], "header": whole[:64], "noise": []byte(strings.Repeat("noise", 1000))}
	for _, at := range []int{3, 20, 70, len(whole) / 3, len(whole) / 2, len(whole) - 100} {
		text := append([]byte(nil), whole...)
		text[at] ^= 1 << rng.IntN(8)
		damaged["a byte is another"+strings.Repeat(" ", len(damaged))] = text
	}
	text := append([]byte(nil), whole[:len(whole)/2]...)
	damaged["some are missing"] = append(text, whole[len(whole)/2+1:]...)
	place := regexp.MustCompile(`^` + regexp.QuoteMeta(broken) + `: block \d+ at offset \d+: `)
	for name, text := range damaged {
		require.NoError(t, os.WriteFile(broken, text, 0o600))
		for _, job := range [][]string{{"verify", "--manifest", driver}, {"replay", "--manifest", driver}, {"mine"},
			{"sweep", "--manifest", driver, "--manifest", driverCopy(t)}} {
			args := append(job, "--traces", filepath.Join(dir, "*.kst"))
			rep, _, code := fleet(t, t.Context(), append(args, "--runner", "local")...)
			require.Nil(t, rep, "%s: %s", name, job)
			require.Equal(t, 2, code)
			rep, want, code := fleet(t, t.Context(), append(args, "--runner", "local", "--tolerate")...)
			require.Zero(t, code, "%s: %s", name, job)
			require.True(t, rep.Incomplete)
			require.Regexp(t, place, rep.Warnings[0])
			if job[0] == "verify" || job[0] == "mine" {
				_, got, _ := fleet(t, t.Context(), append(args, "--tolerate")...)
				require.Equal(t, want, got, "%s: %s", name, job)
			}
		}
	}
}

// A file that may not be read is a broken one.
func TestTracesThatMayNotBeRead(t *testing.T) {
	traces := farm(t)
	name := strings.Replace(traces, "*", "planted.0", 1)
	require.NoError(t, os.Chmod(name, 0))
	if f, err := os.Open(name); err == nil {
		require.NoError(t, f.Close())
		t.Skip("this user may read all files")
	}
	rep, _, code := fleet(t, t.Context(), "mine", "--traces", traces)
	require.Nil(t, rep)
	require.Equal(t, 2, code)
	rep, _, code = fleet(t, t.Context(), "mine", "--traces", traces, "--tolerate")
	require.Zero(t, code)
	require.Len(t, rep.Warnings, 1)
	require.Contains(t, rep.Warnings[0], name+": permission denied")
}
