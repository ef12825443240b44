package atomicfile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestCommitReplacesAndDiscardDoesNot(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "x")
	require.NoError(t, WriteFile(target, []byte("old")))
	f, err := Create(target)
	require.NoError(t, err)
	_, err = f.WriteString("new")
	require.NoError(t, err)
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	f.Discard()
	require.Equal(t, []string{"x"}, names(t, dir))

	require.NoError(t, WriteFile(target, []byte("new")))
	text, err = os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "new", string(text))

	// What cannot be renamed leaves nothing.
	blocked := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(blocked, "in it"), 0o777))
	require.Error(t, WriteFile(blocked, []byte("new")))
	require.Equal(t, []string{"folder", "x"}, names(t, dir))
	require.Error(t, f.Commit(), "after Discard")
}

// Of many that replace one file at once, each time one remains, whole.
func TestReplacedAtOnce(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "x")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for range 20 {
				if err := WriteFile(target, []byte(strings.Repeat(string(rune('a'+i)), 1000*(i+1)))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat(string(text[:1]), 1000*int(text[0]-'a'+1)), string(text))
	require.Equal(t, []string{"x"}, names(t, dir))
}

// writer is set for the process that TestKilledWriterIsSweptAfter starts and kills.
const writer = "KSDISPATCH_ATOMICFILE_WRITES"

// What a killed process left is removed by the next that writes the same file, and nothing else is: not what a process
// still writes, and not files whose names only look alike.
func TestKilledWriterIsSweptAfter(t *testing.T) {
	if target := os.Getenv(writer); target != "" {
		f, err := Create(target)
		require.NoError(t, err)
		fmt.Println(f.Name())
		_, _ = os.Stdin.Read(make([]byte, 1)) // until killed
		return
	}
	dir := t.TempDir()
	target := filepath.Join(dir, "x")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriterIsSweptAfter$")
	cmd.Env = append(os.Environ(), writer+"="+target)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var left string
	_, err = fmt.Fscanln(stdout, &left)
	require.NoError(t, err)

	alike := []string{".x.1-0.tmpx", ".x.-1-0.tmp", ".x.tmp", ".x.y.1-0.tmp", ".xy.4194304-0.tmp", "x.4194304-0.tmp"}
	for _, name := range alike {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
	}
	require.NoError(t, WriteFile(target, []byte("while it is written")))
	require.FileExists(t, left)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.NoError(t, WriteFile(target, []byte("after")))
	require.NoFileExists(t, left)
	require.ElementsMatch(t, append(alike, "x"), names(t, dir))
}
