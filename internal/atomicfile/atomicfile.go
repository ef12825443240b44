// Package atomicfile replaces files in one step: whoever opens one sees all of the old content or all of the new.
//
// The new content goes to a file beside the target, .NAME.PID-N.tmp, which Commit renames. A process that is killed leaves such
// a file behind; the next Create of the same target removes it. A file whose writer still runs is locked, so that of two
// processes neither removes what the other writes.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// File is a file that is to become the target. After Commit or Discard it is closed.
type File struct {
	*os.File
	target string
	ended  bool
}

// attempts bounds how many names are tried: as many writers of one target may be at work in one process.
const attempts = 1000

// Create makes a file beside the target, open for reading and writing, after it has removed what killed processes left for that
// target. Unlike os.CreateTemp it leaves the permissions to the user's umask, as a plain creation of the target would.
func Create(target string) (*File, error) {
	dir, name := filepath.Split(target)
	sweep(dir, name)
	for i := 0; ; i++ {
		path := dir + fmt.Sprintf(".%s.%d-%d.tmp", name, os.Getpid(), i)
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if os.IsExist(err) && i < attempts {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !keep(f) { // somebody swept between the two steps
			f.Close()
			continue
		}
		return &File{File: f, target: target}, nil
	}
}

// Commit flushes the file and puts it in the target's place. If that fails, the target is what it was, and the file is gone.
func (f *File) Commit() error {
	if f.ended {
		return fs.ErrClosed
	}
	err := f.Sync()
	if err == nil {
		err = f.rename()
	}
	if err != nil {
		f.Discard()
	}
	f.ended = true
	return err
}

// Discard removes the file. After Commit it does nothing, so that it can be deferred.
func (f *File) Discard() {
	if f.ended {
		return
	}
	f.ended = true
	f.Close()
	os.Remove(f.Name())
}

// WriteFile replaces the content of the target.
func WriteFile(target string, content []byte) error {
	f, err := Create(target)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Commit()
}

// sweep removes what killed processes left for a target. What cannot be removed stays: it harms nobody.
func sweep(dir, name string) {
	entries, err := os.ReadDir(filepath.Clean(dir)) // "" is .
	if err != nil {
		return
	}
	for _, e := range entries {
		if pid, ok := leftBy(e.Name(), name); ok && e.Type().IsRegular() {
			removeAbandoned(filepath.Join(dir, e.Name()), pid)
		}
	}
}

// leftBy returns the process that made a file for the target called name.
func leftBy(file, name string) (pid int, ok bool) {
	rest, begins := strings.CutPrefix(file, "."+name+".")
	rest, ends := strings.CutSuffix(rest, ".tmp")
	process, number, cut := strings.Cut(rest, "-")
	if !begins || !ends || !cut {
		return 0, false
	}
	pid, err := strconv.Atoi(process)
	_, err2 := strconv.ParseUint(number, 10, 16)
	return pid, errors.Join(err, err2) == nil && pid > 0
}
