package device_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The items of a version.
const (
	itemVersion = iota + 1 // 4 bytes: the number of the version
	itemCount              // a byte of its storage, which each request increments
	itemPend               // pended, and cancelable
	itemOnly               // of versions with an even number
)

// version declares a filter with that many pins and nodes, all of whose objects have the items of a version.
func version(number uint32, pins, nodes int) device.Filter {
	sets := func() engine.Config {
		items := []engine.PropertyItem{
			{ID: itemVersion, MinData: 4, Get: produces(word(number)...)},
			{ID: itemCount, MinData: 1, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
				irp.ItemStorage()[0]++
				return produces(irp.ItemStorage()[0])(irp, request, data)
			}},
			{ID: itemPend, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
				irp.SetCancelRoutine(func(irp *engine.IRP) { irp.Complete(ks.StatusCancelled, 0) })
				return ks.StatusPending
			}},
		}
		if number%2 == 0 {
			items = append(items, engine.PropertyItem{ID: itemOnly, Get: produces(1)})
		}
		return engine.Config{PropertyItemSize: 80, PropertySets: []engine.PropertySet{{Set: testSet, Items: items}},
			EventSets: []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}}
	}
	f := device.Filter{Config: sets(), Topology: &engine.Topology{Nodes: make([]ks.GUID, nodes)}}
	for range pins {
		pin := factory(4)
		pin.Config = sets()
		f.Pins = append(f.Pins, pin)
	}
	for range nodes {
		f.Nodes = append(f.Nodes, sets())
	}
	return f
}

// versionOf asks an object for its version.
func versionOf(t testing.TB, h *device.Handle) uint32 {
	t.Helper()
	got, status := ask(h, testSet, itemVersion, ks.PropertyTypeGet, nil, make([]byte, 4))
	if status != ks.StatusSuccess {
		t.Fatalf("the version: %v", status)
	}
	return binary.LittleEndian.Uint32(got)
}

func swapFilter(t testing.TB, dev *device.Device, f device.Filter) {
	t.Helper()
	if err := dev.SwapFilter(f); err != nil {
		t.Fatal(err)
	}
}

