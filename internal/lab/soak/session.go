package soak

import (
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
	trace   []byte // of the sessions that have the fault
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
	dev, err := s.driver.Device(s.Plant)
	if err != nil {
		s.driver.fault("open", "%v", err)
		return
	}
	h, err := r.Open(dev, Source)
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
		s.enable(dev, h.Device())
	}
	answered, removed := uint64(0), false
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
		if !s.send(h, what, uint32(i+1), &answered, &removed) {
			break
		}
		if events && s.rand.IntN(8) == 0 {
			dev.Events().Generate(&set, 1)
		}
	}
	if err := h.Close(); err != nil {
		s.driver.fault("close", "%v", err)
	}
	if n := dev.Events().Len(); n != 0 {
		s.driver.fault("entries", "%d events are enabled after the handle was closed", n)
	}
}

// send sends a request and judges the answer. It reports false after a fault.
func (s *soaker) send(h *trace.Handle, what order, number uint32, answered *uint64, removed *bool) bool {
	in := make([]byte, requestSize)
	ks.Identifier{Set: set, ID: 1, Flags: ks.PropertyTypeGet}.Put(in)
	wait := uint32(0)
	if s.rand.IntN(16) == 0 {
		wait = s.rand.Uint32N(200)
	}
	for i, v := range []uint32{uint32(what), number, wait} {
		binary.LittleEndian.PutUint32(in[ks.SizeIdentifier+4*i:], v)
	}
	out := s.out[:answerSize]
	if what == exhausts {
		out = s.out
		s.exhausted.Add(1)
	}
	clear(out[:answerSize])
	s.requests.Add(1)
	n, status := h.IoControl(ks.IoctlProperty, in, out)
	want, wantStatus := uint32(answerSize), ks.StatusSuccess
	switch {
	case *removed:
		want, wantStatus = 0, ks.StatusDeviceRemoved
	case what == exhausts:
		want, wantStatus = 0, ks.StatusInsufficientResources
	default:
		*answered++
		switch what {
		case panics:
			want, wantStatus = 0, ks.StatusAccessViolation
		case cancelled, forgotten:
			want, wantStatus = 0, ks.StatusCancelled
		case removes:
			*removed = true
		}
	}
	wantValue := uint64(0)
	if want > 0 {
		wantValue = *answered
	}
	value := binary.LittleEndian.Uint64(out)
	if n != want || status != wantStatus || value != wantValue {
		s.driver.fault("answer", "request %d, order %d: %d bytes, %v, value %d; want %d, %v, %d", number, what, n, status, value, want,
			wantStatus, wantValue)
	}
	return s.driver.Fault() == nil
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
