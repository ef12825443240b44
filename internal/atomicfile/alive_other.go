//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package atomicfile

// alive is always true: who has not found out removes nothing.
func alive(int) bool { return true }
