package targets

import (
	"context"
	"errors"

	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// stand is the loops of a workload, named path/impl, with units of some cycles of its requests. Those of one object also have "ref",
// requests through references.
func stand(w lab.Workload, units int) func(*config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		s, err := w.Stand(c.Seed)
		all, err := loops(s, err, units, "lookup", "fast", "irp")
		if err != nil {
			return nil, err
		}
		if err != nil || s.Objects() > 1 {
			return all, err
		}
		resolved, err := s.Resolved()
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		all.run["ref"] = cycles(resolved, units)
		return all, nil
	}
}

func lookupStand(w lab.Workload) func(*config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		s, err := w.LookupStand(c.Seed)
		return loops(s, err, 1, "lookup")
	}
}

func loops(s *lab.Stand, err error, units int, paths ...string) (*subjects, error) {
	if err != nil {
		return nil, err
	}
	run := map[string]subject{}
	for _, path := range paths {
		for _, impl := range lab.Impls(path) {
			run[path+"/"+impl] = cycles(s.Loop(path, impl), units)
		}
	}
	return &subjects{run: run, close: s.Close}, nil
}

// batches is single requests and those of batches, of properties and of methods.
func batches(w lab.Workload) func(*config) (*subjects, error) { return named(w.EngineStand) }

// named is the loops of a stand.
func named(stand func(seed uint64) (loops map[string]func(n int), release func() error, err error)) func(*config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		loops, release, err := stand(c.Seed)
		if err != nil {
			return nil, err
		}
		run := map[string]subject{}
		for path, loop := range loops {
			run[path] = cycles(loop, 1)
		}
		return &subjects{run: run, close: release}, nil
	}
}

// farm is the loops of many devices in turn, and "one", those of the engine on one such device.
func farm(devices, sets, items int) func(*config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		all, err := stand(lab.Devices(devices, sets, items), 1)(c)
		if err != nil {
			return nil, err
		}
		one, err := lab.Synthetic(sets, items).Stand(c.Seed)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		many := all.close
		all.run["one"] = cycles(one.Loop("irp", "engine"), 1)
		all.close = func() error { return errors.Join(many(), one.Close()) }
		return all, nil
	}
}

// routes is requests to a filter and to a node of it.
func routes(w lab.Workload) func(*config) (*subjects, error) {
	return func(c *config) (*subjects, error) {
		filter, node, release, err := w.Routed(c.Seed)
		if err != nil {
			return nil, err
		}
		return &subjects{run: map[string]subject{"filter": cycles(filter, 1), "node": cycles(node, 1)}, close: release}, nil
	}
}

// allocations counts those of the heap in some loops of a stand.
func allocations(stand func(seed uint64) (loops map[string]func(n int), release func() error, err error), row string,
	names ...string) func(context.Context, *config) (map[string]float64, error) {
	return func(ctx context.Context, c *config) (map[string]float64, error) {
		all, release, err := stand(c.Seed)
		if err != nil {
			return nil, err
		}
		var loops []func(int)
		for _, name := range names {
			loops = append(loops, all[name])
		}
		n, _, err := least3(ctx, 100*len(loops)*lab.Requests, loops)
		return map[string]float64{row: n}, errors.Join(err, release())
	}
}

// cycles is a loop whose unit is n times all prepared requests.
func cycles(loop func(n int), n int) subject {
	n *= lab.Requests
	return subject{Per: n, Run: func(units int) { loop(units * n) }}
}

// bare is the loop that everything else is measured in, with units of some cycles. A unit should take about as long as what is
// measured in it: on a busy machine the processor is taken from long units and from few of the short ones.
func bare(c *config, units int) (subject, func() error, error) {
	s, err := lab.Synthetic(20, 12).Stand(c.Seed)
	if err != nil {
		return subject{}, nil, err
	}
	return cycles(s.Loop("irp", "bare"), units), s.Close, nil
}
