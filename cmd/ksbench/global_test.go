package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// shorter are flags that a test adds to examples which would take minutes. The last of two wins.
var shorter = map[string][]string{
	"run":      {"--run", "^(1x8|mine)/lookup/(engine|floor)$", "--rounds", "10", "--seed", "1"},
	"targets":  {"--rounds", "1"},
	"scale":    {"--max", "64", "--rounds", "1"},
	"stages":   {"--rounds", "6"},
	"selftest": {"--run", "^1x8$"},
	"load":     {"--clients", "20", "--duration", "100ms"},
	"serve":    {"--listen", "127.0.0.1:0"}, // another one may be taken
	"profile":  {"--requests", "1000", "--cpu-time", "100ms"},
}

// okay are exit codes of examples whose answer depends on the machine.
var okay = map[string][]int{"doctor": {0, 1}, "targets": {0, 1}, "selftest": {0, 1}, "gate": {0, 1}}

// Every command has examples in its help, and all of them work, in their order, beside the files that they name.
func TestExamples(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFixtures(t)
	parser, err := newParser(&commands{}, io.Discard, io.Discard, func() {})
	require.NoError(t, err)
	for _, command := range parser.Model.Children {
		if command.Hidden {
			continue
		}
		found := 0
		for line := range strings.Lines(command.Detail) {
			line, _, _ := strings.Cut(strings.TrimSpace(line), " #")
			args := strings.Fields(line)
			if len(args) < 2 || args[0] != "ksbench" {
				continue
			}
			found++
			name := args[1]
			if strings.HasPrefix(name, "-") {
				name = "run"
			}
			t.Run(line, func(t *testing.T) {
				if testing.Short() && command.Name == "selftest" {
					t.Skip("takes long")
				}
				ctx := t.Context()
				if name == "serve" { // would wait for Ctrl-C
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
					defer cancel()
				}
				var stdout, stderr bytes.Buffer
				code := run(ctx, append(args[1:], shorter[name]...), strings.NewReader(""), &stdout, &stderr)
				require.Contains(t, append(okay[name], exitOK), code, "%s%s", &stdout, &stderr)
			})
		}
		require.NotZero(t, found, "%s has no example in its help", command.Name)
	}
}

// writeFixtures makes the files that the examples name.
func writeFixtures(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile("mine.json", []byte(mine), 0o644))
	require.NoError(t, os.WriteFile("requests.jsonl", []byte(request), 0o644))
	require.NoError(t, os.WriteFile("mix.txt", []byte("session random 1\nitem * * SET 0\n"), 0o644))
	var report bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"run", "--run", "^1x8/lookup/", "--rounds", "6", "--format", "json"}, nil, &report,
		io.Discard))
	require.NoError(t, os.Mkdir("results", 0o755))
	for _, name := range []string{"old.json", "new.json", "results/1.json", "results/2.json", "results/3.json"} {
		require.NoError(t, os.WriteFile(name, report.Bytes(), 0o644))
	}
	f, err := os.Create("cpu.pprof")
	require.NoError(t, err)
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}}}
	require.NoError(t, p.Write(f))
	require.NoError(t, f.Close())
}

const (
	mine = `{ "schema": "ksdispatch/manifest/v1", "driver": "mine", "source": "here", "arch": "x64", "objects": [
  { "object": "filter", "property_item_size": 0, "method_sets": [], "event_sets": [], "property_sets": [
    { "set_name": "S", "guid": "45ffaaa0-6e1b-11d0-bcf2-444553540000", "fast_io": [], "items": [
      { "name": "A", "id": 4, "get": true, "set": true, "min_property": 32, "min_data": 4 } ] } ] } ] }`
	request = `{"set":"45ffaaa0-6e1b-11d0-bcf2-444553540000","id":4,"flags":1,"out":4}` + "\n"
)

func TestConfigIsStrict(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"# nothing yet\n", ""},
		{"quiet: true\nversion:\n  format: json\n", ""},
		{"{version: {format: 'json'}}", ""},
		{"run:\n  manifest: [a.json, b.json]\n", ""},
		{"rounds: 3\n", "c.yaml:1:1: there is no flag --rounds of every command; put flags of a command under its name"},
		{"run:\n  round: 3\n", "c.yaml:2:3: run has no flag --round; ksbench run --help lists them"},
		{"rnu:\n  rounds: 3\n", "c.yaml:1:1: there is no command rnu; ksbench --help lists them"},
		{"version:\n  format: json\n  format: text\n", "c.yaml:3:3: format is there twice"},
		{"version: {}\nversion: {}\n", "c.yaml:2:1: version is there twice"},
		{"run:\n  manifest: [[a.json]]\n", "c.yaml:2:14: expected text, a number, true, false, or a list of them"},
		{"quiet: &a true\nverbose: *a\n", "c.yaml:2:10: expected text"},
		{"[a]: true\n", "c.yaml:1:1: there is no flag"},
		{"version:\n  format: {a: b}\n", "c.yaml:2:11: expected text, a number, true, false, or a list of them"},
		{"- version\n", "c.yaml:1:1: expected names of flags and their values"},
		{"version: [\n", "c.yaml: "},
		{"quiet: true\n---\nquiet: false\n", "a second document; put all defaults into one"},
		{"version:\n  format: yaml\n", "It was set in c.yaml:2:3; change it there."},
		{"quiet: maybe\n", "It was set in c.yaml:1:1; change it there."},
		{"config: other.yaml\n", "there is no flag --config"},
	} {
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile("c.yaml", []byte(c.text), 0o644))
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), []string{"version", "--config", "c.yaml"}, nil, &stdout, &stderr)
		if c.want == "" {
			require.Equal(t, exitOK, code, "%q: %s", c.text, &stderr)
			require.Equal(t, strings.Contains(c.text, "json"), strings.HasPrefix(stdout.String(), "{") || strings.Contains(c.text, "manifest"),
				"%q: %s", c.text, &stdout)
			continue
		}
		require.Equal(t, exitBadInput, code, "%q: %s", c.text, &stdout)
		require.Contains(t, stderr.String(), c.want, "%q", c.text)
		require.Zero(t, stdout.Len())
	}
}

