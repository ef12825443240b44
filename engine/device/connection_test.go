package device_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestOB18_Items: which properties every pin has, with which verbs and sizes.
func TestOB18_Items(t *testing.T) {
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1)}})
	p := createPin(t, h, connect(0, format(1)))
	for _, c := range []struct {
		id       uint32
		get, set bool
		minData  int
	}{
		{0, true, true, 4},
		{1, true, true, 8},
		{2, true, true, 0},
		{3, false, false, 0},
		{4, false, true, 64},
		{5, false, false, 0},
		{6, false, false, 0},
		{7, false, true, 80},
		{8, false, false, 0},
	} {
		for flags, offered := range map[uint32]bool{ks.PropertyTypeGet: c.get, ks.PropertyTypeSet: c.set} {
			_, status := ask(p, setConnection, c.id, flags, nil, make([]byte, 100))
			if missing := status == ks.StatusNotFound; missing == offered {
				t.Errorf("item %d, flags %d: %v", c.id, flags, status)
			}
			if !offered || c.minData == 0 {
				continue
			}
			if n, status := p.IoControl(ks.IoctlProperty, ks.Identifier{Set: setConnection, ID: c.id, Flags: flags}.Bytes(), nil); status !=
				ks.StatusBufferOverflow || int(n) != c.minData {
				t.Errorf("item %d, flags %d, no output: %d, %v", c.id, flags, n, status)
			}
			if _, status := ask(p, setConnection, c.id, flags, nil, make([]byte, c.minData-1)); status != ks.StatusBufferTooSmall {
				t.Errorf("item %d, flags %d, one byte short: %v", c.id, flags, status)
			}
		}
	}
	priority := ks.Priority{PriorityClass: ks.PriorityHigh, PrioritySubClass: 7}.Bytes()
	if _, status := ask(p, setConnection, 1, ks.PropertyTypeSet, nil, priority); status != ks.StatusSuccess {
		t.Error(status)
	}
	if got, status := ask(p, setConnection, 1, ks.PropertyTypeGet, nil, make([]byte, 9)); status != ks.StatusSuccess ||
		string(got) != string(priority) || p.Pin().Priority().PrioritySubClass != 7 {
		t.Errorf("% x, %v", got, status)
	}
}

// TestOB19_State: an unknown state is refused, the same one is no news, and what the driver refuses does not happen.
func TestOB19_State(t *testing.T) {
	pin := factory(1)
	answer, calls := ks.StatusSuccess, 0
	pin.SetState = func(p *device.Pin, to, from uint32) ks.Status {
		calls++
		if p.State() != from || to == from {
			t.Errorf("from %d to %d in state %d", from, to, p.State())
		}
		return answer
	}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	p := createPin(t, h, connect(0, format(1)))
	for _, c := range []struct {
		to     uint32
		answer ks.Status
		status ks.Status
		calls  int
		state  uint32
	}{
		{ks.StateStop, ks.StatusUnsuccessful, ks.StatusSuccess, 0, ks.StateStop},
		{4, ks.StatusSuccess, ks.StatusInvalidParameter, 0, ks.StateStop},
		{0xFFFFFFFF, ks.StatusSuccess, ks.StatusInvalidParameter, 0, ks.StateStop},
		{ks.StatePause, ks.StatusDeviceNotReady, ks.StatusDeviceNotReady, 1, ks.StateStop},
		{ks.StatePause, ks.StatusPending, ks.StatusInvalidDeviceRequest, 1, ks.StateStop},
		{ks.StatePause, ks.StatusSuccess, ks.StatusSuccess, 1, ks.StatePause},
		{ks.StatePause, ks.StatusUnsuccessful, ks.StatusSuccess, 0, ks.StatePause},
		{ks.StateStop, ks.StatusSuccess, ks.StatusSuccess, 1, ks.StateStop},
	} {
		answer, calls = c.answer, 0
		_, status := ask(p, setConnection, 0, ks.PropertyTypeSet, nil, word(c.to))
		got, _ := ask(p, setConnection, 0, ks.PropertyTypeGet, nil, make([]byte, 7))
		if status != c.status || calls != c.calls || string(got) != string(word(c.state)) || p.Pin().State() != c.state {
			t.Errorf("to %d: %v, %d calls, state % x", c.to, status, calls, got)
		}
	}
}

