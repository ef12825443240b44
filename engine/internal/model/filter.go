package model

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Entry is a property of a driver's table: a GET answers its one byte, by which tables are told apart, and there is no SET.
type Entry struct {
	Set   ks.GUID
	ID    uint32
	Value byte
}

// FilterPin is a kind of pin of a Filter, with what its driver does.
type FilterPin struct {
	Pin
	Own                       []Entry
	SingleSteps, FixedFormat  bool
	DenyUserMode              bool
	LeastSample               uint32    // a format of a smaller SampleSize does not suit it
	RefusedState              uint32    // a state that it does not enter
	FailsCreate               ks.Status // 0: it takes every pin
	Streams, RefusesToBeReset bool      // it answers stream requests; it fails IOCTL_KS_RESET_STATE
}

// Filter is a filter and all that is open on it (sections B and C of the rules). Its zero value has no pins, no topology, no nodes.
type Filter struct {
	Own          []Entry
	Pins         []FilterPin
	Topology     *Topology
	Nodes        [][]Entry // tables, as many as Topology has nodes
	DenyUserMode bool
	MaxObjects   int
	Name         func(ks.GUID) (string, ks.Status)

	Told    []string // what drivers were told, in order
	open    []*object
	numbers []int // handles by number: 4, 8, ...
}

// object is one that was opened: a handle, and what it is open on.
type object struct {
	pin, node      int // -1: it is none
	parent, peer   *object
	kernel, closed bool
	keeps          int // how many keep it
	below          int // of a filter: pins and nodes that are open on it
	state          uint32
	priority       [2]uint32
	format         []byte
	resetting      bool
}

func (o *object) root() *object {
	for o.parent != nil {
		o = o.parent
	}
	return o
}

func (f *Filter) tell(format string, a ...any) { f.Told = append(f.Told, fmt.Sprintf(format, a...)) }

func (f *Filter) add(o *object) (handle int) {
	f.open = append(f.open, o)
	return len(f.open) - 1
}

// Open opens the filter.
func (f *Filter) Open() (handle int) { return f.add(&object{pin: -1, node: -1, keeps: 1}) }

// SetMode changes the requestor mode of a handle.
func (f *Filter) SetMode(handle int, kernel bool) { f.open[handle].kernel = kernel }

// Kind returns "filter", "pin" or "node", or "closed".
func (f *Filter) Kind(handle int) string {
	switch o := f.open[handle]; {
	case o.closed:
		return "closed"
	case o.pin >= 0:
		return "pin"
	case o.node >= 0:
		return "node"
	}
	return "filter"
}

// Number gives a handle's file the next number, by which a PinToHandle names it.
func (f *Filter) Number(handle int) uint64 {
	f.numbers = append(f.numbers, handle)
	return uint64(4 * len(f.numbers))
}

// Close closes a handle (OB-14, OB-17, AS-27).
func (f *Filter) Close(handle int) {
	o := f.open[handle]
	if o.closed {
		return
	}
	o.closed = true
	if o.node < 0 {
		f.tell("cleanup %d", handle)
	}
	f.release(o)
}

func (f *Filter) release(o *object) {
	if o == nil {
		return
	}
	if o.keeps--; o.keeps > 0 {
		return
	}
	if o.node < 0 {
		for handle := range f.open {
			if f.open[handle] == o {
				f.tell("close %d", handle)
			}
		}
	}
	o.keeps = -1 // it is gone, and not counted any more
	f.release(o.peer)
	if o.parent != nil {
		o.root().below--
		f.release(o.parent)
	}
}

// current counts the pins of one kind on a filter, or on all for nil (OB-16).
func (f *Filter) current(root *object, pin int) (n uint32) {
	for _, o := range f.open {
		if o.pin == pin && o.keeps > 0 && (root == nil || o.root() == root) {
			n++
		}
	}
	return n
}

// Classes of objects, as they are spelled in names.
const (
	className = `{146F1A80-4791-11D0-A5D6-28DB04C10000}`
	nodeName  = `{0621061A-EE75-11D0-B915-00A0C9223196}`
)

