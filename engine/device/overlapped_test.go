package device_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// openOverlapped opens an overlapped handle.
func openOverlapped(t testing.TB, dev *device.Device, port *device.Port) *device.OverlappedHandle {
	t.Helper()
	h, err := dev.OpenOverlapped(port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// The items of server.
const (
	itemValue  = iota + 1 // 4 bytes at once
	itemError             // an error, with Information and data that nobody is to see
	itemLater             // "data", by whoever takes the request from handed
	itemQueued            // the same with a cancel routine, which says so to cancelled
)

// server is a device with requests of each kind.
type server struct {
	*device.Device
	handed    chan *engine.IRP
	cancelled atomic.Int32
	handle    *device.Handle
}

// Dispatcher answers the requests of the server.
func (s *server) Dispatcher() *engine.Dispatcher { return s.handle.Dispatcher() }

func newServer(t testing.TB) *server {
	s := &server{handed: make(chan *engine.IRP, 1<<17)}
	later := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "data")
		s.handed <- irp
		return ks.StatusPending
	}
	queued := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "data")
		irp.SetCancelRoutine(func(irp *engine.IRP) {
			s.cancelled.Add(1)
			irp.Complete(ks.StatusCancelled, 0)
		})
		s.handed <- irp
		return ks.StatusPending
	}
	s.Device, s.handle = open(t, engine.PropertyItem{ID: itemValue, MinData: 4, Get: number, Set: number},
		engine.PropertyItem{ID: itemError, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, "data"))
			return ks.StatusNotSupported
		}},
		engine.PropertyItem{ID: itemLater, Get: later, Set: later, Support: later, SerializedSize: 4},
		engine.PropertyItem{ID: itemQueued, Get: queued, Set: queued})
	return s
}

// getValue sends a request that is answered at once.
func getValue(h *device.OverlappedHandle, o *device.Overlapped) (n uint32, status ks.Status) {
	return h.IoControl(o, ks.IoctlProperty, request(itemValue, ks.PropertyTypeGet), make([]byte, 4))
}

// complete ends a request as a driver does that takes it off its queue.
func complete(irp *engine.IRP, status ks.Status, n uint64) bool {
	return irp.SetCancelRoutine(nil) != nil && irp.Complete(status, n)
}

var ended, end = context.WithCancel(context.Background())

func init() { end() }

// poll takes what is in the port now.
func poll(t testing.TB, port *device.Port) (all []*device.Overlapped) {
	t.Helper()
	done := make([]*device.Overlapped, 3)
	for {
		n, err := port.Wait(ended, done)
		if err != nil {
			if n != 0 || !errors.Is(err, context.Canceled) {
				t.Error(n, err)
			}
			return all
		}
		all = append(all, done[:n]...)
	}
}

