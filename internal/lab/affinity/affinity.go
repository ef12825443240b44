// Package affinity keeps a measurement on one CPU.
//
// A thread that the kernel moves loses its caches and may land on a slower core; pinned, its times vary less. Only the
// calling goroutine's thread is pinned: the runtime's other threads, the collector's among them, run where they did
// before. On a system without such a call, Pin returns an error.
package affinity

import (
	"errors"
	"fmt"
)

// Err is in the chain of every error of Pin.
var Err = errors.New("cannot be kept on a CPU")

func failure(cpu int, reason any) error { return fmt.Errorf("%w: CPU %d: %v", Err, cpu, reason) }
