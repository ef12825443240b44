package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README shows how a newcomer measures, saves a baseline, changes code and gates. What it shows is run here: in a module
// with the files of testdata/newcomer, each line that begins with "$ " in a shell, and what they print must be what the README
// says, but for the machine, and for times and what is made of them: on a busy machine a verdict on time may be another.
func TestNewcomersPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	if testing.Short() {
		t.Skip("builds and measures")
	}
	t.Parallel()
	shown := section(t)
	dir := newcomer(t)
	var printed strings.Builder
	for line := range strings.Lines(shown) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		printed.WriteString(line)
		cmd := exec.Command("sh", "-c", strings.TrimSpace(counted(command)))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off",
			"GOWORK=off")
		text, err := cmd.CombinedOutput()
		printed.Write(text)
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError))
		}
	}
	require.Equal(t, shape(shown), shape(printed.String()), "printed:\n%s", &printed)
}

// counted has a benchmark send so many requests that what the first one and the runtime make, some ten kilobytes each, is less than a
// byte of each.
func counted(command string) string {
	return strings.ReplaceAll(command, "-benchtime 0.1s", "-benchtime 300000x")
}

// section is the fenced block of testdata/newcomer.md, which the README repeats between its markers.
func section(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "newcomer.md"))
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, rest, begun := strings.Cut(string(readme), "<!-- newcomer -->\n")
	require.True(t, begun, "README.md: <!-- newcomer --> is missing")
	quoted, _, ended := strings.Cut(rest, "<!-- /newcomer -->")
	require.True(t, ended, "README.md: <!-- /newcomer --> is missing")
	require.Equal(t, string(text), quoted, "README.md does not say what testdata/newcomer.md says")
	_, rest, _ = strings.Cut(string(text), "```console\n")
	block, _, fenced := strings.Cut(rest, "```\n")
	require.True(t, fenced)
	return block
}

// newcomer makes a user's module. TestMain has put ksbench on the path.
func newcomer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	for _, name := range []string{"volume.go", "volume_test.go", "careless.go.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", "newcomer", strings.TrimSuffix(name, ".txt")+".txt"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o666))
	}
	mod := "module example.com/volume\n\ngo 1.26.0\n\nrequire github.com/ksdispatch/ksdispatch v0.0.0\n\n" +
		"replace github.com/ksdispatch/ksdispatch => " + root + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o666))
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666))
	return dir
}

var (
	machines = regexp.MustCompile(`^(old|new): .*`)
	timed    = regexp.MustCompile(`"Volume" ns/op(, )?`)
	blanks   = regexp.MustCompile(`[ \t]+`)
)

// shape is what a text says on any machine: without times and their verdicts, the number of verdicts, warnings of how noisy it was, and
// the empty lines between.
func shape(text string) (lines []string) {
	for line := range strings.Lines(text) {
		row := strings.Contains(line, " ns/op ")
		sum := line[0] >= '0' && line[0] <= '9'
		if row || sum || line == "\n" || strings.HasPrefix(line, "warning: ") {
			continue
		}
		line = machines.ReplaceAllString(line, "$1: this machine")
		line = timed.ReplaceAllString(line, "")
		lines = append(lines, blanks.ReplaceAllString(line, " "))
	}
	return lines
}
