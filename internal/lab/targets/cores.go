package targets

import (
	"errors"
	"runtime"
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

// crowd is bare and irp alone, and by 8 goroutines with a stand each: their time is that of all 8 divided by the cores that they share.
func crowd(c *config) (_ *subjects, err error) {
	var stands [8]*lab.Stand
	release := func() (err error) {
		for _, s := range stands {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
		return err
	}
	for i := range stands {
		if stands[i], err = lab.Synthetic(20, 12).Stand(c.Seed); err != nil {
			return nil, errors.Join(err, release())
		}
	}
	run := map[string]subject{}
	for name, impl := range map[string]string{"irp": "engine", "bare": "bare"} {
		var all [len(stands)]subject
		for i, s := range stands {
			all[i] = cycles(s.Loop("irp", impl), 1)
		}
		run[name+" alone"] = all[0]
		run[name+" by 8"] = subject{Per: all[0].Per * len(all) / min(len(all), runtime.GOMAXPROCS(0)), Run: func(units int) {
			var wait sync.WaitGroup
			for i := range all {
				wait.Go(func() { all[i].Run(units) })
			}
			wait.Wait()
		}}
	}
	return &subjects{run: run, close: release}, nil
}
