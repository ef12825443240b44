package device_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Classes of objects that are created on others.
const (
	pinClass       = `{146F1A80-4791-11D0-A5D6-28DB04C10000}`
	nodeClass      = `{0621061A-EE75-11D0-B915-00A0C9223196}`
	clockClass     = `{53172480-4791-11D0-A5D6-28DB04C10000}`
	allocatorClass = `{642F5D00-4791-11D0-A5D6-28DB04C10000}`
)

// name is what an object is created by: text in UTF-16, and parameters as they are.
func name(text string, parameters ...byte) (b []byte) {
	for _, c := range text {
		b = append(b, byte(c), byte(c>>8))
	}
	return append(b, parameters...)
}

// createPin creates the pin, which must succeed, and closes it when the test ends.
func createPin(t testing.TB, h *device.Handle, connect []byte) *device.Handle {
	t.Helper()
	p, status := h.CreatePin(connect)
	if status != ks.StatusSuccess {
		t.Fatalf("%v by %s", status, h.CreateRule())
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// wantCreate tries to create what the name says.
func wantCreate(t *testing.T, h *device.Handle, name []byte, status ks.Status, rule string) {
	t.Helper()
	made, got := h.Create(name)
	if got != status || (made != nil) != status.IsSuccess() || h.CreateRule() != rule {
		t.Errorf("% x: %v by %s, want %v by %s", name[:min(len(name), 120)], got, h.CreateRule(), status, rule)
	}
	if made != nil {
		_ = made.Close()
	}
}

// withNodes is a filter with a pin and those nodes.
func withNodes(nodes ...engine.Config) device.Filter {
	return device.Filter{Pins: []device.PinFactory{factory(9)}, Topology: &engine.Topology{Nodes: make([]ks.GUID, len(nodes))}, Nodes: nodes}
}

// TestOB2_Parents: pins and nodes are of filters, nodes of pins too, and nothing is of a node or of a device without pins.
func TestOB2_Parents(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20), volume(21)))
	_, plain := open(t)
	p := createPin(t, h, connect(0, format(1)))
	pin := name(pinClass+`\`, connect(0, format(1))...)
	node := name(nodeClass+`\`, make([]byte, 8)...)
	n, status := h.Create(node)
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	defer n.Close()
	wantCreate(t, h, pin, ks.StatusSuccess, "OB-6")
	wantCreate(t, h, node, ks.StatusSuccess, "OB-10")
	wantCreate(t, p, node, ks.StatusSuccess, "OB-10")
	wantCreate(t, p, pin, ks.StatusObjectNameNotFound, "OB-3")
	for _, h := range []*device.Handle{n, plain} {
		wantCreate(t, h, pin, ks.StatusObjectNameNotFound, "OB-3")
		wantCreate(t, h, node, ks.StatusObjectNameNotFound, "OB-3")
	}
}

// TestOB3_LookUp: the class is all that stands before the first backslash, in letters of either case.
func TestOB3_LookUp(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20), volume(21)))
	parameters := connect(0, format(1))
	for _, text := range []string{pinClass, "{146f1a80-4791-11d0-a5d6-28db04c10000}", "{146f1A80-4791-11D0-a5D6-28db04C10000}"} {
		wantCreate(t, h, name(text+`\`, parameters...), ks.StatusSuccess, "OB-6")
		wantCreate(t, h, name(text), ks.StatusInvalidBufferSize, "OB-6") // no parameters at all
	}
	for _, text := range []string{"", `\`, `\` + pinClass, pinClass + "x", nodeClass + "x", pinClass[:37], pinClass[1:37], pinClass + "/",
		"(" + pinClass[1:],
		pinClass[:37] + ")", pinClass[:3] + "Ķ" + pinClass[4:], "{146F1A80-4791-11D0-A5D6-28DB04C10001}"} {
		wantCreate(t, h, name(text+`\`, parameters...), ks.StatusObjectNameNotFound, "OB-3")
	}
	wantCreate(t, h, append(name(pinClass), '\\'), ks.StatusObjectNameNotFound, "OB-3") // half a character
}

// TestOB4_ParametersAreCaptured: what a hook and the pin have is a copy, which the client's memory has no part in.
func TestOB4_ParametersAreCaptured(t *testing.T) {
	parameters := connect(0, format(1))
	pin := factory(1)
	var seen, fromHook []byte
	pin.SetFormat = func(_ *device.Pin, _, format []byte, _ *engine.DataRange) ks.Status {
		clear(parameters) // the client changes its memory while it is looked at
		seen = bytes.Clone(format)
		return ks.StatusSuccess
	}
	pin.Create = func(_ *device.Pin, request engine.ConnectRequest) ks.Status {
		fromHook = bytes.Clone(request.Format)
		return ks.StatusSuccess
	}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	p := createPin(t, h, parameters)
	for _, got := range [][]byte{seen, fromHook, p.Pin().Format()} {
		if !bytes.Equal(got, format(1)) {
			t.Errorf("the format is % x", got)
		}
	}
	if mine := p.Pin().Format(); &mine[0] == &p.Pin().Format()[0] {
		t.Error("Format is not a copy")
	}
}

// TestOB5_Win32: an application sees the code of Win32, by which clients tell a format that does not fit from a pin in use.
func TestOB5_Win32(t *testing.T) {
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(0), factory(1)}})
	createPin(t, h, connect(1, format(1)))
	other := connect(1, format(1))
	other[16]++ // the Id of the interface
	for _, c := range []struct {
		parameters []byte
		code       uint32
	}{{connect(1, format(9)), 1169}, {other, 1169}, {connect(1, format(1)), 22}, {connect(0, format(1)), 22}, {connect(2, format(1)), 87}} {
		if p, status := h.CreatePin(c.parameters); p != nil || status.Win32() != c.code {
			t.Errorf("%v, %d; want %d", status, status.Win32(), c.code)
		}
	}
}

// TestOB7_Formats: the driver is asked about each range that fits, before it is told of the pin, until it takes one or fails.
func TestOB7_Formats(t *testing.T) {
	twice := factory(1)
	twice.DataRanges = append(twice.DataRanges, engine.DataRange{Format: format(1)}, engine.DataRange{Format: format(3)})
	for _, c := range []struct {
		answers []ks.Status
		status  ks.Status
		calls   []string
		rule    string
	}{
		{[]ks.Status{ks.StatusSuccess}, ks.StatusSuccess, []string{"0", "create"}, "OB-6"},
		{[]ks.Status{ks.StatusNoMatch, ks.StatusSuccess}, ks.StatusSuccess, []string{"0", "2", "create"}, "OB-6"},
		{[]ks.Status{ks.StatusNoMatch, ks.StatusNoMatch}, ks.StatusNoMatch, []string{"0", "2"}, "OB-7"},
		{[]ks.Status{ks.StatusDeviceNotReady}, ks.StatusDeviceNotReady, []string{"0"}, "OB-7"},
		{[]ks.Status{ks.StatusPending}, ks.StatusInvalidDeviceRequest, []string{"0"}, "OB-7"},
	} {
		var calls []string
		pin := twice
		pin.SetFormat = func(p *device.Pin, old, f []byte, matching *engine.DataRange) ks.Status {
			if old != nil || !bytes.Equal(f, format(1)) || p.State() != ks.StateStop {
				t.Errorf("old % x, format % x, state %d", old, f, p.State())
			}
			for i := range twice.DataRanges {
				if matching == &twice.DataRanges[i] {
					calls = append(calls, string(rune('0'+i)))
				}
			}
			return c.answers[len(calls)-1]
		}
		pin.Create = func(*device.Pin, engine.ConnectRequest) ks.Status {
			calls = append(calls, "create")
			return ks.StatusSuccess
		}
		_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
		p, status := h.CreatePin(connect(0, format(1)))
		if status != c.status || h.CreateRule() != c.rule || !slices.Equal(calls, c.calls) {
			t.Errorf("%v: %v by %s, calls %v", c.answers, status, h.CreateRule(), calls)
		}
		if p != nil {
			_ = p.Close()
		}
	}
}

// source is a pin that is created to be connected to another.
func source(possible uint32) device.PinFactory {
	pin := factory(possible)
	pin.DataFlow, pin.Communication = ks.DataFlowOut, ks.CommunicationSource
	return pin
}

// connectTo is connect for a pin that is to be connected to the one of that number.
func connectTo(number uint64, pin uint32) []byte {
	return append(ks.PinConnect{Interface: ks.InterfaceStreaming, Medium: ks.MediumDevIO, PinID: pin, PinToHandle: number}.Bytes(),
		format(1)...)
}

// TestOB8_PinToHandle: what a pin is connected to is a number of the requester's for the file of a pin, is judged behind the
// format and before the instances, and stays as long as the pin.
func TestOB8_PinToHandle(t *testing.T) {
	var told []string
	sink := factory(1)
	sink.Close = func(*device.Pin) { told = append(told, "sink") }
	outlet := source(1)
	outlet.Close = func(*device.Pin) { told = append(told, "source") }
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{sink, outlet, factory(9)}})
	to := createPin(t, h, connect(0, format(1)))
	number := dev.Handles().Open(to.File(), 0, engine.UserMode)
	p, status := h.CreatePin(connectTo(number, 1))
	if status != ks.StatusSuccess || p.Pin().Connected() != to.Pin() || to.Pin().Connected() != nil {
		t.Fatal(status)
	}
	unfit := connectTo(number+4, 1)
	unfit[72+32] = 9 // SubFormat
	for _, c := range []struct {
		parameters []byte
		status     ks.Status
		rule       string
	}{
		{unfit, ks.StatusNoMatch, "OB-6"},
		{connectTo(0, 1), ks.StatusInvalidParameter, "OB-6"},
		{connectTo(number, 0), ks.StatusInvalidParameter, "OB-6"},
		{connectTo(number+4, 1), ks.StatusInvalidHandle, "OB-8"}, // though no place is left
		{connectTo(number, 1), ks.StatusInvalidDeviceState, "OB-12"},
	} {
		if _, status := h.CreatePin(c.parameters); status != c.status || h.CreateRule() != c.rule {
			t.Errorf("%v by %s, want %v by %s", status, h.CreateRule(), c.status, c.rule)
		}
	}
	_ = to.Close()
	if len(told) != 0 || p.Pin().Connected() != to.Pin() {
		t.Errorf("what is connected to has ended: %v", told)
	}
	_ = p.Close()
	if !slices.Equal(told, []string{"source", "sink"}) {
		t.Error(told)
	}
}

// TestS26_HandlesInParameters: a number is judged by what the object is and for whom it was opened, and names nothing once the pin
// is closed.
func TestS26_HandlesInParameters(t *testing.T) {
	failing := source(9)
	failing.Create = func(*device.Pin, engine.ConnectRequest) ks.Status { return ks.StatusUnsuccessful }
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(9), source(9), failing}})
	_, plain := open(t)
	p, closed, mine := createPin(t, h, connect(0, format(1))), createPin(t, h, connect(0, format(1))), createPin(t, h, connect(0, format(1)))
	user := func(object engine.Object) uint64 { return dev.Handles().Open(object, 0, engine.UserMode) }
	gone, kernel := user(p.File()), dev.Handles().Open(mine.File(), 0, engine.KernelMode)
	dev.Handles().Close(gone)
	of := user(closed.File())
	_ = closed.Close()
	forged := &engine.FileObject{Context: p, Object: p.Pin()}
	for _, c := range []struct {
		number uint64
		mode   engine.Mode
		status ks.Status
	}{
		{of, engine.UserMode, ks.StatusInvalidHandle},
		{gone, engine.UserMode, ks.StatusInvalidHandle},
		{kernel, engine.UserMode, ks.StatusInvalidHandle},
		{kernel, engine.KernelMode, ks.StatusSuccess},
		{kernel + 1, engine.KernelMode, ks.StatusInvalidHandle},
		{0xFFFF800000000000, engine.KernelMode, ks.StatusInvalidHandle},
		{0xFFFFFFFFFFFFFFFF, engine.UserMode, ks.StatusInvalidHandle},
		{user(engine.NewSyncEvent()), engine.UserMode, ks.StatusObjectTypeMismatch},
		{user(plain.File()), engine.UserMode, ks.StatusObjectTypeMismatch},
		{user(h.File()), engine.UserMode, ks.StatusObjectTypeMismatch},
		{user(forged), engine.UserMode, ks.StatusObjectTypeMismatch},
		{user(new(engine.FileObject)), engine.UserMode, ks.StatusObjectTypeMismatch},
		{user(p.File()), engine.UserMode, ks.StatusSuccess},
	} {
		h.SetMode(c.mode)
		made, status := h.CreatePin(connectTo(c.number, 1))
		if status != c.status {
			t.Errorf("%#x: %v, want %v", c.number, status, c.status)
		}
		if made != nil {
			_ = made.Close()
		}
	}
	// A create that fails keeps nothing.
	ended := false
	sink := factory(1)
	sink.Close = func(*device.Pin) { ended = true }
	id, err := dev.AddPin(sink)
	if err != nil {
		t.Fatal(err)
	}
	last := createPin(t, h, connect(id, format(1)))
	if _, status := h.CreatePin(connectTo(user(last.File()), 2)); status != ks.StatusUnsuccessful {
		t.Error(status)
	}
	if _ = last.Close(); !ended {
		t.Error("a create that failed keeps the pin that it was to be connected to")
	}
	// A file is nothing that an event can signal.
	data := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle, Object: user(h.File())}, 0)
	withEvents := device.New(compile(t, engine.Config{EventSets: []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}}))
	at := withEvents.Handles().Open(h.File(), engine.ModifyState, engine.UserMode)
	ks.EventData{NotificationType: ks.NotificationEventHandle, Object: at}.Put(data)
	if _, status := openAgain(t, withEvents).IoControl(ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data); status !=
		ks.StatusObjectTypeMismatch {
		t.Errorf("an event that signals a file: %v", status)
	}
}

// TestOB10_Nodes: a node is created by its number, without flags.
func TestOB10_Nodes(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20), volume(21)))
	p := createPin(t, h, connect(0, format(1)))
	_, bare := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1)}})
	node := func(flags, number uint32, more ...byte) []byte {
		return name(nodeClass+`\`, slices.Concat(word(flags), word(number), more)...)
	}
	for _, on := range []*device.Handle{h, p} {
		wantCreate(t, on, node(0, 0), ks.StatusSuccess, "OB-10")
		wantCreate(t, on, node(0, 1, 1, 2, 3), ks.StatusSuccess, "OB-10")
		wantCreate(t, on, node(0, 2), ks.StatusInvalidParameter, "OB-10")
		wantCreate(t, on, node(0, 0xFFFFFFFF), ks.StatusInvalidParameter, "OB-10") // all nodes
		wantCreate(t, on, node(1, 0), ks.StatusInvalidParameter, "OB-10")
		wantCreate(t, on, node(0, 0)[:78+7], ks.StatusInvalidBufferSize, "OB-10")
		wantCreate(t, on, name(nodeClass), ks.StatusInvalidBufferSize, "OB-10")
	}
	wantCreate(t, bare, node(0, 0), ks.StatusInvalidParameter, "OB-10") // no topology
}

// TestOB11_ClocksAndAllocators: no pin has them, so that there is no such class.
func TestOB11_ClocksAndAllocators(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20), volume(21)))
	p := createPin(t, h, connect(0, format(1)))
	for _, on := range []*device.Handle{h, p} {
		wantCreate(t, on, name(clockClass+`\`, make([]byte, 4)...), ks.StatusObjectNameNotFound, "OB-3")
		wantCreate(t, on, name(allocatorClass+`\`, make([]byte, 24)...), ks.StatusObjectNameNotFound, "OB-3")
	}
}

// instances asks for CINSTANCES or GLOBALCINSTANCES.
func instances(t *testing.T, h *device.Handle, id, pin uint32) ks.PinCInstances {
	t.Helper()
	got, status := ask(h, setPin, id, ks.PropertyTypeGet, pinOrNode(pin), make([]byte, 8))
	n, ok := ks.DecodePinCInstances(got)
	if status != ks.StatusSuccess || !ok {
		t.Errorf("% x, %v", got, status)
	}
	return n
}

// TestOB13_Counts: a pin with no possible instance cannot be created, one with all of them without end, and the count falls when the
// pin's Close is done.
func TestOB13_Counts(t *testing.T) {
	once := factory(1)
	var h *device.Handle
	during := map[string]uint32{}
	look := func(when string) { during[when] = instances(t, h, 0, 2).CurrentCount }
	once.Cleanup = func(*device.Pin) { look("cleanup") }
	once.Close = func(*device.Pin) { look("close") }
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(0), factory(ks.InstanceIndeterminate), once}})
	if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidDeviceState || h.CreateRule() != "OB-12" {
		t.Error(status)
	}
	for range 20 {
		createPin(t, h, connect(1, format(1)))
	}
	if n := instances(t, h, 0, 1); n.PossibleCount != ks.InstanceIndeterminate || n.CurrentCount != 20 {
		t.Errorf("%+v", n)
	}
	for range 3 {
		p := createPin(t, h, connect(2, format(1)))
		if _, status := h.CreatePin(connect(2, format(1))); status != ks.StatusInvalidDeviceState {
			t.Error(status)
		}
		_ = p.Close()
		if n := instances(t, h, 0, 2).CurrentCount; n != 0 || during["cleanup"] != 1 || during["close"] != 1 {
			t.Errorf("%d afterwards, before %v", n, during)
		}
	}
	other := openAgain(t, dev)
	createPin(t, other, connect(2, format(1)))
	if n, all := instances(t, h, 0, 2), instances(t, h, 8, 2); n.CurrentCount != 0 || all.CurrentCount != 1 { // OB-16
		t.Errorf("another instance has a pin: %+v, over all %+v", n, all)
	}
}

// TestOB15_WhileAPinIsCreated: its place is taken, nobody else has its handle, its state is STOP, and its driver is not told of that.
func TestOB15_WhileAPinIsCreated(t *testing.T) {
	pin := factory(1)
	var h *device.Handle
	answer := ks.StatusSuccess
	pin.SetState = func(_ *device.Pin, to, _ uint32) ks.Status { t.Errorf("told of state %d", to); return ks.StatusSuccess }
	pin.Create = func(p *device.Pin, _ engine.ConnectRequest) ks.Status {
		if n := instances(t, h, 0, 0); n.CurrentCount != 1 || p.State() != ks.StateStop {
			t.Errorf("%+v, state %d", n, p.State())
		}
		if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidDeviceState {
			t.Error(status)
		}
		return answer
	}
	pin.Cleanup = func(*device.Pin) { t.Error("Cleanup") }
	pin.Close = func(*device.Pin) { t.Error("Close") }
	_, h = openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	for status, want := range map[ks.Status]ks.Status{ks.StatusDeviceNotReady: ks.StatusDeviceNotReady,
		ks.StatusPending: ks.StatusInvalidDeviceRequest} { // there is nobody who could complete it
		answer = status
		if p, got := h.CreatePin(connect(0, format(1))); p != nil || got != want || h.CreateRule() != "OB-15" {
			t.Errorf("%v: %v by %s", status, got, h.CreateRule())
		}
		if n := instances(t, h, 0, 0); n.CurrentCount != 0 {
			t.Errorf("%+v after a pin that was refused", n)
		}
	}
}

// TestOB17_Close: a pin closes in whatever state it is, with its events freed before, and whole until then.
func TestOB17_Close(t *testing.T) {
	for state := range ks.StateRun + 1 {
		var dev *device.Device
		pin := factory(1)
		pin.Config.EventSets = []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}
		closed := 0
		pin.Close = func(p *device.Pin) {
			closed++
			if dev.Events().Len() != 0 || p.State() != state || !bytes.Equal(p.Format(), format(1)) || p.Filter() == nil || p.ID() != 0 {
				t.Errorf("%d events, state %d, format % x", dev.Events().Len(), p.State(), p.Format())
			}
		}
		pin.Cleanup = func(*device.Pin) {
			if dev.Events().Len() != 1 {
				t.Error("events are freed before Cleanup")
			}
		}
		dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
		p := createPin(t, h, connect(0, format(1)))
		data := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle,
			Object: dev.Handles().Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode)}, 0)
		if _, status := p.IoControl(ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		if _, status := ask(p, setConnection, 0, ks.PropertyTypeSet, nil, word(state)); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		for range 2 {
			if err := p.Close(); err != nil || closed != 1 {
				t.Errorf("%v; %d calls of Close", err, closed)
			}
		}
	}
}

// TestAT10_TableByObject: what a handle is open on decides whose sets answer.
func TestAT10_TableByObject(t *testing.T) {
	f := withNodes(volume(20), volume(21))
	f.Config, f.Pins[0].Config = volume(10), volume(30)
	_, h := openFilter(t, f)
	p := createPin(t, h, connect(0, format(1)))
	for want, on := range map[byte]*device.Handle{10: h, 30: p} {
		if got, status := ask(on, testSet, 1, ks.PropertyTypeGet, nil, make([]byte, 1)); status != ks.StatusSuccess || got[0] != want {
			t.Errorf("% x, %v; want %d", got, status, want)
		}
		for number, want := range map[uint32]byte{0: 20, 1: 21} {
			n, status := on.Create(name(nodeClass+`\`, append(word(0), word(number)...)...))
			if status != ks.StatusSuccess {
				t.Fatal(status)
			}
			defer n.Close()
			if got, status := ask(n, testSet, 1, ks.PropertyTypeGet, nil, make([]byte, 1)); status != ks.StatusSuccess || got[0] != want {
				t.Errorf("node %d: % x, %v", number, got, status)
			}
			if n.Pin() != nil {
				t.Error("a node has a pin")
			}
			for _, set := range []ks.GUID{setPin, setTopology, setConnection} {
				if _, status := ask(n, set, 1, ks.PropertyTypeGet, nil, make([]byte, 8)); status != ks.StatusPropsetNotFound {
					t.Errorf("node %d, %v: %v", number, set, status)
				}
			}
		}
	}
}

// TestAT14_LiveFilter: what is added has the next number, answers on handles that are open, and leaves a request that is in
// progress with what there was when it began.
func TestAT14_LiveFilter(t *testing.T) {
	var dev *device.Device
	f := withNodes(volume(20), volume(21))
	inside := 0
	node := func(irp *engine.IRP, _, data []byte) ks.Status {
		inside++
		if id, err := dev.AddNode(ks.GUID{7}, ks.GUID{8}, volume(22)); id != 2 || err != nil {
			t.Error(id, err)
		}
		if id, err := dev.AddPin(factory(1)); id != 1 || err != nil {
			t.Error(id, err)
		}
		data[0], irp.IoStatus.Information = 20, 1
		return ks.StatusSuccess
	}
	f.Nodes[0] = engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{{ID: 1, Get: node}}}}}
	dev, h := openFilter(t, f)
	p := createPin(t, h, connect(0, format(1)))
	const topology = ks.PropertyTypeGet | ks.PropertyTypeTopology
	if got, status := ask(h, testSet, 1, topology, pinOrNode(0), make([]byte, 1)); status != ks.StatusSuccess || got[0] != 20 || inside != 1 {
		t.Errorf("% x, %v", got, status)
	}
	for _, on := range []*device.Handle{h, p} {
		if got, status := ask(on, testSet, 1, topology, pinOrNode(2), make([]byte, 1)); status != ks.StatusSuccess || got[0] != 22 {
			t.Errorf("% x, %v", got, status)
		}
	}
	for id, want := range map[uint32]byte{1: 2, 2: 0} { // CTYPES, and the DATAFLOW of a pin that does not exist
		got, status := ask(h, setPin, id, ks.PropertyTypeGet, pinOrNode(2), make([]byte, 4))
		if want != 0 && (status != ks.StatusSuccess || got[0] != want) || want == 0 && status != ks.StatusInvalidParameter {
			t.Errorf("item %d: % x, %v", id, got, status)
		}
	}
	createPin(t, h, connect(1, format(1)))
	for _, c := range []struct {
		bare func() error
	}{
		{func() error { _, err := device.New(h.Dispatcher()).AddPin(factory(1)); return err }},
		{func() error {
			_, err := device.New(h.Dispatcher()).AddNode(ks.GUID{}, ks.GUID{}, engine.Config{})
			return err
		}},
		{func() error { _, err := dev.AddPin(device.PinFactory{Config: volumeTwice()}); return err }},
		{func() error { _, err := dev.AddNode(ks.GUID{}, ks.GUID{}, volumeTwice()); return err }},
	} {
		if c.bare() == nil {
			t.Error("no error")
		}
	}
	if id, err := dev.AddPin(factory(1)); id != 2 || err != nil { // what failed has taken no number
		t.Error(id, err)
	}
	if id, err := dev.AddNode(ks.GUID{}, ks.GUID{}, volume(1)); id != 3 || err != nil {
		t.Error(id, err)
	}
}

// volumeTwice is no table.
func volumeTwice() engine.Config {
	c := volume(1)
	c.PropertySets[0].Items = append(c.PropertySets[0].Items, c.PropertySets[0].Items[0])
	return c
}

// TestS37_Caps: there are no more pins and nodes on an instance than are allowed, and what fails or ends gives its place back.
func TestS37_Caps(t *testing.T) {
	f := withNodes(volume(20), volume(21))
	f.MaxObjects = 3
	dev, h := openFilter(t, f)
	node := name(nodeClass+`\`, make([]byte, 8)...)
	p := createPin(t, h, connect(0, format(1)))
	for range 5 {
		wantCreate(t, h, name(pinClass+`\`), ks.StatusInvalidBufferSize, "OB-6")
		wantCreate(t, p, name(nodeClass+`\`), ks.StatusInvalidBufferSize, "OB-10")
	}
	n, status := p.Create(node)
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	createPin(t, h, connect(0, format(1)))
	pin := name(pinClass+`\`, connect(0, format(1))...)
	wantCreate(t, h, pin, ks.StatusInsufficientResources, "S-37")
	wantCreate(t, p, node, ks.StatusInsufficientResources, "S-37")
	createPin(t, openAgain(t, dev), connect(0, format(1))) // of another instance
	_ = p.Close()
	wantCreate(t, h, pin, ks.StatusInsufficientResources, "S-37") // a node keeps the pin (OB-14)
	_ = n.Close()
	for range 5 {
		wantCreate(t, h, pin, ks.StatusSuccess, "OB-6")
	}
}

// TestS40_DeniedBelow: what is denied on a pin or its filter is denied on all that is created below.
func TestS40_DeniedBelow(t *testing.T) {
	node := name(nodeClass+`\`, make([]byte, 8)...)
	pin := name(pinClass+`\`, connect(0, format(1))...)
	for _, whole := range []bool{true, false} {
		f := withNodes(volume(20), volume(21))
		f.DenyUserMode = whole
		f.Pins[0].DenyUserMode = !whole
		_, h := openFilter(t, f)
		h.SetMode(engine.KernelMode)
		p := createPin(t, h, connect(0, format(1)))
		wantCreate(t, p, node, ks.StatusSuccess, "OB-10")
		p.SetMode(engine.UserMode)
		wantCreate(t, p, node, ks.StatusInvalidDeviceRequest, "OB-9")
		h.SetMode(engine.UserMode)
		wantCreate(t, h, pin, ks.StatusInvalidDeviceRequest, "OB-9")
		if whole {
			wantCreate(t, h, node, ks.StatusInvalidDeviceRequest, "OB-9")
		} else {
			wantCreate(t, h, node, ks.StatusSuccess, "OB-10")
		}
	}
}