// TestOB23_Framing: a pin without framing says so at every size, and a driver's declaration of its own is answered.
func TestOB23_Framing(t *testing.T) {
	framed := factory(1)
	framed.Config.PropertySets = []engine.PropertySet{{Set: setConnection, Items: []engine.PropertyItem{
		{ID: 3, Get: produces(make([]byte, 24)...), MinData: 24}}}}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1), framed}})
	p, with := createPin(t, h, connect(0, format(1))), createPin(t, h, connect(1, format(1)))
	for _, id := range []uint32{3, 6} {
		for _, out := range []int{0, 8, 24, 112, 200} {
			if _, status := ask(p, setConnection, id, ks.PropertyTypeGet, nil, make([]byte, out)); status != ks.StatusNotFound {
				t.Errorf("item %d, out %d: %v", id, out, status)
			}
		}
	}
	if got, status := ask(with, setConnection, 3, ks.PropertyTypeGet, nil, make([]byte, 24)); status != ks.StatusSuccess || len(got) != 24 {
		t.Errorf("% x, %v", got, status)
	}
	if _, status := ask(with, setConnection, 0, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusSuccess { // AT-7
		t.Error(status)
	}
}

// TestOB24_StartAt: a time to start at is for a pin in PAUSE. The priority of a pin is what its client asked for.
func TestOB24_StartAt(t *testing.T) {
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1)}})
	p := createPin(t, h, connect(0, format(1)))
	for state := range ks.StateRun + 1 {
		if _, status := ask(p, setConnection, 0, ks.PropertyTypeSet, nil, word(state)); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		want := ks.StatusInvalidDeviceState
		if state == ks.StatePause {
			want = ks.StatusSuccess
		}
		if _, status := ask(p, setConnection, 7, ks.PropertyTypeSet, nil, make([]byte, 80)); status != want {
			t.Errorf("state %d: %v", state, status)
		}
	}
}

// TestAS33_ResetState: from BEGIN to END a pin refuses stream requests in whatever state, and its driver is told of both.
func TestAS33_ResetState(t *testing.T) {
	var told []uint32
	reset := ks.StatusInvalidDeviceRequest // does not know the code
	own := factory(1)
	own.Config.Control = func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
		told = append(told, code)
		if code == ks.IoctlResetState {
			return reset
		}
		irp.IoStatus.Information = uint64(len(out))
		return ks.StatusSuccess
	}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{own, factory(1)}})
	p, none := createPin(t, h, connect(0, format(1))), createPin(t, h, connect(1, format(1)))
	send := func(h *device.Handle, code uint32, in ...byte) ks.Status {
		_, status := h.IoControl(code, in, make([]byte, 56))
		return status
	}
	for _, c := range []struct {
		code    uint32
		in      []byte
		answer  ks.Status // of the driver to a reset
		status  ks.Status
		told    int
		without ks.Status // of a pin whose driver answers no codes
	}{
		{ks.IoctlReadStream, nil, 0, ks.StatusSuccess, 1, ks.StatusInvalidDeviceRequest},
		{ks.IoctlResetState, make([]byte, 3), 0, ks.StatusInvalidBufferSize, 0, ks.StatusInvalidBufferSize},
		{ks.IoctlResetState, word(2), 0, ks.StatusInvalidParameter, 0, ks.StatusInvalidParameter},
		{ks.IoctlReadStream, nil, 0, ks.StatusSuccess, 1, ks.StatusInvalidDeviceRequest},
		{ks.IoctlResetState, word(0), ks.StatusUnsuccessful, ks.StatusUnsuccessful, 1, ks.StatusSuccess},
		{ks.IoctlReadStream, nil, 0, ks.StatusSuccess, 1, ks.StatusDeviceNotReady},
		{ks.IoctlResetState, word(0), ks.StatusInvalidDeviceRequest, ks.StatusSuccess, 1, ks.StatusSuccess}, // AS-28
		{ks.IoctlReadStream, nil, 0, ks.StatusDeviceNotReady, 0, ks.StatusDeviceNotReady},
		{ks.IoctlWriteStream, nil, 0, ks.StatusDeviceNotReady, 0, ks.StatusDeviceNotReady},
		{code(0), nil, 0, ks.StatusSuccess, 1, ks.StatusInvalidDeviceRequest},
		{ks.IoctlResetState, word(1), ks.StatusUnsuccessful, ks.StatusUnsuccessful, 1, ks.StatusSuccess},
		{ks.IoctlWriteStream, nil, 0, ks.StatusDeviceNotReady, 0, ks.StatusInvalidDeviceRequest},
		{ks.IoctlResetState, append(word(1), 7), ks.StatusSuccess, ks.StatusSuccess, 1, ks.StatusSuccess},
		{ks.IoctlWriteStream, nil, 0, ks.StatusSuccess, 1, ks.StatusInvalidDeviceRequest},
	} {
		told, reset = nil, c.answer
		for state := range ks.StateRun + 1 { // which has no say in it
			if _, status := ask(p, setConnection, 0, ks.PropertyTypeSet, nil, word(state)); status != ks.StatusSuccess {
				t.Fatal(status)
			}
		}
		if status := send(p, c.code, c.in...); status != c.status || len(told) != c.told {
			t.Errorf("%#x % x: %v, want %v; told %#x", c.code, c.in, status, c.status, told)
		}
		if status := send(none, c.code, c.in...); status != c.without {
			t.Errorf("%#x % x without a handler: %v, want %v", c.code, c.in, status, c.without)
		}
	}
	if status := send(h, ks.IoctlResetState, word(0)...); status != ks.StatusInvalidDeviceRequest {
		t.Errorf("a filter: %v", status)
	}
}

