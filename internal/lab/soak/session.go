package soak

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/trace"
)

// soaker is one goroutine that has sessions. Its driver is its own, so that a fault is in one of its sessions.
type soaker struct {
	*run
	driver  *Driver
	rand    *rand.Rand
	out     []byte
	event   []byte // its KSEVENTDATA
	signals engine.Object
	flights *[flights]flight // of a batch: one after the other its sessions use them
	trace   []byte           // of the sessions that have the fault
}

func newSoaker(r *run, number uint64) *soaker {
	s := &soaker{run: r, driver: NewDriver(r.Patience, r.onFault), rand: rand.New(rand.NewPCG(r.Seed, number)),
		out: make([]byte, exhausting), event: device.NewEventData(ks.EventData{}, 0)}
	s.signals = engine.NewCallback(engine.ObjectTypeEvent, func(int32) {}, func() { r.eventsEnded.Add(1) })
	return s
}

// most is how many requests a session has at most.
const most = 200

// session is one device, one handle, and its requests. planted has one of them make the fault.
func (s *soaker) session(r *trace.Recorder, plant bool) {
	overlapped := s.rand.IntN(2) == 0
	if plant { // a trace does not say which Overlapped a request came with, and so not where a buffer was leaked
		overlapped = s.Seed%2 == 0 && s.Plant != PlantLeaked
	}
	c, err := s.open(r, overlapped)
	if err != nil {
		s.driver.fault("open", "%v", err)
		return
	}
	s.sessions.Add(1)
	n := 1 + s.rand.IntN(most)
	plantAt := -1
	if plant {
		n += 2
		plantAt = s.rand.IntN(n - 1)
	}
	events := s.rand.IntN(4) == 0
	if events {
		s.enable(c.dev, c.handle.Device())
	}
	for i := range n {
		what := order(s.rand.IntN(int(orders)))
		switch {
		case i == plantAt:
			what = slow | planted
		case i == n-1: // finds what the one before left behind
			what = answer
		case what == removes && (plant || s.rand.IntN(20) != 0):
			what = answer
		}
		if !c.send(what, uint32(i+1)) {
			break
		}
		if events && s.rand.IntN(8) == 0 {
			c.dev.Events().Generate(&set, 1)
		}
	}
	c.land(func(*flight) bool { return true })
	if err := c.handle.Close(); err != nil {
		s.driver.fault("close", "%v", err)
	}
	if n := c.dev.Events().Len(); n != 0 {
		s.driver.fault("entries", "%d events are enabled after the handle was closed", n)
	}
}

// client is what a session has opened, and what it knows of the answers to come.
type client struct {
	*soaker
	dev      *device.Device
	handle   *trace.Handle
	many     *trace.OverlappedHandle // nil for a handle whose requests are waited for
	port     *device.Port            // of many, or nil
	answered uint64
	removed  bool
}

func (s *soaker) open(r *trace.Recorder, overlapped bool) (*client, error) {
	dev, err := s.driver.Device(s.Plant)
	if err != nil {
		return nil, err
	}
	c := &client{soaker: s, dev: dev}
	if c.handle, err = r.Open(dev, Source); err != nil || !overlapped {
		return c, err
	}
	if s.rand.IntN(2) == 0 {
		c.port = device.NewPort()
	}
	c.many, err = c.handle.Overlapped(c.port)
	return c, err
}

// wanted is what must come of a request.
type wanted struct {
	what   order
	number uint32
	n      uint32
	status ks.Status
	value  uint64
}

// want says what must come of a request that is sent now.
func (c *client) want(what order, number uint32) wanted {
	w := wanted{what: what, number: number, n: answerSize}
	switch {
	case c.removed:
		w.n, w.status = 0, ks.StatusDeviceRemoved
	case what == exhausts:
		w.n, w.status = 0, ks.StatusInsufficientResources
	default:
		c.answered++
		switch what {
		case panics:
			w.n, w.status = 0, ks.StatusAccessViolation
		case cancelled, forgotten:
			w.n, w.status = 0, ks.StatusCancelled
		case removes:
			c.removed = true
		}
	}
	if w.n > 0 {
		w.value = c.answered
	}
	return w
}

// judge compares an answer with what must come.
func (c *client) judge(w *wanted, n uint32, status ks.Status, out []byte) {
	if value := binary.LittleEndian.Uint64(out); n != w.n || status != w.status || value != w.value {
		c.driver.fault("answer", "request %d, order %d: %d bytes, %v, value %d; want %d, %v, %d", w.number, w.what, n, status, value,
			w.n, w.status, w.value)
	}
}

