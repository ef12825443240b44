package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/recordings"
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

// What differs in a trace that was not closed may do so because it lacks requests; what is damaged names its file once.
func TestTornAndDamagedTraces(t *testing.T) {
	dir := t.TempDir()
	file, driver, other := filepath.Join(dir, "a.kst"), filepath.Join(dir, "mine.json"), filepath.Join(dir, "other.json")
	require.NoError(t, os.WriteFile(driver, []byte(mine), 0o600))
	require.NoError(t, os.WriteFile(other, []byte(strings.ReplaceAll(mine, `"id": 4`, `"id": 5`)), 0o600))
	trace := func(code int, args ...string) string {
		var stdout, stderr bytes.Buffer
		require.Equal(t, code, run(t.Context(), append([]string{"trace"}, args...), strings.NewReader(request), &stdout, &stderr), "%s", &stderr)
		return stdout.String() + stderr.String()
	}
	trace(exitOK, "record", "--manifest", driver, "--out", file)
	const note = "The trace lacks requests"
	require.NotContains(t, trace(exitFailed, "verify", file, "--manifest", other), note)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	end := len(text) - 64
	require.NoError(t, os.WriteFile(file, text[:end], 0o600))
	require.Contains(t, trace(exitFailed, "verify", file, "--manifest", other), note)
	require.NotContains(t, trace(exitOK, "verify", file, "--manifest", driver), note)
	text[end-1] ^= 1
	require.NoError(t, os.WriteFile(file, text, 0o600))
	for _, command := range []string{"show", "convert"} {
		require.Equal(t, 1, strings.Count(trace(exitBadInput, command, file), "a.kst"))
	}
}

// Each recorded client is recorded on the devices that it was recorded on, and verifies; elsewhere what is refused is left out.
func TestClientsAreRecorded(t *testing.T) {
	dir := t.TempDir()
	file, elsewhere := filepath.Join(dir, "a.kst"), filepath.Join(dir, "mine.json")
	require.NoError(t, os.WriteFile(elsewhere, []byte(mine), 0o600))
	trace := func(code int, args ...string) string {
		var stdout, stderr bytes.Buffer
		require.Equal(t, code, run(t.Context(), append([]string{"trace"}, args...), strings.NewReader(""), &stdout, &stderr), "%s", &stderr)
		return stdout.String() + stderr.String()
	}
	const real = "../../engine/manifest/drivers/data/wds-simpleaudiosample.json"
	require.NotEmpty(t, recordings.Names())
	for _, name := range recordings.Names() {
		lines, err := recordings.Lines(name)
		require.NoError(t, err)
		asked := 0
		for l := range bytes.Lines(lines) {
			if !bytes.Contains(l, []byte(`"op"`)) {
				asked++
			}
		}
		told := trace(exitOK, "record", "--manifest", real, "--client", name, "--out", file)
		require.Contains(t, told, fmt.Sprintf("recorded %d requests\n", asked))
		require.Contains(t, trace(exitOK, "verify", "--manifest", real, file), "differences: 0")
		told = trace(exitOK, "record", "--manifest", elsewhere, "--object", "filter", "--client", name, "--out", file)
		var sent, left int
		_, err = fmt.Sscanf(told[strings.Index(told, "recorded"):], "recorded %d requests\nksbench: left out %d", &sent, &left)
		require.NoError(t, err, told)
		require.Equal(t, asked, sent+left)
		require.Contains(t, trace(exitOK, "verify", "--manifest", elsewhere, "--object", "filter", file), "differences: 0")
	}
	told := trace(exitBadInput, "record", "--manifest", real, "--client", "nobody", "--out", file)
	for _, name := range recordings.Names() {
		require.Contains(t, told, name)
	}
}
