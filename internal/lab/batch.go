package lab

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
)

// BatchLength is how many requests a PropertyBatch of the path "batch" answers.
const BatchLength = 256

// batches is the prepared requests of one object as batches, through a handle of their own.
type batches struct {
	handle   *device.Handle
	requests [Requests]engine.BatchRequest
}

// EngineStand is Stand without peers, and with the path "batch" beside "irp": PropertyBatch on the same requests. A workload of millions
// of items can be made ready so. It must have one object, and requests that all hit; each is tried before, in both ways.
func (w Workload) EngineStand(seed uint64) (irp, batch func(n int), release func() error, err error) {
	b := &bed{objects: w.generate(seed)}
	if len(b.objects) != 1 {
		return nil, nil, nil, fmt.Errorf("%s: %d objects: a batch is for one", w.Name, len(b.objects))
	}
	if err := b.addEngine(b.objects[0].compile(timed)); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	var longest int
	b.requests, longest = prepareRequests(b.objects, w.misses, seed)
	b.out = make([]byte, longest)
	b.objects = make([]object, 1) // the loops count them; the declarations of millions of items are gigabytes
	h, err := device.New(b.dispatchers[0]).Open()
	if err != nil {
		return nil, nil, nil, errors.Join(err, b.close())
	}
	list := &batches{handle: h}
	for i, r := range b.requests {
		list.requests[i] = engine.BatchRequest{In: r.in, Out: b.out[:r.out]}
	}
	release = func() error { return errors.Join(b.close(), h.Close()) }
	if one, many := b.irpEngine(Requests), list.send(Requests); one != many {
		err := fmt.Errorf("%s: before timing: the checksum of single requests is %#x, of batches %#x", w.Name, one, many)
		return nil, nil, nil, errors.Join(err, release())
	}
	return func(n int) { sink.Add(b.irpEngine(n)) }, func(n int) { sink.Add(list.send(n)) }, release, nil
}

// send sends the first n requests, in whole batches, and adds up what they return.
func (l *batches) send(n int) (sum uint64) {
	for i := 0; i < n; i += BatchLength {
		at := i & (Requests - 1)
		batch := l.requests[at : at+BatchLength]
		l.handle.PropertyBatch(batch)
		for j := range batch {
			sum += uint64(batch[j].BytesReturned) + uint64(batch[j].Status)
		}
	}
	return sum
}
