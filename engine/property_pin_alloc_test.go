//go:build !race

package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestPinsAllocateNothing: whatever is asked of a pin set, and whatever the answer is, the heap is not touched; nor is it when the
// parameters of a create are checked.
func TestPinsAllocateNothing(t *testing.T) {
	needPlainBuild(t)
	s := pins()
	s.Pins[1].Intersect = func(_ *engine.IRP, _ ks.Pin, _, ours, data []byte) (uint32, ks.Status) {
		return uint32(copy(data, ours)), ks.StatusSuccess
	}
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{s.PropertySet(), {Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			return engine.HandleSizedListQuery(irp, data, 3, 4, func(i uint32, b []byte) { b[0] = byte(i) })
		}},
		{ID: 2, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
			return s.DataIntersection(irp, request, data, func(irp *engine.IRP, _ ks.Pin, r, data []byte) ks.Status {
				irp.IoStatus.Information = uint64(copy(data, r))
				return ks.StatusSuccess
			})
		}},
	}}}})
	var requests []request
	for id := range uint32(pinProposeDataFormat + 2) {
		for pin := range uint32(4) {
			for _, out := range []int{0, 3, 4, 8, 400} {
				requests = append(requests, pinRequest(id, pin, out), aware(pinRequest(id, pin, out)))
			}
		}
	}
	offer := ranged(1, setA, anyGUID, noSpecifier, 9)
	for pin := range uint32(4) {
		for _, out := range []int{0, 3, 400} {
			q := intersection(pin, out, offer, oddRange())
			requests = append(requests, q, aware(q))
			q.set, q.id = setA, 2
			requests = append(requests, q)
		}
	}
	requests = append(requests, request{set: setA, id: 1, flags: get, out: full(20)},
		request{set: setPin, id: pinProposeDataFormat, flags: set, extra: node(1), out: ks.WaveFormat(2, 16, 48000).Bytes()})
	modes := pinHost(t, modePins())
	for id, extra := range map[uint32][]byte{pinProposeDataFormat2: ks.AttributeList(modeAttribute(modeDefault)),
		pinModeDataFormats: modeDefault[:]} {
		irp := modes.irp(request{set: setPin, id: id, flags: get, extra: join(node(1), extra), out: full(300)})
		if n := testkit.Allocs(func() { irp.Finish(modes.Property(irp), irp.UserBuffer) }); n != 0 {
			t.Errorf("item %d: Property allocates %v times", id, n)
		}
	}
	for _, q := range requests {
		irp := h.irp(q)
		in, out := irp.Type3InputBuffer, irp.UserBuffer
		if n := testkit.Allocs(func() { irp.Finish(h.Property(irp), irp.UserBuffer) }); n != 0 {
			t.Errorf("%v: Property allocates %v times", q, n)
		}
		if n := testkit.Allocs(func() { h.device.IoControl(ks.IoctlProperty, in, out) }); n != 0 {
			t.Errorf("%v: IoControl allocates %v times", q, n)
		}
	}
	c, format := connect(1, ks.WaveFormat(2, 16, 48000).Bytes())
	parameters := join(c.Bytes(), format)
	c.Interface = s.Pins[1].Interfaces[0]
	c.Medium = s.Pins[1].Mediums[0]
	for _, b := range [][]byte{parameters, join(c.Bytes(), format), parameters[:9]} {
		if n := testkit.Allocs(func() { s.ValidateConnectRequest(b) }); n != 0 {
			t.Errorf("ValidateConnectRequest allocates %v times", n)
		}
	}
	// The control: a name that is made for each request must show.
	s.Name = func(g ks.GUID) (string, ks.Status) { return g.String(), ks.StatusSuccess }
	irp := h.irp(pinRequest(pinName, 1, 400))
	if n := testkit.Allocs(func() { irp.Finish(h.Property(irp), irp.UserBuffer) }); n < 1 {
		t.Errorf("control: %v allocations", n)
	}
}
