//go:build !race && !purego

package device_test

import (
	"encoding/binary"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var (
	sinkStatus ks.Status
	sinkBytes  []byte
)

// onStack sends a request whose buffers are arrays on the caller's stack, and stay there.
func onStack(h *device.Handle, id, flags uint32) {
	var in [24]byte
	var out [4]byte
	copy(in[:], testSet[:])
	binary.LittleEndian.PutUint32(in[16:], id)
	binary.LittleEndian.PutUint32(in[20:], flags)
	_, sinkStatus = h.IoControl(ks.IoctlProperty, in[:], out[:])
}

// onHeap is the control: its output buffer escapes.
func onHeap(h *device.Handle, id, flags uint32) {
	var in [24]byte
	var out [4]byte
	copy(in[:], testSet[:])
	binary.LittleEndian.PutUint32(in[16:], id)
	binary.LittleEndian.PutUint32(in[20:], flags)
	_, sinkStatus = h.IoControl(ks.IoctlProperty, in[:], out[:])
	sinkBytes = out[:]
}

func TestBuffersStayOnTheStack(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	set := func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }
	_, h := open(t, engine.PropertyItem{ID: 1, Get: produces(1, 2, 3, 4), Set: set, MinData: 4},
		engine.PropertyItem{ID: 2, Get: produces(1), MinData: 8}, engine.PropertyItem{ID: 3, Get: produces(1), MinProperty: 25})
	for name, c := range map[string]struct {
		id, flags uint32
		want      ks.Status
	}{
		"GET":          {1, ks.PropertyTypeGet, ks.StatusSuccess},
		"SET":          {1, ks.PropertyTypeSet, ks.StatusSuccess},
		"BASICSUPPORT": {1, ks.PropertyTypeBasicSupport, ks.StatusSuccess},
		"SETSUPPORT":   {0, ks.PropertyTypeSetSupport, ks.StatusSuccess},
		"miss":         {9, ks.PropertyTypeGet, ks.StatusNotFound},
		"too small":    {2, ks.PropertyTypeGet, ks.StatusBufferTooSmall},
		"too short":    {3, ks.PropertyTypeGet, ks.StatusInvalidBufferSize},
		"no verb":      {1, 0, ks.StatusInvalidParameter},
	} {
		if n := testkit.Allocs(func() { onStack(h, c.id, c.flags) }); n != 0 || sinkStatus != c.want {
			t.Errorf("%s: %v allocations, %v", name, n, sinkStatus)
		}
	}
	if n := testkit.Allocs(func() { onHeap(h, 1, ks.PropertyTypeGet) }); n < 1 {
		t.Errorf("control: a buffer that escapes makes %v allocations; want at least 1", n)
	}
}

// TestOverlappedAllocatesNothing: requests that are answered at once, and pended ones, of a device that was stopped and started again.
func TestOverlappedAllocatesNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	s, port := newServer(t), device.NewPort()
	h := openOverlapped(t, s.Device, port)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Start()
	at, later, set := request(itemValue, ks.PropertyTypeGet), request(itemLater, ks.PropertyTypeGet), request(itemLater, ks.PropertyTypeSet)
	all, out, done := make([]device.Overlapped, 64), make([]byte, 4), make([]*device.Overlapped, 64)
	reap := func() {
		for left := len(all); left > 0; {
			n, err := port.Wait(t.Context(), done)
			if err != nil {
				t.Fatal(err)
			}
			left -= n
		}
	}
	for name, f := range map[string]func(){
		"at once": func() {
			for i := range all {
				h.IoControl(&all[i], ks.IoctlProperty, at, out)
			}
			reap()
		},
		"pended": func() {
			for i := range all {
				h.IoControl(&all[i], ks.IoctlProperty, [][]byte{later, set}[i%2], out)
			}
			for range all {
				(<-s.handed).Complete(ks.StatusSuccess, 4)
			}
			reap()
		},
		"none": func() { h.IoControl(nil, ks.IoctlProperty, at, out) },
	} {
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := testkit.Allocs(func() { h.IoControl(&device.Overlapped{NoPacket: true}, ks.IoctlProperty, at, out) }); n < 1 {
		t.Errorf("control: a new Overlapped makes %v allocations; want at least 1", n)
	}
}

func TestObservationAllocatesNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	dev, _ := observed(t, device.ObserveConfig{SampleEvery: 2})
	h, err := dev.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for name, id := range map[string]uint32{"answered": 1, "refused": 9} {
		if n := testkit.Allocs(func() { onStack(h, id, ks.PropertyTypeGet) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := testkit.Allocs(func() { onHeap(h, 1, ks.PropertyTypeGet) }); n < 1 {
		t.Errorf("control: %v allocations", n)
	}
}

// TestSwapAllocatesNothing: dispatchers that took each other's place before do so again for the price of a pointer. A listener, who is told
// what changed, is the control.
func TestSwapAllocatesNothing(t *testing.T) {
	tables := [2]*engine.Dispatcher{compile(t, version(1, 0, 0).Config), compile(t, version(2, 0, 0).Config)}
	dev := device.New(tables[0])
	both := func() {
		dev.Swap(tables[1])
		dev.Swap(tables[0])
	}
	if n := testkit.Allocs(both); n != 0 {
		t.Errorf("two swaps take %v allocations", n)
	}
	dev.OnSwap(func(device.Change) {})
	if n := testkit.Allocs(both); n == 0 {
		t.Error("a listener is told what changed without an allocation: this test does not count")
	}
}
