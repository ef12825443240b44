package engine_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestS27_Indices: a PinId and a NodeId are tested before anything is indexed with them, whatever is asked.
func TestS27_Indices(t *testing.T) {
	s := pins()
	h := pinHost(t, s)
	n := uint32(len(s.Pins))
	for _, pin := range []uint32{0, n - 1, n, 0x80000000, 0xFFFFFFFF} {
		for id := pinCInstances; id <= pinProposeDataFormat; id++ {
			q := pinRequest(uint32(id), pin, 600)
			switch id {
			case pinCTypes: // of no pin
				continue
			case pinDataIntersection:
				q = intersection(pin, 600, ranged(1, setA, setA, noSpecifier, 0))
			case pinProposeDataFormat:
				q.flags, q.out = set, ranged(1, setA, setA, noSpecifier, 0)
			}
			a := h.via(viaProperty, q)
			if refused := a.status == ks.StatusInvalidParameter && a.info == 0; refused != (pin >= n) {
				t.Errorf("item %d, pin %#x: %v, Information %d", id, pin, a.status, a.info)
			}
		}
		c, format := connect(pin, ranged(1, setA, setA, noSpecifier, 0))
		if _, status := s.ValidateConnectRequest(join(c.Bytes(), format)); status != ks.StatusInvalidParameter && pin >= n {
			t.Errorf("a create of pin %#x: %v", pin, status)
		}
	}
	nodes := engine.NewNodeList(nil, nil)
	routed := newHost(t, engine.Config{Nodes: nodes})
	for _, number := range []uint32{0, 1, 2, 0x80000000, 0xFFFFFFFF} {
		q := request{set: setA, id: 1, flags: get | topology, extra: node(number), out: full(4)}
		want := ks.StatusPropsetNotFound
		if number >= 2 {
			want = ks.StatusInvalidParameter
		}
		if a := routed.via(viaProperty, q); a.status != want || (nodes.Node(number) == nil) != (number >= 2) {
			t.Errorf("node %#x: %v, want %v", number, a.status, want)
		}
	}
}

// TestS28_Lists: sizes at which a reader would loop, wrap or leave the request are refused before any callback.
func TestS28_Lists(t *testing.T) {
	h, pairs := asking(t, formats(ranged(1, anyGUID, anyGUID, anyGUID, 0)), noMatch)
	one, two := ranged(1, setA, setA, noSpecifier, 0), ranged(2, setA, setA, noSpecifier, 3)
	list := listOf(one, two, one) // 8, 64, 72, 64 bytes
	const sizeAt, countAt, second = 0, 4, 8 + 64
	for _, c := range []struct {
		at    int
		value uint32
		pairs int // -1: refused
	}{
		{second, 0, -1},
		{second, 1, -1},
		{second, 63, -1},
		{second, 64, -1}, // 64: what follows is no range
		{second, 0x7FFFFFFF, -1},
		{second, 0xFFFFFFF8, -1},
		{second, 0xFFFFFFF9, -1},
		{second, 0xFFFFFFFF, -1},
		{second, 67, 3},
		{second, 72, 3},
		{second, 73, -1},
		{second, 136, -1},
		{second, 137, -1},
		{sizeAt, 0, -1},
		{sizeAt, 7, -1},
		{sizeAt, 8, -1},
		{sizeAt, uint32(len(list)) + 1, -1},
		{sizeAt, 0xFFFFFFFF, -1},
		{sizeAt, uint32(len(list)) - 1, -1},
		{sizeAt, uint32(len(list)), 3},
		{countAt, 0, 0},
		{countAt, 1, 1},
		{countAt, 2, 2},
		{countAt, 4, -1},
		{countAt, 0x04000000, -1},
		{countAt, 0xFFFFFFFF, -1},
	} {
		changed := bytes.Clone(list)
		binary.LittleEndian.PutUint32(changed[c.at:], c.value)
		*pairs = nil
		q := request{set: setPin, id: pinDataIntersection, flags: get, extra: join(node(0), changed), out: full(64)}
		want := ks.StatusNoMatch
		if c.pairs < 0 {
			want = ks.StatusInvalidBufferSize
		}
		if a := h.via(viaProperty, q); a.status != want || len(*pairs) != max(c.pairs, 0) {
			t.Errorf("%d at %d: %v, asked %d times; want %v", c.value, c.at, a.status, len(*pairs), want)
		}
	}
	// A format that is proposed, and a count of a sized list whose product wraps.
	wild := pinHost(t, &engine.PinSet{Pins: []engine.PinDescriptor{{DataFlow: ks.DataFlowIn,
		DataRanges: formats(ranged(1, anyGUID, anyGUID, anyGUID, 0))}}})
	for _, size := range []uint32{0, 1, 63, 65, 0xFFFFFFF9, 0xFFFFFFFF} {
		q := pinRequest(pinProposeDataFormat, 0, 64)
		q.flags, q.out = set, bytes.Clone(one)
		binary.LittleEndian.PutUint32(q.out, size)
		wild.want(q, ks.StatusInvalidBufferSize, 0)
	}
}