// Create opens what a name says on a handle, and returns the new handle, or -1, and the rule that decided (OB-1 to OB-15).
func (f *Filter) Create(handle int, name []byte) (made int, status ks.Status, rule string) {
	o := f.open[handle]
	if len(name) > 65534 {
		return -1, ks.StatusInvalidParameter, "OB-1"
	}
	var class strings.Builder
	rest := name
	for len(rest) >= 2 && (rest[0] != '\\' || rest[1] != 0) {
		class.WriteRune(rune(rest[0]) | rune(rest[1])<<8)
		rest = rest[2:]
	}
	known := len(rest) != 1 // half a character is no name
	var parameters []byte
	if len(rest) >= 2 {
		parameters = rest[2:]
	}
	isPin := known && strings.EqualFold(class.String(), className) && o.parent == nil && f.Pins != nil // OB-2
	isNode := known && strings.EqualFold(class.String(), nodeName) && o.node < 0
	switch {
	case o.closed:
		return -1, ks.StatusInvalidHandle, "OB-3"
	case !isPin && !isNode:
		return -1, ks.StatusObjectNameNotFound, "OB-3"
	case (f.DenyUserMode || o.pin >= 0 && f.Pins[o.pin].DenyUserMode) && !o.kernel:
		return -1, ks.StatusInvalidDeviceRequest, "OB-9"
	case o.root().below >= f.MaxObjects:
		return -1, ks.StatusInsufficientResources, "S-37"
	case isNode:
		return f.createNode(o, parameters)
	}
	return f.createPin(o, parameters)
}

func (f *Filter) createNode(parent *object, parameters []byte) (made int, status ks.Status, rule string) {
	if len(parameters) < 8 {
		return -1, ks.StatusInvalidBufferSize, "OB-10"
	}
	if u32(parameters) != 0 || uint64(u32(parameters[4:])) >= uint64(len(f.Nodes)) {
		return -1, ks.StatusInvalidParameter, "OB-10"
	}
	return f.born(&object{pin: -1, node: int(u32(parameters[4:])), parent: parent, kernel: parent.kernel}), ks.StatusSuccess, "OB-10"
}

// born opens an object that nothing refused.
func (f *Filter) born(o *object) (handle int) {
	o.keeps = 1
	o.parent.keeps++
	o.root().below++
	if o.peer != nil {
		o.peer.keeps++
	}
	return f.add(o)
}

func (f *Filter) createPin(parent *object, parameters []byte) (made int, status ks.Status, rule string) {
	if status := f.pinSet(parent, false).Connect(parameters); status != ks.StatusSuccess {
		return -1, status, "OB-6"
	}
	number := int(u32(parameters[48:]))
	pin := &f.Pins[number]
	if pin.DenyUserMode && !parent.kernel {
		return -1, ks.StatusInvalidDeviceRequest, "OB-9"
	}
	var peer *object
	if to := uint64(u32(parameters[56:])) | uint64(u32(parameters[60:]))<<32; to != 0 { // OB-8
		if to%4 != 0 || to/4 > uint64(len(f.numbers)) {
			return -1, ks.StatusInvalidHandle, "OB-8"
		}
		peer = f.open[f.numbers[to/4-1]]
		switch {
		case peer.pin < 0:
			return -1, ks.StatusObjectTypeMismatch, "OB-8"
		case peer.closed:
			return -1, ks.StatusInvalidHandle, "OB-8"
		}
	}
	if f.current(parent.root(), number) >= pin.Possible {
		return -1, ks.StatusInvalidDeviceState, "OB-12"
	}
	o := &object{pin: number, node: -1, parent: parent, peer: peer, kernel: parent.kernel,
		priority: [2]uint32{u32(parameters[64:]), u32(parameters[68:])}}
	format, _, _, _ := split(parameters[72:], true)
	if status := f.setFormat(o, format); status != ks.StatusSuccess {
		return -1, status, "OB-7"
	}
	f.tell("create pin %d", number)
	if pin.FailsCreate != 0 {
		return -1, pin.FailsCreate, "OB-15"
	}
	return f.born(o), ks.StatusSuccess, "OB-6"
}

// setFormat asks the driver about each range that fits (OB-7, OB-22).
func (f *Filter) setFormat(o *object, format []byte) ks.Status {
	pin, number := &f.Pins[o.pin], 0
	for i := 0; i < len(pin.Ranges); i, number = i+1, number+1 {
		one := Pin{Ranges: pin.Ranges[i : i+1]}
		if pin.Ranges[i][4]&2 != 0 {
			i++ // its attributes
			one.Ranges = pin.Ranges[i-1 : i+1]
		}
		if !one.fits(format) {
			continue
		}
		f.tell("pin %d, range %d, old %d, new %d bytes", o.pin, number, len(o.format), len(format))
		if u32(format[8:]) >= pin.LeastSample {
			o.format = bytes.Clone(format)
			return ks.StatusSuccess
		}
	}
	return ks.StatusNoMatch
}