// TestAS5_Outcomes is the table of AS-5 for each way of being told.
func TestAS5_Outcomes(t *testing.T) {
	for _, way := range []string{"no port", "port", "skip", "no packet", "callback"} {
		for _, c := range []struct {
			name         string
			item         uint32
			out          int
			at, complete ks.Status // how IoControl answers, and what a pended request is completed with
			n            uint32
			packet       bool
		}{
			{"success", itemValue, 4, ks.StatusSuccess, 0, 4, way != "skip"},
			{"warning", itemValue, 0, ks.StatusBufferOverflow, 0, 4, true},
			{"error", itemError, 4, ks.StatusNotSupported, 0, 0, false},
			{"not there", 99, 4, ks.StatusNotFound, 0, 0, false},
			{"pended, success", itemLater, 4, ks.StatusPending, ks.StatusSuccess, 4, true},
			{"pended, warning", itemLater, 0, ks.StatusPending, ks.StatusBufferOverflow, 4, true},
			{"pended, error", itemLater, 4, ks.StatusPending, ks.StatusNotSupported, 0, true},
		} {
			s := newServer(t)
			var port *device.Port
			if way != "no port" {
				port = device.NewPort()
			}
			h := openOverlapped(t, s.Device, port)
			if way == "skip" {
				h.SkipPortOnSuccess()
			}
			called := 0
			o := &device.Overlapped{Key: 7, NoPacket: way == "no packet"}
			if way == "callback" {
				o.Callback = func(*device.Overlapped) { called++ }
			}
			out := bytes.Repeat([]byte{0xEE}, c.out)
			n, status := h.IoControl(o, ks.IoctlProperty, request(c.item, ks.PropertyTypeGet), out)
			final := c.at
			if c.at == ks.StatusPending {
				final = c.complete
				if n != 0 || o.Status() != ks.StatusPending || o.BytesReturned() != 0 || o.Wait(ended) == nil {
					t.Errorf("%s, %s: in flight it is %v", way, c.name, o.Status())
				}
				if !(<-s.handed).Complete(c.complete, 4) {
					t.Errorf("%s, %s: the completion does not count", way, c.name)
				}
			} else if n != c.n {
				t.Errorf("%s, %s: %d bytes", way, c.name, n)
			}
			if err := o.Wait(t.Context()); status != c.at || err != nil {
				t.Errorf("%s, %s: answered %v, %v", way, c.name, status, err)
			}
			wantStatus, wantBytes, wantOut := final, c.n, bytes.Repeat([]byte{0xEE}, c.out)
			if c.at.IsError() {
				wantStatus, wantBytes = 0, 0 // not written
			}
			if c.out != 0 && final == ks.StatusSuccess {
				wantOut = []byte{42, 0, 0, 0}
				if c.item == itemLater {
					wantOut = []byte("data")
				}
			}
			if o.Status() != wantStatus || o.BytesReturned() != wantBytes || !bytes.Equal(out, wantOut) {
				t.Errorf("%s, %s: %v, %d bytes, % x", way, c.name, o.Status(), o.BytesReturned(), out)
			}
			if want := c.packet && way == "callback"; called != map[bool]int{true: 1}[want] {
				t.Errorf("%s, %s: called back %d times", way, c.name, called)
			}
			if port == nil {
				continue
			}
			var want []*device.Overlapped
			if c.packet && way != "no packet" && way != "callback" {
				want = append(want, o)
			}
			if got := poll(t, port); !slices.Equal(got, want) {
				t.Errorf("%s, %s: %d packets", way, c.name, len(got))
			}
		}
	}
}

// TestOverlappedInUse refuses an Overlapped whose request is in flight or whose packet is in a port, and leaves it alone. When it is free
// it serves requests on any handle.
func TestOverlappedInUse(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h, other := openOverlapped(t, s.Device, port), openOverlapped(t, newServer(t).Device, nil)
	in := request(itemLater, ks.PropertyTypeGet)
	value := request(itemValue, ks.PropertyTypeGet)
	var o device.Overlapped
	refused := func() {
		t.Helper()
		for _, h := range []*device.OverlappedHandle{h, other} {
			before := o.Status()
			n, status := h.IoControl(&o, ks.IoctlProperty, value, make([]byte, 4))
			if n != 0 || status != ks.StatusDeviceBusy || o.Status() != before {
				t.Errorf("%d bytes, %v", n, status)
			}
		}
	}
	for range 3 {
		out := make([]byte, 4)
		if _, status := h.IoControl(&o, ks.IoctlProperty, in, out); status != ks.StatusPending {
			t.Fatal(status)
		}
		refused()
		(<-s.handed).Complete(ks.StatusSuccess, 4)
		refused()
		if got := poll(t, port); len(got) != 1 || got[0] != &o || string(out) != "data" {
			t.Fatalf("%d packets, %q", len(got), out)
		}
		if n, status := other.IoControl(&o, ks.IoctlProperty, value, out); n != 4 || status != ks.StatusSuccess || out[0] != 42 {
			t.Errorf("on another handle: %d bytes, %v", n, status)
		}
	}
}

