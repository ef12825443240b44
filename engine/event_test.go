package engine_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

const eventBasic, eventSetSupport = ks.EventTypeBasicSupport, ks.EventTypeSetSupport

// TestE1_Enable: the output buffer is read, Information is 0 whatever the Add handler makes of it, and IoStatus.Status is the
// caller's. A buffer that cannot be written does.
func TestE1_Enable(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1},
		engine.EventItem{ID: 2, Add: func(irp *engine.IRP, data []byte, e *engine.EventEntry) ks.Status {
			irp.IoStatus.Information = 99
			data[0] = 0xFF // the copy
			return irp.FileObject.Context.(*eventHost).list.Add(e)
		}})
	h.file.Context = h
	for id := range uint32(2) {
		for _, verb := range []uint32{enable, oneShot, buffered} {
			_, data := h.event()
			was := bytes.Clone(data)
			irp := h.irp(id+1, verb, 1, nil)
			m := newMemory(irp.Type3InputBuffer, data)
			m.readOnly = true
			irp.Memory, irp.Type3InputBuffer, irp.OutputBufferLength = m, nil, uint32(len(data))
			h.send(irp, h.list, ks.StatusSuccess, 0)
			if !bytes.Equal(m.out, was) || m.written != nil || len(m.probes) != 0 {
				t.Errorf("event %d: the client's KSEVENTDATA was written or probed for it", id+1)
			}
		}
	}
	h.count(6)
}

func TestE2_Lengths(t *testing.T) {
	h := newEventHostSets(t, setA, setB)
	for n := range uint32(32) {
		irp := h.irp(1, enable, 1, full(64))
		if irp.InputBufferLength = n; n == 0 {
			h.send(irp, h.list, ks.StatusSuccess, 32)
			continue
		} else if n < 24 {
			h.send(irp, h.list, ks.StatusInvalidBufferSize, 0)
		}
		if n >= 24 {
			irp = h.irp(1, enable|topology, 1, full(64))
			irp.Type3InputBuffer, irp.InputBufferLength = append(irp.Type3InputBuffer, node(0)...), n
			h.send(irp, h.list, ks.StatusInvalidBufferSize, 0)
		}
	}
	// No input at all lists the sets, with the two-call rule (P-32).
	for _, c := range []struct {
		out    int
		status ks.Status
		info   uint64
	}{{0, ks.StatusBufferOverflow, 32}, {1, ks.StatusBufferTooSmall, 0}, {31, ks.StatusBufferTooSmall, 0}, {32, 0, 32}, {33, 0, 32}} {
		irp := h.irp(0, 0, 0, full(c.out))
		irp.Type3InputBuffer, irp.InputBufferLength = nil, 0
		h.send(irp, h.list, c.status, c.info)
		want := full(c.out)
		if c.status == 0 {
			copy(want, join(setA[:], setB[:]))
		}
		if !bytes.Equal(irp.UserBuffer, want) {
			t.Errorf("out %d: % x", c.out, irp.UserBuffer)
		}
	}
}

// newEventHostSets has event 1 in each of the sets.
func newEventHostSets(t *testing.T, sets ...ks.GUID) *eventHost {
	var config engine.Config
	for _, set := range sets {
		config.EventSets = append(config.EventSets, engine.EventSet{Set: set, Items: []engine.EventItem{{ID: 1}}})
	}
	return newEventHostWith(t, config, engine.EventListConfig{})
}

func TestE2_ItemSize(t *testing.T) {
	for size, ok := range map[uint32]bool{0: true, 8: false, 32: false, 39: false, 40: true, 44: false, 48: true, 1 << 31: false} {
		items := make([]engine.EventItem, 2)
		items[1].ID = 1
		_, err := engine.Compile(engine.Config{EventItemSize: size, EventSets: []engine.EventSet{{Set: setA, Items: items}}})
		if e, is := err.(*engine.CompileError); ok != (err == nil) || !ok && (!is || e.Status != ks.StatusInvalidParameter) {
			t.Errorf("EventItemSize %d: %v", size, err)
		}
	}
}

