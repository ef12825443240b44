package module

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCitedRulesExist: a number in a comment or on a page that docs/conformance.md does not list tells its reader nothing.
func TestCitedRulesExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "conformance.md"))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]+-\d+) `).FindAllSubmatch(page, -1) {
		known[string(row[1])] = true
	}
	require.Greater(t, len(known), 150)
	require.Equal(t, []string{"P-999", "C-4"}, unknown(known, "P-28, P-999 and C-4; UTF-8, 1E-16, KSA-2"), "the control")
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".git") || entry.Name() == "node_modules" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md" && filepath.Ext(path) != ".go":
			return nil
		case path == filepath.Join(root, "internal", "module", "rules_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		// Bad input that tests give on purpose.
		cited := strings.NewReplacer("P-99=", "", `"P-01 |`, "").Replace(string(text))
		require.Empty(t, unknown(known, cited), path)
		return nil
	}))
}

// unknown lists the rules that a text cites and that there are not.
func unknown(known map[string]bool, text string) (bad []string) {
	for _, rule := range regexp.MustCompile(`\b(?:AS|AT|C|E|F|M|N|OB|P|PN|S)-\d+\b`).FindAllString(text, -1) {
		if !known[rule] {
			bad = append(bad, rule)
		}
	}
	return bad
}
