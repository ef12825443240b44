package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/ksdispatch/ksdispatch/internal/bom"
	"github.com/ksdispatch/ksdispatch/internal/input"
)

// lines are the request lines of a file, or of standard input if the path is empty.
func (con *console) lines(path string) (lines io.Reader, done func(), err error) {
	if path == "" {
		return input.Reader(con.ctx, con.stdin), func() {}, nil
	}
	f, err := input.OpenNamed(con.ctx, path, input.NoLimit)
	if err != nil {
		return nil, nil, badInput{err}
	}
	if lines, err = bom.Skip(f); err != nil {
		return nil, nil, errors.Join(badInput{fmt.Errorf("%s: %w", path, err)}, f.Close())
	}
	return lines, func() { _ = f.Close() }, nil
}
