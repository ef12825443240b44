package engine

import "runtime"

// fenceWorld is fence where the system has no barrier for other threads: to read the statistics of the heap the runtime stops
// all goroutines, each of which passes a barrier.
func fenceWorld() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
}
