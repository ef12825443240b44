// Package input opens what a command reads, so that no file holds the command up, fills its memory or reads on without end.
//
// A file that somebody names may be a regular one or a pipe, such as a shell's <(...). A file that lies in a named folder must be
// regular: it could be a pipe that nobody writes to. Devices are refused: some never end, and some act when they are opened. Reading
// has a limit in bytes, and ends when its context does.
package input

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// NoLimit is for what is read piece by piece and not kept.
const NoLimit = math.MaxInt64

// File is an open regular file or pipe. Its Read fails when the context ends, and behind the limit.
type File struct {
	f     *os.File
	r     io.Reader // of f
	limit int64
	path  string
}

// Open opens a regular file of at most limit bytes, also through links.
func Open(ctx context.Context, path string, limit int64) (*File, error) {
	return open(ctx, path, limit, func() (fs.FileInfo, error) { return os.Stat(path) }, func() (*os.File, error) {
		return os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	})
}

// OpenIn is Open of a file in a folder that no link leads out of.
func OpenIn(ctx context.Context, root *os.Root, name string, limit int64) (*File, error) {
	return open(ctx, name, limit, func() (fs.FileInfo, error) { return root.Stat(name) }, func() (*os.File, error) {
		return root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	})
}

// OpenNamed opens what a user names: a regular file, or a pipe, for whose writer it waits.
func OpenNamed(ctx context.Context, path string, limit int64) (*File, error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return Open(ctx, path, limit)
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path) // waits for a writer, and nothing ends that
		done <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, &fs.PathError{Op: "open", Path: path, Err: ctx.Err()}
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return &File{f: o.f, r: Limit(Reader(ctx, o.f), limit), limit: limit, path: path}, nil
	}
}

// open looks twice, because between the two another may take the file's place: before, so that no device is opened, and
// after, without waiting for a pipe's writer.
func open(ctx context.Context, path string, limit int64, stat func() (fs.FileInfo, error), open func() (*os.File, error)) (*File, error) {
	info, err := stat()
	if err == nil {
		err = cmp.Or(acceptable(info, limit), ctx.Err())
	}
	var f *os.File
	if err == nil {
		if f, err = open(); err == nil {
			if info, err = f.Stat(); err == nil {
				err = acceptable(info, limit)
			}
		}
	}
	if err != nil {
		f.Close() // of nil, too
		if of, ok := errors.AsType[*fs.PathError](err); ok {
			err = of.Err
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &File{f: f, r: Limit(ending{ctx, f}, limit), limit: limit, path: path}, nil
}

func acceptable(info fs.FileInfo, limit int64) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return errors.New("is a directory")
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("is a pipe, and no regular file")
	case !mode.IsRegular():
		return errors.New("is a device, and no regular file")
	case info.Size() > limit:
		return tooLarge(limit)
	}
	return nil
}

func tooLarge(limit int64) error { return fmt.Errorf("is larger than %d bytes", limit) }

// Read is io.Reader. Errors of Read name the file.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF && !errors.As(err, new(*fs.PathError)) {
		err = &fs.PathError{Op: "read", Path: f.path, Err: err}
	}
	return n, err
}

// Rewind goes to an offset from the begin of a regular file, from where the limit counts anew.
func (f *File) Rewind(offset int64) error {
	_, err := f.f.Seek(offset, io.SeekStart)
	if l, ok := f.r.(*limited); ok {
		l.left = f.limit
	}
	return err
}

// Stat describes what was opened.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Close is io.Closer.
func (f *File) Close() error { return f.f.Close() }

// ReadFile returns what a regular file holds.
func ReadFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := Open(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Unpack returns what gzip packed into content, at most limit bytes; of content that is not packed, content.
func Unpack(content []byte, limit int64) ([]byte, error) {
	if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return content, nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	content, err = io.ReadAll(Limit(unpacked, limit))
	if err != nil {
		return nil, fmt.Errorf("unpacked: %w", err)
	}
	return content, nil
}

// Limit reads at most limit bytes of r; if there is another, the error says so.
func Limit(r io.Reader, limit int64) io.Reader { return &limited{r: r, left: limit, limit: limit} }

type limited struct {
	r           io.Reader
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		p = p[:min(int64(len(p)), l.left+1)] // one more, to see whether there is one
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		n, err = int(l.left), tooLarge(l.limit)
	}
	l.left -= int64(n)
	return n, err
}

// ending is a reader whose reads do not wait, as those of regular files do not.
type ending struct {
	ctx context.Context
	r   io.Reader
}

func (e ending) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.r.Read(p)
}

// Reader reads r, and ends with ctx even while a read of r waits for whoever writes. It may read more of r than was asked for.
func Reader(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err) // the end, without an error
	}()
	return out
}
