package lab

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Routed is the prepared requests of one object as those of a filter, which has the object's sets itself and at its only node. The loop
// filter sends each as it is, node with the NodeId behind it and the bit TOPOLOGY, which is what AT-10 to AT-12 route. The workload must
// have one object, and requests of no more than an identifier that all hit; each is tried before, in both ways.
func (w Workload) Routed(seed uint64) (filter, node func(n int), release func() error, err error) {
	own, err := w.single(seed, "a filter is one")
	if err != nil {
		return nil, nil, nil, err
	}
	config := own.objects[0].compile(timed)
	dev, err := device.NewFilter(device.Filter{Config: config, Nodes: []engine.Config{config},
		Topology: &engine.Topology{Nodes: make([]ks.GUID, 1)}})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	h, err := dev.Open()
	if err != nil {
		return nil, nil, nil, err
	}
	own.handles = []*device.Handle{h}
	own.ask(w, seed)
	routed := *own
	routed.requests = new([Requests]request)
	memory := make([]byte, Requests*ks.SizeNode)
	for i, r := range own.requests {
		in := memory[:ks.SizeNode:ks.SizeNode]
		memory = memory[ks.SizeNode:]
		if copy(in, r.in) != ks.SizeIdentifier {
			return nil, nil, nil, errors.Join(fmt.Errorf("%s: a request of %d bytes is no identifier alone", w.Name, len(r.in)), own.close())
		}
		binary.LittleEndian.PutUint32(in[20:], binary.LittleEndian.Uint32(in[20:])|ks.PropertyTypeTopology)
		routed.requests[i] = request{in: in, out: r.out}
	}
	if a, b := own.irpEngine(Requests), routed.irpEngine(Requests); a != b {
		err := fmt.Errorf("%s: before timing: the checksum of requests to the filter is %#x, of those to its node %#x", w.Name, a, b)
		return nil, nil, nil, errors.Join(err, own.close())
	}
	return func(n int) { sink.Add(own.irpEngine(n)) }, func(n int) { sink.Add(routed.irpEngine(n)) }, own.close, nil
}
