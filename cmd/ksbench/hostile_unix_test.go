//go:build unix

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

// Files that never end, or that nobody writes to, hold no command up, wherever it finds them; and what is refused leaves nothing.
func TestFilesWithoutEndAreRefused(t *testing.T) {
	some := aReport(t)
	for _, c := range []struct {
		args string
		want string
	}{
		{"baseline save x zero", "zero: is a device"},
		{"baseline save x link", "link: is a device"},
		{"baseline list --dir pipes", "pipes/pipe: is a pipe"},
		{"baseline show zero", "zero: is a device"},
		{"compare zero link", "zero: is a device"},
		{"gate zero --baseline link", "link: is a device"},
		{"merge zero", "zero: is a device"},
		{"report zero", "zero: is a device"},
		{"report new.json --profile zero", "zero: is a device"},
		{"run --manifest zero", "zero: is a device"},
		{"exec --manifest zero", "zero: is a device"},
		{"exec --manifest mine.json --requests zero", "zero: is a device"},
		{"check zero", "zero: is a device"},
		{"version --config zero", "--config zero: is a device"},
		{"version --config pipes/pipe", "--config pipes/pipe: is a pipe"},
		{"trace convert zero --out x.kst", "zero: is a device"},
		{"trace convert pipes/pipe --out x.kst", "pipes/pipe: is a pipe"},
		{"trace show pipes/pipe", "pipes/pipe: "},
		{"trace verify zero", "zero: "},
		{"trace cut pipes/pipe --out x.kst", "pipes/pipe: "},
		{"profile --check pipes", "pipes/fast.cpu.pb.gz: is a pipe"},
		{"profile --check zeros", "zeros/fast.cpu.pb.gz: is a device"},
	} {
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile("mine.json", []byte(mine), 0o666))
		require.NoError(t, os.WriteFile("new.json", some, 0o666))
		require.NoError(t, os.Symlink("/dev/zero", "zero"))
		require.NoError(t, os.Symlink("zero", "link"))
		require.NoError(t, os.Mkdir("pipes", 0o777))
		require.NoError(t, os.Mkdir("zeros", 0o777))
		require.NoError(t, os.Symlink("/dev/zero", "zeros/fast.cpu.pb.gz"))
		for _, name := range []string{"pipe", "fast.cpu.pb.gz"} {
			require.NoError(t, syscall.Mkfifo(filepath.Join("pipes", name), 0o666))
		}
		var stdout, stderr bytes.Buffer
		require.NotEqual(t, exitOK, run(t.Context(), strings.Fields(c.args), strings.NewReader(""), &stdout, &stderr), c.args)
		require.Contains(t, stderr.String(), c.want, c.args)
		left, err := filepath.Glob(".ksbench/baselines/*")
		require.NoError(t, err)
		require.Empty(t, left, c.args)
	}
}

// The first Ctrl-C ends every command that reads, also one that waits for a pipe's writer.
func TestReadingIsInterrupted(t *testing.T) {
	some := aReport(t)
	t.Chdir(t.TempDir())
	require.NoError(t, syscall.Mkfifo("pipe", 0o666))
	require.NoError(t, os.Mkdir("folder", 0o777))
	for _, name := range []string{"new.json", "folder/1.json", "folder/fast.cpu.pb.gz", "mine.json"} {
		text := some
		if name == "mine.json" {
			text = []byte(mine)
		}
		require.NoError(t, os.WriteFile(name, text, 0o666))
	}
	var stderr bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), strings.Fields("baseline save main new.json"), nil, &stderr, &stderr), &stderr)
	for _, args := range []string{
		"baseline save x pipe", "baseline save x new.json", "baseline list", "baseline show pipe", "baseline show main",
		"compare pipe new.json", "gate pipe --baseline main", "merge pipe", "report pipe", "report folder",
		"report new.json --profile pipe", "run --manifest pipe", "exec --manifest pipe", "exec --manifest mine.json --requests pipe",
		"check pipe", "profile --check folder", "version --config new.json",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stderr.Reset()
		require.Equal(t, exitFailed, run(ctx, strings.Fields(args), strings.NewReader(""), &stderr, &stderr), "%s: %s", args, &stderr)
		require.Contains(t, stderr.String(), "interrupted", args)
	}
}

// aReport is a small report. It must be called before the working directory changes.
func aReport(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "lab", "report", "testdata", "v1.json"))
	require.NoError(t, err)
	return text
}
