// Package affinity keeps a measurement on one CPU.
//
// A thread that the kernel moves loses its caches and may land on a slower core; pinned, its times vary less. Only the
// calling goroutine's thread is kept: the runtime's others, the collector's among them, go where they went before. Where
// the operating system has no such call, Pin says so instead of doing nothing.
package affinity

import (
	"errors"
	"fmt"
)

// Err is in the chain of every error of Pin.
var Err = errors.New("cannot be kept on a CPU")

func failure(cpu int, reason any) error { return fmt.Errorf("%w: CPU %d: %v", Err, cpu, reason) }
