package profile

import (
	"sync"
	"sync/atomic"
	"time"
)

// witnessed is how many objects the witness allocates.
const witnessed = 1000

var witnessSink atomic.Pointer[[64]byte]

// witness does what no request may do, while requests are sent: it allocates, it contends for a mutex, it waits. A profile
// that does not show it was not looking.
//
//go:noinline
func witness() {
	for range witnessed {
		witnessSink.Store(new([64]byte))
	}
	var mutex sync.Mutex
	done := make(chan struct{})
	mutex.Lock()
	go func() {
		mutex.Lock()
		close(done)
		mutex.Unlock()
	}()
	time.Sleep(20 * time.Millisecond)
	mutex.Unlock() // the contention is counted here
	<-done
}
