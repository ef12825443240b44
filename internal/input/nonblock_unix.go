//go:build unix

package input

import "syscall"

// nonblock keeps an open from waiting for the writer of a pipe. For regular files it means nothing.
const nonblock = syscall.O_NONBLOCK
