package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
)

// output is where a report goes: standard output, or a file that appears whole or not at all.
type output struct {
	flag   string // that named the file
	path   string // "" for stdout
	target string // what path links to, else path
	direct bool   // a device or a pipe, which a rename would replace
	stdout io.Writer
}

// newOutput finds out whether the file can be written before anybody waits for a measurement.
func newOutput(path string, stdout io.Writer) (*output, error) {
	return newOutputOf("--out", path, stdout)
}

// newOutputOf is newOutput for another flag. Without stdout, what cannot be written to the file is written nowhere.
func newOutputOf(flag, path string, stdout io.Writer) (*output, error) {
	o := &output{flag: flag, path: path, target: path, stdout: stdout}
	if path == "" {
		return o, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, o.fault(errors.New("is a directory; name a file in it"))
	}
	if err == nil && !info.Mode().IsRegular() {
		o.direct = true
		return o, nil
	}
	if o.target, err = follow(path); err != nil {
		return nil, o.fault(err)
	}
	return o, o.probe()
}

// probe finds out whether a file can be made beside the target.
func (o *output) probe() error {
	f, err := atomicfile.Create(o.target)
	if err != nil {
		return o.fault(err)
	}
	f.Discard()
	return nil
}

// newDir makes a directory, and finds out whether files can be made in it.
func newDir(flag, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault(flag, dir, err)
	}
	o := &output{flag: flag, path: dir, target: filepath.Join(dir, "probe")}
	return o.probe()
}

// follow returns what a link leads to in the end, which need not exist. A rename would replace the link itself.
func follow(path string) (string, error) {
	for range 40 {
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link, or nothing; who opens it will see
		}
		if !filepath.IsAbs(link) {
			dir, _ := filepath.Split(path)
			link = dir + link // not cleaned: what is before a .. may be a link, too
		}
		path = link
	}
	return "", errors.New("a link that leads to no end")
}

func (o *output) fault(err error) error { return fault(o.flag, o.path, err) }

// fault is an error of a file as the user named it. The name of a temporary file beside it would mean nothing to them.
func fault(flag, path string, err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		err = of.Err
	} else if of, ok := errors.AsType[*os.LinkError](err); ok { // of a rename
		err = of.Err
	}
	return badInput{fmt.Errorf("%s %s: %w", flag, path, err)}
}

// distinct refuses outputs of which one would replace another.
func distinct(outputs ...*output) error {
	for i, o := range outputs {
		for _, other := range outputs[:i] {
			if o.same(other) {
				return o.fault(fmt.Errorf("is the file of %s %s, too; name another", other.flag, other.path))
			}
		}
	}
	return nil
}

// distinctFrom refuses an output that would replace what the command reads.
func (o *output) distinctFrom(inputs ...string) error {
	for _, input := range inputs {
		if input != "-" && o.same(&output{path: input, target: input}) {
			return o.fault(errors.New("is read, too; name another"))
		}
	}
	return nil
}

func (o *output) same(other *output) bool {
	if o.path == "" || other.path == "" || o.direct || other.direct {
		return false
	}
	a, errA := os.Stat(o.target)
	b, errB := os.Stat(other.target)
	if errA == nil || errB == nil {
		return os.SameFile(a, b)
	}
	a, errA = os.Stat(filepath.Dir(o.target))
	b, errB = os.Stat(filepath.Dir(other.target))
	return errA == nil && errB == nil && os.SameFile(a, b) && filepath.Base(o.target) == filepath.Base(other.target)
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
	case o.stdout != nil && render(o.stdout) == nil:
		return badInput{fmt.Errorf("%w; the report went to standard output instead", o.fault(err))}
	}
	return o.fault(err)
}

// replace writes the file. It reports whether an error is the renderer's own, and not one of writing.
func (o *output) replace(render func(io.Writer) error) (err error, ours bool) {
	if o.direct {
		f, err := os.OpenFile(o.target, os.O_WRONLY, 0)
		if err != nil {
			return err, false
		}
		err, ours = renderTo(f, render)
		return cmp.Or(err, f.Close()), ours
	}
	f, err := atomicfile.Create(o.target)
	if err != nil {
		return err, false
	}
	defer f.Discard()
	if err, ours = renderTo(f, render); err == nil {
		err = f.Commit()
	}
	return err, ours
}

func renderTo(w io.Writer, render func(io.Writer) error) (err error, ours bool) {
	out := &watched{w: w}
	err = render(out)
	return err, err != nil && out.err == nil
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
