package traffic

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/exp/mmap"

	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// File is an open trace.
type File struct {
	*trace.Reader
	parts parts
}

// Open opens a trace, or the parts of one in order.
func Open(paths ...string) (*File, error) {
	f := new(File)
	var size int64
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s: is no file; write the trace to one first", path)
		}
		var m *mmap.ReaderAt
		if err == nil {
			m, err = mmap.Open(path)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.parts = append(f.parts, part{m, size})
		size += int64(m.Len())
	}
	r, err := trace.NewReader(f.parts, size, strings.Join(paths, " "))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.Reader = r
	return f, nil
}

// Close closes the files. Nothing of the trace may be used any more.
func (f *File) Close() (err error) {
	for _, p := range f.parts {
		err = errors.Join(err, p.Close())
	}
	f.parts = nil
	return err
}

// parts are files as one.
type parts []part

type part struct {
	*mmap.ReaderAt
	begin int64
}

// ReadAt is that of io.ReaderAt.
func (p parts) ReadAt(b []byte, at int64) (n int, err error) {
	for i := range p {
		off := at + int64(n) - p[i].begin
		if n == len(b) || off >= int64(p[i].Len()) {
			continue
		}
		var got int
		got, err = p[i].ReaderAt.ReadAt(b[n:], off)
		n += got
		if err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
