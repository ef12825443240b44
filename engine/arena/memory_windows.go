//go:build windows && !purego

package arena

import (
	"os"
	"syscall"
)

const offHeap = true

var (
	pageSize = os.Getpagesize()

	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	virtualAlloc = kernel32.NewProc("VirtualAlloc")
	virtualFree  = kernel32.NewProc("VirtualFree")
)

// https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc
const (
	memCommit     = 0x1000
	memReserve    = 0x2000
	memRelease    = 0x8000
	pageReadWrite = 0x04
)

func mapMemory(n int) ([]byte, error) {
	addr, _, err := virtualAlloc.Call(0, uintptr(n), memReserve|memCommit, pageReadWrite)
	if addr == 0 {
		return nil, os.NewSyscallError("VirtualAlloc", err)
	}
	return memoryAt(addr, n), nil
}

// unmapMemory passes a size of 0, as MEM_RELEASE demands.
func unmapMemory(raw []byte) error {
	if ok, _, err := virtualFree.Call(address(raw), 0, memRelease); ok == 0 {
		return os.NewSyscallError("VirtualFree", err)
	}
	return nil
}
