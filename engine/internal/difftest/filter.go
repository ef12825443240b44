package difftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// FilterCase is a filter, and what is done with it in order.
type FilterCase struct {
	Filter model.Filter // as it is declared; Run does not change it
	Steps  []FilterStep
}

// FilterStep is something that is done with an open handle, or with the filter.
type FilterStep struct {
	Kind    string        // see filterRun.step
	On      string        // what kind of handle, "open" for any of these, or "" for closed ones too
	Handle  uint32        // which one of those, modulo their number
	Name    []byte        // of a create
	Request model.Request // of a property
	Code    uint32
	In      []byte
	Kernel  bool
	Pin     model.FilterPin // to add
	Node    []model.Entry
}

var (
	filterSets    = []ks.GUID{{0xA1}, {0xA2}, ks.MustParseGUID("8c134960-51ad-11cf-878a-94f801c10000"), setOfTopology, setOfConnection}
	setOfTopology = ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000")

	setOfConnection = ks.MustParseGUID("1d58c920-ac9b-11cf-a5d6-28db04c10000")
)

// GenerateFilter makes a case.
func GenerateFilter(r *rand.Rand) (c FilterCase) {
	c.Filter = model.Filter{Own: randomEntries(r), DenyUserMode: r.IntN(16) == 0, Name: pinName,
		MaxObjects: pick(r, []int{1000, 1000, 1000, 4})}
	if r.IntN(8) != 0 {
		c.Filter.Pins = []model.FilterPin{}
		for range r.IntN(4) {
			c.Filter.Pins = append(c.Filter.Pins, randomFilterPin(r))
		}
	}
	if r.IntN(8) != 0 {
		c.Filter.Topology = &model.Topology{Categories: make([]ks.GUID, r.IntN(3))}
		for range r.IntN(4) {
			c.Filter.Topology.Nodes = append(c.Filter.Topology.Nodes, pick(r, pinGUIDs))
			c.Filter.Nodes = append(c.Filter.Nodes, randomEntries(r))
		}
		for range r.IntN(3) {
			c.Filter.Topology.Connections = append(c.Filter.Topology.Connections, [16]byte(randomBytes(r, 16)))
		}
	}
	for range 60 {
		c.Steps = append(c.Steps, randomStep(r))
	}
	return c
}

// randomEntries are grouped by set, as a table has them.
func randomEntries(r *rand.Rand) (list []model.Entry) {
	for _, set := range filterSets {
		if r.IntN(3) == 0 {
			for _, id := range r.Perm(5)[:1+r.IntN(3)] {
				list = append(list, model.Entry{Set: set, ID: uint32(id), Value: byte(r.Uint32())})
			}
		}
	}
	return list
}

func randomFilterPin(r *rand.Rand) model.FilterPin {
	pin := GeneratePins(r).Pins.Pins
	for len(pin) == 0 {
		pin = GeneratePins(r).Pins.Pins
	}
	p := pin[0]
	p.FailsInstances = 0
	p.Possible = pick(r, []uint32{0, 1, 1, 2, 2, 0xFFFFFFFF})
	if r.IntN(2) == 0 { // one that takes much
		p.Interfaces, p.Mediums, p.Communication = nil, nil, pick(r, []uint32{ks.CommunicationSink, ks.CommunicationBoth})
		p.Ranges = append(p.Ranges, ks.DataFormat{FormatSize: 64, SampleSize: 7}.Bytes())
	}
	return model.FilterPin{Pin: p, Own: randomEntries(r), SingleSteps: r.IntN(2) == 0, FixedFormat: r.IntN(4) == 0,
		DenyUserMode: r.IntN(8) == 0, LeastSample: pick(r, []uint32{0, 0, 50}), RefusedState: r.Uint32N(6),
		FailsCreate: pick(r, []ks.Status{0, 0, 0, ks.StatusDeviceNotReady}), Streams: r.IntN(2) == 0, RefusesToBeReset: r.IntN(4) == 0}
}

