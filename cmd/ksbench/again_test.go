package main

import (
	"bytes"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// What stands under "Do it again" can be pasted into a shell, and makes the same rows with the same settings. The commit is what is
// there already.
func TestDoItAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	if testing.Short() {
		t.Skip("builds and measures")
	}
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "one.json")
	args := []string{"--quick", "--run", "^1x8/lookup/(engine|map)$", "--rounds", "7", "--seed", "3", "--latency", "--format", "json", "--out",
		path}
	require.Equal(t, exitOK, run(t.Context(), args, nil, io.Discard, io.Discard))
	var page bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"report", path}, nil, &page, io.Discard))
	m := regexp.MustCompile(`(?s)aria-label="Commands">(.*?)</pre>`).FindStringSubmatch(page.String())
	require.NotNil(t, m)
	var script []string
	for line := range strings.Lines(html.UnescapeString(m[1])) {
		if !strings.HasPrefix(line, "git checkout ") {
			script = append(script, strings.ReplaceAll(line, "again.", filepath.Join(dir, "again.")))
		}
	}
	require.Len(t, script, 2)
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", strings.Join(script, ""))
	cmd.Dir = filepath.Join("..", "..")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s%s", script, text)
	first, err := report.ReadFile(t.Context(), path)
	require.NoError(t, err)
	again, err := report.ReadFile(t.Context(), filepath.Join(dir, "again.json"))
	require.NoError(t, err)
	require.Equal(t, first.Settings, again.Settings)
	require.Equal(t, first.Workloads, again.Workloads)
	require.Len(t, again.Results, len(first.Results))
	_, err = os.Stat(filepath.Join(dir, "again.html"))
	require.NoError(t, err)
}
