package targets

import (
	"context"
	"errors"
	"runtime"

	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// collector sends a mix of requests and counts what the heap has to do with it: hits, misses and wrong sizes to a table of
// 240 items and to the objects of a real driver, through handles and on the fast path. The counters are the process's own,
// and anything else in it can only add to them, so the least of up to three runs counts.
func collector(ctx context.Context, c *config) (map[string]float64, error) {
	mix, done, err := mixed(c)
	if err != nil {
		return nil, err
	}
	allocs, cycles, err := least3(ctx, counted(c.Quick), mix)
	return map[string]float64{"collector/allocations": allocs, "collector/cycles": cycles}, errors.Join(err, done())
}

// counted is how many requests the collector is watched for.
func counted(quick bool) int {
	if quick {
		return 10_000_000
	}
	return 100_000_000
}

// mixed returns loops that send n requests each.
func mixed(c *config) (loops []func(n int), done func() error, err error) {
	var stands []*lab.Stand
	done = func() error {
		var errs []error
		for _, s := range stands {
			errs = append(errs, s.Close())
		}
		return errors.Join(errs...)
	}
	workloads, err := lab.Default()
	if err != nil {
		return nil, nil, err
	}
	for _, w := range workloads {
		if w.Name != "20x12-miss" && w.Name != "wds-sysvad" {
			continue
		}
		s, err := w.Stand(c.Seed)
		if err != nil {
			return nil, nil, errors.Join(err, done())
		}
		stands = append(stands, s)
		loops = append(loops, s.Loop("irp", "engine"), s.Loop("fast", "engine"))
	}
	return loops, done, nil
}

func least3(ctx context.Context, requests int, loops []func(n int)) (allocs, cycles float64, err error) {
	for try := range 3 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for sent := 0; sent < requests && ctx.Err() == nil; {
			for _, send := range loops {
				n := min(lab.Requests, requests-sent)
				send(n)
				sent += n
			}
		}
		runtime.ReadMemStats(&after)
		a, g := float64(after.Mallocs-before.Mallocs), float64(after.NumGC-before.NumGC)
		if try == 0 || a < allocs {
			allocs, cycles = a, g
		}
		if allocs == 0 && cycles == 0 || ctx.Err() != nil {
			break
		}
	}
	return allocs, cycles, ctx.Err()
}
