//go:build (linux || darwin || freebsd || netbsd || openbsd || dragonfly) && !purego

package arena

import "syscall"

// Munmap ends only what Mmap gave.
func init() { held = func(raw []byte) bool { return syscall.Munmap(raw) == nil } }