// TestS29_NothingBehindTheOutput: whatever the output holds, a list writes nothing behind it.
func TestS29_NothingBehindTheOutput(t *testing.T) {
	s := pins()
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{s.PropertySet()}})
	if err != nil {
		t.Fatal(err)
	}
	const guard = 0xA5
	for _, id := range statics {
		need := int(0)
		for out := 0; out <= need+1; out++ {
			memory := bytes.Repeat([]byte{guard}, out+64)
			q := pinRequest(id, 1, 0)
			irp := &engine.IRP{Type3InputBuffer: q.bytes(), UserBuffer: memory[:out:out]}
			irp.InputBufferLength, irp.OutputBufferLength = uint32(len(irp.Type3InputBuffer)), uint32(out)
			status := d.Property(irp)
			n := irp.Finish(status, memory[:out:out])
			if out == 0 {
				need = int(n)
			}
			kept := out
			if !status.IsError() && out != 0 {
				kept = int(n)
			} else if status.IsError() {
				kept = 0
			}
			if kept > out || bytes.Count(memory[min(kept, out):], []byte{guard}) != len(memory)-min(kept, out) {
				t.Errorf("item %d, out %d: %v, %d bytes, memory % x", id, out, status, n, memory)
			}
		}
		if need == 0 {
			t.Errorf("item %d has no size", id)
		}
	}
}

// TestS38_Padding: gaps between ranges, and what follows the last, are zero; the padding of a KSPIN_CONNECT says nothing.
func TestS38_Padding(t *testing.T) {
	for trial := range 3 { // also where the buffer has been used before
		s := &engine.PinSet{Pins: []engine.PinDescriptor{{DataFlow: ks.DataFlowIn, DataRanges: formats(
			bytes.Repeat([]byte{0xFF}, 65), bytes.Repeat([]byte{0xFF}, 71), bytes.Repeat([]byte{0xFF}, 69))}}}
		for i, size := range []uint32{65, 71, 69} {
			binary.LittleEndian.PutUint32(s.Pins[0].DataRanges[i].Format, size)
			binary.LittleEndian.PutUint32(s.Pins[0].DataRanges[i].Format[4:], 0)
		}
		h := pinHost(t, s)
		var a answer
		for range trial + 1 {
			a = h.via(viaProperty, pinRequest(pinDataRanges, 0, 300))
		}
		at := 8
		for i, size := range []int{65, 71, 69} {
			if gap := a.out[at+size : at+(size+7)&^7]; bytes.Count(gap, []byte{0}) != len(gap) {
				t.Errorf("behind range %d: % x", i, gap)
			}
			at += (size + 7) &^ 7
		}
		if a.info != uint64(at) || a.status != ks.StatusSuccess {
			t.Errorf("%v, Information %d, want %d", a.status, a.info, at)
		}
	}
	s := connectable()
	c, format := connect(ks.CommunicationSink, ks.WaveFormat(2, 16, 48000).Bytes())
	plain := join(c.Bytes(), format)
	padded := bytes.Clone(plain)
	copy(padded[52:56], "\xff\xff\xff\xff")
	a, first := s.ValidateConnectRequest(plain)
	b, second := s.ValidateConnectRequest(padded)
	if first != ks.StatusSuccess || second != first || a.PinConnect != b.PinConnect {
		t.Errorf("%v and %v, %+v and %+v", first, second, a.PinConnect, b.PinConnect)
	}
}