func TestE3_Verbs(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	_, data := h.event()
	known := []uint32{enable, oneShot, buffered, eventSetSupport, eventBasic, queryBuffer}
	for bit := uint32(1); bit != 0; bit <<= 1 {
		irp := h.irp(1, bit, 1, bytes.Clone(data))
		irp.Type3InputBuffer = append(irp.Type3InputBuffer, make([]byte, 16)...)
		irp.InputBufferLength += 16
		binary.LittleEndian.PutUint64(irp.Type3InputBuffer[24:], 1)
		status := h.EnableEvent(irp, h.list)
		if ok := slices.Contains(known, bit); ok == (status == ks.StatusInvalidParameter && irp.Rule() == "E-3") {
			t.Errorf("flags %#x: %v, decided by %s", bit, status, irp.Rule())
		}
		h.finish(irp, status)
	}
	for i, a := range known {
		for _, b := range known[i+1:] {
			h.enable(1, a|b, 1, data, ks.StatusInvalidParameter)
			h.enable(1, a|b|topology, 1, data, ks.StatusInvalidBufferSize) // TOPOLOGY's length comes first (P-4)
		}
	}
	h.enable(1, 0, 1, data, ks.StatusInvalidParameter)
	h.enable(77, 3, 1, data, ks.StatusInvalidParameter) // before existence (P-23)
}

func TestE3_Support(t *testing.T) {
	var asked int
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2, Support: func(irp *engine.IRP, _, data []byte) ks.Status {
		asked++
		irp.IoStatus.Information = uint64(copy(data, "yes"))
		return ks.StatusSuccess
	}}, engine.EventItem{ID: 3, Support: answers(ks.StatusSomeNotMapped, 7)},
		engine.EventItem{ID: 4, Support: answers(ks.StatusNotSupported, 7)},
		engine.EventItem{ID: 5, Support: answers(ks.StatusSuccess, 9)})
	for _, c := range []struct {
		id     uint32
		out    int
		status ks.Status
		info   uint64
	}{
		{1, 0, 0, 0},
		{1, 8, 0, 0},
		{2, 3, 0, 3},
		{3, 8, 0, 0},
		{4, 8, ks.StatusNotSupported, 0},
		{5, 8, ks.StatusBufferTooSmall, 0},
		{9, 8, ks.StatusNotFound, 0},
	} {
		irp := h.send(h.irp(c.id, eventBasic, 0, full(c.out)), nil, c.status, c.info)
		if c.id != 2 && !bytes.Equal(irp.UserBuffer, full(c.out)) || c.id == 2 && string(irp.UserBuffer) != "yes" {
			t.Errorf("event %d: output %q", c.id, irp.UserBuffer)
		}
	}
	if asked != 1 {
		t.Errorf("the support handler was asked %d times", asked)
	}
	h.send(h.irp(1, eventSetSupport, 0, full(8)), nil, ks.StatusSuccess, 0)
	h.send(h.irp(99, eventSetSupport, 0, nil), nil, ks.StatusSuccess, 0) // the id is ignored
}

func TestE4_Lookup(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	for _, verb := range []uint32{enable, oneShot, buffered, eventBasic, queryBuffer} {
		h.send(h.irp(2, verb, 0, nil), h.list, ks.StatusNotFound, 0) // before any length
		for _, set := range []ks.GUID{stranger, {}} {
			irp := h.irp(1, verb, 0, nil)
			copy(irp.Type3InputBuffer, set[:])
			h.send(irp, h.list, ks.StatusPropsetNotFound, 0)
		}
	}
	irp := h.irp(1, eventSetSupport, 0, nil)
	copy(irp.Type3InputBuffer, stranger[:])
	h.send(irp, h.list, ks.StatusPropsetNotFound, 0)
	if n := h.pool.Stats().Live; n != 0 {
		t.Errorf("%d buffers live", n)
	}
}

func TestE5_DataInput(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 0}, engine.EventItem{ID: 31, DataInput: 31}, engine.EventItem{ID: 33, DataInput: 33},
		engine.EventItem{ID: 100, DataInput: 100})
	_, data := h.event()
	data = append(data, make([]byte, 200)...)
	for id, least := range map[uint32]int{0: 32, 31: 32, 33: 33, 100: 100} {
		h.enable(id, enable, 1, nil, ks.StatusBufferTooSmall) // no size answer: Information is 0 (E-1)
		h.enable(id, enable, 1, data[:least-1], ks.StatusBufferTooSmall)
		h.enable(id, enable, 1, data[:least], ks.StatusSuccess)
		h.enable(id, enable, 1, data[:least+1], ks.StatusSuccess)
	}
}

