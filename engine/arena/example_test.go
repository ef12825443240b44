package arena_test

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/arena"
)

// A request takes a buffer and gives it back; a pended one keeps its own while the others come and go.
func Example() {
	a, err := arena.New(arena.Config{Limit: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	mark := a.Mark()
	pended, _ := a.Alloc(56)
	a.Pin(pended)
	for range 1000 {
		b, _ := a.Alloc(100)
		copy(b, "request")
		a.Free(b)
	}
	a.Release(mark)
	fmt.Println("pended:", a.Stats().Live)

	done := make(chan struct{})
	go func() {
		a.FreeRemote(pended) // another goroutine completes it
		close(done)
	}()
	<-done
	fmt.Println("completed:", a.Stats().Live)

	_, err = a.Alloc(2 << 20)
	fmt.Println(err)
	// Output:
	// pended: 1
	// completed: 0
	// arena: request too large: 2097152 bytes requested, 65536 of at most 1048576 bytes reserved
}
