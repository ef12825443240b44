package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
)

// output is a file that a job writes at its end.
type output struct {
	flag, path string
	target     string // what path links to, else path
	text       []byte
}

// newOutput finds out, before anybody waits for a job, whether the file can be written. It is none of those that are read, and no other.
func newOutput(flag, path string, read []string, others ...*output) (*output, error) {
	o := &output{flag: flag, path: path, target: resolve(path)}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, o.fault(errors.New("is no file, and would be replaced; name a file"))
	}
	for _, name := range read {
		if other, wrong := os.Stat(name); err == nil && wrong == nil && os.SameFile(info, other) {
			return nil, o.fault(errors.New("is read, too; name another"))
		}
	}
	for _, other := range others {
		if o.target == other.target {
			return nil, o.fault(fmt.Errorf("is what %s names; name another", other.flag))
		}
	}
	f, err := o.create()
	if err != nil {
		return nil, err
	}
	f.Discard()
	return o, nil
}

// resolve follows links to what is there, or to the folder where it is to be.
func resolve(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// create makes the file that is to take the place of the target.
func (o *output) create() (*atomicfile.File, error) {
	f, err := atomicfile.Create(o.target)
	if err != nil {
		return nil, o.fault(err)
	}
	return f, nil
}

// fault is an error of the file, under the name that the user knows.
func (o *output) fault(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("%s %s: %w", o.flag, o.path, err)
}

// write writes all of the files, or leaves what was there.
func write(all []*output) error {
	var files []*atomicfile.File
	for _, o := range all {
		f, err := o.create()
		if err != nil {
			return err
		}
		defer f.Discard()
		if _, err := f.Write(o.text); err != nil {
			return o.fault(err)
		}
		files = append(files, f)
	}
	for i, f := range files {
		if err := f.Commit(); err != nil {
			return all[i].fault(err)
		}
	}
	return nil
}