func randomStep(r *rand.Rand) FilterStep {
	s := FilterStep{On: pick(r, []string{"open", "open", "open", ""}), Handle: r.Uint32(), Kernel: r.IntN(2) == 0}
	switch n := r.IntN(100); {
	case n < 6:
		s.Kind = "open"
	case n < 34:
		s.Kind, s.Name = "create", randomName(r)
		s.On = pick(r, []string{"filter", "filter", "pin", s.On})
	case n < 70:
		if s.Kind, s.Request = "property", randomFilterRequest(r); s.Request.Set == setOfConnection {
			s.On = pick(r, []string{"pin", "pin", "pin", s.On})
		}
	case n < 78:
		s.Kind, s.Code = "control", pick(r, []uint32{ks.IoctlReadStream, ks.IoctlWriteStream, ks.IoctlResetState, ks.IoctlResetState, 0x222000})
		s.On = pick(r, []string{"pin", "pin", s.On})
		s.In = binary.LittleEndian.AppendUint32(nil, r.Uint32N(3))[:4-r.IntN(8)/7]
	case n < 86:
		s.Kind = "close"
	case n < 91:
		s.Kind = "mode"
	case n < 96:
		s.Kind, s.On = "number", pick(r, []string{"pin", s.On})
	case n < 98:
		s.Kind, s.Pin = "add pin", randomFilterPin(r)
	default:
		s.Kind, s.Node = "add node", randomEntries(r)
	}
	return s
}

