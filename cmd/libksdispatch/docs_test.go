package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The commands of docs/c-api.md, as they stand, print what stands below them.
func TestDocumentedCommands(t *testing.T) {
	library(t)
	for _, name := range []string{"make", "pkg-config", "bash"} {
		tool(t, name)
	}
	page, err := os.ReadFile("../../docs/c-api.md")
	require.NoError(t, err)
	var commands, want string
	for _, block := range regexp.MustCompile("(?s)```(sh)?\n(.*?)```").FindAllSubmatch(page, -1) {
		if string(block[1]) == "sh" {
			commands += string(block[2])
		} else {
			want += string(block[2])
		}
	}
	require.NotEmpty(t, want)
	dist := filepath.Join(t.TempDir(), "dist")
	commands = regexp.MustCompile(`"\$PWD/dist|\bdist/`).ReplaceAllStringFunc(commands, func(s string) string {
		if s == "dist/" {
			return dist + "/"
		}
		return `"` + dist
	})
	script := filepath.Join(t.TempDir(), "commands.sh")
	require.NoError(t, os.WriteFile(script, []byte("set -e\ncd ../..\n"+commands), 0o600))
	require.Equal(t, want, run(t, []string{"MAKEFLAGS=-s OUT=" + filepath.Join(dist, "build")}, "bash", script))
}
