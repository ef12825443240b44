package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	execManifest = "internal/exec/testdata/manifest.json"
	execGet      = `{"i":1,"set":"aaaaaaaa-0000-0000-0000-000000000001","id":4,"flags":1,"out":4}` + "\n"
	execEmit     = `{"set":"aaaaaaaa-0000-0000-0000-000000000001","id":1,"flags":1,"out":10}` + "\n"
)

// TestExecCommand is the command from flags to exit status.
func TestExecCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
		return path
	}
	requests := write("requests.jsonl", execGet)
	broken := write("broken.json", "{\n \"schema\": 7 }")
	null := write("null.json", `{"schema":"ksdispatch/manifest/v1","driver":"d","objects":[{"object":"o","property_sets":[
		{"guid":"00000000-0000-0000-0000-000000000000"}]}]}`)

	ones, zeros := strings.Repeat("ff", 16), strings.Repeat("00", 16)
	with := func(more ...string) []string { return append([]string{"--manifest", execManifest}, more...) }
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		out, err    string // a part of stdout and of stderr
	}{
		{"stdin", execGet, with(), exitOK, `{"i":1,"status":"0xc0000206",`, ""},
		{"requests", "{", with("--requests", requests), exitOK, `{"i":1,"status":"0xc0000206",`, ""},
		{"explain", execGet, with("--explain"), exitOK, `"rule":"P-27"`, ""},
		{"compat", execGet, with("--compat", "P-27=STATUS_INVALID_PARAMETER"), exitOK, `"status":"0xc000000d"`, ""},
		{"max-out", execGet, with("--max-out", "3"), exitOK, `"status":"0xc0000206"`, ""},
		{"max-out exceeded", execEmit, with("--max-out", "9"), exitOK, `"status":"0xc000009a"`, ""},
		{"no max-out", "", with("--max-out", "0"), exitBadInput, "", "--max-out 0: must be at least 1"},
		{"object", execGet, with("--object", "refused"), exitOK, `"status":"0xc000000d"`, ""},
		{"malformed", "{\n" + execGet, with(), exitFailed, `{"line":1,"error":`, "malformed request lines: 1"},
		{"no input", "", with(), exitOK, "", ""},
		{"no manifest", "", nil, exitBadInput, "", "--manifest"},
		{"absent manifest", "", []string{"--manifest", filepath.Join(dir, "absent.json")}, exitBadInput, "", "absent.json"},
		{"broken manifest", "", []string{"--manifest", broken}, exitBadInput, "", "broken.json:2:"},
		{"GUID_NULL", `{"flags":256,"out":16,"data":"` + ones + `"}`, []string{"--manifest", null}, exitOK, `"output":"` + zeros, ""},
		{"absent requests", "", with("--requests", filepath.Join(dir, "absent")), exitBadInput, "", "absent"},
		{"a folder of requests", "", with("--requests", dir), exitBadInput, "", "is a directory"},
		{"a mark first", "", with("--requests", write("marked.jsonl", "\ufeff"+execGet)), exitOK, `{"i":1,"status":"0xc0000206",`, ""},
		{"UTF-16", "", with("--requests", write("16.jsonl", "\xff\xfe{\x00")), exitBadInput, "", "16.jsonl: is UTF-16"},
		{"unknown object", "", with("--object", "nobody"), exitBadInput, "", `no object "nobody"`},
		{"bad compat", "", with("--compat", "P-1=accept"), exitBadInput, "", "P-1 is no rule with a setting"},
		{"unknown flag", "", with("--loud"), exitBadInput, "", "--loud"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"exec"}, c.args...), strings.NewReader(c.stdin), &stdout, &stderr)
			require.Equal(t, c.code, code, stderr.String())
			require.Contains(t, stdout.String(), c.out)
			require.Contains(t, stderr.String(), c.err)
			if c.code == exitOK {
				require.Empty(t, stderr.String())
			}
			if c.code == exitBadInput {
				require.Empty(t, stdout.String())
			}
		})
	}
}

// What cannot be written is bad input of every command, and no malformed line.
func TestExecAndCheckToAFullDisk(t *testing.T) {
	for _, args := range [][]string{{"exec", "--manifest", execManifest}, {"check", execManifest}, {"check", execManifest, "--format", "json"},
		{"version"}} {
		var stderr bytes.Buffer
		require.Equal(t, exitBadInput, run(t.Context(), args, strings.NewReader("{\n"+execGet), fullDisk{}, &stderr), args)
		require.Equal(t, "ksbench: standard output: no space left on device\n", stderr.String())
	}
}

// Windows' editors begin files with a mark.
func TestByteOrderMarks(t *testing.T) {
	marked := writeFile(t, "marked.jsonl", "\ufeff"+execGet)
	code, _, stderr := check(t, marked, "--manifest", execManifest)
	require.Equal(t, exitOK, code, stderr)
	var stdout, verbose bytes.Buffer
	config := writeFile(t, "c.yaml", "\ufeffversion: {format: json}\n")
	require.Equal(t, exitOK, run(t.Context(), []string{"version", "--config", config}, nil, &stdout, &verbose), verbose.String())
	require.Contains(t, stdout.String(), `"report_schema"`)

	verbose.Reset()
	config = writeFile(t, "16.yaml", "\xff\xfeq\x00")
	require.Equal(t, exitBadInput, run(t.Context(), []string{"version", "--config", config}, nil, &stdout, &verbose))
	require.Contains(t, verbose.String(), "16.yaml: is UTF-16; save it as UTF-8")
}
