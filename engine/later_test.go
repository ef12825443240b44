package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The rules of later processing, topology and stored properties: P-50 to P-73.

// pended returns an IRP whose first handler said STATUS_PENDING.
func pended(h *host, q request, allocate bool) *engine.IRP {
	h.Helper()
	irp := h.irp(q)
	var status ks.Status
	if allocate {
		status = h.PropertyWithAllocator(irp, h.allocator)
	} else {
		status = h.Property(irp)
	}
	if status != ks.StatusPending {
		h.Fatalf("%v: %v, want STATUS_PENDING", q, status)
	}
	return irp
}

func TestP50_DispatchSpecificProperty(t *testing.T) {
	pend := answers(ks.StatusPending, 0)
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: pend, Set: pend, Support: pend, Context: "context"})
	for _, verb := range []uint32{get, set, basicSupport, unserializeRaw} {
		for _, out := range []int{0, 5} {
			for _, allocate := range []bool{false, true} {
				q := request{set: setA, id: 1, flags: verb | topology, extra: node(3), out: full(out)}
				irp := pended(h, q, allocate)
				first, allocs := h.last(t), h.pool.Stats().Allocs
				irp.Type3InputBuffer, irp.UserBuffer = nil, nil // the caller may be gone by now
				status := engine.DispatchSpecificProperty(irp, h.wrap(answers(ks.StatusNoMoreEntries, 2)))
				want := answer{status: ks.StatusNoMoreEntries, info: 2}
				second := h.last(t)
				if status != want.status || irp.IoStatus.Information != want.info || h.pool.Stats().Allocs != allocs {
					t.Errorf("%v: %v, Information %d", q, status, irp.IoStatus.Information)
				}
				if !bytes.Equal(first.request, second.request) || !bytes.Equal(first.data, second.data) || (second.data == nil) != (out == 0) ||
					second.set != setA || second.context != "context" {
					t.Errorf("%v: the second handler sees % x and % x, the first % x and % x", q, second.request, second.data, first.request, first.data)
				}
				irp.Finish(status, nil)
			}
		}
	}
	// The handler may pend again.
	irp := pended(h, request{set: setA, id: 1, flags: get}, false)
	if status := engine.DispatchSpecificProperty(irp, pend); status != ks.StatusPending {
		t.Error(status)
	}
	irp.Finish(ks.StatusSuccess, nil)
}

func TestP50_Unprepared(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusPending, 0)})
	never := func(*engine.IRP, []byte, []byte) ks.Status { t.Error("the handler was called"); return 0 }
	q := request{set: setA, id: 1, flags: get, out: full(8)}
	for name, irp := range map[string]*engine.IRP{
		"new":         {},
		"not sent":    h.irp(q),
		"forged":      {SystemBuffer: make([]byte, 64), InputBufferLength: 24, OutputBufferLength: 8},
		"forged null": {SystemBuffer: []byte{}, InputBufferLength: 0},
	} {
		if status := engine.DispatchSpecificProperty(irp, never); status != ks.StatusInvalidParameter || irp.IoStatus.Information != 0 {
			t.Errorf("%s: %v, Information %d", name, status, irp.IoStatus.Information)
		}
	}
	for name, change := range map[string]func(*engine.IRP){
		"In changed":       func(irp *engine.IRP) { irp.InputBufferLength++ },
		"Out changed":      func(irp *engine.IRP) { irp.OutputBufferLength = 1 << 31 },
		"buffer cut":       func(irp *engine.IRP) { irp.SystemBuffer = irp.SystemBuffer[:31] },
		"buffer taken":     func(irp *engine.IRP) { irp.SystemBuffer = nil },
		"finished already": func(irp *engine.IRP) { irp.Finish(ks.StatusSuccess, irp.UserBuffer) },
	} {
		irp := pended(h, q, false)
		buffer, flags := irp.SystemBuffer, irp.Flags
		change(irp)
		if status := engine.DispatchSpecificProperty(irp, never); status != ks.StatusInvalidParameter {
			t.Errorf("%s: %v", name, status)
		}
		if irp.Flags != 0 {
			irp.SystemBuffer, irp.Flags = buffer, flags
			irp.Finish(ks.StatusUnsuccessful, nil)
		}
	}
}