// streaming is a pin whose driver queues stream requests, and what ended of them.
type streaming struct {
	dev         *device.Device
	filter, pin *device.Handle
	ended       []ks.Status
}

// send sends a stream request on an IRP of its own, as there may be many.
func (s *streaming) send(t *testing.T, code uint32) (*engine.IRP, []byte) {
	t.Helper()
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	irp := &engine.IRP{FileObject: s.pin.File(), Pool: pool}
	out := []byte("as it was")
	irp.Completion = func(irp *engine.IRP) {
		irp.Finish(irp.IoStatus.Status, out)
		s.ended = append(s.ended, irp.IoStatus.Status)
		if irp.IoStatus.Information != 0 || string(out) != "as it was" {
			t.Errorf("Information %d, output %q", irp.IoStatus.Information, out)
		}
	}
	if n, status := s.pin.Dispatcher().IoControl(irp, code, nil, out); n != 0 || status != ks.StatusPending {
		t.Fatalf("%d bytes, %v", n, status)
	}
	return irp, out
}

func (s *streaming) set(state uint32) ks.Status {
	_, status := ask(s.pin, setConnection, 0, ks.PropertyTypeSet, nil, word(state))
	return status
}

func openStreaming(t *testing.T, change func(*device.PinFactory)) *streaming {
	t.Helper()
	pin := factory(1)
	pin.Config.Control = func(irp *engine.IRP, code uint32, _, out []byte) ks.Status {
		if code != ks.IoctlReadStream && code != ks.IoctlWriteStream {
			return ks.StatusInvalidDeviceRequest
		}
		copy(out, "filled")
		return device.PinOf(irp).Requests().Add(irp)
	}
	if change != nil {
		change(&pin)
	}
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	return &streaming{dev: dev, filter: h, pin: createPin(t, h, connect(0, format(1)))}
}

// TestOB21_StopEndsStreams: whoever enters STOP ends what is queued, in no other state, and not if the driver refuses to stop. What the
// driver gives back itself is as it says.
func TestOB21_StopEndsStreams(t *testing.T) {
	refuse := false
	s := openStreaming(t, func(pin *device.PinFactory) {
		pin.SetState = func(p *device.Pin, to, _ uint32) ks.Status {
			if to == ks.StateStop && refuse {
				return ks.StatusUnsuccessful
			}
			return ks.StatusSuccess
		}
	})
	for range 3 {
		s.ended, refuse = nil, true
		for _, state := range []uint32{ks.StateAcquire, ks.StatePause, ks.StateRun, ks.StatePause, ks.StateAcquire} {
			if status := s.set(state); status != ks.StatusSuccess {
				t.Fatal(status)
			}
			s.send(t, ks.IoctlReadStream)
		}
		if status := s.set(ks.StateStop); status != ks.StatusUnsuccessful || len(s.ended) != 0 {
			t.Errorf("%v, ended %v", status, s.ended)
		}
		if irp := s.pin.Pin().Requests().Remove(); irp == nil || !irp.Complete(ks.StatusSuccess, 0) || len(s.ended) != 1 {
			t.Error("the driver cannot finish a request")
		}
		refuse = false
		if status := s.set(ks.StateStop); status != ks.StatusSuccess || len(s.ended) != 5 || s.pin.Pin().Requests().Len() != 0 {
			t.Errorf("%v, ended %v", status, s.ended)
		}
		for _, status := range s.ended[1:] {
			if status != ks.StatusCancelled {
				t.Error(s.ended)
			}
		}
	}
	s.ended = nil
	// In STOP, which it does not enter again.
	s.send(t, ks.IoctlWriteStream)
	if err := s.pin.Close(); err != nil || len(s.ended) != 1 || s.ended[0] != ks.StatusCancelled { // AS-24
		t.Errorf("%v, ended %v", err, s.ended)
	}
}