// TestE6_Capture: every byte is read once, the Add handler gets the copy with the parameters behind KSEVENTDATA, and the address
// is a name that nothing reads from (S-2).
func TestE6_Capture(t *testing.T) {
	var got []byte
	var h *eventHost
	h = newEventHost(t, engine.EventItem{ID: 1, DataInput: 40, Add: func(irp *engine.IRP, data []byte, e *engine.EventEntry) ks.Status {
		got = bytes.Clone(data)
		if e.EventData() != math.MaxUint64 {
			t.Errorf("the name is %#x", e.EventData())
		}
		return h.list.Add(e)
	}})
	_, data := h.event()
	data = append(data, "parameters"...)
	irp := h.irp(1, enable, math.MaxUint64, nil)
	m := newMemory(irp.Type3InputBuffer, data)
	m.churn = true
	irp.Memory, irp.Type3InputBuffer, irp.OutputBufferLength = m, nil, uint32(len(data))
	h.send(irp, h.list, ks.StatusSuccess, 0)
	if !bytes.Equal(got, data) {
		t.Errorf("the Add handler sees % x", got)
	}
	for i, n := range slices.Concat(m.inReads, m.outReads) {
		if n != 1 {
			t.Errorf("byte %d was read %d times", i, n)
		}
	}
	h.generate(1, ks.StatusSuccess)
	h.disable(math.MaxUint64, ks.StatusSuccess)
	for _, n := range m.outReads {
		if n != 1 {
			t.Fatal("KSEVENTDATA was read after the enable")
		}
	}
}

// TestE7_NotificationType and S-4: all 512 low values, from both modes, and no handle looked up for those that are refused.
func TestE7_NotificationType(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	w := engine.NewWorker()
	defer w.Close()
	objects := map[uint32]uint64{}
	for kind, o := range map[uint32]engine.Object{1: engine.NewSyncEvent(), 2: engine.NewSemaphore(9), 4: engine.NewSyncEvent(),
		8:    engine.NewSemaphore(9),
		0x10: w.NewWorkItem(func(*engine.EventEntry) {}), 0x20: w.NewWorkItem(func(*engine.EventEntry) {}),
		0x80: w.NewWorkItem(func(*engine.EventEntry) {})} {
		objects[kind] = h.open(o)
	}
	spied := &spiedHandles{Handles: &h.handles}
	h.file.Handles = spied
	for kind := range uint32(512) {
		for _, mode := range []engine.Mode{engine.UserMode, engine.KernelMode} {
			data := make([]byte, 32)
			ks.EventData{NotificationType: kind, Object: objects[kind]}.Put(data)
			if kind == 2 || kind == 8 {
				binary.LittleEndian.PutUint32(data[20:], 1)
			}
			irp := h.irp(1, enable, uint64(kind), data)
			irp.RequestorMode = mode
			want := ks.StatusInvalidParameter
			if objects[kind] != 0 && (mode == engine.KernelMode || kind <= 2) {
				want = ks.StatusSuccess
			}
			before := spied.asked
			h.send(irp, h.list, want, 0)
			if asked := spied.asked - before; want != 0 && asked != 0 {
				t.Errorf("type %#x from %v: refused after %d look-ups", kind, mode, asked)
			}
		}
	}
	h.count(9)
}

type spiedHandles struct {
	engine.Handles
	asked  int
	mode   engine.Mode
	access uint32
}

func (s *spiedHandles) Resolve(handle uint64, want engine.ObjectType, access uint32, mode engine.Mode) (engine.Object, ks.Status) {
	s.asked++
	s.mode, s.access = mode, access
	return s.Handles.Resolve(handle, want, access, mode)
}