func openNode(t testing.TB, h *device.Handle, node uint32) *device.Handle {
	t.Helper()
	n, status := h.Create(name("{0621061a-ee75-11d0-b915-00a0c9223196}\\", append(word(0), word(node)...)...))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// TestSwapFilter: what is open follows with its sets, pins and topology, keeps its state, its events and what is stored, and ends with the
// hooks that it began with.
func TestSwapFilter(t *testing.T) {
	var hooks []string
	with := func(number uint32, pins, nodes int) device.Filter {
		f := version(number, pins, nodes)
		hook := func(what string) { hooks = append(hooks, fmt.Sprint(what, number)) }
		f.Close = func(*device.Handle) { hook("filter closed ") }
		for i := range f.Pins {
			f.Pins[i].SetState = func(*device.Pin, uint32, uint32) ks.Status { hook("state "); return ks.StatusSuccess }
			f.Pins[i].Close = func(*device.Pin) { hook("pin closed ") }
		}
		return f
	}
	dev, h := openFilter(t, with(1, 2, 2))
	pin, node := createPin(t, h, connect(1, format(2))), openNode(t, h, 1)
	objects := []*device.Handle{h, pin, node}
	event, data := newEvent(dev)
	control(t, pin, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusSuccess)
	counted := func(want byte) {
		t.Helper()
		for i, h := range objects {
			if got, status := ask(h, testSet, itemCount, ks.PropertyTypeGet, nil, make([]byte, 1)); status != 0 || got[0] != want {
				t.Errorf("object %d: the stored value is % x, %v; want %d", i, got, status, want)
			}
		}
	}
	set := func(state uint32) {
		t.Helper()
		if _, status := ask(pin, setConnection, 0, ks.PropertyTypeSet, nil, word(state)); status != ks.StatusSuccess {
			t.Error(status)
		}
	}
	counted(1)
	set(ks.StateRun)
	var told device.Change
	dev.OnSwap(func(c device.Change) { told = c })
	swapFilter(t, dev, with(2, 3, 2))

	for i, h := range objects {
		if v := versionOf(t, h); v != 2 {
			t.Errorf("object %d is of version %d", i, v)
		}
	}
	counted(2)
	if p := pin.Pin(); p.State() != ks.StateRun || string(p.Format()) != string(format(2)) {
		t.Error("the pin has lost its state or its format")
	}
	set(ks.StateStop)
	if dev.Events().Generate(&testSet, 1); !event.TryWait() {
		t.Error("the event is not enabled any more")
	}
	control(t, pin, ks.IoctlDisableEvent, data, nil, ks.StatusSuccess)
	if got, status := ask(h, setPin, 1, ks.PropertyTypeGet, nil, make([]byte, 4)); status != 0 || got[0] != 3 {
		t.Errorf("CTYPES is % x, %v", got, status)
	}
	if n := instances(t, h, 0, 1); n.CurrentCount != 1 {
		t.Errorf("there are %d pins", n.CurrentCount)
	}
	another := createPin(t, h, connect(2, format(1)))
	if v := versionOf(t, another); v != 2 {
		t.Errorf("a new pin is of version %d", v)
	}
	only := func(items []engine.ItemInfo) bool {
		return len(items) == 1 && items[0].ID == itemOnly && items[0].Set == testSet
	}
	if !only(told.Added) || len(told.Changed)+len(told.Removed) != 0 || len(told.Nodes) != 2 || len(told.Pins) != 3 {
		t.Fatalf("the listener is told %+v", told)
	}
	for i, c := range told.Pins {
		if c.ID != uint32(i) || !c.Is || c.Was != (i < 2) || c.Was && !only(c.Added) || !c.Was && len(c.Added) < 4 {
			t.Errorf("pin %d: the listener is told %+v", i, c)
		}
	}
	own := compile(t, version(7, 0, 0).Config)
	if dev.Swap(own); versionOf(t, h) != 7 || versionOf(t, pin) != 2 {
		t.Error("Swap replaces the sets of the filter itself")
	}
	for _, h := range []*device.Handle{node, pin, another, h} {
		_ = h.Close()
	}
	if want := "[state 1 state 2 pin closed 1 pin closed 2 filter closed 1]"; fmt.Sprint(hooks) != want {
		t.Errorf("%v, want %v", hooks, want)
	}
}

// TestSwapFilter_Gone: pins and nodes that the new filter does not have are as if they were unplugged, for ever.
func TestSwapFilter_Gone(t *testing.T) {
	dev, h := openFilter(t, version(1, 2, 2))
	pin, node := createPin(t, h, connect(1, format(1))), openNode(t, h, 1)
	port := device.NewPort()
	many, err := pin.Overlapped(port)
	if err != nil {
		t.Fatal(err)
	}
	var o, later device.Overlapped
	if _, status := many.IoControl(&o, ks.IoctlProperty, request(itemPend, ks.PropertyTypeGet), nil); status != ks.StatusPending {
		t.Fatal(status)
	}
	pended := make(chan ks.Status)
	go func() {
		_, status := node.IoControl(ks.IoctlProperty, request(itemPend, ks.PropertyTypeGet), nil)
		pended <- status
	}()
	for node.Cancel() == 0 { // until it is there
	}
	if status := <-pended; status != ks.StatusCancelled {
		t.Error(status)
	}
	swapFilter(t, dev, version(2, 1, 1))
	if got := poll(t, port); len(got) != 1 || o.Status() != ks.StatusCancelled {
		t.Errorf("%d packets, %v", len(got), o.Status())
	}
	in := request(itemVersion, ks.PropertyTypeGet)
	gone := func() {
		t.Helper()
		for i, h := range []*device.Handle{pin, node} {
			for _, code := range []uint32{ks.IoctlProperty, ks.IoctlMethod, ks.IoctlEnableEvent, 0} {
				if n, status := h.IoControl(code, in, make([]byte, 4)); n != 0 || status != ks.StatusDeviceRemoved {
					t.Errorf("object %d, code %#x: %v", i, code, status)
				}
			}
		}
		if _, status := getValue(many, &later); status != ks.StatusDeviceRemoved {
			t.Errorf("overlapped: %v", status)
		}
		batch := []engine.BatchRequest{{In: in, Out: make([]byte, 4)}}
		if pin.PropertyBatch(batch); batch[0].Status != ks.StatusDeviceRemoved {
			t.Errorf("batch: %v", batch[0].Status)
		}
		if _, status := pin.Create(name("{0621061a-ee75-11d0-b915-00a0c9223196}\\", make([]byte, 8)...)); status != ks.StatusDeviceRemoved {
			t.Errorf("a node of a pin that is gone: %v", status)
		}
	}
	gone()
	if _, status := h.CreatePin(connect(1, format(1))); status != ks.StatusInvalidParameter {
		t.Errorf("a pin that there is not: %v", status)
	}
	swapFilter(t, dev, version(3, 2, 2))
	gone()
	if v := versionOf(t, createPin(t, h, connect(1, format(1)))); v != 3 {
		t.Errorf("a new pin is of version %d", v)
	}
	if n := instances(t, h, 0, 1); n.CurrentCount != 2 {
		t.Errorf("there are %d pins; one that is gone is open", n.CurrentCount)
	}
	if err := dev.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	gone()
	dev.Start()
	gone()
	for _, h := range []*device.Handle{pin, node} {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if _, status := h.IoControl(ks.IoctlProperty, in, make([]byte, 4)); status != ks.StatusInvalidHandle {
			t.Error(status)
		}
	}
	if n := instances(t, h, 0, 1); n.CurrentCount != 1 {
		t.Errorf("there are %d pins", n.CurrentCount)
	}
}

// TestSwapFilter_Refused: a filter that is misdeclared, or that a device without pins and nodes is to become, changes nothing.
func TestSwapFilter_Refused(t *testing.T) {
	dev, h := openFilter(t, version(1, 1, 1))
	told := 0
	dev.OnSwap(func(device.Change) { told++ })
	bad := version(2, 1, 1)
	bad.Pins[0].DataFlow = 99
	if err := dev.SwapFilter(bad); err == nil || versionOf(t, h) != 1 || told != 0 {
		t.Errorf("%v, told %d times", err, told)
	}
	if err := device.New(h.Dispatcher()).SwapFilter(version(2, 1, 1)); err == nil {
		t.Error("a device that is no filter became one")
	}
}

// TestSwapFilter_AtOneMoment: whoever has seen a version through one handle sees none before it through any other, while a device with
// requests on all its objects is swapped.
func TestSwapFilter_AtOneMoment(t *testing.T) {
	dev, h := openFilter(t, version(1, 1, 1))
	const swaps, readers = 100, 2
	var wg sync.WaitGroup
	for range readers {
		own := openAgain(t, dev)
		objects := []*device.Handle{own, createPin(t, own, connect(0, format(1))), openNode(t, own, 0)}
		many, err := objects[1].Overlapped(nil)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			var o device.Overlapped
			for last, i := uint32(0), 0; last < swaps; i++ {
				out := make([]byte, 4)
				if i%4 == 3 {
					many.IoControl(&o, ks.IoctlProperty, request(itemVersion, ks.PropertyTypeGet), out)
				} else {
					ask(objects[i%4], testSet, itemVersion, ks.PropertyTypeGet, nil, out)
				}
				v := binary.LittleEndian.Uint32(out)
				if v < last {
					t.Errorf("version %d after version %d", v, last)
					return
				}
				last = v
			}
		})
	}
	for number := uint32(2); number <= swaps; number++ {
		swapFilter(t, dev, version(number, 1, 1))
	}
	wg.Wait()
	if v := versionOf(t, h); v != swaps {
		t.Errorf("version %d at the end", v)
	}
}