// TestAS18_CancelFindsWhatIsOutstanding cancels requests with and without a cancel routine, one and all, and those that are not there.
func TestAS18_CancelFindsWhatIsOutstanding(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	send := func(item uint32) *device.Overlapped {
		t.Helper()
		o := new(device.Overlapped)
		if _, status := h.IoControl(o, ks.IoctlProperty, request(item, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusPending {
			t.Fatal(status)
		}
		return o
	}
	var unused device.Overlapped
	if h.Cancel(nil) != 0 || h.Cancel(&unused) != 0 {
		t.Error("something is cancelled where nothing is")
	}
	a, b, c := send(itemQueued), send(itemQueued), send(itemLater)
	<-s.handed
	<-s.handed
	notCancelable := <-s.handed
	if h.Cancel(b) != 1 || b.Status() != ks.StatusCancelled || a.Status() != ks.StatusPending || c.Status() != ks.StatusPending {
		t.Errorf("after the cancel of one: %v, %v, %v", a.Status(), b.Status(), c.Status())
	}
	if h.Cancel(b) != 0 {
		t.Error("a request that is complete is cancelled")
	}
	if h.Cancel(nil) != 2 || a.Status() != ks.StatusCancelled || c.Status() != ks.StatusPending {
		t.Errorf("after the cancel of all: %v, %v", a.Status(), c.Status())
	}
	if !notCancelable.Cancelled() || !notCancelable.Complete(ks.StatusSuccess, 4) || c.Status() != ks.StatusSuccess {
		t.Errorf("one that is not cancelable ends as its owner says: %v", c.Status())
	}
	if got := poll(t, port); !slices.Equal(got, []*device.Overlapped{b, a, c}) {
		t.Errorf("%d packets", len(got))
	}
	// AS-9: a request that is cancelled while its handler runs is cancelled when it pends.
	var o device.Overlapped
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{
		{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
			if h.Cancel(&o) != 1 {
				t.Error("a request inside its handler is not found")
			}
			irp.SetCancelRoutine(func(irp *engine.IRP) { irp.Complete(ks.StatusCancelled, 0) })
			return ks.StatusPending
		}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	h = openOverlapped(t, device.New(d), nil)
	_, status := h.IoControl(&o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil)
	if status != ks.StatusPending || o.Status() != ks.StatusCancelled {
		t.Errorf("cancelled while its handler runs: %v, then %v", status, o.Status())
	}
}

// TestAS23_NoOverlapped waits for its own request, whatever else ends meanwhile, and queues nothing.
func TestAS23_NoOverlapped(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	for _, c := range []struct {
		item uint32
		want ks.Status
		n    uint32
	}{{itemValue, ks.StatusSuccess, 4}, {itemError, ks.StatusNotSupported, 0}} {
		if n, status := h.IoControl(nil, ks.IoctlProperty, request(c.item, ks.PropertyTypeGet), make([]byte, 4)); n != c.n || status != c.want {
			t.Errorf("%d bytes, %v", n, status)
		}
	}
	var o device.Overlapped
	h.IoControl(&o, ks.IoctlProperty, request(itemLater, ks.PropertyTypeGet), make([]byte, 4))
	first := <-s.handed
	go func() {
		second := <-s.handed
		first.Complete(ks.StatusSuccess, 4)
		second.Complete(ks.StatusBufferOverflow, 3)
	}()
	n, status := h.IoControl(nil, ks.IoctlProperty, request(itemLater, ks.PropertyTypeGet), make([]byte, 4))
	if n != 3 || status != ks.StatusBufferOverflow {
		t.Errorf("%d bytes, %v", n, status)
	}
	if got := poll(t, port); !slices.Equal(got, []*device.Overlapped{&o}) {
		t.Errorf("%d packets", len(got))
	}
}

// TestAS21_Port takes packets in the order of completion, in batches, by any number of goroutines, and ends with ErrPortClosed.
func TestAS21_Port(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	all := make([]device.Overlapped, 10)
	for i := range all {
		h.IoControl(&all[i], ks.IoctlProperty, request(itemValue, ks.PropertyTypeGet), make([]byte, 4))
	}
	for i, o := range poll(t, port) {
		if o != &all[i] {
			t.Errorf("packet %d is out of order", i)
		}
	}
	if n, err := port.Wait(t.Context(), nil); n != 0 || err == nil {
		t.Error("room for none is no error")
	}
	const requests, takers = 1000, 4
	var taken atomic.Int32
	var wg sync.WaitGroup
	for range takers {
		wg.Go(func() {
			done := make([]*device.Overlapped, 7)
			for {
				n, err := port.Wait(context.Background(), done)
				if err != nil {
					if !errors.Is(err, device.ErrPortClosed) {
						t.Error(err)
					}
					return
				}
				if taken.Add(int32(n)) == requests {
					port.Close()
				}
			}
		})
	}
	for range requests {
		h.IoControl(new(device.Overlapped), ks.IoctlProperty, request(itemValue, ks.PropertyTypeGet), make([]byte, 4))
	}
	wg.Wait()
	// A closed port drops packets: their Overlappeds are free.
	for range 2 {
		if _, status := getValue(h, &all[0]); status != ks.StatusSuccess {
			t.Error(status)
		}
	}
}

// TestAS24_OverlappedClose closes a handle with requests that are pended, in their handlers, and queued in the port: each has one
// outcome and one packet when Close returns, and requests of another handle stay as they are (S-33).
func TestAS24_OverlappedClose(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h, other := openOverlapped(t, s.Device, port), openOverlapped(t, s.Device, port)
	var foreign device.Overlapped
	other.IoControl(&foreign, ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), make([]byte, 4))
	<-s.handed
	all, outs := make([]device.Overlapped, 9), make([][]byte, 9)
	for i := range all {
		outs[i] = bytes.Repeat([]byte{0xEE}, 40)
		item, flags := uint32(itemLater), uint32(ks.PropertyTypeGet)
		switch i % 3 {
		case 1:
			item = itemQueued
		case 2:
			flags = ks.PropertyTypeBasicSupport
		}
		if _, status := h.IoControl(&all[i], ks.IoctlProperty, request(item, flags), outs[i]); status != ks.StatusPending {
			t.Fatal(status)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if got := poll(t, port); len(got) != len(all) {
		t.Errorf("%d packets", len(got))
	}
	for i := range all {
		if all[i].Status() != ks.StatusCancelled || all[i].BytesReturned() != 0 || !bytes.Equal(outs[i], bytes.Repeat([]byte{0xEE}, 40)) {
			t.Errorf("request %d: %v, % x", i, all[i].Status(), outs[i]) // S-35
		}
		if (<-s.handed).Complete(ks.StatusSuccess, 4) {
			t.Error("a completion counts after the request was cancelled")
		}
	}
	if foreign.Status() != ks.StatusPending {
		t.Errorf("the request of another handle: %v", foreign.Status())
	}
	if _, status := getValue(h, &all[0]); status != ks.StatusInvalidHandle {
		t.Errorf("afterwards: %v", status)
	}
	if _, status := getValue(h, nil); status != ks.StatusInvalidHandle {
		t.Errorf("afterwards: %v", status)
	}
	if _, status := getValue(other, &all[0]); status != ks.StatusSuccess {
		t.Errorf("the Overlapped on another handle: %v", status)
	}
	if _, err := h.Handle().Overlapped(nil); err == nil {
		t.Error("a closed handle is opened")
	}
}

// TestAS24_PacketOnItsWay: Close waits for a packet that is not yet in the port, though the request is seen to be complete.
func TestAS24_PacketOnItsWay(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	var o device.Overlapped
	getValue(h, &o)
	poll(t, port)
	post, closed := port.Post(&o), make(chan struct{})
	go func() {
		defer close(closed)
		_ = h.Close()
	}()
	select {
	case <-closed:
		t.Error("the handle is closed before the packet is in its port")
	case <-time.After(20 * time.Millisecond): // as long as it may take to fail
	}
	post()
	<-closed
	if got := poll(t, port); len(got) != 1 || got[0] != &o {
		t.Errorf("%d packets", len(got))
	}
}

// TestAS24_ForgottenRequest: a handle keeps a request that is pended and that nobody else has any more, and ends it when it is closed.
func TestAS24_ForgottenRequest(t *testing.T) {
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusPending }})
	port := device.NewPort()
	h := openOverlapped(t, dev, port)
	func() {
		o := &device.Overlapped{Key: 7}
		if _, status := h.IoControl(o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusPending {
			t.Fatal(status)
		}
	}()
	for range 3 {
		runtime.GC()
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if got := poll(t, port); len(got) != 1 || got[0].Key != 7 || got[0].Status() != ks.StatusCancelled {
		t.Errorf("%d packets", len(got))
	}
}

// TestS37_EndedRequestIsForgotten: a handle keeps no Overlapped that has been pended and that its user has dropped.
func TestS37_EndedRequestIsForgotten(t *testing.T) {
	s := newServer(t)
	h := openOverlapped(t, s.Device, nil)
	kept := func() weak.Pointer[device.Overlapped] {
		o := new(device.Overlapped)
		if _, status := h.IoControl(o, ks.IoctlProperty, request(itemLater, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusPending {
			t.Fatal(status)
		}
		(<-s.handed).Complete(ks.StatusSuccess, 4)
		return weak.Make(o)
	}()
	for range 3 {
		runtime.GC()
	}
	if kept.Value() != nil {
		t.Error("it is kept")
	}
}

// TestAS25_OverlappedPendedAfterClose: handlers that run when their handle is closed are waited for, and what they leave pending
// is cancelled at once; one that closes the handle itself waits for nothing.
func TestAS25_OverlappedPendedAfterClose(t *testing.T) {
	for _, inside := range []bool{false, true} {
		for _, result := range []ks.Status{ks.StatusSuccess, ks.StatusPending} {
			var h *device.OverlappedHandle
			entered, leave := make(chan struct{}), make(chan struct{})
			var left atomic.Bool
			dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status {
				if inside {
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				} else {
					close(entered)
					<-leave
				}
				left.Store(true)
				return result
			}})
			port := device.NewPort()
			h = openOverlapped(t, dev, port)
			var o device.Overlapped
			answered := make(chan ks.Status, 1)
			go func() {
				_, status := h.IoControl(&o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4))
				answered <- status
			}()
			if !inside {
				<-entered
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					if err := h.Close(); err != nil || !left.Load() {
						t.Errorf("Close returns %v; the handler has returned: %v", err, left.Load())
					}
				}()
				close(leave)
				<-closed
			}
			if status := <-answered; status != result {
				t.Errorf("answered %v", status)
			}
			want := result
			if result == ks.StatusPending {
				want = ks.StatusCancelled
			}
			if got := poll(t, port); o.Status() != want || len(got) != 1 {
				t.Errorf("%v, %d packets", o.Status(), len(got))
			}
		}
	}
}

// TestAS19_GoroutineEnds: the request of a handler that ends its goroutine is cancelled, and the handle can be closed.
func TestAS19_GoroutineEnds(t *testing.T) {
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { runtime.Goexit(); return 0 },
		Support: func(*engine.IRP, []byte, []byte) ks.Status { runtime.Goexit(); return 0 }})
	port := device.NewPort()
	h := openOverlapped(t, dev, port)
	for _, flags := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeBasicSupport, ks.PropertyTypeGet | ks.PropertyTypeHighPriority} {
		var o device.Overlapped
		for range 2 {
			go h.IoControl(&o, ks.IoctlProperty, request(1, flags), make([]byte, 4))
			done := make([]*device.Overlapped, 2)
			if n, err := port.Wait(t.Context(), done); n != 1 || err != nil || done[0] != &o || o.Status() != ks.StatusCancelled {
				t.Errorf("%d packets, %v, %v", n, err, o.Status())
			}
		}
	}
}