func TestE8_Handles(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	e, s := engine.NewSyncEvent(), engine.NewSemaphore(9)
	good, semaphore := h.open(e), h.open(s)
	weak := h.handles.Open(e, 1, engine.UserMode)
	kernels := h.handles.Open(e, engine.ModifyState, engine.KernelMode)
	closed := h.open(e)
	h.handles.Close(closed)
	for _, c := range []struct {
		name   string
		data   ks.EventData
		mode   engine.Mode
		status ks.Status
	}{
		{"none", ks.EventData{NotificationType: 1}, engine.UserMode, ks.StatusInvalidHandle},
		{"stranger", ks.EventData{NotificationType: 1, Object: 4000}, engine.UserMode, ks.StatusInvalidHandle},
		{"not a multiple of 4", ks.EventData{NotificationType: 1, Object: good + 1}, engine.UserMode, ks.StatusInvalidHandle},
		{"closed", ks.EventData{NotificationType: 1, Object: closed}, engine.UserMode, ks.StatusInvalidHandle},
		{"semaphore as event", ks.EventData{NotificationType: 1, Object: semaphore}, engine.UserMode, ks.StatusObjectTypeMismatch},
		{"event as semaphore", ks.EventData{NotificationType: 2, Object: good, Adjustment: 1}, engine.UserMode, ks.StatusObjectTypeMismatch},
		{"no access", ks.EventData{NotificationType: 1, Object: weak}, engine.UserMode, ks.StatusAccessDenied},
		{"no access needed", ks.EventData{NotificationType: 1, Object: weak}, engine.KernelMode, ks.StatusSuccess},
		{"the kernel's", ks.EventData{NotificationType: 1, Object: kernels}, engine.UserMode, ks.StatusInvalidHandle},
		{"the kernel's own", ks.EventData{NotificationType: 1, Object: kernels}, engine.KernelMode, ks.StatusSuccess},
		{"reserved 1", ks.EventData{NotificationType: 1, Object: good, Increment: 1}, engine.UserMode, ks.StatusInvalidParameter},
		{"reserved 2", ks.EventData{NotificationType: 1, Object: good, Adjustment: 1}, engine.UserMode, ks.StatusInvalidParameter},
		{"reserved 3", ks.EventData{NotificationType: 1, Object: good, Reserved: 1 << 63}, engine.UserMode, ks.StatusInvalidParameter},
		{"both", ks.EventData{NotificationType: 2, Object: semaphore, Increment: 1, Adjustment: 1}, engine.UserMode, ks.StatusInvalidParameter},
		{"beyond its arm", ks.EventData{NotificationType: 2, Object: semaphore, Adjustment: 1, Reserved: 1}, engine.UserMode, ks.StatusSuccess},
		{"adjustment 0", ks.EventData{NotificationType: 2, Object: semaphore}, engine.UserMode, ks.StatusInvalidParameter},
		{"adjustment -1", ks.EventData{NotificationType: 2, Object: semaphore, Adjustment: -1}, engine.UserMode, ks.StatusInvalidParameter},
		{"adjustment", ks.EventData{NotificationType: 2, Object: semaphore, Adjustment: math.MaxInt32}, engine.UserMode, ks.StatusSuccess},
		{"object", ks.EventData{NotificationType: 4, Object: good, Increment: 5}, engine.KernelMode, ks.StatusSuccess},
		{"object reserved", ks.EventData{NotificationType: 4, Object: good, Reserved: 1}, engine.KernelMode, ks.StatusInvalidParameter},
		{"event", ks.EventData{NotificationType: 1, Object: good}, engine.UserMode, ks.StatusSuccess},
	} {
		before := engine.ReferencesOf(e) + engine.ReferencesOf(s)
		data := make([]byte, 32)
		c.data.Put(data)
		irp := h.irp(1, enable, 1, data)
		irp.RequestorMode = c.mode
		if h.send(irp, h.list, c.status, 0); t.Failed() {
			t.Fatal(c.name)
		}
		after := engine.ReferencesOf(e) + engine.ReferencesOf(s)
		if want := c.status == ks.StatusSuccess; after-before == 1 != want {
			t.Errorf("%s: %d references more", c.name, after-before)
		}
	}
	h.file.Handles = nil
	h.enable(1, enable, 1, eventData(1, good), ks.StatusInvalidHandle)
}

