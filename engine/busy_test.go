package engine_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// served is a dispatcher and an IRP that IoControl waits on, as a device's handle has.
type served struct {
	*testing.T
	d    *engine.Dispatcher
	pool *arena.Arena
	irp  *engine.IRP
}

func serve(t *testing.T, items ...engine.PropertyItem) *served {
	t.Helper()
	return serveConfig(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: items}}})
}

func serveConfig(t *testing.T, config engine.Config) *served {
	t.Helper()
	config.OnPanic = func(any, []byte) {}
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &served{t, d, pool, &engine.IRP{Pool: pool, FileObject: new(engine.FileObject), UserEvent: make(chan struct{}, 1)}}
}

func (s *served) send(id, flags uint32, out []byte) (n uint32, status ks.Status) {
	return s.d.IoControl(s.irp, ks.IoctlProperty, request{set: setA, id: id, flags: flags}.bytes(), out)
}

// idle requires that nothing of earlier requests is left: the next one is answered, and no buffer is live.
func (s *served) idle() {
	s.Helper()
	out := full(4)
	if n, status := s.send(99, get, out); n != 4 || status != ks.StatusSuccess || !bytes.Equal(out, []byte{9, 9, 9, 9}) {
		s.Errorf("the next request: %d bytes, %v, % x", n, status, out)
	}
	if st := s.pool.Stats(); st.Live != 0 || st.Strays != 0 {
		s.Errorf("afterwards %+v", st)
	}
}

var nines = engine.PropertyItem{ID: 99, Get: produces(9, 9, 9, 9)}

// TestS15_HandlerSendsOnItsOwnIRP sends from inside a handler on each way that a request takes, with each code and with lengths
// that other checks refuse: the answer is STATUS_DEVICE_BUSY, and the outer request ends as if nothing had been.
func TestS15_HandlerSendsOnItsOwnIRP(t *testing.T) {
	var s *served
	var ref engine.Ref
	inner := func() {
		s.Helper()
		in, out := request{set: setA, id: 99, flags: get}.bytes(), full(4)
		want := func(n uint32, status ks.Status) {
			s.Helper()
			if n != 0 || status != ks.StatusDeviceBusy || !bytes.Equal(out, full(4)) {
				s.Errorf("inside a handler: %d bytes, %v, % x", n, status, out)
			}
		}
		for _, code := range []uint32{ks.IoctlProperty, ks.IoctlMethod, ks.IoctlEnableEvent, ks.IoctlDisableEvent, 0x1234} {
			want(s.d.IoControl(s.irp, code, in, out))
			want(s.d.IoControl(s.irp, code, nil, nil))
		}
		want(ref.IoControl(s.irp, in, out))
		r := []engine.BatchRequest{{In: in, Out: out}, {In: in, Out: out}}
		s.d.PropertyBatch(s.irp, r)
		want(r[0].BytesReturned, r[0].Status)
		want(r[1].BytesReturned, r[1].Status)
	}
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		before := bytes.Clone(data)
		inner()
		if !bytes.Equal(data, before) {
			t.Errorf("the outer request's data are % x, were % x", data, before)
		}
		irp.IoStatus.Information = uint64(copy(data, []byte{1, 2, 3, 4}))
		return ks.StatusSuccess
	}
	s = serve(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 4}, nines)
	ref, _ = s.d.Resolve(setA, 99)
	for range 2 { // the first request of an arena takes another way than the second
		for _, flags := range []uint32{get, set, basicSupport, serializeSet, get | ks.PropertyTypeHighPriority} {
			out := full(100)
			if n, status := s.send(1, flags, out); status != ks.StatusSuccess || n == 0 {
				t.Errorf("%s: %d bytes, %v", ks.FormatPropertyFlags(flags), n, status)
			}
			s.idle()
		}
		out := full(40 << 10)
		if n, status := s.send(1, get, out); n != 4 || status != ks.StatusSuccess {
			t.Errorf("a long output: %d bytes, %v", n, status)
		}
	}
}

// TestS15_RequestBesidePendedOne: another goroutine is refused while a request is pended.
func TestS15_RequestBesidePendedOne(t *testing.T) {
	handed := make(chan *engine.IRP)
	s := serve(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		handed <- irp
		return ks.StatusPending
	}}, nines)
	for range 50 {
		out, ended := full(4), make(chan struct{})
		var n uint32
		var status ks.Status
		go func() {
			defer close(ended)
			n, status = s.send(1, get, out)
		}()
		irp := <-handed
		for range 3 {
			other := full(4)
			if n, status := s.send(99, get, other); n != 0 || status != ks.StatusDeviceBusy || !bytes.Equal(other, full(4)) {
				t.Errorf("beside a pended request: %d bytes, %v, % x", n, status, other)
			}
		}
		binary.LittleEndian.PutUint32(irp.SystemBuffer, 0x04030201)
		if !irp.Complete(ks.StatusSuccess, 4) {
			t.Error("the first completion does not count")
		}
		surplus(t, irp, ks.StatusNotFound, 0)
		<-ended
		if n != 4 || status != ks.StatusSuccess || !bytes.Equal(out, []byte{1, 2, 3, 4}) {
			t.Errorf("the pended request: %d bytes, %v, % x", n, status, out)
		}
		s.idle()
	}
}