// TestOnSwap_Changes: the listener is told each item once, of all families, as it is now or, removed, as it was.
func TestOnSwap_Changes(t *testing.T) {
	none := func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }
	property := func(id, least uint32) engine.PropertyItem {
		return engine.PropertyItem{ID: id, MinData: least, Get: none}
	}
	config := func(method uint32, properties ...engine.PropertyItem) engine.Config {
		return engine.Config{
			PropertySets: []engine.PropertySet{{Set: testSet, Items: properties}},
			MethodSets:   []engine.MethodSet{{Set: testSet, Items: []engine.MethodItem{{ID: 1, Handler: none, MinData: method}}}},
			EventSets:    []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}},
		}
	}
	dev := device.New(compile(t, config(4, property(1, 4), property(2, 4), property(3, 4))))
	var told device.Change
	dev.OnSwap(func(c device.Change) { told = c })
	dev.Swap(compile(t, config(8, property(3, 8), property(2, 4), property(4, 4))))
	text := func(items []engine.ItemInfo) (s string) {
		for _, it := range items {
			s += fmt.Sprintf("%#x %d %d; ", it.Code, it.ID, it.MinData)
		}
		return s
	}
	added, removed := fmt.Sprintf("%#x 4 4; ", ks.IoctlProperty), fmt.Sprintf("%#x 1 4; ", ks.IoctlProperty)
	changed := fmt.Sprintf("%#x 3 8; %#x 1 8; ", ks.IoctlProperty, ks.IoctlMethod)
	if text(told.Added) != added || text(told.Removed) != removed || text(told.Changed) != changed || told.Pins != nil || told.Nodes != nil {
		t.Errorf("told %+v", told)
	}
}

