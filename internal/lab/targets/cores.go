package targets

import (
	"errors"
	"sync"

	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// cores sends requests from one goroutine, and from two that share nothing but the requests' contents: each has a
// dispatcher, a handle and buffers of its own.
func cores(c *config) (*subjects, error) { return onTwo(c, 1, "irp") }

// onTwo is bare and other impls on one core and on two, in units of some cycles. The time is that of a request of one
// goroutine while the other works, so that the gain from the second is twice the one divided by the other.
func onTwo(c *config, units int, paths ...string) (*subjects, error) {
	w := lab.Synthetic(20, 12)
	first, err := w.Stand(c.Seed)
	if err != nil {
		return nil, err
	}
	second, err := w.Stand(c.Seed)
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	run := map[string]subject{}
	for _, name := range append(paths, "bare") {
		path, impl := name, "engine"
		if name == "bare" {
			path, impl = "irp", "bare"
		}
		one, other := cycles(first.Loop(path, impl), units), cycles(second.Loop(path, impl), units)
		run[name+" on 1"] = one
		run[name+" on 2"] = subject{Per: one.Per, Run: func(units int) {
			var both sync.WaitGroup
			both.Go(func() { other.Run(units) })
			one.Run(units)
			both.Wait()
		}}
	}
	return &subjects{run: run, close: func() error { return errors.Join(first.Close(), second.Close()) }}, nil
}
