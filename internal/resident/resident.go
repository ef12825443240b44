// Package resident says how much memory of the process is resident. It imports the standard library alone.
package resident

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bytes returns how many bytes of the process are resident where the system says it, else 0, without pages of files: those of the program
// itself come one by one, as code that is rarely needed runs.
func Bytes() int {
	if text, err := os.ReadFile("/proc/self/smaps_rollup"); err == nil {
		if _, rest, found := strings.Cut(string(text), "\nAnonymous:"); found {
			kilobytes, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kilobytes << 10
		}
	}
	return counted()
}

// counted is what the system counts as pages come and go: on some kernels each processor keeps up to some dozen pages to itself.
func counted() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	pages, _ := strconv.Atoi(fields[1])
	ofFiles, _ := strconv.Atoi(fields[2])
	return (pages - ofFiles) * os.Getpagesize()
}

// Least is the least of several looks, each while paused is locked and after all that is free was given back: the runtime returns
// memory a little more or less.
func Least(looks int, between time.Duration, paused sync.Locker) (least int) {
	for i := range looks {
		paused.Lock()
		debug.FreeOSMemory()
		if now := Bytes(); i == 0 || now < least {
			least = now
		}
		paused.Unlock()
		time.Sleep(between)
	}
	return least
}