func TestE9_Entry(t *testing.T) {
	var entries []*engine.EventEntry
	h := newEventHost(t)
	add := func(irp *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
		entries = append(entries, e)
		if n := len(e.Extra()); n != int(e.Item().ExtraEntryData) || !bytes.Equal(e.Extra(), make([]byte, n)) {
			t.Errorf("extra bytes % x", e.Extra())
		}
		copy(e.Extra(), full(100)) // for who has the memory next
		if e.FileObject() != irp.FileObject || e.Set().Set != setA || e.EventData() != 0x77 {
			t.Errorf("entry of %p, %v, %#x", e.FileObject(), e.Set().Set, e.EventData())
		}
		return h.list.Add(e)
	}
	items := []engine.EventItem{{ID: 1, Add: add}, {ID: 2, ExtraEntryData: 100, Add: add, Context: "two"}}
	h.Dispatcher = compiled(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: items}}})
	for range 3 {
		for verb, flags := range map[uint32]uint32{enable: 0, oneShot: ks.EventEntryOneShot, buffered: ks.EventEntryBuffered} {
			for id := range uint32(2) {
				e := engine.NewSyncEvent()
				data := make([]byte, 32)
				ks.EventData{NotificationType: ks.NotificationEventObject, Object: h.open(e), Increment: -3}.Put(data)
				irp := h.irp(id+1, verb, 0x77, data)
				irp.RequestorMode = engine.KernelMode
				h.send(irp, h.list, ks.StatusSuccess, 0)
				got := entries[len(entries)-1]
				if got.Flags() != flags || got.Notification() != ks.NotificationEventObject || got.Increment() != -3 || got.Item().ID != id+1 {
					t.Errorf("flags %d, notification %d, increment %d, item %d", got.Flags(), got.Notification(), got.Increment(), got.Item().ID)
				}
				h.references(e, 2)
			}
		}
		h.list.Free(&h.file)
	}
	if len(entries) != 18 {
		t.Errorf("%d entries", len(entries))
	}
	if _, err := engine.Compile(engine.Config{EventSets: []engine.EventSet{{Set: setA,
		Items: []engine.EventItem{{ExtraEntryData: math.MaxUint32}}}}}); err == nil {
		t.Error("ExtraEntryData of 4 GiB compiles (S-5)")
	}
}

func compiled(t *testing.T, config engine.Config) *engine.Dispatcher {
	t.Helper()
	if config.OnPanic == nil {
		config.OnPanic = func(any, []byte) {}
	}
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestE10_Slots: slot 0 holds the entry of an enable, before the Add handler, and the set of a basic support query; slot 3 the
// item where items are extended. S-7: neither is taken for the other, nor for a property.
func TestE10_Slots(t *testing.T) {
	for _, size := range []uint32{0, 48} {
		var h *eventHost
		check := func(irp *engine.IRP, entry *engine.EventEntry) {
			if irp.EventEntry() != entry || (irp.EventSet() != nil) != (entry == nil) || (irp.EventItem() != nil) != (size != 0) ||
				irp.PropertySet() != nil || irp.PropertyItem() != nil || irp.ItemContext() != "context" ||
				len(irp.ItemStorage()) != int(max(size, 40)-40) {
				t.Errorf("size %d: entry %v, set %v, item %v, property set %v, storage %d", size, irp.EventEntry(), irp.EventSet(), irp.EventItem(),
					irp.PropertySet(), len(irp.ItemStorage()))
			}
		}
		h = newEventHostWith(t, engine.Config{EventItemSize: size,
			EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, Context: "context",
				Add: func(irp *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
					check(irp, e)
					return h.list.Add(e)
				},
				Support: func(irp *engine.IRP, _, _ []byte) ks.Status {
					check(irp, nil)
					return ks.StatusSuccess
				}}}}},
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
				if irp.EventEntry() != nil || irp.EventSet() != nil || irp.EventItem() != nil || irp.PropertySet() == nil {
					t.Error("a property has slots of an event")
				}
				return ks.StatusSuccess
			}}}}}}, engine.EventListConfig{})
		_, data := h.event()
		irp := h.irp(1, enable, 1, data)
		h.send(irp, h.list, ks.StatusSuccess, 0)
		h.finish(irp, h.Property(irp)) // the same bytes are a GET
		binary.LittleEndian.PutUint32(irp.Type3InputBuffer[20:], eventBasic)
		h.send(irp, h.list, ks.StatusSuccess, 0)
		// P-50 is for properties: on a request of another family it has nothing to call.
		binary.LittleEndian.PutUint32(irp.Type3InputBuffer[20:], enable)
		status := h.EnableEvent(irp, h.list)
		if s := engine.DispatchSpecificProperty(irp, accepts); s != ks.StatusInvalidParameter {
			t.Errorf("DispatchSpecificProperty of an enable: %v", s)
		}
		h.finish(irp, status)
		if fresh := new(engine.IRP); fresh.EventEntry() != nil || fresh.EventSet() != nil || fresh.EventItem() != nil {
			t.Error("an IRP that was never dispatched has slots")
		}
	}
}

