//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/robustio"
)

// keep has nothing to do: where files have no advisory locks, a process that lives keeps its own.
func keep(*os.File) bool { return true }

// renaming is held while a file of this process is renamed: of many that try again and again, one may have no luck for seconds.
var renaming sync.Mutex

// rename closes the file first, because Windows renames none that is open, and tries again while somebody has the target
// open or another process renames to it at the same moment, which Windows refuses.
func (f *File) rename() error {
	if err := f.Close(); err != nil {
		return err
	}
	renaming.Lock()
	defer renaming.Unlock()
	return robustio.Rename(f.Name(), f.target)
}

// removeAbandoned removes a file whose process has ended.
func removeAbandoned(path string, pid int) {
	if pid != os.Getpid() && !alive(pid) {
		os.Remove(path)
	}
}