func TestP51_ResultChecks(t *testing.T) {
	h := oneItem(t, engine.PropertyItem{ID: 1, Get: answers(ks.StatusPending, 0), Set: answers(ks.StatusPending, 0)})
	for name, c := range map[string]struct {
		verb   uint32
		h      engine.Handler
		status ks.Status
		info   uint64
	}{
		"P-17 error":         {get, answers(ks.StatusUnsuccessful, 3), ks.StatusUnsuccessful, 0},
		"P-18":               {get, answers(ks.StatusSomeNotMapped, 3), ks.StatusNotFound, 0},
		"P-20":               {get, answers(ks.StatusSuccess, 9), ks.StatusBufferTooSmall, 0},
		"P-20, SET":          {set, answers(ks.StatusSuccess, 9), ks.StatusSuccess, 9},
		"P-21":               {get, thrower("fault"), ks.StatusAccessViolation, 0},
		"P-21, a status":     {get, thrower(ks.StatusDatatypeMisalignment), ks.StatusDatatypeMisalignment, 0},
		"success, all of it": {get, answers(ks.StatusSuccess, 8), ks.StatusSuccess, 8},
	} {
		irp := pended(h, request{set: setA, id: 1, flags: c.verb, out: full(8)}, false)
		if status := engine.DispatchSpecificProperty(irp, c.h); status != c.status || irp.IoStatus.Information != c.info {
			t.Errorf("%s: %v, Information %d; want %v, %d", name, status, irp.IoStatus.Information, c.status, c.info)
		}
		irp.Finish(c.status, irp.UserBuffer)
	}
}

var setTopology = ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000") // KSPROPSETID_Topology

// filter is a topology of two nodes; the second has a name of its own.
func filter() *engine.Topology {
	return &engine.Topology{
		Categories: []ks.GUID{setA},
		Nodes:      []ks.GUID{setA, setB},
		Connections: []ks.TopologyConnection{{FromNode: 0xFFFFFFFF, ToNode: 0, ToNodePin: 1}, {FromNode: 0, ToNode: 1},
			{FromNode: 1, ToNode: 0xFFFFFFFF}},
		NodesNames: []ks.GUID{{}, stranger},
		Name: func(g ks.GUID) (string, ks.Status) {
			switch g {
			case setA:
				return "Volume 🔊", ks.StatusSuccess
			case stranger:
				return "", ks.StatusSuccess
			}
			return "", ks.StatusNotFound
		},
	}
}

func TestP60_TopologyLists(t *testing.T) {
	f := filter()
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{f.PropertySet(setTopology)}})
	var connections []byte
	for _, c := range f.Connections {
		connections = join(connections, u32(c.FromNode), u32(c.FromNodePin), u32(c.ToNode), u32(c.ToNodePin))
	}
	for id, list := range map[uint32][]byte{0: setA[:], 1: join(setA[:], setB[:]), 2: connections} {
		want := join(u32(uint32(8+len(list))), u32(uint32(len(list)/16)), list)
		for out := range len(want) + 2 {
			q := request{set: setTopology, id: id, flags: get, out: full(out)}
			n := len(want)
			switch {
			case out == 0:
				h.want(q, ks.StatusBufferOverflow, uint64(n))
				continue
			case out == 4 || out == 8:
				n = out
			case out < n:
				h.want(q, ks.StatusBufferTooSmall, 0)
				continue
			}
			if a := h.want(q, ks.StatusSuccess, uint64(n)); !bytes.Equal(a.out[:n], want[:n]) {
				t.Errorf("%v: % x", q, a.out)
			}
		}
		h.want(request{set: setTopology, id: id, flags: set, out: full(4)}, ks.StatusNotFound, 0) // P-26
	}
	h.want(request{set: setTopology, id: 4, flags: get}, ks.StatusNotFound, 0)
	// An empty topology.
	h = newHost(t, engine.Config{PropertySets: []engine.PropertySet{new(engine.Topology).PropertySet(setTopology)}})
	for id := range uint32(3) {
		if a := h.want(request{set: setTopology, id: id, flags: get, out: full(8)}, ks.StatusSuccess, 8); !bytes.Equal(a.out,
			join(u32(8), u32(0))) {
			t.Errorf("% x", a.out)
		}
	}
}

