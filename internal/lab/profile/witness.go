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
	var mutex sync.RWMutex
	done := make(chan struct{})
	mutex.RLock()
	go func() {
		mutex.Lock()
		close(done)
		mutex.Unlock()
	}()
	for mutex.TryRLock() { // until the other one wants it, however late it runs
		mutex.RUnlock()
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // and waits
	mutex.RUnlock()                   // the contention is counted here
	<-done
}