// pinSet is the pins as a request through o finds them, with the counts of its filter, or of all.
func (f *Filter) pinSet(o *object, all bool) *PinSet {
	s := new(PinSet)
	for i := range f.Pins {
		p := f.Pins[i].Pin
		p.FailsInstances, p.Current = 0, f.current(o.root(), i)
		if all {
			if p.Current = f.current(nil, i); p.Possible != 0 {
				p.Possible = 0xFFFFFFFF
			}
		}
		s.Pins = append(s.Pins, p)
	}
	return s
}

// The sets of classes.
var (
	setPin        = ks.GUID{0x60, 0x49, 0x13, 0x8C, 0xAD, 0x51, 0xCF, 0x11, 0x87, 0x8A, 0x94, 0xF8, 0x01, 0xC1}
	setTopology   = ks.GUID{0xC0, 0x4A, 0x0D, 0x72, 0x33, 0x75, 0xD0, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1}
	setConnection = ks.GUID{0x20, 0xC9, 0x58, 0x1D, 0x9B, 0xAC, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1}
)

// Property answers a GET, a SET, or SETSUPPORT of GUID_NULL through a handle, each with or without TOPOLOGY (AT-10 to AT-13). b are the
// bytes that the caller gets.
func (f *Filter) Property(handle int, q *Request) (status ks.Status, info uint64, b []byte) {
	o := f.open[handle]
	switch {
	case o.closed:
		return ks.StatusInvalidHandle, 0, nil
	case q.In < 24:
		return ks.StatusInvalidBufferSize, 0, nil
	}
	routed := q.Flags&ks.PropertyTypeTopology != 0
	if routed && q.In < 32 { // P-4
		return ks.StatusInvalidBufferSize, 0, nil
	}
	var own []Entry
	var classes []ks.GUID
	switch node := u32(append(q.input(q.In), make([]byte, 8)...)[24:]); {
	case routed && o.node < 0 && uint64(node) >= uint64(len(f.Nodes)): // AT-11
		return ks.StatusInvalidParameter, 0, nil
	case routed && o.node < 0:
		own = f.Nodes[node]
	case o.node >= 0:
		own = f.Nodes[o.node]
	case o.pin >= 0:
		own, classes = f.Pins[o.pin].Own, []ks.GUID{setConnection}
	default:
		own = f.Own
		if f.Pins != nil {
			classes = append(classes, setPin)
		}
		if f.Topology != nil {
			classes = append(classes, setTopology)
		}
	}
	sets, isClass := []Set(nil), false
	for _, e := range own {
		sets = listed(sets, e.Set)
	}
	for _, g := range classes { // AT-5: behind the driver's
		sets = listed(sets, g)
		isClass = isClass || g == q.Set
	}
	verb := q.Flags &^ ks.PropertyTypeTopology
	if verb == ks.PropertyTypeSetSupport { // P-32
		one := *q
		one.Flags = verb
		answer := New(Object{Sets: sets}, Compat{}).Do(one)
		return answer.Status, answer.Information, answer.Output[:min(answer.Information, uint64(len(answer.Output)))]
	}
	for _, e := range own {
		if e.Set == q.Set && e.ID == q.ID { // AT-4: hides the class's, whatever it lacks
			switch {
			case verb != ks.PropertyTypeGet:
				return ks.StatusNotFound, 0, nil
			}
			return whole([]byte{e.Value}, q.Out)
		}
	}
	if !isClass {
		for _, s := range sets {
			if s.GUID == q.Set {
				return ks.StatusNotFound, 0, nil
			}
		}
		return ks.StatusPropsetNotFound, 0, nil
	}
	plain := *q
	plain.Flags = verb
	switch q.Set {
	case setPin:
		status, info, b, _ = f.pinSet(o, q.ID == 8).Do(&plain, f.Name)
		return status, info, b
	case setTopology:
		if verb != ks.PropertyTypeGet {
			return ks.StatusNotFound, 0, nil
		}
		return f.Topology.Property(&plain, f.Name)
	}
	return f.connection(o, &plain)
}

