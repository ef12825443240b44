package affinity

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Pin keeps the calling goroutine on a thread and the thread on a CPU, until release is called.
func Pin(cpu int) (release func(), err error) {
	runtime.LockOSThread()
	defer func() {
		if err != nil {
			runtime.UnlockOSThread()
		}
	}()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, failure(cpu, err)
	}
	if !before.IsSet(cpu) { // the kernel would only say "invalid argument"
		return nil, failure(cpu, "this process may not use it")
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return nil, failure(cpu, err)
	}
	return func() {
		_ = unix.SchedSetaffinity(0, &before) // it was allowed before
		runtime.UnlockOSThread()
	}, nil
}
