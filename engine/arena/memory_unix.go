//go:build (linux || darwin || freebsd || netbsd || openbsd || dragonfly) && !purego

package arena

import (
	"os"
	"syscall"
)

const offHeap = true

var pageSize = os.Getpagesize()

func mapMemory(n int) ([]byte, error) {
	mem, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	return mem, os.NewSyscallError("mmap", err)
}

func unmapMemory(raw []byte) error { return os.NewSyscallError("munmap", syscall.Munmap(raw)) }