// listed adds a set to a list of sets that has each once.
func listed(sets []Set, g ks.GUID) []Set {
	for _, s := range sets {
		if s.GUID == g {
			return sets
		}
	}
	return append(sets, Set{GUID: g})
}

// connectionItems says what every pin has of KSPROPSETID_Connection: verbs and MinData (OB-18).
var connectionItems = map[uint32]pinItem{0: {3, 24, 4}, 1: {3, 24, 8}, 2: {3, 24, 0}, 4: {2, 24, 64}, 7: {2, 24, 80}}

// connection is OB-18 to OB-24.
func (f *Filter) connection(o *object, q *Request) (status ks.Status, info uint64, b []byte) {
	it, ok := connectionItems[q.ID]
	switch {
	case !ok || it.verb&q.Flags == 0:
		return ks.StatusNotFound, 0, nil
	case q.Out == 0 && it.minData > 0:
		return ks.StatusBufferOverflow, uint64(it.minData), nil
	case q.Out < it.minData:
		return ks.StatusBufferTooSmall, 0, nil
	}
	data := q.output()
	if q.Flags == ks.PropertyTypeGet {
		switch q.ID {
		case 0:
			return whole(appendU32(nil, o.state), q.Out)
		case 1:
			return whole(appendU32(appendU32(nil, o.priority[0]), o.priority[1]), q.Out)
		}
		return whole(o.format, q.Out)
	}
	switch pin := &f.Pins[o.pin]; q.ID {
	case 0:
		return f.setState(o, u32(data)), 0, nil
	case 1:
		o.priority = [2]uint32{u32(data), u32(data[4:])}
	case 2, 4:
		format, _, _, ok := split(data, true)
		switch {
		case pin.FixedFormat:
			return ks.StatusInvalidDeviceRequest, 0, nil
		case !ok:
			return ks.StatusInvalidBufferSize, 0, nil
		case q.ID == 2:
			return f.setFormat(o, format), 0, nil
		case !pin.fits(format):
			return ks.StatusNoMatch, 0, nil
		}
	case 7:
		if o.state != ks.StatePause {
			return ks.StatusInvalidDeviceState, 0, nil
		}
	}
	return ks.StatusSuccess, 0, nil
}

// setState is OB-19 and OB-20.
func (f *Filter) setState(o *object, to uint32) ks.Status {
	if to > ks.StateRun {
		return ks.StatusInvalidParameter
	}
	pin := &f.Pins[o.pin]
	for o.state != to {
		next := to
		switch {
		case pin.SingleSteps && to > o.state:
			next = o.state + 1
		case pin.SingleSteps:
			next = o.state - 1
		}
		f.tell("pin %d from %d to %d", o.pin, o.state, next)
		if next == pin.RefusedState {
			return ks.StatusUnsuccessful
		}
		o.state = next
	}
	return ks.StatusSuccess
}

// Control answers a control code that is none of KS's four, through a handle (AS-28, AS-33).
func (f *Filter) Control(handle int, code uint32, in []byte) ks.Status {
	const writeStream, readStream, resetState = 0x2F8013, 0x2F4017, 0x2F001B
	o := f.open[handle]
	switch stream := code == writeStream || code == readStream; {
	case o.closed:
		return ks.StatusInvalidHandle
	case o.pin < 0:
	case code == resetState && len(in) < 4:
		return ks.StatusInvalidBufferSize
	case code == resetState && u32(in) > 1:
		return ks.StatusInvalidParameter
	case code == resetState && f.Pins[o.pin].RefusesToBeReset:
		return ks.StatusUnsuccessful
	case code == resetState:
		o.resetting = u32(in) == 0
		return ks.StatusSuccess
	case stream && o.resetting:
		return ks.StatusDeviceNotReady
	case stream && f.Pins[o.pin].Streams:
		return ks.StatusSuccess
	}
	return ks.StatusInvalidDeviceRequest
}

// AddPin and AddNode add to a filter in use (AT-14).
func (f *Filter) AddPin(pin FilterPin) { f.Pins = append(f.Pins, pin) }

func (f *Filter) AddNode(kind, name ks.GUID, own []Entry) {
	t := f.Topology
	t.NodeNames = append(append([]ks.GUID(nil), t.NodeNames...), make([]ks.GUID, len(t.Nodes)-len(t.NodeNames))...)
	t.Nodes, t.NodeNames = append(t.Nodes, kind), append(t.NodeNames, name)
	f.Nodes = append(f.Nodes, own)
}
