package device_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

var (
	setPin        = ks.MustParseGUID("8c134960-51ad-11cf-878a-94f801c10000")
	setTopology   = ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000")
	setConnection = ks.MustParseGUID("1d58c920-ac9b-11cf-a5d6-28db04c10000")
	majorAudio    = ks.MustParseGUID("73647561-0000-0010-8000-00aa00389b71")
)

// format is a KSDATAFORMAT of that subtype, and KSDATARANGE too.
func format(sub byte) []byte {
	return ks.DataFormat{FormatSize: ks.SizeDataFormat, MajorFormat: majorAudio, SubFormat: ks.GUID{sub}, Specifier: ks.GUID{9}}.Bytes()
}

// connect asks for a pin.
func connect(pin uint32, format []byte) []byte {
	return append(ks.PinConnect{Interface: ks.InterfaceStreaming, Medium: ks.MediumDevIO, PinID: pin}.Bytes(), format...)
}

func factory(possible uint32) device.PinFactory {
	return device.PinFactory{PinDescriptor: engine.PinDescriptor{DataFlow: ks.DataFlowIn, Communication: ks.CommunicationSink,
		InstancesPossible: possible, DataRanges: []engine.DataRange{{Format: format(1)}, {Format: format(2)}}}}
}

func openFilter(t testing.TB, f device.Filter) (*device.Device, *device.Handle) {
	t.Helper()
	dev, err := device.NewFilter(f)
	if err != nil {
		t.Fatal(err)
	}
	return dev, openAgain(t, dev)
}

// ask sends a property request with what follows the identifier, and returns what it produces.
func ask(h *device.Handle, set ks.GUID, id, flags uint32, extra []byte, out []byte) ([]byte, ks.Status) {
	in := append(ks.Identifier{Set: set, ID: id, Flags: flags}.Bytes(), extra...)
	n, status := h.IoControl(ks.IoctlProperty, in, out)
	return out[:min(int(n), len(out))], status
}

func word(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func pinOrNode(n uint32) []byte { return append(word(n), 0, 0, 0, 0) }

// volume is a table whose item 1 answers a byte.
func volume(value byte) engine.Config {
	return engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{{ID: 1, Get: produces(value)}}}}}
}

