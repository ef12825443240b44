package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/bench/perfdoc"
	"github.com/stretchr/testify/require"
)

// Every ksbench command that a page shows is understood: commands and flags that are renamed take their documents along.
func TestDocumentedCommandsAreUnderstood(t *testing.T) {
	shown := 0
	for _, page := range []string{"../../docs/performance.md", "../../profiles/README.md", "../../README.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, line := range commandsIn(string(text)) {
			shown++
			require.NoError(t, understood(t, line), "%s: %s", filepath.Base(page), strings.Join(line, " "))
		}
	}
	require.Greater(t, shown, 5)
	for _, c := range perfdoc.Commands {
		for i, a := range c.Args {
			if a == "./cmd/ksbench" {
				require.NoError(t, understood(t, c.Args[i+1:]), c.Name)
			}
		}
	}
	// Negative controls.
	require.Equal(t, [][]string{{"scale", "--dir", "d"}, {}}, commandsIn("`go run ./cmd/ksbench scale --dir d` and\n    go run ./cmd/ksbench   # all\n"))
	require.Error(t, understood(t, []string{"scales"}))
	require.Error(t, understood(t, []string{"scale", "--no-such-flag"}))
}

var (
	shownCommand = regexp.MustCompile("go run (?:-pgo \\S+ )?\\./cmd/ksbench([^`\n|;&#]*(?:\\\\\\|[^`\n|;&#]*)*)")
	word         = regexp.MustCompile(`'[^']*'|\S+`)
)

// commandsIn finds the arguments of ksbench in a page.
func commandsIn(text string) (lines [][]string) {
	quoted := regexp.MustCompile(`'[^'\n]*'`)
	text = quoted.ReplaceAllStringFunc(text, func(s string) string { // a bar within quotes is none
		return strings.NewReplacer(`\|`, "\x00", "|", "\x00").Replace(s)
	})
	for _, m := range shownCommand.FindAllStringSubmatch(text, -1) {
		args := []string{}
		for _, w := range word.FindAllString(m[1], -1) {
			args = append(args, strings.ReplaceAll(strings.Trim(w, "'"), "\x00", "|"))
		}
		lines = append(lines, args)
	}
	return lines
}

func understood(t *testing.T, args []string) error {
	t.Helper()
	var root commands
	parser, err := newParser(&root, io.Discard, io.Discard, func() {})
	require.NoError(t, err)
	_, err = parser.Parse(args)
	if err == nil && len(root.Run.Files) > 0 && len(root.Run.Manifest) == 0 { // what is no command falls to run
		err = fmt.Errorf("%s is no command", root.Run.Files[0])
	}
	return err
}
