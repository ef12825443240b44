package input

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	return path
}

// openers are the ways to open a regular file.
func openers(path string, limit int64) map[string]func(context.Context) (*File, error) {
	return map[string]func(context.Context) (*File, error){
		"Open":      func(ctx context.Context) (*File, error) { return Open(ctx, path, limit) },
		"OpenNamed": func(ctx context.Context) (*File, error) { return OpenNamed(ctx, path, limit) },
		"OpenIn": func(ctx context.Context) (*File, error) {
			root, err := os.OpenRoot(filepath.Dir(path))
			if err != nil {
				return nil, err
			}
			defer root.Close()
			return OpenIn(ctx, root, filepath.Base(path), limit)
		},
	}
}

func TestRegularFiles(t *testing.T) {
	path := write(t, "x", "0123456789")
	for name, open := range openers(path, 10) {
		f, err := open(t.Context())
		require.NoError(t, err, name)
		for _, from := range []int64{0, 4} { // each time within the limit
			require.NoError(t, f.Rewind(from))
			text, err := io.ReadAll(f)
			require.NoError(t, err, name)
			require.Equal(t, "0123456789"[from:], string(text))
		}
		require.NoError(t, f.Close())
	}
	for name, open := range openers(path, 9) {
		_, err := open(t.Context())
		require.ErrorContains(t, err, "x: is larger than 9 bytes", name)
	}
	for name, open := range openers(filepath.Dir(path), 9) {
		_, err := open(t.Context())
		require.ErrorContains(t, err, "is a directory", name)
	}
	for name, open := range openers(path+" not", 9) {
		_, err := open(t.Context())
		require.ErrorIs(t, err, os.ErrNotExist, name)
	}
}

// A file that grows while it is read ends at the limit.
func TestGrowingFile(t *testing.T) {
	path := write(t, "x", "0123456789")
	f, err := Open(t.Context(), path, 10)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.WriteFile(path, []byte("0123456789abc"), 0o666))
	text, err := io.ReadAll(f)
	require.ErrorContains(t, err, "x: is larger than 10 bytes")
	require.Equal(t, "0123456789", string(text))
}

func TestReadingEndsWithTheContext(t *testing.T) {
	path := write(t, "x", "0123456789")
	for name, open := range openers(path, 10) {
		ctx, cancel := context.WithCancel(t.Context())
		f, err := open(ctx)
		require.NoError(t, err)
		_, err = f.Read(make([]byte, 1))
		require.NoError(t, err)
		cancel()
		_, err = f.Read(make([]byte, 1))
		require.ErrorIs(t, err, context.Canceled, name)
		require.NoError(t, f.Close())
		_, err = open(ctx)
		require.ErrorIs(t, err, context.Canceled, name)
	}

	// A read that waits ends, too.
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := Reader(ctx, r)
	go func() {
		_, _ = w.Write([]byte("x"))
		cancel()
	}()
	text, err := io.ReadAll(waiting)
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, len(text), 1)
}

func TestReaderAndLimit(t *testing.T) {
	broken := errors.New("broken")
	text, err := io.ReadAll(Reader(t.Context(), bytes.NewReader([]byte("all"))))
	require.NoError(t, err)
	require.Equal(t, "all", string(text))
	_, err = io.ReadAll(Reader(t.Context(), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)

	for limit, want := range map[int64]string{0: "", 2: "al", 3: "all", NoLimit: "all"} {
		text, err := io.ReadAll(Limit(iotest.OneByteReader(bytes.NewReader([]byte("all"))), limit))
		require.Equal(t, want, string(text))
		if want == "all" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "is larger than")
		}
	}
}

func TestUnpack(t *testing.T) {
	pack := func(content []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	text, err := Unpack(pack([]byte("text")), 4)
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
	text, err = Unpack([]byte("plain"), 4)
	require.NoError(t, err)
	require.Equal(t, "plain", string(text))
	_, err = Unpack(pack(make([]byte, 8<<20)), 1<<20)
	require.ErrorContains(t, err, "unpacked: is larger than 1048576 bytes")
	_, err = Unpack(pack([]byte("text"))[:12], 4)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
