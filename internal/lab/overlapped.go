package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
)

// reaped is how many requests are taken from a port at a time, and outstanding how many are pended at once.
const (
	reaped      = 64
	outstanding = 1024
)

// overlapped is the prepared requests of one object on an overlapped handle.
type overlapped struct {
	bed    *bed
	handle *device.OverlappedHandle
	port   *device.Port
	one    device.Overlapped // that queues nothing
	slots  []device.Overlapped
	out    [][]byte // of each, whose Key is its index
	done   [reaped]*device.Overlapped
}

// OverlappedStand is the prepared requests of one object, by name: "irp", each sent on a plain handle; "at once", on an overlapped one with
// the result of IoControl; "port", with the result from a port, 64 at a time; "pended", 1,024 at a time, each completed by another
// goroutine and its result from a port. The workload must have one object, and requests that all hit; each is tried before, in all ways.
func (w Workload) OverlappedStand(seed uint64) (loops map[string]func(n int), release func() error, err error) {
	b, err := w.single(seed, "a handle is of one")
	if err != nil {
		return nil, nil, err
	}
	handed, completer := make(chan *engine.IRP, outstanding), make(chan struct{})
	pends := func(irp *engine.IRP, request, data []byte) ks.Status {
		Answer(irp, request, data)
		handed <- irp
		return ks.StatusPending
	}
	for _, h := range []handlers{timed, func(int, int) (engine.Handler, engine.FastHandler) { return pends, rival.Answer }} {
		if err := b.addEngine(b.objects[0].compile(h)); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", w.Name, err), b.close())
		}
	}
	go func() {
		defer close(completer)
		for irp := range handed {
			irp.Complete(ks.StatusSuccess, uint64(irp.OutputBufferLength))
		}
	}()
	longest := b.ask(w, seed)
	release = func() error {
		err := b.close()
		close(handed)
		<-completer
		return err
	}
	open := func(d *engine.Dispatcher, n int) (*overlapped, error) {
		x := &overlapped{bed: b, port: device.NewPort(), one: device.Overlapped{NoPacket: true}, slots: make([]device.Overlapped, n)}
		memory := make([]byte, n*longest)
		for i := range x.slots {
			x.slots[i].Key = uint64(i)
			x.out = append(x.out, memory[i*longest:][:longest:longest])
		}
		h, err := device.New(d).Open()
		if err != nil {
			return nil, err
		}
		b.handles = append(b.handles, h)
		x.handle, err = h.Overlapped(x.port)
		return x, err
	}
	atOnce, err := open(b.dispatchers[0], reaped)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	pended, err := open(b.dispatchers[1], outstanding)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	loops = map[string]func(int){}
	for _, way := range []struct {
		name string
		send func(n int) uint64
	}{{"irp", b.irpEngine}, {"at once", atOnce.atOnce}, {"port", atOnce.reap}, {"pended", pended.keep}} {
		if one, other := b.irpEngine(Requests), way.send(Requests); one != other {
			err := fmt.Errorf("%s: %s: before timing: the checksum is %#x, of plain requests %#x", w.Name, way.name, other, one)
			return nil, nil, errors.Join(err, release())
		}
		loops[way.name] = func(n int) { sink.Add(way.send(n)) }
	}
	return loops, release, nil
}

// atOnce sends one after the other, and queues nothing.
func (x *overlapped) atOnce(n int) (sum uint64) {
	for i := range n {
		r := &x.bed.requests[i&(Requests-1)]
		returned, status := x.handle.IoControl(&x.one, ks.IoctlProperty, r.in, x.bed.out[:r.out])
		sum += uint64(returned) + uint64(status)
	}
	return sum
}

// reap takes as many packets at a time as it has sent requests.
func (x *overlapped) reap(n int) (sum uint64) {
	for i := 0; i < n; {
		sent := min(n-i, len(x.slots))
		for s := range sent {
			x.send(s, i)
			i++
		}
		for left := sent; left > 0; {
			taken, more := x.take()
			left -= taken
			sum += more
		}
	}
	return sum
}

// keep has as many requests in flight as it has slots.
func (x *overlapped) keep(n int) (sum uint64) {
	first := min(n, len(x.slots))
	for i := range first {
		x.send(i, i)
	}
	for sent, left := first, n; left > 0; {
		taken, more := x.take()
		left -= taken
		sum += more
		for _, o := range x.done[:min(taken, n-sent)] {
			x.send(int(o.Key), sent)
			sent++
		}
	}
	return sum
}

// send sends request number i with one of the slots.
func (x *overlapped) send(slot, i int) {
	r := &x.bed.requests[i&(Requests-1)]
	x.handle.IoControl(&x.slots[slot], ks.IoctlProperty, r.in, x.out[slot][:r.out])
}

// take takes what the port has, and adds up the results.
func (x *overlapped) take() (n int, sum uint64) {
	n, err := x.port.Wait(context.Background(), x.done[:])
	if err != nil {
		panic(err) // nobody closes the port
	}
	for _, o := range x.done[:n] {
		sum += uint64(o.BytesReturned()) + uint64(o.Status())
	}
	return n, sum
}
