package device_test

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What every rule means through a device is tested in package engine, whose tests send each request on this path too.
// Here is what only a device does.

var testSet = ks.MustParseGUID("11111111-2222-3333-4455-66778899aabb")

// request returns a KSPROPERTY and what follows it.
func request(id, flags uint32, extra ...byte) []byte {
	b := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: testSet, ID: id, Flags: flags}.Put(b)
	return append(b, extra...)
}

func compile(t testing.TB, config engine.Config) *engine.Dispatcher {
	t.Helper()
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// open compiles the items of testSet and opens a handle of a device with them.
func open(t testing.TB, items ...engine.PropertyItem) (*device.Device, *device.Handle) {
	t.Helper()
	dev := device.New(compile(t, engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: items}}}))
	return dev, openAgain(t, dev)
}

func openAgain(t testing.TB, dev *device.Device) *device.Handle {
	t.Helper()
	h, err := dev.Open()
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

// produces returns a GET handler with a fixed value.
func produces(value ...byte) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(copy(data, value))
		return ks.StatusSuccess
	}
}

func TestIoControlCodes(t *testing.T) {
	_, h := open(t, engine.PropertyItem{ID: 1, Get: produces(7)})
	out := []byte{0xEE}
	for _, code := range []uint32{0, 0x2F0013, 0xFFFFFFFF} {
		if n, status := h.IoControl(code, request(1, ks.PropertyTypeGet), out); n != 0 || status != ks.StatusInvalidDeviceRequest ||
			out[0] != 0xEE {
			t.Errorf("code %#x: %d bytes, %v", code, n, status)
		}
	}
	if n, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), out); n != 1 || status != ks.StatusSuccess || out[0] != 7 {
		t.Errorf("IOCTL_KS_PROPERTY: %d bytes, %v, output % x", n, status, out)
	}
	if n, status := h.IoControl(ks.IoctlProperty, nil, nil); n != 0 || status != ks.StatusInvalidBufferSize {
		t.Errorf("nothing: %d bytes, %v", n, status)
	}
}

func TestClose(t *testing.T) {
	dev, h := open(t, engine.PropertyItem{ID: 1, Get: produces(7)})
	other := openAgain(t, dev)
	for range 2 { // twice is harmless
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if n, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 1)); n != 0 ||
			status != ks.StatusInvalidHandle {
			t.Errorf("on a closed handle: %d bytes, %v", n, status)
		}
	}
	if n, status := other.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 1)); n != 1 || status != ks.StatusSuccess {
		t.Errorf("on another handle of the device: %d bytes, %v", n, status)
	}
}

func TestHandlesAreFiles(t *testing.T) {
	var file *engine.FileObject
	var mode engine.Mode
	dev, a := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		file, mode = irp.FileObject, irp.RequestorMode
		return ks.StatusSuccess
	}})
	b := openAgain(t, dev)
	if a.File() == b.File() {
		t.Error("two handles share a file object")
	}
	for _, h := range []*device.Handle{a, b} {
		for _, m := range []engine.Mode{engine.UserMode, engine.KernelMode, engine.UserMode} {
			if m != mode || h != a { // a handle starts in user mode without being told
				h.SetMode(m)
			}
			h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil)
			if file != h.File() || mode != m {
				t.Errorf("the handler sees file %p in mode %v, want %p, %v", file, mode, h.File(), m)
			}
		}
	}
}

// IoControl waits for a pended request, and the next request on the handle starts afresh.
func TestPendedRequest(t *testing.T) {
	requests := make(chan *engine.IRP)
	defer close(requests)
	go func() {
		for irp := range requests {
			irp.Complete(ks.StatusSuccess, uint64(copy(irp.SystemBuffer, "later")))
		}
	}()
	_, h := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		requests <- irp
		return ks.StatusPending
	}}, engine.PropertyItem{ID: 2, Get: produces(9)})
	for range 200 {
		out := make([]byte, 8)
		if n, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), out); n != 5 || status != 0 || string(out[:n]) != "later" {
			t.Fatalf("pended: %d bytes, %v, %q", n, status, out)
		}
		if n, status := h.IoControl(ks.IoctlProperty, request(2, ks.PropertyTypeGet), out); n != 1 || status != 0 || out[0] != 9 {
			t.Fatalf("after it: %d bytes, %v", n, status)
		}
	}
}

