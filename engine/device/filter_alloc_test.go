//go:build !race && !purego

package device_test

import (
	"bytes"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestFiltersAllocateNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1)}})
	p, status := h.CreatePin(connect(0, format(1)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	defer p.Close()
	out := make([]byte, 200)
	pin := ks.Pin{Identifier: ks.Identifier{Set: setPin, Flags: ks.PropertyTypeGet}}
	for _, id := range []uint32{0, 1, 2, 3} { // CINSTANCES, CTYPES, DATAFLOW, DATARANGES
		pin.ID = id
		in := pin.Bytes()
		if n := testkit.Allocs(func() { _, sinkStatus = h.IoControl(ks.IoctlProperty, in, out) }); n != 0 || sinkStatus != ks.StatusSuccess {
			t.Errorf("item %d: %v allocations, %v", id, n, sinkStatus)
		}
	}
	run, stop := word(ks.StateRun), word(ks.StateStop)
	in := ks.Identifier{Set: setConnection, Flags: ks.PropertyTypeSet}.Bytes()
	if n := testkit.Allocs(func() {
		p.IoControl(ks.IoctlProperty, in, run)
		_, sinkStatus = p.IoControl(ks.IoctlProperty, in, stop)
	}); n != 0 || sinkStatus != ks.StatusSuccess {
		t.Errorf("states: %v allocations, %v", n, sinkStatus)
	}
	if n := testkit.Allocs(func() { sinkBytes = p.Pin().Format() }); n < 1 {
		t.Errorf("control: a copy of the format makes %v allocations", n)
	}
}

func TestControlCodesAllocateNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	keeps := false
	h := openControl(t, func(irp *engine.IRP, _ uint32, _, out []byte) ks.Status {
		if keeps {
			sinkBytes = bytes.Clone(out)
		}
		irp.IoStatus.Information = uint64(len(out))
		return ks.StatusSuccess
	})
	send := func(method uint32) float64 {
		return testkit.Allocs(func() {
			var in [8]byte
			var out [200]byte
			_, sinkStatus = h.IoControl(code(method), in[:], out[:])
		})
	}
	for method := range uint32(4) {
		if n := send(method); n != 0 || sinkStatus != ks.StatusSuccess {
			t.Errorf("method %d: %v allocations, %v", method, n, sinkStatus)
		}
	}
	if keeps = true; send(ks.MethodNeither) < 1 {
		t.Error("control: a handler that keeps a copy makes no allocation")
	}
}