// A file that nobody named says nothing about what is written and who may look; one that is named may.
func TestFoundConfigWritesNothing(t *testing.T) {
	for text, flag := range map[string]string{
		"report: {out: ../victim.txt}\n":  "out",
		"run:\n  html: ../victim.txt\n":   "html",
		"baseline:\n  dir: ..\n":          "dir",
		"serve: {public: true}\n":         "public",
		"serve: {listen: '0.0.0.0:80'}\n": "listen",
		"profile:\n  out: ..\n":           "out",
	} {
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile(defaultConfig, []byte(text), 0o666))
		var stderr bytes.Buffer
		require.Equal(t, exitBadInput, run(t.Context(), []string{"version"}, nil, io.Discard, &stderr), text)
		require.Contains(t, stderr.String(),
			defaultConfig+", which was only found here, may not set --"+flag+": give the flag, or the file as --config "+defaultConfig)
		require.Equal(t, exitOK, run(t.Context(), []string{"version", "--config", defaultConfig}, nil, io.Discard, &stderr), text)
	}
}

// Every flag that names files is one that a found file may not set, or one of these, by which the command reads.
func TestFlagsThatWriteAreByHand(t *testing.T) {
	reads := []string{"manifest", "requests", "profile", "check", "package", "mix", "baseline", "config"}
	parser, err := newParser(&commands{}, io.Discard, io.Discard, func() {})
	require.NoError(t, err)
	written := 0
	for _, command := range append(parser.Model.Children, parser.Model.Node) {
		for _, flag := range command.Flags {
			if byHand[flag.Name] {
				written++
				continue
			}
			names := strings.Contains(flag.PlaceHolder, "FILE") || strings.Contains(flag.PlaceHolder, "DIR") ||
				strings.Contains(flag.PlaceHolder, "ADDRESS")
			require.True(t, !names || slices.Contains(reads, flag.Name), "%s --%s %s", command.Name, flag.Name, flag.PlaceHolder)
		}
	}
	require.Greater(t, written, 10)
}

// Whatever a file of defaults holds, it is read with bounded memory: each of these is as large as such a file may be, and made
// of pieces that nest or repeat.
func TestConfigTakesBoundedMemory(t *testing.T) {
	pieces := []string{"[", "{", "- ", "? ", "&a ", "*a ", "!a ", "\"", "a: |\n\n", "\n", "\r", " ", ",", "a,", "#", "%", "---\n", "a:\n",
		"<<: ", "[a],", "\t", "'"}
	parse := func(text string) {
		c := &config{path: "c.yaml", values: map[string]setting{}, used: map[string]string{}}
		_ = c.parse([]byte(text[:maxConfig])) // few of them are YAML
	}
	for _, begin := range append([]string{"", "a: |\n ", "a: ["}, pieces...) {
		for _, piece := range pieces {
			text := begin + strings.Repeat(piece, maxConfig/len(piece)+1)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			parse(text)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "%q, then %q", begin, piece)
		}
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(defaultConfig, bytes.Repeat([]byte("#"), maxConfig+1), 0o666))
	var stderr bytes.Buffer
	require.Equal(t, exitBadInput, run(t.Context(), []string{"version"}, nil, io.Discard, &stderr))
	require.Contains(t, stderr.String(), "--config .ksbench.yaml: is larger than 65536 bytes")
}

func FuzzConfig(f *testing.F) {
	for _, text := range []string{"quiet: true\nrun:\n  rounds: 3\n", "{a: [1, {b: c}]}", "&a [*a]", "run:\n  <<: *x\n", "\t:", "? a\n: b\n",
		"!!binary x: y"} {
		f.Add(text)
	}
	parser, err := newParser(&commands{}, io.Discard, io.Discard, func() {})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		c := &config{path: "fuzz", values: map[string]setting{}, used: map[string]string{}}
		if c.parse([]byte(text)) == nil && c.Validate(parser.Model) == nil {
			for id, s := range c.values {
				require.True(t, s.known, id)
			}
		}
	})
}

// The note beside a report is there while it is measured, and gone whatever becomes of the run.
func TestRunsCanBeWatched(t *testing.T) {
	dir := t.TempDir()
	note, file := filepath.Join(dir, ".new.json.progress"), filepath.Join(dir, "new.json")
	out, err := newOutput(file, nil)
	require.NoError(t, err)
	p := newProgress(io.Discard)
	for _, format := range []string{"text", "json"} {
		require.NoFileExists(t, note)
		p.note(out, format)
	}
	require.FileExists(t, note)
	p.written = time.Time{}
	p.show(3, 4, "20x12")
	text, err := os.ReadFile(note)
	require.NoError(t, err)
	require.Contains(t, string(text), `"done":3,"total":4,"workload":"20x12"`)
	p.clear()
	for _, command := range []string{"run", "targets", "stages", "scale"} {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		ctx := &asked{Context: ended, note: note}
		require.Equal(t, exitFailed, run(ctx, []string{command, "--format", "json", "--out", file}, nil, io.Discard, io.Discard))
		require.True(t, ctx.noted, command)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// asked is a context that looks for a note whenever it is asked whether it ended.
type asked struct {
	context.Context
	note  string
	noted bool
}

func (a *asked) Err() error {
	if _, err := os.Stat(a.note); err == nil {
		a.noted = true
	}
	return a.Context.Err()
}
