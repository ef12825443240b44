//go:build !linux

package affinity

import "runtime"

// Pin keeps the calling goroutine on a thread and the thread on a CPU, until release is called. Not here.
func Pin(cpu int) (release func(), err error) {
	return nil, failure(cpu, "not supported on "+runtime.GOOS)
}
