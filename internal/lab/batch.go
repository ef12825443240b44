package lab

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
)

// BatchLength is how many requests a batch of the paths "batch" and "method batch" has.
const BatchLength = 256

// batches is the prepared requests of one object as batches, through a handle of their own.
type batches struct {
	handle   *device.Handle
	requests [Requests]engine.BatchRequest
}

// EngineStand is Stand without peers, by path: "irp" and "method", and beside them "batch" and "method batch", PropertyBatch and
// MethodBatch on the same requests. A workload of millions of items can be made ready so. It must have one object, and requests that all
// hit; each is tried before, in all ways.
func (w Workload) EngineStand(seed uint64) (loops map[string]func(n int), release func() error, err error) {
	b, err := w.single(seed, "a batch is for one")
	if err != nil {
		return nil, nil, err
	}
	if err := b.addEngine(b.objects[0].compile(timed)); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	b.ask(w, seed)
	b.objects = make([]object, 1) // the loops count them; the declarations of millions of items are gigabytes
	h, err := device.New(b.dispatchers[0]).Open()
	if err != nil {
		return nil, nil, errors.Join(err, b.close())
	}
	list := &batches{handle: h}
	for i, r := range b.requests {
		list.requests[i] = engine.BatchRequest{In: r.in, Out: b.out[:r.out]}
	}
	release = func() error { return errors.Join(b.close(), h.Close()) }
	loops = map[string]func(int){}
	for _, way := range []struct {
		one, many string
		alone     func(n int) uint64
		batch     func(*device.Handle, []engine.BatchRequest) int
	}{
		{"irp", "batch", b.irpEngine, (*device.Handle).PropertyBatch},
		{"method", "method batch", b.methodEngine, (*device.Handle).MethodBatch},
	} {
		batch := func(n int) uint64 { return list.send(n, way.batch) }
		if one, many := way.alone(Requests), batch(Requests); one != many {
			err := fmt.Errorf("%s: %s: before timing: the checksum of single requests is %#x, of batches %#x", w.Name, way.one, one, many)
			return nil, nil, errors.Join(err, release())
		}
		loops[way.one], loops[way.many] = func(n int) { sink.Add(way.alone(n)) }, func(n int) { sink.Add(batch(n)) }
	}
	return loops, release, nil
}

// send sends the first n requests, in whole batches, and adds up what they return.
func (l *batches) send(n int, batch func(*device.Handle, []engine.BatchRequest) int) (sum uint64) {
	for i := 0; i < n; i += BatchLength {
		at := i & (Requests - 1)
		requests := l.requests[at : at+BatchLength]
		batch(l.handle, requests)
		for j := range requests {
			sum += uint64(requests[j].BytesReturned) + uint64(requests[j].Status)
		}
	}
	return sum
}
