package device_test

import (
	"fmt"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// crowd is the clients of a soaker's device that do little but wait, as most do of a real one. What they hold is most of what is
// resident, so that a few spans more or less of the runtime's own are not taken for a leak.
type crowd struct {
	*soaker
	clients  []*device.OverlappedHandle
	requests []waiting
}

// waiting is a request that is pended for most of the time.
type waiting struct {
	device.Overlapped
	irp *engine.IRP
	out [4]byte
}

const crowdClients, clientRequests = 300, 4

const nothingWritten = "\x00\x00\x00\x00"

func newCrowd(s *soaker) *crowd {
	c := &crowd{soaker: s, requests: make([]waiting, crowdClients*clientRequests)}
	for range crowdClients {
		h, err := s.dev.OpenOverlapped(nil)
		if err != nil {
			s.Error(err)
			continue
		}
		c.clients = append(c.clients, h)
	}
	for i := range c.requests {
		c.send(i)
	}
	return c
}

func (c *crowd) client(i int) *device.OverlappedHandle { return c.clients[i%len(c.clients)] }

// send pends the i-th request.
func (c *crowd) send(i int) {
	r := &c.requests[i]
	r.out = [4]byte{}
	n, status := c.client(i).IoControl(&r.Overlapped, ks.IoctlProperty, request(2, ks.PropertyTypeGet), r.out[:])
	if n != 0 || status != ks.StatusPending {
		c.Errorf("a request of the crowd: %d bytes, %v", n, status)
	}
	r.irp = c.waiting
	c.total.request()
	c.total.pended.Add(1)
}

// wait is the handler of those.
func (s *soaker) wait(irp *engine.IRP, _, data []byte) ks.Status {
	copy(data, "soak")
	irp.SetCancelRoutine(func(irp *engine.IRP) { irp.Complete(ks.StatusCancelled, 0) })
	s.waiting = irp
	return ks.StatusPending
}

// round ends some requests, one way or the other, and sends them again.
func (c *crowd) round() {
	for range c.IntN(10) {
		i := c.IntN(len(c.requests))
		r := &c.requests[i]
		if c.IntN(2) == 0 {
			if n := c.client(i).Cancel(&r.Overlapped); n != 1 {
				c.Errorf("%d requests of the crowd are cancelled", n)
			}
			c.ended(i, ks.StatusCancelled, nothingWritten)
		} else {
			if !complete(r.irp, ks.StatusSuccess, 4) {
				c.Error("a completion for the crowd does not count")
			}
			c.ended(i, ks.StatusSuccess, "soak")
		}
		c.send(i)
	}
}

// ended checks the outcome of the i-th request.
func (c *crowd) ended(i int, want ks.Status, out string) {
	r := &c.requests[i]
	if err := r.Wait(c.Context()); err != nil {
		c.Error(err)
	}
	if r.Status() != want || string(r.out[:]) != out {
		c.Errorf("a request of the crowd: %v, %q; want %v, %q", r.Status(), r.out, want, out)
	}
	if want == ks.StatusCancelled {
		c.total.cancelled.Add(1)
	} else {
		c.total.completed.Add(1)
	}
}

// leave closes all handles, which cancels what waits.
func (c *crowd) leave() {
	for _, h := range c.clients {
		if err := h.Close(); err != nil {
			c.Error(err)
		}
	}
	for i := range c.requests {
		c.ended(i, ks.StatusCancelled, nothingWritten)
	}
}

// logMemory tells what the runtime has its memory for.
func logMemory(t *testing.T, resident int) {
	const class = "/memory/classes/"
	var samples []metrics.Sample
	for _, d := range metrics.All() {
		if strings.HasPrefix(d.Name, class) && d.Kind == metrics.KindUint64 {
			samples = append(samples, metrics.Sample{Name: d.Name})
		}
	}
	metrics.Read(samples)
	var b strings.Builder
	for _, s := range samples {
		if n := s.Value.Uint64(); n != 0 {
			fmt.Fprintf(&b, ", %s %d", strings.TrimSuffix(strings.TrimPrefix(s.Name, class), ":bytes"), n)
		}
	}
	t.Logf("%d bytes are resident; the runtime has, in bytes%s", resident, &b)
}
