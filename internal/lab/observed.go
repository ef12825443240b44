package lab

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine/device"
)

// ObservedStand is the prepared requests of one object, by name: "irp", each sent to a device as it is; "observed", to one whose items
// have counters and latency histograms (device.Observe); "unobserved", to another device as it is, which is there beside the observed one.
// The workload must have one object, and requests that all hit; each is tried before, in all ways.
func (w Workload) ObservedStand(seed uint64) (loops map[string]func(n int), release func() error, err error) {
	all, err := w.single(seed, "a device is one")
	if err != nil {
		return nil, nil, err
	}
	all.ask(w, seed)
	var seen *device.Observation
	loops = map[string]func(int){}
	for _, name := range []string{"irp", "observed", "unobserved"} {
		config := all.objects[0].compile(timed)
		if name == "observed" {
			seen = device.Observe(&config, device.ObserveConfig{})
		}
		if err := all.addEngine(config); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", w.Name, err), all.close())
		}
		one := *all
		one.handles = all.handles[len(all.handles)-1:]
		if sum, want := one.irpEngine(Requests), all.irpEngine(Requests); sum != want {
			err := fmt.Errorf("%s: before timing: the checksum of %s is %#x, of irp %#x", w.Name, name, sum, want)
			return nil, nil, errors.Join(err, all.close())
		}
		loops[name] = func(n int) { sink.Add(one.irpEngine(n)) }
	}
	counted := uint64(0)
	for _, it := range seen.Items() {
		counted += it.Requests
	}
	if counted != Requests {
		return nil, nil, errors.Join(fmt.Errorf("%s: before timing: %d of %d requests were counted", w.Name, counted, Requests), all.close())
	}
	return loops, all.close, nil
}
