//go:build unix

package traffic

import (
	"errors"
	"os"
	"syscall"

	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// mapped is a file in memory, whose bytes a replay uses where they are.
type mapped struct{ trace.Memory }

func openMapped(path string) (m mapped, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 { // what is empty cannot be mapped
		return m, err
	}
	size := int(info.Size())
	if int64(size) != info.Size() {
		return m, &os.PathError{Op: "mmap", Path: path, Err: syscall.EFBIG}
	}
	if m.Memory, err = syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
		err = &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	return m, err
}

// Len returns how many bytes the file has.
func (m mapped) Len() int { return len(m.Memory) }

// Close unmaps it.
func (m mapped) Close() error {
	if m.Memory == nil {
		return nil
	}
	return syscall.Munmap(m.Memory)
}