// TestE11_AddHandler: whatever an Add handler does, the entry is enabled or gone, and the list of the request is the engine's
// business only where there is no handler.
func TestE11_AddHandler(t *testing.T) {
	var do func(irp *engine.IRP, e *engine.EventEntry) ks.Status
	h := newEventHost(t, engine.EventItem{ID: 1, Add: func(irp *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status { return do(irp, e) },
		ExtraEntryData: 8})
	e, data := h.event()
	for _, list := range []*engine.EventList{nil, h.list} {
		do = func(_ *engine.IRP, e *engine.EventEntry) ks.Status { return h.list.Add(e) }
		h.send(h.irp(1, enable, 1, data), list, ks.StatusSuccess, 0)
		h.count(1)
		h.references(e, 2)
		h.disable(1, ks.StatusSuccess)
		for name, c := range map[string]struct {
			do     func(irp *engine.IRP, e *engine.EventEntry) ks.Status
			status ks.Status
		}{
			"error":           {func(*engine.IRP, *engine.EventEntry) ks.Status { return ks.StatusDeviceBusy }, ks.StatusDeviceBusy},
			"warning":         {func(*engine.IRP, *engine.EventEntry) ks.Status { return ks.StatusBufferOverflow }, ks.StatusBufferOverflow},
			"SOME_NOT_MAPPED": {func(*engine.IRP, *engine.EventEntry) ks.Status { return ks.StatusSomeNotMapped }, ks.StatusNotFound},
			"status thrown":   {func(*engine.IRP, *engine.EventEntry) ks.Status { panic(ks.StatusNoSuchDevice) }, ks.StatusNoSuchDevice},
			"panic":           {func(*engine.IRP, *engine.EventEntry) ks.Status { panic("add") }, ks.StatusAccessViolation},
			"error after Add": {func(_ *engine.IRP, e *engine.EventEntry) ks.Status {
				h.list.Add(e)
				return ks.StatusUnsuccessful
			}, ks.StatusUnsuccessful},
			"panic after Add": {func(_ *engine.IRP, e *engine.EventEntry) ks.Status { h.list.Add(e); panic("add") }, ks.StatusAccessViolation},
			"discarded already": {func(_ *engine.IRP, e *engine.EventEntry) ks.Status {
				engine.DiscardEvent(e)
				return ks.StatusUnsuccessful
			}, ks.StatusUnsuccessful},
		} {
			do = c.do
			irp := h.send(h.irp(1, enable, 1, data), list, c.status, 0)
			if irp.EventEntry() != nil {
				t.Errorf("%s: slot 0 still holds the entry", name)
			}
			h.count(0)
			h.references(e, 1)
			if h.balanced(); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// TestE11_Pending: the entry of a pended enable is the driver's, who enables it later, or discards it.
func TestE11_Pending(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1, Add: func(*engine.IRP, []byte, *engine.EventEntry) ks.Status { return ks.StatusPending }})
	e, data := h.event()
	for _, later := range []ks.Status{ks.StatusSuccess, ks.StatusUnsuccessful} {
		irp := h.irp(1, enable, 1, data)
		told := false
		irp.Completion = func(*engine.IRP) { told = true }
		if status := h.EnableEvent(irp, h.list); status != ks.StatusPending || irp.EventEntry() == nil || len(irp.SystemBuffer) == 0 {
			t.Fatal(status, irp.EventEntry(), len(irp.SystemBuffer))
		}
		h.references(e, 2)
		if later == ks.StatusSuccess {
			h.list.Add(irp.EventEntry())
		} else {
			engine.DiscardEvent(irp.EventEntry())
			engine.DiscardEvent(irp.EventEntry()) // twice is harmless
		}
		irp.Complete(later, 0)
		h.finish(irp, later)
		if !told {
			t.Error("the owner was not told")
		}
		h.generate(1, ks.StatusSuccess)
		h.signalled(e, later == ks.StatusSuccess)
		h.list.Free(&h.file)
		h.references(e, 1)
	}
}

// TestE12_NoAddHandler: an event without an Add handler is put at the end of the list, without which it cannot be enabled.
func TestE12_NoAddHandler(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	e, data := h.event()
	h.enable(1, enable, 0x1000, data, ks.StatusSuccess)
	h.count(1)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, true)
	h.send(h.irp(1, enable, 0x2000, data), nil, ks.StatusInvalidParameter, 0)
	h.disable(0x1000, ks.StatusSuccess)
	h.count(0)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, false)
	h.disable(0x1000, ks.StatusUnsuccessful)
	order := []uint64{5, 3, 9, 3}
	for _, address := range order {
		h.enable(1, enable, address, data, ks.StatusSuccess)
	}
	var got []uint64
	h.list.GenerateData(nil, 1, nil, func(e *engine.EventEntry) bool { got = append(got, e.EventData()); return true })
	if !slices.Equal(got, order) {
		t.Errorf("the list is %v, want %v", got, order)
	}
}

