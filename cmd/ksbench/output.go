package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is where a report goes: standard output, or a file that appears whole or not at all.
type output struct {
	flag   string // that named the file
	path   string // "" for stdout
	direct bool   // a device or a pipe, which a rename would replace
	stdout io.Writer
}

// newOutput finds out whether the file can be written before anybody waits for a measurement.
func newOutput(path string, stdout io.Writer) (*output, error) {
	return newOutputOf("--out", path, stdout)
}

func newOutputOf(flag, path string, stdout io.Writer) (*output, error) {
	o := &output{flag: flag, path: path, stdout: stdout}
	if path == "" {
		return o, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, badInput{fmt.Errorf("%s %s: is a directory; name a file in it", flag, path)}
	}
	if err == nil && !info.Mode().IsRegular() {
		o.direct = true
		return o, nil
	}
	probe, err := o.temporary()
	if err != nil {
		return nil, badInput{fmt.Errorf("%s %s: %w", flag, path, err)}
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return nil, badInput{fmt.Errorf("%s %s: %w", flag, path, err)}
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

// write replaces the file in one step, or leaves it as it was. A report that took minutes to measure is not lost to a full
// disk: it goes to standard output then.
func (o *output) write(render func(io.Writer) error) error {
	if o.path == "" {
		out := &watched{w: o.stdout}
		err := render(out)
		if out.err != nil {
			return badInput{fmt.Errorf("standard output: %w", err)}
		}
		return err
	}
	err, ours := o.replace(render)
	switch {
	case err == nil:
		return nil
	case ours:
		return err
	case render(o.stdout) == nil:
		return badInput{fmt.Errorf("%s %s: %w; the report went to standard output instead", o.flag, o.path, err)}
	}
	return badInput{fmt.Errorf("%s %s: %w", o.flag, o.path, err)}
}

// replace writes the file. It reports whether an error is the renderer's own, and not one of writing.
func (o *output) replace(render func(io.Writer) error) (err error, ours bool) {
	var f *os.File
	if o.direct {
		f, err = os.OpenFile(o.path, os.O_WRONLY, 0)
	} else {
		f, err = o.temporary()
	}
	if err != nil {
		return err, false
	}
	out := &watched{w: f}
	err = render(out)
	ours = err != nil && out.err == nil
	if o.direct {
		return firstOf(err, f.Close()), ours
	}
	if err == nil {
		err = f.Sync()
	}
	if err = firstOf(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), o.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err, ours
}

// watched remembers that writing failed.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