// TestS34_LateWrites: what a driver writes to a request that it has lost reaches neither the caller nor later requests.
func TestS34_LateWrites(t *testing.T) {
	var held [][]byte
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(_ *engine.IRP, _, data []byte) ks.Status {
		held = append(held, data)
		return ks.StatusPending
	}}, engine.PropertyItem{ID: 2, MinData: 4, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		for _, b := range held {
			copy(b, "late")
		}
		irp.IoStatus.Information = 4
		return ks.StatusSuccess
	}})
	all := make([]device.Overlapped, 3)
	h := openOverlapped(t, dev, nil)
	out := make([]byte, 4)
	for i := range all {
		h.IoControl(&all[i], ks.IoctlProperty, request(1, ks.PropertyTypeGet), out)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = openOverlapped(t, dev, nil)
	for i := range all {
		n, status := h.IoControl(&all[i], ks.IoctlProperty, request(2, ks.PropertyTypeGet), out)
		if n != 4 || status != ks.StatusSuccess || !bytes.Equal(out, make([]byte, 4)) {
			t.Errorf("%d bytes, %v, %q", n, status, out)
		}
	}
}

// TestS34_LateCompletions: a driver that completes a request that it has lost completes no later one.
func TestS34_LateCompletions(t *testing.T) {
	s := newServer(t)
	var o device.Overlapped
	pend := func() (*device.OverlappedHandle, *engine.IRP) {
		t.Helper()
		h := openOverlapped(t, s.Device, nil)
		if _, status := h.IoControl(&o, ks.IoctlProperty, request(itemLater, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusPending {
			t.Fatal(status)
		}
		return h, <-s.handed
	}
	h, lost := pend()
	if err := h.Close(); err != nil || o.Status() != ks.StatusCancelled {
		t.Fatal(err, o.Status())
	}
	_, irp := pend()
	if lost.Complete(ks.StatusSuccess, 4) || o.Status() != ks.StatusPending {
		t.Errorf("the completion of the lost request counts: %v", o.Status())
	}
	if !irp.Complete(ks.StatusSuccess, 4) || o.Status() != ks.StatusSuccess || o.BytesReturned() != 4 {
		t.Errorf("the later request: %v, %d bytes", o.Status(), o.BytesReturned())
	}
}

// TestS37_PendedRequestsAreBounded: the request beyond the bound is refused and costs nothing; when others end there is room again.
func TestS37_PendedRequestsAreBounded(t *testing.T) {
	s := newServer(t)
	h := openOverlapped(t, s.Device, nil)
	all := make([]device.Overlapped, device.MaxPending+1)
	in := request(itemQueued, ks.PropertyTypeGet)
	for i := range device.MaxPending {
		if _, status := h.IoControl(&all[i], ks.IoctlProperty, in, nil); status != ks.StatusPending {
			t.Fatal(i, status)
		}
	}
	last := &all[device.MaxPending]
	for range 2 {
		if _, status := h.IoControl(last, ks.IoctlProperty, in, nil); status != ks.StatusInsufficientResources {
			t.Fatal(status)
		}
	}
	if other := openOverlapped(t, s.Device, nil); other != nil { // the bound is one of a file object
		if _, status := other.IoControl(last, ks.IoctlProperty, in, nil); status != ks.StatusPending || other.Cancel(nil) != 1 {
			t.Error(status)
		}
	}
	if h.Cancel(&all[5]) != 1 {
		t.Error("a request is not cancelled")
	}
	if _, status := h.IoControl(last, ks.IoctlProperty, in, nil); status != ks.StatusPending {
		t.Error(status)
	}
	if n := h.Cancel(nil); n != device.MaxPending {
		t.Errorf("%d are cancelled", n)
	}
}

// TestAS17_ScopeOfCancel: one request by its Overlapped, or all of the handle, and none of another handle of the same device.
func TestAS17_ScopeOfCancel(t *testing.T) {
	s := newServer(t)
	h, other := openOverlapped(t, s.Device, nil), openOverlapped(t, s.Device, nil)
	var a, b, foreign device.Overlapped
	in := request(itemQueued, ks.PropertyTypeGet)
	for o, h := range map[*device.Overlapped]*device.OverlappedHandle{&a: h, &b: h, &foreign: other} {
		if _, status := h.IoControl(o, ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusPending {
			t.Fatal(status)
		}
	}
	if h.Cancel(&foreign) != 0 || h.Cancel(&a) != 1 || b.Status() != ks.StatusPending || h.Cancel(nil) != 1 {
		t.Errorf("%v, %v", a.Status(), b.Status())
	}
	if foreign.Status() != ks.StatusPending || other.Cancel(nil) != 1 || foreign.Status() != ks.StatusCancelled {
		t.Errorf("the request of another handle: %v", foreign.Status())
	}
}

// TestAS17_Threads: CancelThread ends what one thread sent, held requests included, and no synchronous request. An Overlapped goes from
// thread to thread.
func TestAS17_Threads(t *testing.T) {
	s := newServer(t)
	h, other := openOverlapped(t, s.Device, nil), openOverlapped(t, s.Device, nil)
	in := request(itemQueued, ks.PropertyTypeGet)
	all := make([]device.Overlapped, 6)
	send := func(h *device.OverlappedHandle, o *device.Overlapped, thread uint32) {
		t.Helper()
		o.Thread = thread
		if _, status := h.IoControl(o, ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusPending {
			t.Fatal(status)
		}
	}
	pending := func() (which []int) {
		for i := range all {
			if all[i].Status() == ks.StatusPending {
				which = append(which, i)
			}
		}
		return which
	}
	wants := func(got, want int, left ...int) {
		t.Helper()
		if now := pending(); got != want || !slices.Equal(now, left) {
			t.Errorf("%d are cancelled, want %d; %v are pending, want %v", got, want, now, left)
		}
	}
	for i := range all[:5] {
		send(h, &all[i], uint32(i%2))
	}
	send(other, &all[5], 1)
	wants(h.CancelThread(7), 0, 0, 1, 2, 3, 4, 5)
	wants(h.CancelThread(1), 2, 0, 2, 4, 5)
	wants(h.CancelThread(1), 0, 0, 2, 4, 5)
	send(h, &all[1], 0)
	send(h, &all[3], 1)
	wants(h.CancelThread(0), 4, 3, 5)
	wants(other.CancelThread(1), 1, 3)
	wants(h.CancelThread(1), 1)
	for len(s.handed) != 0 {
		<-s.handed
	}
	answers := make(chan ks.Status)
	go func() {
		_, status := h.IoControl(nil, ks.IoctlProperty, in, make([]byte, 4))
		answers <- status
	}()
	go func() {
		_, status := h.Handle().IoControl(ks.IoctlProperty, in, make([]byte, 4))
		answers <- status
	}()
	<-s.handed
	<-s.handed
	wants(h.CancelThread(0), 0)
	if n := h.Cancel(nil); n != 2 || <-answers != ks.StatusCancelled || <-answers != ks.StatusCancelled {
		t.Errorf("%d requests of the file object are cancelled", n)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Start()
	send(h, &all[0], 1)
	send(h, &all[1], 2)
	wants(h.CancelThread(1), 1, 1)
	wants(h.CancelThread(2), 1)
}

// TestAS18_CancelOfAFileObject: synchronous and overlapped requests of one file object are found together, from either of its handles,
// those that are held included, and a handle that is closed has none.
func TestAS18_CancelOfAFileObject(t *testing.T) {
	for name, cancel := range map[string]func(h *device.OverlappedHandle) int{
		"overlapped": func(h *device.OverlappedHandle) int { return h.Cancel(nil) },
		"plain":      func(h *device.OverlappedHandle) int { return h.Handle().Cancel() },
	} {
		for _, held := range []bool{false, true} {
			s := newServer(t)
			h := openOverlapped(t, s.Device, nil)
			if held {
				if err := s.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var all [3]device.Overlapped
			in := request(itemQueued, ks.PropertyTypeGet)
			for i := range all {
				if _, status := h.IoControl(&all[i], ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusPending {
					t.Fatal(status)
				}
			}
			answer := make(chan ks.Status, 1)
			go func() {
				_, status := h.Handle().IoControl(ks.IoctlProperty, in, make([]byte, 4))
				answer <- status
			}()
			n, status := 0, ks.StatusPending
			for status == ks.StatusPending { // until it is there
				n += cancel(h)
				select {
				case status = <-answer:
				default:
				}
			}
			if n < 4 || status != ks.StatusCancelled {
				t.Errorf("%s, held %v: %d are cancelled, %v", name, held, n, status)
			}
			for i := range all {
				if all[i].Status() != ks.StatusCancelled {
					t.Errorf("%s, held %v, request %d: %v", name, held, i, all[i].Status())
				}
			}
			if _ = h.Close(); cancel(h) != 0 {
				t.Errorf("%s: a closed handle has requests", name)
			}
			plain := openAgain(t, s.Device)
			if _ = plain.Close(); plain.Cancel() != 0 {
				t.Error("a closed handle has requests")
			}
		}
	}
}

// TestOverlappedCreatePin: the pin serves overlapped requests and has the mode of those of its filter; a create that is refused opens
// nothing.
func TestOverlappedCreatePin(t *testing.T) {
	f := version(1, 2, 0)
	f.Pins[0].DenyUserMode = true
	f.Pins[1].Create = func(p *device.Pin, _ engine.ConnectRequest) ks.Status {
		_ = p.Handle().Close()
		return ks.StatusSuccess
	}
	dev, err := device.NewFilter(f)
	if err != nil {
		t.Fatal(err)
	}
	port := device.NewPort()
	h := openOverlapped(t, dev, nil)
	if p, status := h.CreatePin(connect(0, format(1)), port); p != nil || status != ks.StatusInvalidDeviceRequest {
		t.Errorf("in user mode: %v", status)
	}
	h.SetMode(engine.KernelMode)
	var made sync.WaitGroup
	for range 4 {
		made.Go(func() {
			p, status := h.CreatePin(connect(0, format(1)), port)
			if status != ks.StatusSuccess {
				t.Error(status)
				return
			}
			defer p.Close()
			var o device.Overlapped
			if n, status := p.IoControl(&o, ks.IoctlProperty, request(itemVersion, ks.PropertyTypeGet), make([]byte, 4)); n != 4 || status != 0 {
				t.Error(n, status)
			}
		})
	}
	made.Wait()
	if got := poll(t, port); len(got) != 4 {
		t.Errorf("%d packets", len(got))
	}
	if p, status := h.CreatePin(connect(1, format(1)), port); p != nil || status != ks.StatusInvalidHandle {
		t.Errorf("a pin that its hook closes: %v", status)
	}
	if n := instances(t, h.Handle(), 0, 1); n.CurrentCount != 0 {
		t.Errorf("%d pins are left", n.CurrentCount)
	}
}

// TestAS20_TimeOutCancelsNothing: a wait that is given up leaves the request as it is.
func TestAS20_TimeOutCancelsNothing(t *testing.T) {
	s := newServer(t)
	h := openOverlapped(t, s.Device, nil)
	var o device.Overlapped
	h.IoControl(&o, ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), make([]byte, 4))
	if err := o.Wait(ended); !errors.Is(err, context.Canceled) || o.Status() != ks.StatusPending {
		t.Errorf("%v, %v", err, o.Status())
	}
	waited := make(chan error)
	for range 2 {
		go func() { waited <- o.Wait(t.Context()) }()
	}
	if irp := <-s.handed; irp.Cancelled() || !complete(irp, ks.StatusBufferOverflow, 9) {
		t.Error("a time-out cancels the request")
	}
	for range 2 {
		if err := <-waited; err != nil || o.Status() != ks.StatusBufferTooSmall || o.BytesReturned() != 0 { // AS-3
			t.Errorf("%v, %v, %d bytes", err, o.Status(), o.BytesReturned())
		}
	}
}

// TestAS22_HandlersRunAtOnce: requests through one handle are in their handlers together.
func TestAS22_HandlersRunAtOnce(t *testing.T) {
	var inside sync.WaitGroup
	inside.Add(3)
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
		inside.Done()
		inside.Wait()
		return number(irp, nil, data)
	}})
	h := openOverlapped(t, dev, nil)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			out := make([]byte, 4)
			n, status := h.IoControl(new(device.Overlapped), ks.IoctlProperty, request(1, ks.PropertyTypeGet), out)
			if n != 4 || status != ks.StatusSuccess || out[0] != 42 {
				t.Errorf("%d bytes, %v", n, status)
			}
		})
	}
	wg.Wait()
}

// TestAS27_NothingAfterTheCloseHook: when the hook that ends a filter runs, its requests are complete and their packets queued.
func TestAS27_NothingAfterTheCloseHook(t *testing.T) {
	port := device.NewPort()
	var o device.Overlapped
	var order []string
	dev, err := device.NewFilter(device.Filter{
		Config: engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{
			{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusPending }}}}}},
		Cleanup: func(*device.Handle) { order = append(order, "cleanup") },
		Close: func(*device.Handle) {
			if got := poll(t, port); len(got) != 1 || o.Status() != ks.StatusCancelled {
				t.Errorf("%d packets, %v", len(got), o.Status())
			}
			order = append(order, "close")
		}})
	if err != nil {
		t.Fatal(err)
	}
	h := openOverlapped(t, dev, port)
	h.IoControl(&o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4))
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(order, []string{"cleanup", "close"}) || len(poll(t, port)) != 0 {
		t.Error(order)
	}
}