// TestAS33_ResetEndsStreams: the beginning of a reset ends what is queued, and what is queued meanwhile.
func TestAS33_ResetEndsStreams(t *testing.T) {
	s := openStreaming(t, nil)
	reset := func(what uint32) ks.Status {
		_, status := s.pin.IoControl(ks.IoctlResetState, word(what), nil)
		return status
	}
	s.send(t, ks.IoctlReadStream)
	s.send(t, ks.IoctlWriteStream)
	if status := reset(ks.ResetEnd); status != ks.StatusSuccess || len(s.ended) != 0 {
		t.Errorf("END: %v, ended %v", status, s.ended)
	}
	if status := reset(ks.ResetBegin); status != ks.StatusSuccess || len(s.ended) != 2 || s.ended[0] != ks.StatusCancelled {
		t.Errorf("BEGIN: %v, ended %v", status, s.ended)
	}
	if status := reset(ks.ResetEnd); status != ks.StatusSuccess {
		t.Error(status)
	}
	s.send(t, ks.IoctlReadStream)
	if len(s.ended) != 2 {
		t.Errorf("ended %v", s.ended)
	}
	var remove func()
	// A reset, a removal, or a close, that begins while the driver has a request which it then queues.
	for _, end := range []func(p *device.Handle){
		func(p *device.Handle) {
			pool, err := arena.New(arena.Config{})
			if err != nil {
				t.Fatal(err)
			}
			other := &engine.IRP{FileObject: p.File(), Pool: pool, UserEvent: make(chan struct{}, 1)}
			if _, status := p.Dispatcher().IoControl(other, ks.IoctlResetState, word(ks.ResetBegin), nil); status != ks.StatusSuccess {
				t.Error(status)
			}
		},
		func(p *device.Handle) { _ = p.Close() },
		func(*device.Handle) { remove() },
	} {
		s := openStreaming(t, func(pin *device.PinFactory) {
			own := pin.Config.Control
			pin.Config.Control = func(irp *engine.IRP, code uint32, in, out []byte) ks.Status {
				if code == ks.IoctlReadStream {
					end(device.PinOf(irp).Handle())
				}
				return own(irp, code, in, out)
			}
		})
		remove = s.dev.Remove
		s.send(t, ks.IoctlReadStream)
		if len(s.ended) != 1 || s.ended[0] != ks.StatusCancelled {
			t.Errorf("ended %v", s.ended)
		}
	}
}

// TestAS34_RemovalEndsStreams: what a pin has queued ends with the device, whichever IRPs it came on, and nothing is queued any more. So
// does what a pin has queued that a new filter does not have.
func TestAS34_RemovalEndsStreams(t *testing.T) {
	for name, end := range map[string]func(s *streaming){
		"removed": func(s *streaming) { s.dev.Remove() },
		"swapped": func(s *streaming) { swapFilter(t, s.dev, device.Filter{Pins: []device.PinFactory{}}) },
	} {
		s := openStreaming(t, nil)
		s.send(t, ks.IoctlReadStream)
		acquired := s.pin.Pin().Requests().Take(engine.Head, engine.AcquireOnly)
		s.send(t, ks.IoctlWriteStream)
		if end(s); len(s.ended) != 1 || s.ended[0] != ks.StatusCancelled || !acquired.Cancelled() {
			t.Errorf("%s: ended %v; the driver's is marked: %v", name, s.ended, acquired.Cancelled())
		}
		if s.pin.Pin().Requests().RemoveIRP(acquired); !acquired.Complete(ks.StatusCancelled, 0) || s.pin.Pin().Requests().Len() != 0 {
			t.Errorf("%s: the driver cannot end a request that it has", name)
		}
		pool, err := arena.New(arena.Config{})
		if err != nil {
			t.Fatal(err)
		}
		later := &engine.IRP{FileObject: s.pin.File(), Pool: pool}
		if _, status := s.pin.Dispatcher().IoControl(later, ks.IoctlReadStream, nil, nil); status != ks.StatusDeviceRemoved {
			t.Errorf("%s: a later request: %v", name, status)
		}
	}
}
