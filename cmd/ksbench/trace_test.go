package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// An interrupted recording is a trace of what came before; a file that is there is replaced by it, whole.
func TestInterruptedRecordingIsKept(t *testing.T) {
	dir := t.TempDir()
	file, driver := filepath.Join(dir, "a.kst"), filepath.Join(dir, "mine.json")
	require.NoError(t, os.WriteFile(driver, []byte(mine), 0o600))
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan struct{})
		lines := io.MultiReader(strings.NewReader(strings.Repeat(request, 100)), stuck{cancel, end})
		var stdout, stderr bytes.Buffer
		code := run(ctx, []string{"trace", "record", "--manifest", driver, "--out", file}, lines, &stdout, &stderr)
		cancel()
		close(end)
		require.Equal(t, exitFailed, code)
		require.Regexp(t, `^ksbench: interrupted; .*a\.kst has what was recorded until then: [0-9]+ requests?\n$`, stderr.String())
		f, err := traffic.Open(file)
		require.NoError(t, err)
		require.NoError(t, f.Torn())
		require.NoError(t, f.Close())
		requireFiles(t, dir, 2)
	}
}

// What is being recorded is in the file while it grows.
func TestARecordingGrows(t *testing.T) {
	dir := t.TempDir()
	file, driver := filepath.Join(dir, "a.kst"), filepath.Join(dir, "mine.json")
	require.NoError(t, os.WriteFile(driver, []byte(mine), 0o600))
	lines, w := io.Pipe()
	done := make(chan int)
	go func() {
		done <- run(t.Context(), []string{"trace", "record", "--manifest", driver, "--out", file}, lines, io.Discard, io.Discard)
	}()
	for kept := 0; kept == 0; {
		_, err := io.WriteString(w, strings.Repeat(request, 1000))
		require.NoError(t, err)
		f, err := traffic.Open(file) // as if its recorder had been killed now
		require.NoError(t, err)
		require.Error(t, f.Torn())
		kept = len(f.Opened())
		require.NoError(t, f.Close())
	}
	require.NoError(t, w.Close())
	require.Equal(t, exitOK, <-done)
	f, err := traffic.Open(file)
	require.NoError(t, err)
	require.NoError(t, f.Torn())
	require.NoError(t, f.Close())
}
