package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// block is a fenced block of a document, with the line that its first line is on.
type block struct {
	info  string // after the fence
	lines []string
	line  int
}

func blocks(t *testing.T, path string) (found []block) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var open *block
	for i, line := range strings.Split(string(text), "\n") {
		switch info, fence := strings.CutPrefix(line, "```"); {
		case fence && open == nil:
			open = &block{info: info, line: i + 2}
		case fence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
	require.Nil(t, open, "a block is not closed")
	return found
}

// differs says where got lacks what want shows. Objects in want are shortened; lists are not, and a list that is empty may
// be left out.
func differs(want, got any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			if d := differs(w[key], g[key], at+"."+key); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, _ := got.([]any)
		if len(w) != len(g) {
			break
		}
		for i := range w {
			if d := differs(w[i], g[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s is %v, the document says %v", at, got, want)
	}
	return ""
}

// example is a request of a console block and the outcome under it.
type example struct {
	request, outcome string
	line             int
}

func examples(t *testing.T, b block) (args []string, list []example) {
	t.Helper()
	command, ok := strings.CutPrefix(b.lines[0], "$ ksbench ")
	require.True(t, ok, "line %d is no command", b.line)
	lines := b.lines[1:]
	require.Zero(t, len(lines)%2, "line %d: a request without an outcome", b.line)
	for i := 0; i < len(lines); i += 2 {
		outcome, indented := strings.CutPrefix(lines[i+1], "    ")
		require.True(t, indented && !strings.HasPrefix(lines[i], " "), "line %d: requests begin a line, outcomes are indented", b.line+1+i)
		list = append(list, example{lines[i], outcome, b.line + 2 + i})
	}
	return strings.Fields(command), list
}

// answers runs a console block and returns the outcomes.
func answers(t *testing.T, args []string, list []example) (outcomes []map[string]any) {
	t.Helper()
	var in, out, stderr bytes.Buffer
	for _, e := range list {
		in.WriteString(e.request + "\n")
	}
	require.Equal(t, exitOK, run(t.Context(), args, &in, &out, &stderr), stderr.String())
	for line := range strings.Lines(out.String()) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o))
		outcomes = append(outcomes, o)
	}
	require.Len(t, outcomes, len(list))
	return outcomes
}

// TestBehaviour runs docs/behaviour.md: files are written where the commands look for them, the outcomes under the requests
// are compared key by key, and an annotated hex block is the output of the last request before it.
func TestBehaviour(t *testing.T) {
	found := blocks(t, filepath.Join("..", "..", "docs", "behaviour.md"))
	t.Chdir(t.TempDir())
	count, last := map[string]int{}, ""
	for _, b := range found {
		kind, name, _ := strings.Cut(b.info, " ")
		count[kind]++
		switch kind {
		case "json":
			require.NoError(t, os.WriteFile(name, []byte(strings.Join(b.lines, "\n")), 0o666))
		case "console":
			args, list := examples(t, b)
			for i, got := range answers(t, args, list) {
				var want map[string]any
				require.NoError(t, json.Unmarshal([]byte(list[i].outcome), &want), "line %d", list[i].line)
				require.True(t, want["name"] != nil || want["handled"] != nil, "line %d says nothing", list[i].line)
				require.Empty(t, differs(want, got, "outcome"), "docs/behaviour.md:%d", list[i].line)
				last, _ = got["output"].(string)
				count["example"]++
			}
		case "hex":
			text, at := "", 0
			for i, line := range b.lines {
				bytes, _, _ := strings.Cut(line, "|")
				offset, bytes, _ := strings.Cut(strings.TrimSpace(bytes), " ")
				require.Equal(t, fmt.Sprintf("%02x", at), offset, "line %d", b.line+i)
				bytes = strings.ReplaceAll(bytes, " ", "")
				text, at = text+bytes, at+len(bytes)/2
			}
			require.Equal(t, last, text, "line %d", b.line)
		case "":
		default:
			require.Fail(t, "a block is not checked", "line %d: %q", b.line, kind)
		}
	}
	require.Equal(t, map[string]int{"json": 3, "console": 10, "hex": 2, "": 1, "example": count["example"]}, count)
	require.Greater(t, count["example"], 58)
}

// TestBehaviourNotices is its control: each way in which an outcome can differ is found.
func TestBehaviourNotices(t *testing.T) {
	const got = `{"name":"STATUS_SUCCESS","information":4,"handled":true,"calls":[{"verb":"get","id":3}]}`
	for want, same := range map[string]bool{
		got: true,
		`{"name":"STATUS_SUCCESS","allocations":[]}`: true,
		`{"calls":[{"verb":"get"}]}`:                 true,
		`{"name":"STATUS_NOT_FOUND"}`:                false,
		`{"information":0}`:                          false,
		`{"handled":false}`:                          false,
		`{"win32":0}`:                                false,
		`{"calls":[]}`:                               false,
		`{"calls":[{"verb":"set"}]}`:                 false,
		`{"calls":[{"verb":"get"},{"verb":"get"}]}`:  false,
		`{"calls":[{"verb":"get","out":4}]}`:         false,
	} {
		var w, g map[string]any
		require.NoError(t, json.Unmarshal([]byte(want), &w))
		require.NoError(t, json.Unmarshal([]byte(got), &g))
		require.Equal(t, same, differs(w, g, "outcome") == "", want)
	}
}