// TestAT11_NodesOfAFilter: the bit TOPOLOGY selects the table of a node on the handles of filters and pins, and nothing else does.
func TestAT11_NodesOfAFilter(t *testing.T) {
	pin := factory(1)
	pin.Config = volume(30)
	dev, h := openFilter(t, device.Filter{Config: volume(10), Pins: []device.PinFactory{pin},
		Topology: &engine.Topology{Nodes: make([]ks.GUID, 3)}, Nodes: []engine.Config{volume(20), volume(21)}})
	p, status := h.CreatePin(connect(0, format(1)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	defer p.Close()
	const topology = ks.PropertyTypeGet | ks.PropertyTypeTopology
	for _, c := range []struct {
		h           *device.Handle
		flags, node uint32
		want        byte
		status      ks.Status
	}{
		{h, ks.PropertyTypeGet, 0, 10, ks.StatusSuccess},
		{h, ks.PropertyTypeGet, 99, 10, ks.StatusSuccess},
		{h, topology, 0, 20, ks.StatusSuccess},
		{h, topology, 1, 21, ks.StatusSuccess},
		{h, topology, 2, 0, ks.StatusPropsetNotFound},
		{h, topology, 3, 0, ks.StatusInvalidParameter},
		{h, topology, 0xFFFFFFFF, 0, ks.StatusInvalidParameter},
		{p, ks.PropertyTypeGet, 0, 30, ks.StatusSuccess},
		{p, topology, 1, 21, ks.StatusSuccess},
		{p, topology, 3, 0, ks.StatusInvalidParameter},
	} {
		got, status := ask(c.h, testSet, 1, c.flags, pinOrNode(c.node), make([]byte, 1))
		if status != c.status || status == ks.StatusSuccess && got[0] != c.want {
			t.Errorf("flags %#x, node %#x: % x, %v; want %d, %v", c.flags, c.node, got, status, c.want, c.status)
		}
	}
	if _, status := ask(h, testSet, 1, topology, nil, make([]byte, 1)); status != ks.StatusInvalidBufferSize {
		t.Errorf("no NodeId: %v", status)
	}
	// A method without the bit is the filter's own (AT-12).
	method := append(ks.Identifier{Set: testSet, ID: 1, Flags: ks.MethodTypeSend}.Bytes(), pinOrNode(99)...)
	if _, status := h.IoControl(ks.IoctlMethod, method, nil); status != ks.StatusPropsetNotFound {
		t.Errorf("a method without TOPOLOGY: %v", status)
	}
	own := engine.IRP{Type3InputBuffer: bytes.Clone(method), InputBufferLength: uint32(len(method))}
	own.Type3InputBuffer[23] |= byte(ks.MethodTypeTopology >> 24)
	if status := h.Dispatcher().Method(&own); status != ks.StatusInvalidParameter {
		t.Errorf("a method of node 99: %v", status)
	}
	own.Type3InputBuffer = method
	if status := h.Dispatcher().Method(&own); status != ks.StatusPropsetNotFound {
		t.Errorf("a method without TOPOLOGY behind it: %v", status)
	}
	// AT-14
	if id, err := dev.AddNode(ks.GUID{7}, ks.GUID{}, volume(23)); id != 3 || err != nil {
		t.Error(id, err)
	}
	if got, status := ask(p, testSet, 1, topology, pinOrNode(3), make([]byte, 1)); status != ks.StatusSuccess || got[0] != 23 {
		t.Errorf("a node that was added: % x, %v", got, status)
	}
	if got, _ := ask(h, setTopology, 1, ks.PropertyTypeGet, nil, make([]byte, 8)); len(got) != 8 || got[4] != 4 {
		t.Errorf("NODES: % x", got)
	}
}

// TestAT13_SetsOfFilterAndPin: each class set answers on its own kind of handle.
func TestAT13_SetsOfFilterAndPin(t *testing.T) {
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1)}})
	p, status := h.CreatePin(connect(0, format(1)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	defer p.Close()
	if _, status := ask(p, setPin, 1, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusPropsetNotFound {
		t.Error(status)
	}
	if _, status := ask(h, setConnection, 0, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusPropsetNotFound {
		t.Error(status)
	}
	if id, err := dev.AddPin(factory(1)); id != 1 || err != nil {
		t.Error(id, err)
	}
	if got, status := ask(h, setPin, 1, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusSuccess || got[0] != 2 {
		t.Errorf("CTYPES: % x, %v", got, status)
	}
}

// TestOB12_Reservation: a place is taken behind the checks of OB-6 and before the driver is asked, and given back if there is no pin.
func TestOB12_Reservation(t *testing.T) {
	asked, answer := 0, ks.StatusSuccess
	pin := factory(2)
	pin.SetFormat = func(*device.Pin, []byte, []byte, *engine.DataRange) ks.Status { asked++; return ks.StatusSuccess }
	pin.Create = func(*device.Pin, engine.ConnectRequest) ks.Status { return answer }
	pin.Config.OnPanic = func(any, []byte) {}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	createPin(t, h, connect(0, format(1)))
	for range 5 {
		answer = ks.StatusUnsuccessful
		if _, status := h.CreatePin(connect(0, format(1))); status != answer {
			t.Error(status)
		}
		if _, status := h.CreatePin(connect(0, format(9))); status != ks.StatusNoMatch {
			t.Error(status)
		}
	}
	answer = ks.StatusSuccess
	last := createPin(t, h, connect(0, format(1)))
	asked = 0
	for range 3 {
		if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidDeviceState || h.CreateRule() != "OB-12" || asked != 0 {
			t.Errorf("%v by %s, asked %d times", status, h.CreateRule(), asked)
		}
		if _, status := h.CreatePin(connect(0, format(9))); status != ks.StatusNoMatch || h.CreateRule() != "OB-6" {
			t.Errorf("%v by %s", status, h.CreateRule())
		}
	}
	_ = last.Close()
	createPin(t, h, connect(0, format(1)))
}

// TestS31_CountsUnderRaces: creators for too few places, creates that fail, panic or take their time, and handles that are closed twice at
// once. At no moment is a count above what is possible, for the driver or for a client; at the end it is 0, and every place is there.
// The rounds are a tenth where each costs ten times as much.
func TestS31_CountsUnderRaces(t *testing.T) {
	const possible, goroutines = 2, 4
	rounds := 25000
	if testing.Short() || invariants.Enabled {
		rounds = 2500
	}
	var alive atomic.Int32
	pin := factory(possible)
	pin.Create = func(*device.Pin, engine.ConnectRequest) ks.Status {
		switch rand.IntN(8) {
		case 0:
			return ks.StatusUnsuccessful
		case 1:
			panic("planted")
		case 2:
			runtime.Gosched()
		}
		if n := alive.Add(1); n > possible {
			t.Errorf("the driver has %d pins of %d", n, possible)
		}
		return ks.StatusSuccess
	}
	pin.Close = func(*device.Pin) { alive.Add(-1) }
	pin.Config.OnPanic = func(any, []byte) {}
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				p, status := h.CreatePin(connect(0, format(1)))
				switch status {
				case ks.StatusSuccess:
					if rand.IntN(8) == 0 {
						wg.Go(func() { _ = p.Close() })
					}
					_ = p.Close()
				case ks.StatusInvalidDeviceState, ks.StatusUnsuccessful, ks.StatusAccessViolation:
				default:
					t.Error(status)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	watch := openAgain(t, dev)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default: // a count below 0 would be above what is possible
			if n := instances(t, h, 0, 0); n.CurrentCount > possible || n.PossibleCount != possible {
				t.Errorf("%+v", n)
			}
			if n := instances(t, watch, 8, 0); n.CurrentCount > possible {
				t.Errorf("%+v over all", n)
			}
		}
	}
	if here, all := instances(t, h, 0, 0), instances(t, h, 8, 0); here.CurrentCount != 0 || all.CurrentCount != 0 || alive.Load() != 0 {
		t.Errorf("at the end %+v, %+v over all, the driver has %d", here, all, alive.Load())
	}
	var made []*device.Handle
	for len(made) < possible { // the places are there, and no more of them
		if p, status := h.CreatePin(connect(0, format(1))); status == ks.StatusSuccess {
			made = append(made, p)
		}
	}
	if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidDeviceState {
		t.Error(status)
	}
	for _, p := range made {
		_ = p.Close()
	}
}

// TestOB14_PinsKeepTheirFilter: the filter ends behind its last pin, once.
func TestOB14_PinsKeepTheirFilter(t *testing.T) {
	var told []string
	pin := factory(1)
	pin.Close = func(*device.Pin) { told = append(told, "pin") }
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin},
		Cleanup: func(*device.Handle) { told = append(told, "cleanup") },
		Close:   func(*device.Handle) { told = append(told, "filter") }})
	p, status := h.CreatePin(connect(0, format(1)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	_ = h.Close()
	if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidHandle {
		t.Error(status)
	}
	if _, status := ask(p, setConnection, 0, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusSuccess {
		t.Error(status)
	}
	_ = p.Close()
	if len(told) != 3 || told[0] != "cleanup" || told[1] != "pin" || told[2] != "filter" {
		t.Error(told)
	}
}

// TestOB20_States: single steps where they are wanted, jumps elsewhere; a step that fails ends the way.
func TestOB20_States(t *testing.T) {
	var steps []uint32
	refuse := uint32(99)
	for _, single := range []bool{true, false} {
		pin := factory(1)
		pin.SingleSteps = single
		pin.SetState = func(_ *device.Pin, to, _ uint32) ks.Status {
			if to == refuse {
				return ks.StatusUnsuccessful
			}
			steps = append(steps, to)
			return ks.StatusSuccess
		}
		_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
		p, status := h.CreatePin(connect(0, format(1)))
		if status != ks.StatusSuccess {
			t.Fatal(status)
		}
		set := func(to uint32) ks.Status {
			_, status := ask(p, setConnection, 0, ks.PropertyTypeSet, nil, word(to))
			return status
		}
		steps = nil
		if set(4) != ks.StatusInvalidParameter || set(ks.StateRun) != ks.StatusSuccess || set(ks.StateRun) != ks.StatusSuccess {
			t.Error("not as OB-19 says")
		}
		if want := map[bool]int{true: 3, false: 1}[single]; len(steps) != want || steps[want-1] != ks.StateRun {
			t.Errorf("steps %v", steps)
		}
		refuse = ks.StateStop
		want := map[bool]uint32{true: ks.StateAcquire, false: ks.StateRun}[single]
		if set(ks.StateStop) != ks.StatusUnsuccessful || p.Pin().State() != want {
			t.Errorf("state %d, want %d", p.Pin().State(), want)
		}
		refuse = 99
		_ = p.Close()
	}
}

// TestOB22_Formats: a format is taken by the first range that fits and whose driver does not decline, and proposals change nothing.
func TestOB22_Formats(t *testing.T) {
	pin := factory(1)
	refuse := byte(99)
	pin.SetFormat = func(_ *device.Pin, _, format []byte, _ *engine.DataRange) ks.Status {
		if format[32] == refuse {
			return ks.StatusNoMatch
		}
		return ks.StatusSuccess
	}
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	if _, status := h.CreatePin(connect(0, format(3))); status != ks.StatusNoMatch || h.CreateRule() != "OB-6" {
		t.Error(status, h.CreateRule())
	}
	refuse = 1
	if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusNoMatch || h.CreateRule() != "OB-7" {
		t.Error(status, h.CreateRule())
	}
	p, status := h.CreatePin(connect(0, format(2)))
	if status != ks.StatusSuccess {
		t.Fatal(status)
	}
	defer p.Close()
	for _, c := range []struct {
		id     uint32
		data   []byte
		status ks.Status
	}{
		{2, format(3), ks.StatusNoMatch},
		{2, format(1), ks.StatusNoMatch},
		{2, format(2)[:63], ks.StatusInvalidBufferSize},
		{4, format(1), ks.StatusSuccess},
		{4, format(3), ks.StatusNoMatch},
		{2, format(2), ks.StatusSuccess},
		{7, make([]byte, 80), ks.StatusInvalidDeviceState},
	} {
		if _, status := ask(p, setConnection, c.id, ks.PropertyTypeSet, nil, c.data); status != c.status {
			t.Errorf("item %d: %v, want %v", c.id, status, c.status)
		}
		if f := p.Pin().Format(); f[32] != 2 {
			t.Errorf("the format is % x", f)
		}
	}
	sizes := map[int]ks.Status{0: ks.StatusBufferOverflow, 63: ks.StatusBufferTooSmall, 64: ks.StatusSuccess, 99: ks.StatusSuccess}
	for out, want := range sizes {
		if _, status := ask(p, setConnection, 2, ks.PropertyTypeGet, nil, make([]byte, out)); status != want {
			t.Errorf("GET with %d bytes: %v, want %v", out, status, want)
		}
	}
}

// TestOB1_Names: classes by name, with raw parameters behind them.
func TestOB1_Names(t *testing.T) {
	_, h := openFilter(t, withNodes(volume(20)))
	name := func(class string, parameters ...byte) (b []byte) {
		for _, c := range class {
			b = append(b, byte(c), 0)
		}
		return append(b, parameters...)
	}
	for n, want := range map[int]ks.Status{65456: ks.StatusNoMatch, 65457: ks.StatusInvalidParameter} {
		if _, status := h.CreatePin(make([]byte, n)); status != want {
			t.Errorf("%d bytes of parameters: %v, want %v", n, status, want)
		}
	}
	const pin, node = `{146F1A80-4791-11D0-A5D6-28DB04C10000}\`, `{0621061a-EE75-11D0-B915-00A0C9223196}\`
	for _, c := range []struct {
		name   []byte
		status ks.Status
		rule   string
	}{
		{nil, ks.StatusObjectNameNotFound, "OB-3"},
		{name(pin)[:77], ks.StatusObjectNameNotFound, "OB-3"},
		{name(pin), ks.StatusInvalidBufferSize, "OB-6"},
		{name(pin, connect(0, format(1))...), ks.StatusSuccess, "OB-6"},
		{name(pin, make([]byte, 65460)...), ks.StatusInvalidParameter, "OB-1"},
		{name(`{53172480-4791-11D0-A5D6-28DB04C10000}\`, 0, 0, 0, 0), ks.StatusObjectNameNotFound, "OB-3"},
		{name(node, 0, 0, 0, 0, 0, 0, 0), ks.StatusInvalidBufferSize, "OB-10"},
		{name(node, 1, 0, 0, 0, 0, 0, 0, 0), ks.StatusInvalidParameter, "OB-10"},
		{name(node, 0, 0, 0, 0, 1, 0, 0, 0), ks.StatusInvalidParameter, "OB-10"},
		{name(node, 0, 0, 0, 0, 0, 0, 0, 0), ks.StatusSuccess, "OB-10"},
	} {
		made, status := h.Create(c.name)
		if status != c.status || (made != nil) != (status == ks.StatusSuccess) || h.CreateRule() != c.rule {
			t.Errorf("% x: %v by %s, want %v by %s", c.name[:min(90, len(c.name))], status, h.CreateRule(), c.status, c.rule)
		}
		if made != nil && c.rule == "OB-10" { // AT-10
			if got, status := ask(made, testSet, 1, ks.PropertyTypeGet, nil, make([]byte, 1)); status != ks.StatusSuccess || got[0] != 20 {
				t.Errorf("the node: % x, %v", got, status)
			}
		}
		if made != nil {
			_ = made.Close()
		}
	}
}

// TestOB9_DeniedToUsers: a handle in user mode creates nothing that is denied to it, one in kernel mode does.
func TestOB9_DeniedToUsers(t *testing.T) {
	denied := factory(1)
	denied.DenyUserMode = true
	for name, f := range map[string]device.Filter{
		"filter": {Pins: []device.PinFactory{factory(1)}, DenyUserMode: true}, "pin": {Pins: []device.PinFactory{denied}},
	} {
		_, h := openFilter(t, f)
		if _, status := h.CreatePin(connect(0, format(1))); status != ks.StatusInvalidDeviceRequest || h.CreateRule() != "OB-9" {
			t.Error(name, status, h.CreateRule())
		}
		h.SetMode(engine.KernelMode)
		p, status := h.CreatePin(connect(0, format(1)))
		if status != ks.StatusSuccess {
			t.Fatal(name, status)
		}
		_ = p.Close()
	}
}

// TestHandlersOfNodesSeeTheRequest: the copy of a request to a node has what was read once, whatever its verb, length and direction, and a
// panic of a node's handler is the status of its request (P-21).
func TestHandlersOfNodesSeeTheRequest(t *testing.T) {
	var request, data []byte
	see := func(irp *engine.IRP, r, d []byte) ks.Status {
		request, data = append([]byte(nil), r...), append([]byte(nil), d...)
		for i := range d {
			d[i] = byte(0x40 + i)
		}
		irp.IoStatus.Information = uint64(len(d))
		return ks.StatusSuccess
	}
	node := engine.Config{OnPanic: func(any, []byte) {},
		PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{{ID: 1, Get: see, Set: see, MinProperty: ks.SizeNode},
			{ID: 2, Get: func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusDeviceNotReady) }}}}},
		MethodSets: []engine.MethodSet{{Set: testSet, Items: []engine.MethodItem{{ID: 1, Handler: see, Flags: ks.MethodTypeWrite}}}}}
	_, h := openFilter(t, withNodes(engine.Config{}, node))
	for _, c := range []struct {
		code, flags uint32
		in          bool // the handler gets what is in the caller's buffer
		out         bool // the caller gets what the handler wrote
	}{
		{ks.IoctlProperty, ks.PropertyTypeGet, false, true},
		{ks.IoctlProperty, ks.PropertyTypeSet, true, false},
		{ks.IoctlMethod, ks.MethodTypeSend, false, true},
	} {
		for extra := range 20 {
			for length := range 20 {
				in := append(ks.Identifier{Set: testSet, ID: 1, Flags: c.flags | ks.PropertyTypeTopology}.Bytes(), pinOrNode(1)...)
				for i := range extra {
					in = append(in, byte(0x80+i))
				}
				out := make([]byte, length)
				for i := range out {
					out[i] = byte(0xC0 + i)
				}
				want, came := append([]byte(nil), out...), make([]byte, length)
				if c.in {
					copy(came, out)
				}
				if c.out {
					for i := range want {
						want[i] = byte(0x40 + i)
					}
				}
				n, status := h.IoControl(c.code, in, out)
				if status != ks.StatusSuccess || int(n) != length || !bytes.Equal(out, want) || !bytes.Equal(data, came) || !bytes.Equal(request, in) {
					t.Fatalf("code %#x, flags %#x, %d bytes more, %d out: %v, %d; the handler saw % x and % x", c.code, c.flags, extra, length,
						status, n, request, data)
				}
			}
		}
	}
	if _, status := ask(h, testSet, 2, ks.PropertyTypeGet|ks.PropertyTypeTopology, pinOrNode(1), nil); status != ks.StatusDeviceNotReady {
		t.Errorf("a panic: %v", status)
	}
}

// TestAS34_CreateRule: a create that is refused as the device is gone names that rule, and not that of the create before it.
func TestAS34_CreateRule(t *testing.T) {
	for want, end := range map[string]func(*device.Device){
		"AS-34": (*device.Device).Remove,
		"AS-35": func(d *device.Device) { _ = d.Shutdown(t.Context()) },
	} {
		d, h := openFilter(t, withNodes(volume(20), volume(21)))
		if _, status := h.CreatePin(connect(0, format(1))[:9]); status != ks.StatusInvalidBufferSize || h.CreateRule() != "OB-6" {
			t.Errorf("%v by %s", status, h.CreateRule())
		}
		end(d)
		if _, status := h.CreatePin(nil); !status.IsError() || h.CreateRule() != want {
			t.Errorf("CreatePin: %v by %s; want %s", status, h.CreateRule(), want)
		}
		if _, status := h.Create(nil); !status.IsError() || h.CreateRule() != want {
			t.Errorf("Create: %v by %s; want %s", status, h.CreateRule(), want)
		}
	}
}