// One dispatcher, many handles on many goroutines, mixed verbs: handles share nothing that a request writes.
func TestManyHandles(t *testing.T) {
	var total atomic.Uint32
	count := func(irp *engine.IRP, _, data []byte) ks.Status {
		total.Add(1)
		irp.IoStatus.Information = uint64(copy(data, irp.FileObject.Context.([]byte)))
		return ks.StatusSuccess
	}
	set := func(irp *engine.IRP, _, data []byte) ks.Status {
		total.Add(1)
		if !bytes.Equal(data, irp.FileObject.Context.([]byte)) {
			t.Errorf("the data of another handle: % x", data)
		}
		return ks.StatusSuccess
	}
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: count, Set: set, SerializedSize: 4, Values: &engine.PropertyValues{},
		Relations: make([]ks.Identifier, 2)},
		engine.PropertyItem{ID: 2, Support: count}, engine.PropertyItem{ID: 3, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			go func() { irp.Complete(ks.StatusSuccess, uint64(copy(data, irp.FileObject.Context.([]byte)))) }()
			return ks.StatusPending
		}})
	const goroutines, rounds = 8, 100
	var wg sync.WaitGroup
	for g := range goroutines {
		h := openAgain(t, dev)
		wg.Go(func() {
			mine := bytes.Repeat([]byte{byte(g + 1)}, 4)
			h.File().Context = mine
			blob := make([]byte, 56)
			check := func(id, flags uint32, out []byte, n uint32, want []byte) {
				if got, status := h.IoControl(ks.IoctlProperty, request(id, flags), out); got != n || status != ks.StatusSuccess ||
					!bytes.HasSuffix(out[:got], want) {
					t.Errorf("item %d %s: %d bytes, %v, % x", id, ks.FormatPropertyFlags(flags), got, status, out)
				}
			}
			for range rounds {
				check(1, ks.PropertyTypeGet, make([]byte, 4), 4, mine)
				check(1, ks.PropertyTypeSet, mine, 0, nil)
				check(1, ks.PropertyTypeBasicSupport, make([]byte, 40), 40, nil)
				check(1, ks.PropertyTypeRelations, make([]byte, 56), 56, nil)
				check(1, ks.PropertyTypeSerializeSet, blob, 56, mine)
				check(1, ks.PropertyTypeUnserializeSet, blob, 0, nil)
				check(2, ks.PropertyTypeBasicSupport, make([]byte, 4), 4, mine)
				check(3, ks.PropertyTypeGet, make([]byte, 4), 4, mine)
			}
		})
	}
	if wg.Wait(); total.Load() != goroutines*rounds*5 {
		t.Errorf("%d handler calls, want %d", total.Load(), goroutines*rounds*5)
	}
}

// TestLargeBuffersAreReleased: a handle that served one large request does not go on holding its memory, on either way
// that a buffer takes.
func TestLargeBuffersAreReleased(t *testing.T) {
	const size = 48 << 20
	held := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	item := engine.PropertyItem{ID: 1, Get: produces(1), Support: produces(1)}
	for name, flags := range map[string]uint32{"allocator": ks.PropertyTypeGet, "pool": ks.PropertyTypeBasicSupport} {
		_, h := open(t, item)
		before := held()
		out := make([]byte, size)
		if n, status := h.IoControl(ks.IoctlProperty, request(1, flags), out); n != 1 || status != ks.StatusSuccess {
			t.Fatal(name, n, status)
		}
		if grown := int64(held()) - int64(before); grown < size/2 { // the control: out itself is noticed
			t.Fatalf("%s: %d bytes more with the output in use", name, grown)
		}
		runtime.KeepAlive(out)
		if grown := int64(held()) - int64(before); grown > size/4 {
			t.Errorf("%s: %d bytes are held", name, grown)
		}
		runtime.KeepAlive(h)
	}
}

// TestPendingIsNoResult: whoever completes a request with STATUS_PENDING has not completed it, is told so, and may complete it yet
// (AS-2).
func TestPendingIsNoResult(t *testing.T) {
	counted := make(chan bool, 2)
	_, h := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		go func() {
			counted <- irp.Complete(ks.StatusPending, 4)
			counted <- irp.Complete(ks.StatusUnsuccessful, 4)
		}()
		return ks.StatusPending
	}})
	if n, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4)); n != 0 || status != ks.StatusUnsuccessful {
		t.Error(n, status)
	}
	if <-counted || !<-counted {
		t.Error("STATUS_PENDING completed the request, or kept it from being completed")
	}
}

// A device's arenas keep to its Limit: what does not fit is refused before the handler, and the rest goes on.
func TestSetArena(t *testing.T) {
	dev, plain := open(t, engine.PropertyItem{ID: 1, Get: produces(1)})
	dev.SetArena(arena.Config{ChunkSize: 4096, Limit: 8192, OffHeap: offHeap()})
	bounded := openAgain(t, dev)
	large := make([]byte, 1<<20)
	if n, status := plain.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), large); n != 1 || status != ks.StatusSuccess {
		t.Errorf("without a limit: %d bytes, %v", n, status)
	}
	for range 3 {
		if n, status := bounded.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), large); n != 0 ||
			status != ks.StatusInsufficientResources {
			t.Errorf("1 MiB in an arena of 8 KiB: %d bytes, %v", n, status)
		}
		if n, status := bounded.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), large[:64]); n != 1 ||
			status != ks.StatusSuccess {
			t.Errorf("64 bytes in it: %d bytes, %v", n, status)
		}
	}
}

func TestRuleIsThatOfTheLastRequest(t *testing.T) {
	_, h := open(t, engine.PropertyItem{ID: 1, Get: produces(1, 2, 3, 4), MinData: 4})
	for _, c := range []struct {
		id   uint32
		out  int
		rule string
	}{{1, 4, "P-17"}, {1, 0, "P-28"}, {9, 4, "P-24"}} {
		in := make([]byte, ks.SizeIdentifier)
		ks.Identifier{Set: testSet, ID: c.id, Flags: ks.PropertyTypeGet}.Put(in)
		_, status := h.IoControl(ks.IoctlProperty, in, make([]byte, c.out))
		if h.Rule() != c.rule {
			t.Errorf("item %d, %d bytes: %v by %s, want %s", c.id, c.out, status, h.Rule(), c.rule)
		}
	}
}

// offHeap reports whether arenas can be off the heap here: purego builds have none.
func offHeap() bool {
	a, err := arena.New(arena.Config{OffHeap: true})
	if err != nil {
		return false
	}
	return a.Close() == nil
}
