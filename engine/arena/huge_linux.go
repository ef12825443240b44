//go:build !purego

package arena

import "syscall"

// adviseHuge asks for huge pages. The kernel may have none, or be built without: then the memory has small ones.
func adviseHuge(mem []byte) {
	const madvHugepage = 14 // MADV_HUGEPAGE, linux/mman.h
	_ = syscall.Madvise(mem, madvHugepage)
}