// TestAS2_CompletedWhileTheHandlerReturns: a completion that has begun before the handler returns STATUS_PENDING, and ends after that,
// wakes the sender.
func TestAS2_CompletedWhileTheHandlerReturns(t *testing.T) {
	begun, proceed := make(chan struct{}), make(chan struct{})
	s := serve(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, []byte{1, 2, 3, 4})
		irp.Completion = func(*engine.IRP) {
			close(begun)
			<-proceed
		}
		go irp.Complete(ks.StatusSuccess, 4)
		<-begun
		time.AfterFunc(10*time.Millisecond, func() { close(proceed) }) // long after the handler has returned, most often
		return ks.StatusPending
	}}, nines)
	out := full(4)
	if n, status := s.send(1, get, out); n != 4 || status != ks.StatusSuccess || !bytes.Equal(out, []byte{1, 2, 3, 4}) {
		t.Errorf("%d bytes, %v, % x", n, status, out)
	}
}

// TestS15_RemoveHandlerSends: a disable has no buffer, and is in flight all the same.
func TestS15_RemoveHandlerSends(t *testing.T) {
	var s served
	calls := 0
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{nines}}},
		EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, Remove: func(*engine.FileObject, *engine.EventEntry) {
			calls++
			if n, status := s.send(99, get, full(4)); n != 0 || status != ks.StatusDeviceBusy {
				t.Errorf("inside a Remove handler: %d bytes, %v", n, status)
			}
		}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	pool, _ := arena.New(arena.Config{})
	list, _ := engine.NewEventList(engine.EventListConfig{})
	handles := new(engine.HandleTable)
	s = served{t, d, pool, &engine.IRP{Pool: pool, UserEvent: make(chan struct{}, 1),
		FileObject: &engine.FileObject{Events: list, Handles: handles}}}
	data := make([]byte, ks.SizeEventData)
	ks.EventData{NotificationType: ks.NotificationEventHandle,
		Object: handles.Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode)}.Put(data)
	enable := request{set: setA, id: 1, flags: ks.EventTypeEnable}.bytes()
	if _, status := d.IoControl(s.irp, ks.IoctlEnableEvent, enable, data); status != ks.StatusSuccess {
		t.Fatal(status)
	}
	if _, status := d.IoControl(s.irp, ks.IoctlDisableEvent, data, nil); status != ks.StatusSuccess || calls != 1 {
		t.Error(status, calls)
	}
	s.idle()
}

// TestS15_Fast: a fast handler that sends a fast request on its own file is refused, before every other check; others see the
// file free again, whatever the handler did.
func TestS15_Fast(t *testing.T) {
	file := new(engine.FileObject)
	var d *engine.Dispatcher
	var ref engine.Ref
	in := request{set: setA, id: 1, flags: get, extra: []byte("instance")}.bytes()
	end := func(*engine.IoStatus) bool { return true }
	handler := func(_ *engine.FileObject, _ engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		before := bytes.Clone(request)
		for name, send := range map[string]func(request, data []byte, io *engine.IoStatus) bool{
			"FastProperty": func(request, data []byte, io *engine.IoStatus) bool {
				return d.FastProperty(file, engine.UserMode, request, data, io)
			},
			"FastMethod": func(request, data []byte, io *engine.IoStatus) bool {
				return d.FastMethod(file, engine.UserMode, request, data, io)
			},
			"a reference": func(request, data []byte, io *engine.IoStatus) bool {
				return ref.FastProperty(file, engine.UserMode, request, data, io)
			},
		} {
			for _, other := range [][]byte{bytes.Repeat([]byte{7}, 30), nil} {
				var answer engine.IoStatus
				if !send(other, full(4), &answer) || answer != (engine.IoStatus{Status: ks.StatusDeviceBusy}) {
					t.Errorf("%s inside a fast handler: %+v", name, answer)
				}
			}
		}
		if !bytes.Equal(request, before) {
			t.Errorf("the captured request is % x, was % x", request, before)
		}
		io.Information = uint64(copy(data, []byte{1, 2, 3, 4}))
		return end(io)
	}
	method := engine.FastMethodItem{ID: 1, Handler: handler}
	d, err := engine.Compile(engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, FastIO: []engine.FastPropertyItem{{ID: 1, Get: handler}}}},
		MethodSets:   []engine.MethodSet{{Set: setA, FastIO: []engine.FastMethodItem{method}}}, OnPanic: func(any, []byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	ref, _ = d.Resolve(setA, 1)
	for name, c := range map[string]struct {
		end    func(io *engine.IoStatus) bool
		status ks.Status
	}{
		"success":  {func(*engine.IoStatus) bool { return true }, ks.StatusSuccess},
		"error":    {func(io *engine.IoStatus) bool { io.Status = ks.StatusNotFound; return true }, ks.StatusNotFound},
		"declined": {func(*engine.IoStatus) bool { return false }, 0},
		"pending":  {func(io *engine.IoStatus) bool { io.Status = ks.StatusPending; return true }, 0},
		"panic":    {func(*engine.IoStatus) bool { panic("planted") }, ks.StatusAccessViolation},
		"Goexit":   {func(*engine.IoStatus) bool { runtime.Goexit(); return true }, 0},
	} {
		end = c.end
		for range 2 {
			done := make(chan struct{})
			go func() {
				defer close(done)
				var io engine.IoStatus
				if d.FastProperty(file, engine.UserMode, in, full(4), &io) && io.Status != c.status {
					t.Errorf("%s: %+v", name, io)
				}
			}()
			<-done
			done = make(chan struct{})
			go func() {
				defer close(done)
				var io engine.IoStatus
				if d.FastMethod(file, engine.UserMode, in, full(4), &io) && io.Status != c.status {
					t.Errorf("method, %s: %+v", name, io)
				}
			}()
			<-done
		}
	}
}

