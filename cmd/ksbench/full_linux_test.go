package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A disk that fills up while the report is written keeps what was on it, and the report is not lost.
func TestAFullDiskLosesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	path := filepath.Join(dir, "report.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	measure := func(match string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), []string{"--quick", "--run", match, "--rounds", "1", "--format", "json", "--out", path},
			strings.NewReader(""), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	code, stdout, stderr := measure("^1x8/")
	require.Equal(t, exitBadInput, code, stderr)
	require.Contains(t, stderr, "no space left on device; the report went to standard output instead")
	require.Contains(t, stdout, `"schemaVersion": 1`)
	require.True(t, strings.HasSuffix(stdout, "}\n"))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)

	// The control: a smaller report fits.
	code, _, stderr = measure("^1x8/lookup/floor$")
	require.Equal(t, exitOK, code, stderr)
}

// A device that is always full.
func TestDevFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	var stdout, stderr bytes.Buffer
	args := []string{"--run", "^1x8/lookup/floor$", "--rounds", "1", "--out", "/dev/full"}
	require.Equal(t, exitBadInput, run(context.Background(), args, strings.NewReader(""), &stdout, &stderr))
	require.Contains(t, stderr.String(), "ksbench: --out /dev/full: ")
	require.Contains(t, stdout.String(), "nanoseconds per request")
}

// What the parser writes is watched, too: helps, and completions.
func TestDevFullForHelp(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, line := range []string{"--help", "gate --help", "completion bash", "completion --code zsh", "version", "baseline list"} {
		var stderr bytes.Buffer
		require.Equal(t, exitBadInput, run(t.Context(), strings.Fields(line), strings.NewReader(""), full, &stderr), line)
		require.Equal(t, "ksbench: standard output: write /dev/full: no space left on device\n", stderr.String(), line)
	}
}

// Commands that measure, simulate or check say so, too, when their result is lost.
func TestDevFullForResults(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, line := range []string{"scale --quick --max 64 --rounds 1", "selftest --simulate --trials 1", "profile --check ../../profiles",
		"targets --quick --run ^fast/20x12/guarded --rounds 2", "serve testdata --listen 127.0.0.1:0"} {
		var stderr bytes.Buffer
		require.Equal(t, exitBadInput, run(t.Context(), strings.Fields(line), strings.NewReader(""), full, &stderr), line)
		require.Contains(t, stderr.String(), "ksbench: standard output: write /dev/full: no space left on device\n", line)
	}
}
