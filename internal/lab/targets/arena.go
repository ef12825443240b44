package targets

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/internal/lab"
)

const bufferSize = 64

// collections is how many buffers make takes in a unit: 64 MiB, for the collector to run as often as it does in the long run.
const collections = 16 * lab.Requests

var buffer []byte // where make's buffers escape to

// buffers takes and frees buffers one at a time, so that the newest is freed. Everybody writes to the buffer.
func buffers(c *config) (*subjects, error) {
	call, done, err := bare(c, 1)
	if err != nil {
		return nil, err
	}
	a, err := arena.New(arena.Config{})
	if err != nil {
		return nil, errors.Join(err, done())
	}
	bump := func(units int) { // as device.Handle does: the fast way is asked for first, which is inlined
		for i := range units * lab.Requests {
			b := a.TryAlloc(bufferSize)
			if b == nil {
				if b, err = a.AllocUninit(bufferSize); err != nil {
					panic(fmt.Sprintf("an arena without limits: %v", err))
				}
			}
			b[0] = byte(i)
			if !a.TryFree(b) {
				a.Free(b)
			}
		}
	}
	bump(1)
	if live := a.Stats().Live; live != 0 {
		return nil, errors.Join(fmt.Errorf("%d buffers are live that were freed", live), a.Close(), done())
	}
	pool := sync.Pool{New: func() any { return new([bufferSize]byte) }}
	return &subjects{
		close: func() error { return errors.Join(a.Close(), done()) },
		run: map[string]subject{
			"bare":  call,
			"arena": {Per: lab.Requests, Run: bump},
			"make": {Per: collections, Run: func(units int) {
				for i := range units * collections {
					b := make([]byte, bufferSize)
					b[0] = byte(i)
					buffer = b
				}
				runtime.KeepAlive(buffer)
			}},
			"pool": {Per: lab.Requests, Run: func(units int) {
				for i := range units * lab.Requests {
					b := pool.Get().(*[bufferSize]byte)
					b[0] = byte(i)
					pool.Put(b)
				}
			}},
		},
	}, nil
}
