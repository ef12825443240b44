package module

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Commands for fuzzing that a page shows bound the time in which Go makes inputs smaller and tries none.
func TestFuzzCommandsFuzz(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "*.md"))
	require.NoError(t, err)
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	shown := 0
	for _, page := range append(pages, docs...) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, command := range fuzzCommand.FindAllString(string(text), -1) {
			shown++
			require.True(t, bounded(command), "%s: %s", page, command)
		}
	}
	require.GreaterOrEqual(t, shown, 2)
	// Negative control.
	require.False(t, bounded(fuzzCommand.FindString("`go test -fuzz FuzzX -fuzztime 1m ./x`")))
}

var fuzzCommand = regexp.MustCompile("go test [^`\n]*-fuzz [^`\n]*")

func bounded(command string) bool { return strings.Contains(command, "-fuzzminimizetime 10x") }
