package traffic

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
		var m mapped
		if err == nil {
			m, err = openMapped(path)
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
	mapped
	begin int64
}

// Slice returns the n bytes at an offset, or nil if they are not all of one part.
func (p parts) Slice(at int64, n int) []byte {
	for i := range p {
		if off := at - p[i].begin; 0 <= off && off+int64(n) <= int64(p[i].Len()) {
			return p[i].mapped.Slice(off, n)
		}
	}
	return nil
}

// ReadAt is that of io.ReaderAt.
func (p parts) ReadAt(b []byte, at int64) (n int, err error) {
	for i := range p {
		off := at + int64(n) - p[i].begin
		if n == len(b) || off >= int64(p[i].Len()) {
			continue
		}
		var got int
		got, err = p[i].mapped.ReadAt(b[n:], off)
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
