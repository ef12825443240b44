package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is where a report goes: standard output, or a file that appears whole or not at all.
type output struct {
	path   string // "" for stdout
	direct bool   // a device or a pipe, which a rename would replace
	stdout io.Writer
}

// newOutput finds out whether the file can be written before anybody waits for a measurement.
func newOutput(path string, stdout io.Writer) (*output, error) {
	o := &output{path: path, stdout: stdout}
	if path == "" {
		return o, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, badInput{fmt.Errorf("--out %s: is a directory", path)}
	}
	if err == nil && !info.Mode().IsRegular() {
		o.direct = true
		return o, nil
	}
	probe, err := o.temporary()
	if err != nil {
		return nil, badInput{fmt.Errorf("--out %s: %w", path, err)}
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return nil, badInput{fmt.Errorf("--out %s: %w", path, err)}
	}
	return o, nil
}

// temporary creates a file beside the output, on the same file system. Unlike os.CreateTemp it leaves the permissions to
// the user's umask, as a plain creation of the output would.
func (o *output) temporary() (*os.File, error) {
	dir, name := filepath.Split(o.path)
	for i := 0; ; i++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.%s.%d-%d.tmp", dir, name, os.Getpid(), i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !os.IsExist(err) || i == 100 {
			return f, err
		}
	}
}

// write renders into memory first, so that a failing renderer writes nothing, then replaces the file in one step.
func (o *output) write(render func(io.Writer) error) error {
	var text bytes.Buffer
	if err := render(&text); err != nil {
		return err
	}
	if o.path == "" {
		_, err := o.stdout.Write(text.Bytes())
		return err
	}
	if o.direct {
		f, err := os.OpenFile(o.path, os.O_WRONLY, 0)
		if err != nil {
			return badInput{fmt.Errorf("--out %s: %w", o.path, err)}
		}
		_, err = f.Write(text.Bytes())
		return firstOf(err, f.Close())
	}
	f, err := o.temporary()
	if err != nil {
		return badInput{fmt.Errorf("--out %s: %w", o.path, err)}
	}
	_, err = f.Write(text.Bytes())
	err = firstOf(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), o.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return badInput{fmt.Errorf("--out %s: %w", o.path, err)}
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
