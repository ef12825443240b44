//go:build !unix

package profile

import "time"

var started = time.Now()

// processorTime returns how much time has passed: here the standard library does not say how much of it was spent on a processor.
func processorTime() time.Duration { return time.Since(started) }