// Topology.Property is exported as a Handler. Called directly, with its own data and an IRP that was used before, it
// answers in data, and does not look at the lengths of the earlier request.
func TestP60_DirectCallOnUsedIRP(t *testing.T) {
	f := filter()
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{f.PropertySet(setTopology)}})
	q := request{set: setTopology, id: 0, flags: get, out: full(24)}
	irp := h.irp(q)
	irp.Finish(h.Property(irp), irp.UserBuffer)
	data := make([]byte, 24)
	if status := f.Property(irp, q.bytes(), data); status != ks.StatusSuccess || !bytes.Equal(data, irp.UserBuffer) {
		t.Errorf("%v, % x", status, data)
	}
}

func utf16z(s string) (b []byte) {
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

func TestP61_TopologyNodeName(t *testing.T) {
	f := filter()
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{f.PropertySet(setTopology)}})
	name := func(id uint32, out int) request {
		return request{set: setTopology, id: 3, flags: get | topology, extra: node(id), out: full(out)}
	}
	for id, want := range []string{"Volume 🔊", ""} { // GUID_NULL in the table is no name
		b := utf16z(want)
		if a := h.want(name(uint32(id), 64), ks.StatusSuccess, uint64(len(b))); !bytes.Equal(a.out[:len(b)], b) {
			t.Errorf("node %d: % x", id, a.out)
		}
	}
	for _, id := range []uint32{2, 3, 0x80000000, 0xFFFFFFFF} {
		for _, out := range []int{0, 64} {
			h.want(name(id, out), ks.StatusInvalidParameter, 0)
		}
	}
	// A names table that is short, or missing, names by type; a failed look-up is the answer.
	f.NodesNames = f.NodesNames[:1]
	h.want(name(1, 64), ks.StatusNotFound, 0)
	f.NodesNames = nil
	h.want(name(0, 64), ks.StatusSuccess, uint64(len(utf16z("Volume 🔊"))))
	f.Name = func(ks.GUID) (string, ks.Status) { return "", ks.StatusInsufficientResources }
	h.want(name(0, 64), ks.StatusInsufficientResources, 0)
	f.Name = nil
	h.want(name(0, 64), ks.StatusNotFound, 0)
	// The request must be a KSP_NODE.
	h.want(request{set: setTopology, id: 3, flags: get, out: full(64)}, ks.StatusInvalidBufferSize, 0)
}

func TestP62_TopologyNameSizes(t *testing.T) {
	f := filter()
	h := newHost(t, engine.Config{PropertySets: []engine.PropertySet{f.PropertySet(setTopology)}})
	need := len(utf16z("Volume 🔊"))
	for out := range need + 2 {
		q := request{set: setTopology, id: 3, flags: get | topology, extra: node(0), out: full(out)}
		switch {
		case out == 0:
			h.want(q, ks.StatusBufferOverflow, uint64(need))
		case out < need:
			h.want(q, ks.StatusBufferTooSmall, 0)
		default:
			h.want(q, ks.StatusSuccess, uint64(need))
		}
	}
	// A direct call is for GET alone.
	for _, verb := range verbs {
		for id := range uint32(5) {
			irp := &engine.IRP{IoStatus: engine.IoStatus{Status: untouchedStatus}}
			status := f.Property(irp, request{set: setTopology, id: id, flags: verb, extra: node(0)}.bytes(), nil)
			switch {
			case verb != get && status != ks.StatusInvalidDeviceRequest, verb == get && id == 4 && status != ks.StatusNotFound,
				irp.IoStatus.Status != untouchedStatus:
				t.Errorf("%s of item %d: %v, IoStatus %v", ks.FormatPropertyFlags(verb), id, status, irp.IoStatus)
			}
		}
	}
	if status := f.Property(&engine.IRP{}, make([]byte, 23), nil); status != ks.StatusInvalidDeviceRequest {
		t.Errorf("a request of 23 bytes: %v", status)
	}
}

// sender returns what UnserializeObjectProperties sends with, and what has been sent.
func (o *object) sender() (func(in, out []byte) ks.Status, *[][]byte) {
	var sent [][]byte
	return func(in, out []byte) ks.Status {
		sent = append(sent, slices.Clone(in))
		_, status := o.device.IoControl(ks.IoctlProperty, in, out)
		return status
	}, &sent
}

func storedStatus(err error) (name string, status ks.Status) {
	var e *engine.StoredError
	if errors.As(err, &e) {
		return e.Name, e.Status
	}
	return "", ks.StatusSuccess
}

