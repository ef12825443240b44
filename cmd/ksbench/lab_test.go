package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// measured is the output of a run of go test -bench whose benchmark takes so long and allocates so much.
func measured(t *testing.T, ns string, allocs string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench.txt")
	text := "goos: linux\n" + strings.Repeat("BenchmarkVolume-2 100000 "+ns+" ns/op 0 B/op "+allocs+" allocs/op\n", 10)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// What cannot be written has the exit code of bad input: a gate must not seem to have found a regression, or none.
func TestFailingWritersOfTheLab(t *testing.T) {
	old, same, worse := measured(t, "70", "0"), measured(t, "70", "0"), measured(t, "70", "1")
	dir := filepath.Join(t.TempDir(), "baselines")
	var stderr bytes.Buffer
	require.Zero(t, run(context.Background(), []string{"baseline", "--dir", dir, "save", "main", old}, nil, &stderr, &stderr), "%s", &stderr)
	for _, args := range [][]string{
		{"compare", old, same},
		{"compare", "--format", "json", old, worse},
		{"compare", "--format", "md", old, worse},
		{"gate", "--baseline", old, same},
		{"gate", "--baseline", old, worse},
		{"baseline", "--dir", dir, "list"},
		{"baseline", "--dir", dir, "show", "main"},
	} {
		stderr.Reset()
		code := run(context.Background(), args, strings.NewReader(""), fullDisk{}, &stderr)
		require.Equal(t, exitBadInput, code, "%s: %s", args, &stderr)
		require.Contains(t, stderr.String(), "no space left", "%s", args)
	}
}

// A file system that is full keeps the baseline that it has.
func TestFullDiskKeepsTheBaseline(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("mounts a small file system")
	}
	dir := t.TempDir()
	if text, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount: %v: %s", err, text)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	var out, stderr bytes.Buffer
	old := measured(t, "70", "0")
	require.Zero(t, run(context.Background(), []string{"baseline", "--dir", dir, "save", "main", old}, nil, &out, &stderr), "%s", &stderr)
	large := strings.NewReader(strings.Repeat("BenchmarkVolume-2 100000 70 ns/op\n", 2000))
	require.Equal(t, exitBadInput, run(context.Background(), []string{"baseline", "--dir", dir, "save", "main"}, large, &out, &stderr))
	require.Contains(t, stderr.String(), "no space left")
	require.Zero(t, run(context.Background(), []string{"gate", "--dir", dir, "--baseline", "main", old}, nil, &out, &stderr), "%s", &stderr)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

// Ctrl-C while revisions are built or take turns leaves neither worktrees nor files, and ends soon.
func TestInterruptLeavesNoWorktree(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and measures")
	}
	repo, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Chdir(repo)
	git := func(args ...string) string {
		text, err := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", text)
		return string(text)
	}
	require.NoError(t, os.WriteFile("go.mod", []byte("module example.com/volume\n\ngo 1.26\n"), 0o600))
	test := "package volume\n\nimport \"testing\"\n\nfunc BenchmarkVolume(b *testing.B) {\n\tfor i := 0; i < b.N; i++ {\n\t}\n}\n"
	require.NoError(t, os.WriteFile("volume_test.go", []byte(test), 0o600))
	git("init", "-q", ".")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	git("commit", "-q", "-m", "two", "--allow-empty")
	for _, moment := range []string{"ksbench-revisions-*/new", "ksbench-revisions-*/bench-1-0-1.exe"} {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			defer cancel()
			for range 6000 {
				if found, _ := filepath.Glob(filepath.Join(tmp, moment)); len(found) > 0 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		var stdout, stderr bytes.Buffer
		code := run(ctx, []string{"compare", "--rev", "HEAD~1", "--rev", "HEAD", "--package", ".", "--layouts", "2", "--rounds", "10000"}, nil,
			&stdout, &stderr)
		require.Equal(t, exitFailed, code, "%s", &stderr)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "interrupted; nothing was written")
		left, err := os.ReadDir(tmp)
		require.NoError(t, err)
		require.Empty(t, left, moment)
		require.Equal(t, 1, strings.Count(git("worktree", "list"), "\n"), moment)
	}
}

// When everything moved, what is measured again is judged instead of what was, so all of it must be there.
func TestGateAgainOfAll(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	t.Chdir(t.TempDir())
	write := func(name string, time float64, allocs int, benchmarks string) {
		var text strings.Builder
		text.WriteString("pkg: example.com/volume\n")
		for i := range 10 {
			for _, b := range benchmarks {
				n := 1
				if b == 'F' {
					n = allocs
				}
				fmt.Fprintf(&text, "BenchmarkGet%c-2\t1000\t%.2f ns/op\t8 B/op\t%d allocs/op\n", b, time+float64(i*7%10)/10, n)
			}
		}
		require.NoError(t, os.WriteFile(name, []byte(text.String()), 0o666))
	}
	write("old.txt", 100, 1, "ABCDEF")
	write("new.txt", 115, 2, "ABCDEF")
	write("few.txt", 100, 1, "ABCDE")
	write("same.txt", 100, 1, "ABCDEF")
	write("worse.txt", 100, 2, "ABCDEF")
	for file, want := range map[string]int{"few.txt": exitBadInput, "same.txt": exitOK, "worse.txt": exitFailed} {
		var stderr bytes.Buffer
		got := run(t.Context(), []string{"gate", "--baseline", "old.txt", "--again", "cat " + file, "new.txt"}, nil, io.Discard, &stderr)
		require.Equal(t, want, got, "%s: %s", file, &stderr)
	}
}
