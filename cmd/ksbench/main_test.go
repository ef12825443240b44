package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// The scripts in testdata/script run the command as its users do, in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ksbench": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "internal", "lab", "report", "report.schema.json"))
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error { // scripts that build use the real cache
			cache, err := exec.Command("go", "env", "GOCACHE").Output()
			env.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
			return err
		},
		UpdateScripts: os.Getenv("KSDISPATCH_UPDATE") != "",
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition " + name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits CODE PROGRAM ARG...: the program ends with exactly that code, or one of several as in 0,1.
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: exits CODE PROGRAM ARG...")
				}
				got := 0
				if err := ts.Exec(args[1], args[2:]...); err != nil {
					var exit *exec.ExitError
					if !errors.As(err, &exit) {
						ts.Fatalf("%v", err)
					}
					got = exit.ExitCode()
				}
				if !slices.Contains(strings.Split(args[0], ","), strconv.Itoa(got)) {
					ts.Fatalf("exit code %d, want %s", got, args[0])
				}
			},
			// report FILE: the file is a report as its schema says.
			"report": func(ts *testscript.TestScript, neg bool, args []string) {
				v, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
				ts.Check(err)
				if err := schema.Validate(v); (err != nil) != neg {
					ts.Fatalf("%s: %v", args[0], err)
				}
			},
		},
	})
}

// A run that is interrupted ends with 1, says so, and leaves nothing behind: neither the file nor a part of it.
// requireFiles says that nothing but so many files is in a folder.
func requireFiles(t *testing.T, dir string, n int) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, n, "left behind")
}

func TestInterruptLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"--run", "^1x8/", "--out", filepath.Join(dir, "report.json")}, strings.NewReader(""), &stdout, &stderr)
	require.Equal(t, exitFailed, code, "%s", &stderr)
	require.Empty(t, stdout.String())
	require.Contains(t, stderr.String(), "interrupted")
	requireFiles(t, dir, 0)
}

// An interrupt during a long run prints what there is. How soon there is something depends on the machine.
func TestInterruptPrintsWhatThereIs(t *testing.T) {
	var stdout, stderr bytes.Buffer
	for patience := time.Second / 2; stdout.Len() == 0; patience *= 2 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		stderr.Reset()
		code := run(ctx, []string{"--run", "^1x8/lookup/", "--rounds", "10000", "--format", "json"}, strings.NewReader(""), &stdout, &stderr)
		cancel()
		require.Equal(t, exitFailed, code, "%s", &stderr)
		require.Contains(t, stderr.String(), "interrupted")
	}
	rep, err := report.Read(&stdout, "standard output")
	require.NoError(t, err)
	require.True(t, rep.Incomplete)
	require.NotEmpty(t, rep.Results)
	require.Equal(t, "ksbench: interrupted; the report holds what was measured until then\n", stderr.String())
}

// stuck is standard input that nobody ends; while a command waits for it, Ctrl-C comes.
type stuck struct {
	interrupt context.CancelFunc
	end       <-chan struct{}
}

func (s stuck) Read([]byte) (int, error) {
	s.interrupt()
	<-s.end
	return 0, io.EOF
}

func TestInterruptEndsAWait(t *testing.T) {
	dir, end := t.TempDir(), make(chan struct{})
	defer close(end)
	file := filepath.Join(dir, "bench.txt")
	require.NoError(t, os.WriteFile(file, []byte("BenchmarkA-2 1 2 ns/op\n"), 0o600))
	for _, args := range [][]string{{"compare", "-", file}, {"compare", file, "-"}, {"gate", "--baseline", file},
		{"baseline", "save", "a", "--dir", dir},
		{"exec", "--manifest", execManifest}} {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		code := run(ctx, args, stuck{cancel, end}, &stdout, &stderr)
		cancel()
		require.Equal(t, exitFailed, code, "%s: %s", args, &stderr)
		require.Empty(t, stdout.String(), "%s", args)
		require.Regexp(t, "^ksbench: interrupted", stderr.String(), "%s", args)
	}
	requireFiles(t, dir, 1)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAFailingWriterIsBadInput(t *testing.T) {
	var stderr bytes.Buffer
	code := run(context.Background(), []string{"--run", "^1x8/lookup/floor$", "--rounds", "1"}, strings.NewReader(""), fullDisk{}, &stderr)
	require.Equal(t, exitBadInput, code)
	require.Contains(t, stderr.String(), "ksbench: standard output: no space left")
}

// A renderer that fails leaves the old file as it was.
func TestOutputIsReplacedWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	out, err := newOutput(path, nil)
	require.NoError(t, err)
	broken := errors.New("broken")
	require.ErrorIs(t, out.write(func(w io.Writer) error {
		_, _ = w.Write([]byte("half"))
		return broken
	}), broken)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	requireFiles(t, dir, 1)
}

func TestDevicesAreWrittenTo(t *testing.T) {
	info, err := os.Stat(os.DevNull)
	if err != nil || info.Mode().IsRegular() {
		t.Skipf("no device to try: %v", err)
	}
	out, err := newOutput(os.DevNull, nil)
	require.NoError(t, err)
	require.True(t, out.direct, "%s would be replaced by a file", os.DevNull)
}