func TestP70_NoKeyAndNoPath(t *testing.T) {
	send := func(in, out []byte) ks.Status { t.Error("sent"); return 0 }
	for _, err := range []error{engine.UnserializeObjectProperties(nil, send), engine.UnserializeObjectPropertiesFS(nil, ".", send)} {
		if _, status := storedStatus(err); status != ks.StatusInvalidParameter {
			t.Error(err)
		}
	}
}

func TestP71_NamedValues(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4}, engine.PropertyItem{ID: 2, SerializedSize: 4})
	values := map[string][]byte{
		"b":                                      blob(setA, 1, serial{id: 1, value: u32(2)}),
		"a":                                      blob(setA, 1, serial{id: 1, value: u32(1)}),
		"{00000000-0000-0000-0000-000000000000}": blob(setA, 1, serial{id: 2, value: u32(3)}), // names say nothing
	}
	send, sent := o.sender()
	if err := engine.UnserializeObjectProperties(values, send); err != nil || len(*sent) != 3 {
		t.Fatalf("%v after %d values", err, len(*sent))
	}
	want := map[uint32][]byte{1: u32(2), 2: u32(3)} // in the order of the names
	if !maps.EqualFunc(o.values, want, bytes.Equal) {
		t.Errorf("values %v, want %v", o.values, want)
	}
	// The same from files; folders are no values.
	fsys := fstest.MapFS{}
	for name, b := range values {
		fsys["key/"+name] = &fstest.MapFile{Data: b}
	}
	fsys["key/sub/x"] = &fstest.MapFile{Data: []byte("not read")}
	clear(o.values)
	if err := engine.UnserializeObjectPropertiesFS(fsys, "key", send); err != nil || !maps.EqualFunc(o.values, want, bytes.Equal) {
		t.Errorf("%v, values %v", err, o.values)
	}
	if err := engine.UnserializeObjectPropertiesFS(fsys, "key/sub/none", send); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that is not there: %v", err)
	}
}

func TestP72_SentAsUnserializeSet(t *testing.T) {
	o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4})
	send, sent := o.sender()
	if err := engine.UnserializeObjectProperties(map[string][]byte{"v": blob(setA, 1, serial{id: 1, value: u32(1)})}, send); err != nil {
		t.Fatal(err)
	}
	if want := (request{set: setA, flags: unserializeSet}).bytes(); !bytes.Equal((*sent)[0], want) {
		t.Errorf("sent % x, want % x", (*sent)[0], want)
	}
	for n := range 20 {
		*sent = nil
		err := engine.UnserializeObjectProperties(map[string][]byte{"short": make([]byte, n)}, send)
		if name, status := storedStatus(err); status != ks.StatusInvalidParameter || name != "short" ||
			!strings.Contains(err.Error(), fmt.Sprintf("%d bytes", n)) || len(*sent) != 0 {
			t.Errorf("a value of %d bytes: %v", n, err)
		}
	}
}

func TestP73_FirstErrorEnds(t *testing.T) {
	good := func(v uint32) []byte { return blob(setA, 1, serial{id: 1, value: u32(v)}) }
	for name, c := range map[string]struct {
		bad  []byte
		want ks.Status
	}{
		"format":          {good(2)[:40], ks.StatusInvalidParameter},
		"unsupported set": {blob(stranger, 0), ks.StatusPropsetNotFound},
		"failing SET":     {blob(setA, 1, serial{id: 2, value: u32(1)}), ks.StatusNoMoreEntries},
	} {
		o := newObject(t, engine.PropertyItem{ID: 1, SerializedSize: 4},
			engine.PropertyItem{ID: 2, SerializedSize: 4, Set: answers(ks.StatusNoMoreEntries, 0)})
		send, sent := o.sender()
		err := engine.UnserializeObjectProperties(map[string][]byte{"1": good(1), "2": c.bad, "3": good(3)}, send)
		if at, status := storedStatus(err); status != c.want || at != "2" || len(*sent) != 2 || !bytes.Equal(o.values[1], u32(1)) {
			t.Errorf("%s: %v after %d values; values %v", name, err, len(*sent), o.values)
		}
	}
	o := newObject(t, engine.PropertyItem{ID: 1})
	send, _ := o.sender()
	if err := engine.UnserializeObjectProperties(map[string][]byte{}, send); err != nil {
		t.Errorf("no values: %v", err)
	}
	if err := engine.UnserializeObjectPropertiesFS(fstest.MapFS{}, ".", send); err != nil {
		t.Errorf("no files: %v", err)
	}
}