// ordered is a request with an order.
func ordered(what order, number, wait uint32) []byte {
	in := make([]byte, requestSize)
	ks.Identifier{Set: set, ID: 1, Flags: ks.PropertyTypeGet}.Put(in)
	for i, v := range []uint32{uint32(what), number, wait} {
		binary.LittleEndian.PutUint32(in[ks.SizeIdentifier+4*i:], v)
	}
	return in
}

// send sends a request, and judges the answer where it is waited for. It reports false after a fault.
func (c *client) send(what order, number uint32) bool {
	wait := uint32(0)
	if c.rand.IntN(16) == 0 {
		wait = c.rand.Uint32N(200)
	}
	in := ordered(what, number, wait)
	if what == exhausts {
		c.exhausted.Add(1)
	}
	c.requests.Add(1)
	if c.many != nil {
		c.fly(c.flight(what), in, c.want(what, number))
		return c.driver.Fault() == nil
	}
	out := c.out[:answerSize]
	if what == exhausts {
		out = c.out
	}
	clear(out[:answerSize])
	w := c.want(what, number)
	n, status := c.handle.IoControl(ks.IoctlProperty, in, out)
	c.judge(&w, n, status, out)
	return c.driver.Fault() == nil
}

// flight is a request of an overlapped handle, in memory that is used again, by the next session too.
type flight struct {
	overlapped device.Overlapped
	out        [answerSize]byte
	wanted     wanted
	flying     bool // it was left pending, or its packet is to come
}

// flights is how many requests of a handle are in flight at once.
const flights = 4

// flight returns one that is free. Before one that its device cancels, another such request ends, as the driver cancels all of its file;
// before one that removes the device, all end.
func (c *client) flight(what order) *flight {
	switch what {
	case removes:
		c.land(func(*flight) bool { return true })
	case cancelled, forgotten:
		c.land(func(f *flight) bool { return f.wanted.what == cancelled || f.wanted.what == forgotten })
	}
	free := &c.flights[c.rand.IntN(flights)]
	c.land(func(f *flight) bool { return f == free })
	return free
}

// fly sends a request. One that ends at once is judged, unless a packet tells of it.
func (c *client) fly(f *flight, in []byte, w wanted) {
	f.wanted = w
	clear(f.out[:])
	out := f.out[:]
	if w.what == exhausts {
		out = c.out
		clear(out[:answerSize])
	}
	n, status := c.many.IoControl(&f.overlapped, ks.IoctlProperty, in, out)
	f.flying = status == ks.StatusPending || c.port != nil && !status.IsError()
	if status != ks.StatusPending {
		c.judge(&f.wanted, n, status, out)
		return
	}
	c.overlapped.Add(1)
}

// land waits for the ends of requests, and judges them.
func (c *client) land(which func(*flight) bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*c.Patience)
	defer cancel()
	for i := range c.flights {
		f := &c.flights[i]
		if !f.flying || !which(f) {
			continue
		}
		if c.port == nil {
			if err := f.overlapped.Wait(ctx); err != nil {
				c.driver.fault("lost", "nobody waits any more for request %d: %v", f.wanted.number, err)
				return
			}
			c.landed(&f.overlapped)
		}
		for f.flying {
			var done [flights]*device.Overlapped
			n, err := c.port.Wait(ctx, done[:])
			if err != nil {
				c.driver.fault("lost", "no packet tells of request %d: %v", f.wanted.number, err)
				return
			}
			for _, o := range done[:n] {
				c.landed(o)
			}
		}
	}
}

// landed judges a request that has ended.
func (c *client) landed(o *device.Overlapped) {
	for i := range c.flights {
		if f := &c.flights[i]; &f.overlapped == o {
			if !f.flying {
				c.driver.fault("doubled", "a second packet tells of request %d", f.wanted.number)
			}
			f.flying = false
			c.judge(&f.wanted, o.BytesReturned(), o.Status(), f.out[:])
		}
	}
}

// enable enables the event of the device, which ends with the handle. It is no request of the trace.
func (s *soaker) enable(dev *device.Device, h *device.Handle) {
	object := dev.Handles().Open(s.signals, engine.ModifyState, engine.UserMode)
	defer dev.Handles().Close(object)
	ks.EventData{NotificationType: ks.NotificationEventHandle, Object: object}.Put(s.event)
	in := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: set, ID: 1, Flags: ks.EventTypeEnable}.Put(in)
	if _, status := h.IoControl(ks.IoctlEnableEvent, in, s.event); status != ks.StatusSuccess {
		s.driver.fault("event", "enabling one is %v", status)
	}
	s.events.Add(1)
}
