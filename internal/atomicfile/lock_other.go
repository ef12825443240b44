//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"

	"github.com/rogpeppe/go-internal/robustio"
)

// keep has nothing to do: where files have no advisory locks, a process that lives keeps its own.
func keep(*os.File) bool { return true }

// rename closes the file first, because Windows renames none that is open, and tries again while somebody has the target
// open or renames to it at the same moment, which Windows refuses.
func (f *File) rename() error {
	if err := f.Close(); err != nil {
		return err
	}
	return robustio.Rename(f.Name(), f.target)
}

// removeAbandoned removes a file whose process has ended.
func removeAbandoned(path string, pid int) {
	if pid != os.Getpid() && !alive(pid) {
		os.Remove(path)
	}
}
