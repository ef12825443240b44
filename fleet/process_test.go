package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)

// as is this program as a process of its own, which ends with the test.
func as(t *testing.T, role string, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), "FLEET_AS="+role)
	c.WaitDelay = time.Minute
	return c
}

// standAlone is a job service as a cluster has one, at the port that is its argument, until no job came for a while.
func standAlone() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if _, err := prism.CreateJobServer(ctx, prism.Options{Port: port, IdleShutdownTimeout: 5 * time.Minute, CancelFn: cancel}); err != nil {
		panic(err)
	}
	fmt.Println("serving")
	<-ctx.Done()
	os.Exit(0)
}

// started starts a process and waits until it says so.
func started(t *testing.T, c *exec.Cmd, says string) {
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == says {
			return
		}
	}
	t.Fatalf("%s: ended without %q", c, says)
}

// A job that is sent to a job service in another process comes to the report of one process.
func TestUniversalRunnerHasTheSameReport(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	endpoint := l.Addr().String()
	_, port, err := net.SplitHostPort(endpoint)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	started(t, as(t, "prism", port), "serving")
	args := []string{"verify", "--manifest", driver, "--traces", farm(t)}
	_, want, _ := fleet(t, t.Context(), append(args, "--runner", "local")...)
	out, staging := filepath.Join(t.TempDir(), "report.json"), t.TempDir()
	c := as(t, "fleet", append(args, "--runner", "universal", "--endpoint", endpoint, "--staging", staging,
		"--beam", "environment_type=LOOPBACK", "--out", out)...)
	text, err := c.CombinedOutput()
	require.Equal(t, 1, c.ProcessState.ExitCode(), "%v: %s", err, text)
	require.Equal(t, want, sameAs(t, out))
}

// A process that is killed in its work leaves the report that was there, and the job is done by the next.
func TestKilledProcessLeavesTheReportThatWasThere(t *testing.T) {
	args := []string{"verify", "--manifest", driver, "--traces", farm(t)}
	_, want, _ := fleet(t, t.Context(), append(args, "--runner", "local")...)
	dir := t.TempDir()
	out := filepath.Join(dir, "report.json")
	require.NoError(t, os.WriteFile(out, []byte("old"), 0o600))
	c := as(t, "stalled", append(args, "--out", out)...)
	started(t, c, "working")
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	var failed *exec.ExitError
	require.True(t, errors.As(as(t, "fleet", append(args, "--out", out)...).Run(), &failed))
	require.Equal(t, 1, failed.ExitCode())
	require.Equal(t, want, sameAs(t, out))
}

// The image is built of files that are there, by commands that resolve all they need, from what is under version control. To compile Beam
// anew takes minutes, so that the commands are run in full for CI_FULL alone.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	root, workdir := t.TempDir(), ""
	built, full := false, os.Getenv("CI_FULL") != ""
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		rest := string(bytes.TrimSpace(line[len(words[0]):]))
		switch instruction := string(words[0]); instruction {
		case "FROM":
		case "WORKDIR":
			workdir = filepath.Join(root, rest)
			require.NoError(t, os.MkdirAll(workdir, 0o700))
		case "COPY":
			if rest == ". ." {
				archive(t, workdir)
				continue
			}
			require.Equal(t, "--from=build", string(words[1]))
			require.Equal(t, "/fleet", string(words[2]))
		case "RUN":
			command := bytes.ReplaceAll([]byte(rest), []byte(" /fleet "), []byte(" "+filepath.Join(root, "fleet")+" "))
			require.NotEqual(t, rest, string(command), "the program is built into another place")
			c := exec.CommandContext(t.Context(), "sh", "-c", string(command))
			c.Dir = workdir
			if !full {
				c.Env = append(os.Environ(), "GOFLAGS=-n")
			}
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s: %s", command, out)
			built = true
		default:
			t.Fatalf("%s: this test does not know the instruction", line)
		}
	}
	require.True(t, built)
	if !full {
		return
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, "fleet"), "--help").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "verify")
}

// archive puts what is under version control into a folder, as it is now.
func archive(t *testing.T, to string) {
	names, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("there is no repository to build the image from")
	}
	for name := range bytes.SplitSeq(bytes.TrimSuffix(names, []byte{0}), []byte{0}) {
		text, err := os.ReadFile(filepath.Join("..", string(name)))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not yet committed
		}
		require.NoError(t, err)
		file := filepath.Join(to, string(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
}