// TestSwapAtARate swaps two ready dispatchers of 20 sets with 12 items 1,000 times a second while as many goroutines as there are
// processors send without a pause. No request is lost, or answered by a mixture: the two differ in how long their values are. It tells what
// share of the requests get through of those that get through without swaps. Slices with and without take turns, so that what else the
// machine does meets both. KSDISPATCH_SOAK sets for how long there are swaps.
//
// Those who send also swap when it is time. A goroutine of its own would wait for one of them to have had its 10 ms, and swap at 50 to
// 100 Hz, whatever a swap costs.
func TestSwapAtARate(t *testing.T) {
	const sets, items = 20, 12
	tables := [2]*engine.Dispatcher{}
	for i := range tables {
		value := bytes.Repeat([]byte{byte(i + 1)}, 4*(i+1))
		c := engine.Config{PropertyItemSize: 80}
		for set := range sets {
			declared := engine.PropertySet{Set: ks.GUID{byte(set + 1)}}
			for id := range uint32(items) {
				declared.Items = append(declared.Items, engine.PropertyItem{ID: id, MinData: uint32(len(value)), Get: produces(value...)})
			}
			c.PropertySets = append(c.PropertySets, declared)
		}
		tables[i] = compile(t, c)
	}
	dev := device.New(tables[0])
	handles := make([]*device.Handle, runtime.GOMAXPROCS(0))
	for i := range handles {
		handles[i] = openAgain(t, dev)
	}
	in := make([][]byte, 256)
	for i := range in {
		in[i] = ks.Identifier{Set: ks.GUID{byte(rand.IntN(sets) + 1)}, ID: rand.Uint32N(items), Flags: ks.PropertyTypeGet}.Bytes()
	}
	slice, pairs := 10*time.Millisecond, 4
	if d, err := time.ParseDuration(os.Getenv("KSDISPATCH_SOAK")); err == nil {
		slice = 100 * time.Millisecond
		pairs = max(int(d/slice), 1)
	}
	var swaps atomic.Int64
	send := func(h *device.Handle, start time.Time, first int64, swapping bool) (n int) {
		for out := make([]byte, 8); ; {
			for i := range in {
				clear(out)
				size, status := h.IoControl(ks.IoctlProperty, in[i], out)
				switch v := binary.LittleEndian.Uint64(out); {
				case status == ks.StatusSuccess && (size == 4 && v == 0x01010101 || size == 8 && v == 0x0202020202020202):
				default:
					t.Errorf("%d bytes, %v, % x", size, status, out)
					return n
				}
			}
			n += len(in)
			passed, done := time.Since(start), swaps.Load()
			if swapping && done-first < passed.Milliseconds() && swaps.CompareAndSwap(done, done+1) {
				dev.Swap(tables[(done+1)%2])
			}
			if passed > slice {
				return n
			}
		}
	}
	var shares []float64
	for pair := range pairs {
		var requests [2]atomic.Int64 // without and with swaps
		for half := range 2 {
			with, start, first := (pair+half)%2, time.Now(), swaps.Load()
			var wg sync.WaitGroup
			for _, h := range handles {
				wg.Go(func() { requests[with].Add(int64(send(h, start, first, with == 1))) })
			}
			wg.Wait()
		}
		shares = append(shares, float64(requests[1].Load())/float64(requests[0].Load()))
	}
	if swaps.Load() == 0 {
		t.Error("nothing was swapped")
	}
	slices.Sort(shares)
	t.Logf("%d swaps in %v; of %d pairs of slices the share with swaps is %.3f, quartiles %.3f and %.3f, least %.3f", swaps.Load(),
		time.Duration(pairs)*slice, pairs, shares[pairs/2], shares[pairs/4], shares[pairs*3/4], shares[0])
}