// TestE14_Allocator: enables and QUERYBUFFER get their buffer from it, the former without and the latter with data going out;
// support queries from the pool.
func TestE14_Allocator(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1, DataInput: 37})
	_, data := h.event()
	data = append(data, make([]byte, 5)...)
	for _, c := range []struct {
		flags uint32
		size  uint32 // 0: not asked
		input bool
		want  ks.Status
	}{
		{enable, 40 + 40, false, 0},
		{oneShot, 80, false, 0},
		{buffered, 80, false, 0},
		{queryBuffer, 80, true, ks.StatusNotFound},
		{eventBasic, 0, false, 0},
		{eventSetSupport, 0, false, 0},
	} {
		irp := h.irp(1, c.flags, 1, data)
		irp.Type3InputBuffer = append(irp.Type3InputBuffer, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		irp.InputBufferLength = 40
		var calls []allocation
		status := h.EnableEventWithAllocator(irp, h.list, func(irp *engine.IRP, size uint32, input bool) ks.Status {
			calls = append(calls, allocation{size, input})
			irp.SystemBuffer = full(int(size))
			irp.IoStatus.Information = 5
			return ks.StatusSuccess
		})
		if status != c.want || irp.IoStatus.Information != 0 {
			t.Errorf("flags %#x: %v, Information %d", c.flags, status, irp.IoStatus.Information)
		}
		if c.size != 0 {
			if len(calls) != 1 || calls[0] != (allocation{c.size, c.input}) || irp.Flags != 0 {
				t.Errorf("flags %#x: asked for %v; IRP flags %#x", c.flags, calls, irp.Flags)
			}
			irp.SystemBuffer = nil
			irp.Finish(status, nil)
			continue
		}
		if len(calls) != 0 || irp.Flags&engine.DeallocateBuffer == 0 {
			t.Errorf("flags %#x: asked for %v; IRP flags %#x", c.flags, calls, irp.Flags)
		}
		irp.Finish(status, irp.UserBuffer)
	}
	irp := h.irp(1, enable, 1, data)
	status := h.EnableEventWithAllocator(irp, h.list, func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusNoMemory })
	if status != ks.StatusNoMemory || irp.SystemBuffer != nil {
		t.Error(status)
	}
	status = h.EnableEventWithAllocator(irp, h.list, func(*engine.IRP, uint32, bool) ks.Status { panic("allocator") })
	if status != ks.StatusAccessViolation || h.panics != 1 {
		t.Error(status, h.panics)
	}
}
