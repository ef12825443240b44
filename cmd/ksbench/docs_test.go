package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/lab/perfdoc"
	"github.com/stretchr/testify/require"
)

// Every ksbench command that a page shows is understood: commands and flags that are renamed take their documents along.
func TestDocumentedCommandsAreUnderstood(t *testing.T) {
	shown := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, line := range commandsIn(string(text)) {
			shown++
			require.NoError(t, understood(t, line), "%s: %s", filepath.Base(page), strings.Join(line, " "))
		}
	}
	require.Greater(t, shown, 30)
	for _, c := range perfdoc.Commands {
		for i, a := range c.Args {
			if a == "./cmd/ksbench" {
				require.NoError(t, understood(t, c.Args[i+1:]), c.Name)
			}
		}
	}
	// Negative controls.
	require.Equal(t, [][]string{{"scale", "--dir", "d"}, {}},
		commandsIn("`go run ./cmd/ksbench scale --dir d` and\n    go run ./cmd/ksbench   # all\n"))
	require.Error(t, understood(t, []string{"scales"}))
	require.Error(t, understood(t, []string{"scale", "--no-such-flag"}))
}

// pages are the documents of the project.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"../../profiles/README.md", "../../examples/README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.Greater(t, len(found), 3, pattern)
		all = append(all, found...)
	}
	return all
}

var (
	shownCommand = regexp.MustCompile("(?:go run (?:-pgo \\S+ )?\\./cmd/ksbench|(?m:^    ksbench))([^`\n|;&#]*(?:\\\\\\|[^`\n|;&#]*)*)")
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

// A page has no gap that somebody meant to fill, no block that does not end, and no link to what is not there.
func TestPagesAreWhole(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		require.Empty(t, flaws(filepath.Dir(page), string(text)), page)
	}
	// Negative controls.
	for _, flawed := range []string{"figures: TBD", "| TODO |", "XXX ns", "a {{.Table}}", "it takes ??? ns", "a <placeholder>",
		"<!-- fill in -->", "Lorem ipsum",
		"<!-- a -->\ntext", "<!-- begin a -->\n<!-- end b -->", "<!-- /a -->", "```\ncode", "<details><summary>a</summary>", "[a](nowhere.md)",
		"![a](nowhere/a.svg)"} {
		require.Len(t, flaws(".", flawed), 1, flawed)
	}
	require.Empty(t, flaws(".", "<!-- a -->\n```go\nx\n```\n<!-- /a -->\n<!-- begin b -->\n<!-- end b -->\n"+
		"[a](main.go#L1), [b](https://example.com), todo, `XXXL`"))
}

// Every rule against hostile callers is told to those who ask what they may rely on.
func TestSecurityNamesEveryRule(t *testing.T) {
	rules, err := os.ReadFile("../../docs/conformance.md")
	require.NoError(t, err)
	page, err := os.ReadFile("../../SECURITY.md")
	require.NoError(t, err)
	promised := regexp.MustCompile(`(?m)^\| (S-[0-9]+) `).FindAllStringSubmatch(string(rules), -1)
	require.NotEmpty(t, promised)
	for _, m := range promised {
		require.Regexp(t, `\| .*\b`+m[1]+`\b.* \|`, string(page))
	}
	require.NotRegexp(t, `\| .*\bS-99\b.* \|`, string(page), "negative control")
}

var (
	gap     = regexp.MustCompile(`\b(TODO|TBD|FIXME|XXX)\b|\?\?\?|[^$]\{\{[-. a-z]|(?i:<placeholder|<!-- (fill|insert|replace)|lorem ipsum)`)
	comment = regexp.MustCompile(`<!-- (begin |end |/)?([a-z]+) -->`)
	link    = regexp.MustCompile(`\]\(([^)#]+)`)
)

func flaws(dir, text string) (found []string) {
	found = append(found, gap.FindAllString(text, -1)...)
	open := ""
	for _, m := range comment.FindAllStringSubmatch(text, -1) {
		switch begins := m[1] == "" || m[1] == "begin "; {
		case begins && open == "":
			open = m[2]
		case !begins && open == m[2]:
			open = ""
		default:
			return append(found, m[0])
		}
	}
	if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
		found = append(found, "a fold does not end")
	}
	if open != "" {
		found = append(found, open+" does not end")
	}
	if strings.Count("\n"+text, "\n```")%2 != 0 {
		found = append(found, "a fenced block does not end")
	}
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil && !strings.Contains(m[1], "://") {
			found = append(found, m[1]+" is not there")
		}
	}
	return found
}
