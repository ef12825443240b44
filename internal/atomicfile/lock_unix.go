//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"os"
	"syscall"
)

// keep marks a file as being written, for as long as it is open. It reports false if the file was swept before that.
func keep(f *os.File) bool {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
	case syscall.EWOULDBLOCK: // by who is about to remove it
		return false
	default:
		return true // a file system without locks; nobody can lock it to remove it, either
	}
	return named(f)
}

// named reports whether the file still has the name under which it was opened.
func named(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, there)
}

// rename keeps the file open, and with that locked, until it has its name.
func (f *File) rename() error {
	if err := os.Rename(f.Name(), f.target); err != nil {
		return err
	}
	return f.Close()
}

// removeAbandoned removes a file that nobody has locked. Between the open and the lock its writer may have renamed it, and
// another may have made one of that name.
func removeAbandoned(path string, _ int) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && named(f) {
		os.Remove(path)
	}
}