// flipping is memory in which another client changes the Flags and the NodeId as soon as they have been read.
func flipping(h *host, q request) (*engine.IRP, *memory) {
	irp, m := h.inMemory(q)
	m.churn = true
	return irp, m
}

// TestAT12_TheBitIsReadOnce: the flags and the node that routed are those that the handler sees, and every byte is read once, with
// every family; without the bit no node is asked, whatever stands there.
func TestAT12_TheBitIsReadOnce(t *testing.T) {
	type seen struct {
		where string
		id    ks.Node
	}
	var calls []seen
	handler := func(where string) engine.Handler {
		return func(_ *engine.IRP, request, _ []byte) ks.Status {
			n, _ := ks.DecodeNode(append(slices.Clone(request), make([]byte, 8)...))
			calls = append(calls, seen{where, n})
			return ks.StatusSuccess
		}
	}
	table := func(where string) engine.Config {
		return engine.Config{
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: handler(where), Set: handler(where)}}}},
			MethodSets:   []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: handler(where)}}}},
		}
	}
	compile := func(c engine.Config) *engine.Dispatcher {
		d, err := engine.Compile(c)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	filter := table("filter")
	filter.Nodes = engine.NewNodeList(compile(table("node 0")), compile(table("node 1")))
	h := newHost(t, filter)
	for name, send := range map[string]func(*engine.IRP) ks.Status{"property": h.Property, "method": h.Method} {
		for flags, want := range map[uint32]string{get: "filter", get | topology: "node 1"} {
			calls = nil
			irp, m := flipping(h, request{set: setA, id: 1, flags: flags, extra: node(1), out: full(4)})
			status := send(irp)
			irp.Finish(status, nil)
			if status != ks.StatusSuccess || len(calls) != 1 || calls[0].where != want || calls[0].id.Flags != flags || calls[0].id.NodeID != 1 {
				t.Errorf("%s, flags %#x: %v, calls %+v", name, flags, status, calls)
			}
			for i, n := range m.inReads {
				if n > 1 {
					t.Errorf("%s, flags %#x: byte %d was read %d times", name, flags, i, n)
				}
			}
		}
	}
}

// TestS39_RoutingReadsOnce is AT-12 for what is refused: an unknown node is refused from one reading too.
func TestS39_RoutingReadsOnce(t *testing.T) {
	h := newHost(t, engine.Config{Nodes: engine.NewNodeList(nil),
		EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}}}}})
	for number, want := range map[uint32]ks.Status{0: ks.StatusPropsetNotFound, 1: ks.StatusInvalidParameter} {
		for name, send := range map[string]func(*engine.IRP) ks.Status{"property": h.Property, "method": h.Method,
			"event": func(irp *engine.IRP) ks.Status { return h.EnableEvent(irp, nil) }} {
			irp, m := flipping(h, request{set: setA, id: 1, flags: get | topology, extra: node(number), out: full(32)})
			if status := send(irp); status != want {
				t.Errorf("%s, node %d: %v, want %v", name, number, status, want)
			}
			for i, n := range m.inReads {
				if n > 1 {
					t.Errorf("%s, node %d: byte %d was read %d times", name, number, i, n)
				}
			}
		}
	}
}
