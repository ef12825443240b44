//go:build unix

package input

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func pipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o666))
	return path
}

// Where only a regular file will do, pipes and devices are refused, also behind a link, and nobody waits for a writer.
func TestOnlyRegularFiles(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink("/dev/zero", link))
	for path, want := range map[string]string{pipe(t): "is a pipe", "/dev/zero": "is a device", link: "is a device"} {
		_, err := Open(t.Context(), path, 10)
		require.ErrorContains(t, err, want)
		root, err := os.OpenRoot(filepath.Dir(path))
		require.NoError(t, err)
		_, err = OpenIn(t.Context(), root, filepath.Base(path), 10)
		require.Error(t, err, path)
		require.NoError(t, root.Close())
		if want == "is a device" {
			_, err = OpenNamed(t.Context(), path, 10)
			require.ErrorContains(t, err, want)
		}
	}
}

// What takes a file's place between the two looks is refused all the same.
func TestReplacedByAPipe(t *testing.T) {
	regular, fifo := write(t, "x", "x"), pipe(t)
	_, err := open(t.Context(), "x", 10, func() (os.FileInfo, error) { return os.Stat(regular) }, func() (*os.File, error) {
		return os.OpenFile(fifo, os.O_RDONLY|nonblock, 0)
	})
	require.ErrorContains(t, err, "x: is a pipe")
}

// A pipe that is named is read to its end, whenever its writer comes, and up to the limit.
func TestNamedPipe(t *testing.T) {
	for limit, want := range map[int64]string{10: "text", 2: "te"} {
		path := pipe(t)
		written := make(chan error, 1)
		go func() { written <- os.WriteFile(path, []byte("text"), 0) }()
		f, err := OpenNamed(t.Context(), path, limit)
		require.NoError(t, err)
		text, err := io.ReadAll(f)
		require.Equal(t, want, string(text))
		require.Equal(t, limit < 4, err != nil, err)
		require.NoError(t, <-written)
		require.NoError(t, f.Close())
	}
}

// Neither the wait for a writer nor that for what it writes outlasts the context.
func TestNamedPipeEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := pipe(t)
	_, err := OpenNamed(ctx, path, 10)
	require.ErrorIs(t, err, context.Canceled)

	w, err := os.OpenFile(path, os.O_RDWR, 0) // a writer that writes nothing; it also ends the wait above
	require.NoError(t, err)
	defer w.Close()
	ctx, cancel = context.WithCancel(t.Context())
	f, err := OpenNamed(ctx, path, 10)
	require.NoError(t, err)
	go cancel()
	_, err = io.ReadAll(f)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, f.Close())
}
