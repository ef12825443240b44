package device_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// outstanding is a device with a request pended on an overlapped handle and one on a plain one.
type outstanding struct {
	*server
	port       *device.Port
	overlapped *device.OverlappedHandle
	plain      *device.Handle
	idle       *device.Handle
	o          device.Overlapped
	answer     chan ks.Status // of the plain handle
	irps       [2]*engine.IRP
}

func pendTwo(t *testing.T) *outstanding {
	x := &outstanding{server: newServer(t), port: device.NewPort(), answer: make(chan ks.Status, 1)}
	x.overlapped, x.plain = openOverlapped(t, x.Device, x.port), openAgain(t, x.Device)
	x.idle = openAgain(t, x.Device)
	in := request(itemLater, ks.PropertyTypeGet)
	if _, status := x.overlapped.IoControl(&x.o, ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusPending {
		t.Fatal(status)
	}
	x.irps[0] = <-x.handed
	go func() {
		_, status := x.plain.IoControl(ks.IoctlProperty, in, make([]byte, 4))
		x.answer <- status
	}()
	x.irps[1] = <-x.handed
	return x
}

// refused requires that each kind of request to the handles is refused, before every other check.
func (x *outstanding) refused(t *testing.T, want ks.Status) {
	t.Helper()
	for _, id := range []uint32{itemValue, 99} {
		for _, code := range []uint32{ks.IoctlProperty, ks.IoctlMethod, ks.IoctlEnableEvent, 0} {
			for _, in := range [][]byte{request(id, ks.PropertyTypeGet), request(id, ks.PropertyTypeBasicSupport), nil} {
				var o device.Overlapped
				out := []byte{0xEE, 0xEE, 0xEE, 0xEE}
				if n, status := x.overlapped.IoControl(&o, code, in, out); n != 0 || status != want {
					t.Errorf("overlapped, item %d, code %#x: %v", id, code, status)
				}
				n, status := x.idle.IoControl(code, in, out)
				if n != 0 || status != want || !bytes.Equal(out, bytes.Repeat([]byte{0xEE}, 4)) {
					t.Errorf("item %d, code %#x: %v", id, code, status)
				}
			}
		}
	}
	batch := []engine.BatchRequest{{In: request(itemValue, ks.PropertyTypeGet), Out: make([]byte, 4)}}
	if x.idle.PropertyBatch(batch); batch[0].Status != want {
		t.Errorf("batch: %v", batch[0].Status)
	}
	if _, err := x.Open(); err == nil {
		t.Error("a handle is opened")
	}
}

func TestAS34_Remove(t *testing.T) {
	x := pendTwo(t)
	for range 2 {
		x.Remove()
	}
	if got := poll(t, x.port); len(got) != 1 || x.o.Status() != ks.StatusCancelled {
		t.Errorf("%d packets, %v", len(got), x.o.Status())
	}
	if status := <-x.answer; status != ks.StatusCancelled {
		t.Errorf("the plain handle: %v", status)
	}
	for _, irp := range x.irps {
		if irp.Complete(ks.StatusSuccess, 4) {
			t.Error("a later completion counts")
		}
	}
	x.refused(t, ks.StatusDeviceRemoved)
	if err := errors.Join(x.plain.Close(), x.overlapped.Close()); err != nil {
		t.Error(err)
	}
}

// TestAS34_Hook: the hook is told of the removal once, after requests were ended and before handles are closed, and can generate events.
func TestAS34_Hook(t *testing.T) {
	f := version(1, 1, 0)
	var dev *device.Device
	var h *device.Handle
	var event *engine.SyncEvent
	var order []string
	tell := func(what string) { order = append(order, what) }
	f.Close = func(*device.Handle) { tell("filter closed") }
	f.Pins[0].Cleanup = func(*device.Pin) { tell("pin cleanup") }
	f.Pins[0].Close = func(*device.Pin) { tell("pin closed") }
	f.Pins[0].Config.Control = func(irp *engine.IRP, _ uint32, _, _ []byte) ks.Status {
		return device.PinOf(irp).Requests().Insert(irp, engine.Tail, func(irp *engine.IRP) {
			tell("stream ended")
			irp.Complete(ks.StatusCancelled, 0)
		})
	}
	dev, h = openFilter(t, f)
	pin, status := h.CreatePin(connect(0, format(1)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	many, err := pin.Overlapped(nil)
	if err != nil {
		t.Fatal(err)
	}
	event, data := newEvent(dev)
	control(t, h, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusSuccess)
	var o device.Overlapped
	if _, status := many.IoControl(&o, ks.IoctlReadStream, nil, nil); status != ks.StatusPending {
		t.Fatal(status)
	}
	dev.OnRemove(func() { tell("replaced") })
	dev.OnRemove(func() {
		if _, status := h.IoControl(ks.IoctlProperty, nil, nil); status != ks.StatusDeviceRemoved || o.Status() != ks.StatusCancelled {
			t.Errorf("in the hook: %v, %v", status, o.Status())
		}
		tell("lost")
		dev.Remove()
		dev.Events().Generate(&testSet, 1)
	})
	dev.Remove()
	if dev.Remove(); !event.TryWait() {
		t.Error("no event is signalled in the hook")
	}
	if err := errors.Join(pin.Close(), h.Close()); err != nil {
		t.Error(err)
	}
	if want := []string{"stream ended", "lost", "pin cleanup", "pin closed", "filter closed"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	gone := device.New(compile(t, engine.Config{}))
	gone.OnRemove(func() { t.Error("a hook that was taken off is told") })
	gone.OnRemove(nil)
	gone.Remove()
}

func TestAS35_Shutdown(t *testing.T) {
	x := pendTwo(t)
	if err := x.Shutdown(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with requests in flight: %v", err)
	}
	x.refused(t, ks.StatusDeletePending)
	done := make(chan error)
	go func() { done <- x.Shutdown(t.Context()) }()
	for _, irp := range x.irps {
		if !irp.Complete(ks.StatusSuccess, 4) {
			t.Error("a completion does not count")
		}
	}
	if err := <-done; err != nil || x.o.Status() != ks.StatusSuccess || <-x.answer != ks.StatusSuccess {
		t.Errorf("%v, %v", err, x.o.Status())
	}
	x.Remove()
	x.refused(t, ks.StatusDeviceRemoved)
}

func TestAS36_StopAndStart(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h, plain := openOverlapped(t, s.Device, port), openAgain(t, s.Device)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := request(itemValue, ks.PropertyTypeGet)
	all, outs := make([]device.Overlapped, 5), make([][4]byte, 5)
	for i := range all {
		if _, status := h.IoControl(&all[i], ks.IoctlProperty, in, outs[i][:]); status != ks.StatusPending {
			t.Fatal(status)
		}
	}
	if h.Cancel(&all[1]) != 1 || all[1].Status() != ks.StatusCancelled {
		t.Errorf("a held request is not cancelled: %v", all[1].Status())
	}
	answer := make(chan ks.Status)
	sent := func() {
		_, status := plain.IoControl(ks.IoctlProperty, in, make([]byte, 4))
		answer <- status
	}
	go sent()
	for plain.Cancel() == 0 {
	}
	if status := <-answer; status != ks.StatusCancelled {
		t.Errorf("a held request that is cancelled: %v", status)
	}
	go sent()
	ctx, cancel := context.WithCancel(t.Context())
	other := openAgain(t, s.Device)
	go func() {
		_, status := other.IoControlContext(ctx, ks.IoctlProperty, in, make([]byte, 4))
		answer <- status
	}()
	cancel()
	if status := <-answer; status != ks.StatusCancelled {
		t.Errorf("a held request whose context ended: %v", status)
	}
	s.Start()
	if status := <-answer; status != ks.StatusSuccess {
		t.Errorf("a held request that is started: %v", status)
	}
	if got := poll(t, port); !slices.Equal(got, []*device.Overlapped{&all[1], &all[0], &all[2], &all[3], &all[4]}) {
		t.Errorf("%d packets, or out of order", len(got))
	}
	if all[4].Status() != ks.StatusSuccess || outs[4][0] != 42 {
		t.Errorf("%v, % x", all[4].Status(), outs[4])
	}
	s.SetHold(0)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, status := getValue(h, &all[0]); status != ks.StatusDeviceNotReady {
		t.Errorf("without a queue: %v", status)
	}
	s.SetHold(1)
	_, first := getValue(h, &all[0])
	_, second := getValue(h, &all[2])
	if first != ks.StatusPending || second != ks.StatusInsufficientResources { // S-37
		t.Errorf("room for one: %v, %v", first, second)
	}
	if err := h.Close(); err != nil || all[0].Status() != ks.StatusCancelled {
		t.Errorf("a held request whose handle is closed: %v", all[0].Status())
	}
	s.Start()
	if err := s.Stop(ended); err != nil { // nothing is in flight
		t.Error(err)
	}
}

// TestAS18_CancelCounts: each request that Cancel ends is one that it returns, however soon the request is gone.
func TestAS18_CancelCounts(t *testing.T) {
	_, h := openFilter(t, version(1, 1, 1))
	const rounds = 20_000
	answers := make(chan ks.Status, rounds)
	go func() {
		defer close(answers)
		for range rounds {
			_, status := h.IoControl(ks.IoctlProperty, request(itemPend, ks.PropertyTypeGet), nil)
			answers <- status
		}
	}()
	n := 0
	for len(answers) < rounds {
		n += h.Cancel()
		runtime.Gosched()
	}
	for status := range answers {
		if status != ks.StatusCancelled {
			t.Fatal(status)
		}
	}
	if n < rounds {
		t.Errorf("%d requests were cancelled, %d are counted", rounds, n)
	}
}

// TestAS9_CancelOnTheWayToItsHandle cancels a request whose sender makes another in its place, or makes it one of another handle.
func TestAS9_CancelOnTheWayToItsHandle(t *testing.T) {
	s := newServer(t)
	h, other := openOverlapped(t, s.Device, nil), openOverlapped(t, s.Device, nil)
	var o device.Overlapped
	send := func(pinned bool) (answer chan ks.Status, thaw func()) {
		unpin := func() {}
		if pinned {
			unpin = o.Pin()
		}
		thaw, answer = h.Freeze(), make(chan ks.Status)
		go func() {
			defer unpin()
			_, status := h.IoControl(&o, ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), make([]byte, 4))
			answer <- status
		}()
		for o.Status() != ks.StatusPending {
			runtime.Gosched()
		}
		return answer, thaw
	}
	getValue(h, &o)
	answer, thaw := send(true)
	if n := h.Cancel(&o); n != 1 {
		t.Errorf("a request that is replaced: %d cancelled", n)
	}
	thaw()
	if status := <-answer; status != ks.StatusPending || o.Status() != ks.StatusCancelled {
		t.Fatalf("a request that is replaced: %v, %v", status, o.Status())
	}
	<-s.handed

	for _, pinned := range []bool{false, true} {
		getValue(other, &o)
		answer, thaw = send(pinned)
		if n := other.Cancel(&o) + other.Cancel(nil) + other.CancelThread(0); n != 0 {
			t.Errorf("a request that is sent on another handle: %d cancelled", n)
		}
		thaw()
		if status := <-answer; status != ks.StatusPending || o.Status() != ks.StatusPending {
			t.Fatalf("a request that is sent on another handle: %v, %v", status, o.Status())
		}
		if n := h.Cancel(&o); n != 1 || o.Status() != ks.StatusCancelled {
			t.Fatalf("a request that is cancelled on its handle: %d, %v", n, o.Status())
		}
		<-s.handed
	}
}

// TestAS9_CancelOnTheWay cancels a request that is on its way to be held, or from there to its handler, where nobody has it.
func TestAS9_CancelOnTheWay(t *testing.T) {
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	var o device.Overlapped
	ended := func(what string, n int) {
		t.Helper()
		if got := poll(t, port); n != 1 || o.Status() != ks.StatusCancelled || len(got) != 1 {
			t.Fatalf("%s: %d cancelled, %v, %d packets", what, n, o.Status(), len(got))
		}
	}
	send := func() chan ks.Status {
		answer := make(chan ks.Status)
		go func() {
			_, status := h.IoControl(&o, ks.IoctlProperty, request(itemQueued, ks.PropertyTypeGet), make([]byte, 4))
			answer <- status
		}()
		return answer
	}
	getValue(h, &o)
	poll(t, port)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	thaw := s.Device.Freeze()
	answer := send()
	for o.Status() != ks.StatusPending {
		runtime.Gosched()
	}
	n := h.Cancel(&o)
	thaw()
	if status := <-answer; status != ks.StatusPending {
		t.Error(status)
	}
	ended("to be held", n)
	for range 2 { // the second finds no mark of the first
		if status := <-send(); status != ks.StatusPending || o.Status() != ks.StatusPending {
			t.Fatalf("held: %v, %v", status, o.Status())
		}
		start := o.Start()
		n = h.Cancel(&o)
		start()
		<-s.handed
		ended("to its handler", n)
	}
}

// TestIoControlContext cancels a request that is cancelable, and no other.
func TestIoControlContext(t *testing.T) {
	s := newServer(t)
	h := openAgain(t, s.Device)
	in := request(itemQueued, ks.PropertyTypeGet)
	if _, status := h.IoControlContext(ended, ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusCancelled || len(s.handed) != 0 {
		t.Errorf("with a context that has ended: %v", status)
	}
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, status := h.IoControlContext(ctx, ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusCancelled {
			t.Errorf("cancelled: %v", status)
		}
		if n, status := h.IoControl(ks.IoctlProperty, request(itemValue, ks.PropertyTypeGet), make([]byte, 4)); n != 4 || status != 0 {
			t.Errorf("the next request: %v", status)
		}
	}
}

// TestS32_OneOutcome races completion, cancel, cleanup, removal, time-out and swap on one request: it has one outcome and one packet.
// KSDISPATCH_ROUNDS sets the number of rounds.
func TestS32_OneOutcome(t *testing.T) {
	rounds := 300
	if n, err := strconv.Atoi(os.Getenv("KSDISPATCH_ROUNDS")); err == nil {
		rounds = n
	}
	s := newServer(t)
	again := newServer(t)
	random := rand.New(rand.NewPCG(1, 2))
	port := device.NewPort()
	done := make([]*device.Overlapped, 2)
	var dev *device.Device
	var o device.Overlapped
	in, out := request(itemQueued, ks.PropertyTypeGet), make([]byte, 4)
	for round := range rounds {
		dev = device.New(s.Dispatcher())
		h, err := dev.OpenOverlapped(port)
		if err != nil {
			t.Fatal(err)
		}
		ctx, timeout := context.WithCancel(t.Context())
		var counted atomic.Int32
		actions := []func(){
			func() {
				if complete(<-s.handed, ks.StatusSuccess, 4) {
					counted.Add(1)
				}
			},
			func() { h.Cancel(&o) },
			func() { h.Cancel(nil) },
			func() { _ = h.Close() },
			func() { dev.Remove() },
			func() { _ = o.Wait(ctx) },
			timeout,
			func() { dev.Swap(again.Dispatcher()); dev.Swap(s.Dispatcher()) },
		}
		random.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
		before := s.cancelled.Load()
		if _, status := h.IoControl(&o, ks.IoctlProperty, in, out); status != ks.StatusPending {
			t.Fatal(round, status)
		}
		var wg sync.WaitGroup
		for _, action := range actions {
			wg.Go(action)
		}
		wg.Wait()
		cancelled := s.cancelled.Load() - before
		n, err := port.Wait(t.Context(), done)
		if n != 1 || err != nil || done[0] != &o || counted.Load()+cancelled != 1 || len(poll(t, port)) != 0 {
			t.Fatalf("round %d: %d packets, completed %d times and cancelled %d times", round, n, counted.Load(), cancelled)
		}
		if want := map[bool]ks.Status{true: ks.StatusSuccess, false: ks.StatusCancelled}[counted.Load() == 1]; o.Status() != want {
			t.Fatalf("round %d: %v, want %v", round, o.Status(), want)
		}
		timeout()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSwapUnderLoad swaps two dispatchers while goroutines send on handles of both kinds: each answer is wholly of one of the two.
func TestSwapUnderLoad(t *testing.T) {
	var tables [2]*engine.Dispatcher
	for i := range tables {
		value := produces(bytes.Repeat([]byte{byte(i + 1)}, 4)...)
		sets := []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{
			{ID: 1, MinData: 4, Get: value},
			{ID: uint32(2 + i), MinData: 4, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				irp.ItemStorage()[0]++
				return value(irp, nil, data)
			}},
			{ID: 5, MinData: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				irp.ItemStorage()[0]++
				return produces(irp.ItemStorage()[0])(irp, nil, data)
			}}}}}
		tables[i] = compile(t, engine.Config{PropertyItemSize: 80, PropertySets: sets})
	}
	dev := device.New(tables[0])
	var added, removed int
	dev.OnSwap(func(c device.Change) {
		if len(c.Added) != 1 || len(c.Removed) != 1 || len(c.Changed) != 0 || c.Added[0].ID+c.Removed[0].ID != 5 {
			t.Errorf("%+v", c)
		}
		added, removed = added+1, removed+1
	})
	h, plain := openOverlapped(t, dev, nil), openAgain(t, dev)
	counter := openAgain(t, dev)
	var stop atomic.Bool
	var wg sync.WaitGroup
	send := func(io func(in, out []byte) (uint32, ks.Status)) {
		for !stop.Load() {
			var out [4]byte
			n, status := io(request(1, ks.PropertyTypeGet), out[:])
			if n != 4 || status != ks.StatusSuccess || out != [4]byte{1, 1, 1, 1} && out != [4]byte{2, 2, 2, 2} {
				t.Errorf("%d bytes, %v, % x", n, status, out)
			}
		}
	}
	wg.Go(func() {
		var o device.Overlapped
		send(func(in, out []byte) (uint32, ks.Status) { return h.IoControl(&o, ks.IoctlProperty, in, out) })
	})
	wg.Go(func() {
		send(func(in, out []byte) (uint32, ks.Status) { return plain.IoControl(ks.IoctlProperty, in, out) })
	})
	const swaps = 200
	for i := range swaps {
		if old := dev.Swap(tables[(i+1)%2]); old != tables[i%2] {
			t.Error("Swap returns another dispatcher")
		}
		var out [1]byte
		if _, status := counter.IoControl(ks.IoctlProperty, request(5, ks.PropertyTypeGet), out[:]); status != 0 || out[0] != byte(i+1) {
			t.Fatalf("swap %d: %v, the stored value is %d", i, status, out[0])
		}
	}
	stop.Store(true)
	wg.Wait()
	if added != swaps || removed != swaps {
		t.Errorf("the listener is told %d times", added)
	}
}