// TestP21_GoexitLeavesNothing: after a handler that ends its goroutine, on each way, the IRP is free and no buffer is live.
func TestP21_GoexitLeavesNothing(t *testing.T) {
	leave := func(*engine.IRP, []byte, []byte) ks.Status {
		runtime.Goexit()
		return ks.StatusSuccess
	}
	s := serve(t, engine.PropertyItem{ID: 1, Get: leave, Set: leave, Support: leave, SerializedSize: 4}, nines)
	for range 2 {
		for _, flags := range []uint32{get, set, basicSupport, serializeSet, get | ks.PropertyTypeHighPriority} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.send(1, flags, full(100))
			}()
			<-done
			s.idle()
		}
	}
}

// TestP21_HooksPanic: when OnPanic or OnRefuse panics the request is answered as ever, and when one ends the goroutine, as t.Fatal does,
// the IRP is free, so that Close does not wait for ever.
func TestP21_HooksPanic(t *testing.T) {
	fail := func(*engine.IRP, []byte, []byte) ks.Status { panic("planted") }
	failFast := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool { panic("planted") }
	for name, hook := range map[string]func(){"panic": func() { panic("in the hook") }, "Goexit": runtime.Goexit} {
		s := serve(t)
		d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) { hook() }, OnRefuse: func(engine.Refusal) { hook() },
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
				{ID: 1, Get: fail, Set: fail, Support: fail, SerializedSize: 4}, nines},
				FastIO: []engine.FastPropertyItem{{ID: 1, Get: failFast}}}},
			Control: func(*engine.IRP, uint32, []byte, []byte) ks.Status { panic("planted") }})
		if err != nil {
			t.Fatal(err)
		}
		s.d = d
		statusOf := func(send func() ks.Status) (status ks.Status) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() {
					if value := recover(); value != nil {
						t.Errorf("%s: %v gets out", name, value)
					}
				}()
				status = send()
			}()
			<-done
			return status
		}
		in := request{set: setA, id: 1, flags: get}.bytes()
		for way, send := range map[string]func() ks.Status{
			"GET":           func() ks.Status { _, status := s.send(1, get, full(8)); return status },
			"long GET":      func() ks.Status { _, status := s.send(1, get, full(100_000)); return status },
			"BASICSUPPORT":  func() ks.Status { _, status := s.send(1, basicSupport, full(4)); return status },
			"Control":       func() ks.Status { _, status := d.IoControl(s.irp, 0x2F0000, in, full(4)); return status },
			"refused":       func() ks.Status { _, status := s.send(7, get, full(4)); return status },
			"refused early": func() ks.Status { _, status := d.IoControl(s.irp, ks.IoctlProperty, in[:3], nil); return status },
			"batch": func() ks.Status {
				batch := []engine.BatchRequest{{In: in, Out: full(4)}, {In: in, Out: full(4)}}
				d.PropertyBatch(s.irp, batch)
				return batch[1].Status
			},
			"fast": func() ks.Status {
				var io engine.IoStatus
				d.FastProperty(s.irp.FileObject, engine.UserMode, in, full(4), &io)
				return io.Status
			},
		} {
			for range 2 {
				if status := statusOf(send); status.IsError() != (name == "panic") {
					t.Errorf("%s, %s: %v", name, way, status)
				}
				s.idle()
			}
		}
		closed := make(chan struct{})
		go s.irp.Close(func() { close(closed) })
		<-closed
	}
}
