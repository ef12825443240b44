package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// fenced returns the text of the only fenced block of a language in docs/ci.md.
func fenced(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	require.NoError(t, err)
	parts := strings.Split(string(text), "\n```"+language+"\n")
	require.Len(t, parts, 2)
	inner, _, ends := strings.Cut(parts[1], "```\n")
	require.True(t, ends)
	return inner
}

// The shell job does what its page says: an allocation more fails it and is in the comment, and no change leaves none.
func TestShellJob(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the job is for a POSIX shell")
	}
	if testing.Short() {
		t.Skip("builds and measures")
	}
	t.Parallel()
	dir := newcomer(t)
	job := counted(fenced(t, "sh")) // counts alone decide here
	require.Contains(t, job, "-benchtime 300000x")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bench.sh"), []byte(job), 0o666))
	env := append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off",
		"BASE=base", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "TMPDIR="+t.TempDir())
	sh := func(command string) (string, int) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = dir, env
		text, err := cmd.CombinedOutput()
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError))
		}
		return string(text), cmd.ProcessState.ExitCode()
	}
	text, code := sh("git init -q . && git add . && git -c user.name=x -c user.email=x@example.com commit -q -m base && git branch base")
	require.Zero(t, code, text)

	text, code = sh("cp careless.go.txt volume.go && sh bench.sh")
	require.Equal(t, exitFailed, code, text)
	require.Contains(t, text, `gate: regressed: "Volume" B/op, "Volume" allocs/op`)
	comment, err := os.ReadFile(filepath.Join(dir, "comment.md"))
	require.NoError(t, err)
	require.Contains(t, string(comment), "| regressed | Volume | allocs/op | 0 | 1 | from 0 | - | exact |")

	text, code = sh("git checkout -q volume.go && sh bench.sh")
	require.Equal(t, exitOK, code, text)
	comment, err = os.ReadFile(filepath.Join(dir, "comment.md"))
	require.NoError(t, err)
	require.NotContains(t, string(comment), "allocs/op")

	// A benchmark that fails ends the job, with no verdict on what did run.
	text, code = sh("printf 'package volume\n\nimport \"testing\"\n\nfunc BenchmarkBroken(b *testing.B) { b.Fatal() }\n" +
		"' > broken_test.go && sh bench.sh")
	require.NotZero(t, code, text)
	require.NotContains(t, text, "same")

	text, _ = sh("git worktree list")
	require.NotContains(t, text, "detached")
}

// The GitHub job is YAML, and runs what the page describes.
func TestGitHubJob(t *testing.T) {
	var job struct {
		Jobs map[string]struct {
			Steps []struct {
				Run string
				Env map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(fenced(t, "yaml")), &job))
	var runs []string
	for _, step := range job.Jobs["gate"].Steps {
		if step.Run != "" {
			runs = append(runs, step.Run)
		}
	}
	require.Len(t, runs, 3)
	require.Equal(t, "sh bench.sh", runs[1])
	require.Contains(t, runs[2], "--body-file comment.md")
}
