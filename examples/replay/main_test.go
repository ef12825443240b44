package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplay(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out, "wdk81-fmsynth", "session.txt"))
	require.Equal(t, `support 45ffaaa0-6e1b-11d0-bcf2-444553540000 4 4
    STATUS_SUCCESS, 4 bytes: 03000000
set 45ffaaa0-6e1b-11d0-bcf2-444553540000 4 x0000faff
    STATUS_SUCCESS, 0 bytes
get 45ffaaa0-6e1b-11d0-bcf2-444553540000 4 4
    STATUS_SUCCESS, 4 bytes: 0000faff
get 45ffaaa0-6e1b-11d0-bcf2-444553540000 13 4
    STATUS_NOT_FOUND, 0 bytes
get 8c134960-51ad-11cf-878a-94f801c10000 0 4
    STATUS_PROPSET_NOT_FOUND, 0 bytes
3   45ffaaa0-6e1b-11d0-bcf2-444553540000 4 4
    STATUS_INVALID_PARAMETER, 0 bytes
`, out.String())
}

func TestBadInput(t *testing.T) {
	const set = "45ffaaa0-6e1b-11d0-bcf2-444553540000"
	for line, says := range map[string]string{
		"get " + set + " 4":            "bad.txt:2: 3 words",
		"fetch " + set + " 4 4":        `bad.txt:2: verb "fetch"`,
		"0x100000000 " + set + " 4 4":  `bad.txt:2: verb "0x100000000"`,
		"get 45ffaaa0 4 4":             "bad.txt:2: ",
		"get " + set + " -1 4":         `bad.txt:2: id "-1"`,
		"get " + set + " 4 1048576":    `bad.txt:2: output "1048576"`,
		"get " + set + " 4 x0":         `bad.txt:2: output "x0"`,
		strings.Repeat("get ", 64<<10): "too long",
	} {
		path := filepath.Join(t.TempDir(), "bad.txt")
		require.NoError(t, os.WriteFile(path, []byte("# a line\n"+line+"\n"), 0o666))
		require.ErrorContains(t, run(io.Discard, "wdk81-fmsynth", path), says)
	}
	require.ErrorIs(t, run(io.Discard, "wdk81-fmsynth", "none.txt"), os.ErrNotExist)
	require.Error(t, run(io.Discard, "none", "session.txt"))
}