// randomName is the name of a pin or a node, mostly.
func randomName(r *rand.Rand) (name []byte) {
	class := pick(r, []string{"{146F1A80-4791-11D0-A5D6-28DB04C10000}", "{146f1a80-4791-11d0-a5d6-28db04c10000}",
		"{146F1A80-4791-11D0-A5D6-28DB04C10000}", "{0621061A-EE75-11D0-B915-00A0C9223196}", "{53172480-4791-11D0-A5D6-28DB04C10000}"})
	parameters := randomConnect(r, 3)
	if class[1] == '0' {
		parameters = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, r.Uint32N(8)/7), randomNumber(r))
		parameters = append(parameters, randomBytes(r, r.IntN(2))...)
	} else if r.IntN(2) == 0 {
		c := ks.PinConnect{PinID: min(randomNumber(r), randomNumber(r)), Interface: ks.InterfaceStreaming, Medium: ks.MediumDevIO}
		parameters = append(c.Bytes(), randomFormat(r, 0)...)
	} else if len(parameters) >= 64 {
		binary.LittleEndian.PutUint64(parameters[56:], pick(r, []uint64{0, 0, 0, 4, 8, 12, 5, 1 << 40}))
	}
	for _, c := range class + `\` {
		name = append(name, byte(c), 0)
	}
	name = append(name, parameters...)
	switch r.IntN(12) {
	case 0:
		name = name[:r.IntN(len(name)+1)]
	case 1:
		name[r.IntN(min(len(name), 80))] ^= byte(1 + r.IntN(255))
	}
	return name
}

func randomFilterRequest(r *rand.Rand) model.Request {
	q := model.Request{ID: r.Uint32N(9), Flags: pick(r, []uint32{ks.PropertyTypeGet, ks.PropertyTypeGet, ks.PropertyTypeSet})}
	switch q.Set = pick(r, filterSets); q.Set {
	case filterSets[2]:
		q = randomPinRequest(r, 3)
		q.Set = filterSets[2]
	case setOfConnection:
		if r.IntN(4) != 0 {
			q.ID, q.Flags = pick(r, []uint32{0, 0, 1, 2, 2, 4, 4, 7}), ks.PropertyTypeSet
		}
		if q.Flags == ks.PropertyTypeSet {
			switch q.Data = randomOffer(r); q.ID {
			case 0:
				q.Data = binary.LittleEndian.AppendUint32(nil, r.Uint32N(5))
			case 7:
				q.Data = randomBytes(r, 80)
			case 1:
				q.Data = randomBytes(r, 8)
			}
			q.Data = spoil(r, q.Data)
			q.Out = uint32(len(q.Data))
			break
		}
		fallthrough
	default:
		q.Out = pick(r, []uint32{0, 1, 3, 4, 7, 8, 16, 24, 63, 64, 200})
	}
	if q.Extra == nil && r.IntN(8) != 0 {
		q.Extra = ks.Pin{PinID: randomNumber(r), PinFlags: randomNumber(r)}.Bytes()[24:]
	}
	if r.IntN(4) == 0 {
		q.Flags |= ks.PropertyTypeTopology
	}
	if r.IntN(8) == 0 {
		q.Set, q.Flags = ks.GUID{}, ks.PropertyTypeSetSupport|q.Flags&ks.PropertyTypeTopology
		q.Out = pick(r, []uint32{0, 8, 16, 32, 48, 80, 200})
	}
	q.In = uint32(24 + len(q.Extra))
	if r.IntN(16) == 0 {
		q.In = r.Uint32N(q.In + 1)
	}
	return q
}

// randomNumber is the number of a pin or a node, mostly of one that may be there.
func randomNumber(r *rand.Rand) uint32 {
	if r.IntN(6) == 0 {
		return pick(r, []uint32{0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << r.IntN(32), r.Uint32()})
	}
	return r.Uint32N(5)
}

// filterRun is a filter on both sides.
type filterRun struct {
	model   model.Filter
	device  *device.Device
	handles []*device.Handle // by the model's numbers
	told    []string
}

func (f *filterRun) tell(format string, a ...any) { f.told = append(f.told, fmt.Sprintf(format, a...)) }

func (f *filterRun) at(h *device.Handle) int { return slices.Index(f.handles, h) }

// entries declares a table of them.
func entries(list []model.Entry) (c engine.Config) {
	for _, e := range list {
		if n := len(c.PropertySets); n == 0 || c.PropertySets[n-1].Set != e.Set {
			c.PropertySets = append(c.PropertySets, engine.PropertySet{Set: e.Set})
		}
		s := &c.PropertySets[len(c.PropertySets)-1]
		s.Items = append(s.Items, engine.PropertyItem{ID: e.ID, MinData: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			data[0], irp.IoStatus.Information = e.Value, 1
			return ks.StatusSuccess
		}})
	}
	return c
}

// factory declares the pin with that number.
func (f *filterRun) factory(number int, p model.FilterPin) device.PinFactory {
	one := PinCase{Pins: model.PinSet{Pins: []model.Pin{p.Pin}}}
	var asked [][2]uint32
	d := device.PinFactory{PinDescriptor: one.declare(&asked).Pins[0], Config: entries(p.Own), DenyUserMode: p.DenyUserMode,
		FixedFormat: p.FixedFormat, SingleSteps: p.SingleSteps}
	d.InstancesPossible = p.Possible
	d.SetFormat = func(_ *device.Pin, old, format []byte, matching *engine.DataRange) ks.Status {
		index := slices.IndexFunc(d.DataRanges, func(r engine.DataRange) bool { return &r.Format[0] == &matching.Format[0] })
		f.tell("pin %d, range %d, old %d, new %d bytes", number, index, len(old), len(format))
		if head, _ := ks.DecodeDataFormat(format); head.SampleSize < p.LeastSample {
			return ks.StatusNoMatch
		}
		return ks.StatusSuccess
	}
	d.Create = func(*device.Pin, engine.ConnectRequest) ks.Status {
		f.tell("create pin %d", number)
		return p.FailsCreate
	}
	d.SetState = func(_ *device.Pin, to, from uint32) ks.Status {
		f.tell("pin %d from %d to %d", number, from, to)
		if to == p.RefusedState {
			return ks.StatusUnsuccessful
		}
		return ks.StatusSuccess
	}
	d.Cleanup = func(p *device.Pin) { f.tell("cleanup %d", f.at(p.Handle())) }
	d.Close = func(p *device.Pin) { f.tell("close %d", f.at(p.Handle())) }
	d.Config.Control = func(_ *engine.IRP, code uint32, _, _ []byte) ks.Status {
		switch {
		case code == ks.IoctlResetState && p.RefusesToBeReset:
			return ks.StatusUnsuccessful
		case (code == ks.IoctlReadStream || code == ks.IoctlWriteStream) && p.Streams:
			return ks.StatusSuccess
		}
		return ks.StatusInvalidDeviceRequest
	}
	return d
}

// declare makes the device of the model's filter.
func (f *filterRun) declare() (err error) {
	m := &f.model
	d := device.Filter{Config: entries(m.Own), PinName: m.Name, DenyUserMode: m.DenyUserMode, MaxObjects: uint32(m.MaxObjects),
		Cleanup: func(h *device.Handle) { f.tell("cleanup %d", f.at(h)) }, Close: func(h *device.Handle) { f.tell("close %d", f.at(h)) }}
	if m.Pins != nil {
		d.Pins = []device.PinFactory{}
	}
	for i, p := range m.Pins {
		d.Pins = append(d.Pins, f.factory(i, p))
	}
	if t := m.Topology; t != nil {
		d.Topology = &engine.Topology{Categories: t.Categories, Nodes: t.Nodes, NodesNames: t.NodeNames, Name: m.Name}
		for _, c := range t.Connections {
			connection, _ := ks.DecodeTopologyConnection(c[:])
			d.Topology.Connections = append(d.Topology.Connections, connection)
		}
	}
	for _, own := range m.Nodes {
		d.Nodes = append(d.Nodes, entries(own))
	}
	f.device, err = device.NewFilter(d)
	return err
}

// Run compares the engine with the model, and returns how many steps were, and the first difference.
func (c *FilterCase) Run() (compared int, difference error) { return c.run(nil) }

// run is Run with a change of what the model is told, for the control.
func (c *FilterCase) run(change func(*model.Filter)) (compared int, difference error) {
	f := &filterRun{model: c.Filter}
	if c.Filter.Topology != nil {
		t := *c.Filter.Topology
		f.model.Topology = &t
	}
	if err := f.declare(); err != nil {
		return 0, err
	}
	f.model.Pins, f.model.Nodes = slices.Clone(f.model.Pins), slices.Clone(f.model.Nodes)
	if change != nil {
		change(&f.model)
	}
	defer func() {
		for _, h := range f.handles {
			_ = h.Close()
		}
	}()
	for i := -1; i < len(c.Steps); i++ {
		step := FilterStep{Kind: "open"} // the first one
		if i >= 0 {
			step = c.Steps[i]
		}
		f.told, f.model.Told = nil, nil
		on := f.handle(&step)
		got, want := f.step(&step, on)
		if got += fmt.Sprint(f.told); got != want+fmt.Sprint(f.model.Told) {
			return compared, fmt.Errorf("step %d, %s on handle %d of %d: the engine says\n%s, the model\n%s\n%+v\n%+v", i, step.Kind,
				on, len(f.handles), got, want+fmt.Sprint(f.model.Told), step, c.Filter)
		}
		compared++
	}
	return compared, nil
}

// handle is the handle that a step is about.
func (f *filterRun) handle(s *FilterStep) int {
	var all []int
	for i := range f.handles {
		if kind := f.model.Kind(i); s.On == "" || kind == s.On || s.On == "open" && kind != "closed" {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return 0
	}
	return all[s.Handle%uint32(len(all))]
}

// step does one step on both sides, with handle n, and returns what came of it.
func (f *filterRun) step(s *FilterStep, n int) (got, want string) {
	switch s.Kind {
	case "open":
		h, err := f.device.Open()
		if err != nil {
			return err.Error(), ""
		}
		f.handles = append(f.handles, h)
		return fmt.Sprint(len(f.handles) - 1), fmt.Sprint(f.model.Open())
	case "create":
		h, status := f.handles[n].Create(s.Name)
		made, wanted, rule := f.model.Create(n, s.Name)
		if h != nil {
			f.handles = append(f.handles, h)
		}
		return fmt.Sprintln(h != nil, status, f.handles[n].CreateRule()), fmt.Sprintln(made >= 0, wanted, rule)
	case "property":
		q := s.Request
		in := slices.Concat(ks.Identifier{Set: q.Set, ID: q.ID, Flags: q.Flags}.Bytes(), q.Extra)[:q.In]
		out := bytes.Repeat([]byte{0xEE}, int(q.Out))
		copy(out, q.Data)
		q.Data = bytes.Clone(out)
		status, info, b := f.model.Property(n, &q)
		after := append(bytes.Clone(b), out[min(len(b), len(out)):]...)
		produced, answered := f.handles[n].IoControl(ks.IoctlProperty, in, out)
		return fmt.Sprintf("%v, %d, % x", answered, produced, out), fmt.Sprintf("%v, %d, % x", status, info, after)
	case "control":
		_, status := f.handles[n].IoControl(s.Code, s.In, nil)
		return fmt.Sprint(status), fmt.Sprint(f.model.Control(n, s.Code, s.In))
	case "close":
		err := f.handles[n].Close()
		f.model.Close(n)
		return fmt.Sprint(err), "<nil>"
	case "mode":
		mode := engine.UserMode
		if s.Kernel {
			mode = engine.KernelMode
		}
		f.handles[n].SetMode(mode)
		f.model.SetMode(n, s.Kernel)
	case "number":
		return fmt.Sprint(f.device.Handles().Open(f.handles[n].File(), 0, engine.UserMode)), fmt.Sprint(f.model.Number(n))
	case "add pin":
		if f.model.Pins == nil {
			break
		}
		id, err := f.device.AddPin(f.factory(len(f.model.Pins), s.Pin))
		f.model.AddPin(s.Pin)
		return fmt.Sprintln(id, err), fmt.Sprintln(len(f.model.Pins)-1, nil)
	case "add node":
		if f.model.Topology == nil {
			break
		}
		id, err := f.device.AddNode(pinGUIDs[2], pinGUIDs[0], entries(s.Node))
		f.model.AddNode(pinGUIDs[2], pinGUIDs[0], s.Node)
		return fmt.Sprintln(id, err), fmt.Sprintln(len(f.model.Nodes)-1, nil)
	}
	return "", ""
}
