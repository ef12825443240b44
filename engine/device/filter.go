package device

import (
	"cmp"
	"fmt"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Filter declares a filter with its pins and nodes: KSFILTER_DESCRIPTOR.
type Filter struct {
	// Config has the sets of the filter itself. What it declares of KSPROPSETID_Pin and KSPROPSETID_Topology takes the place of what
	// is answered from Pins and Topology (AT-4, AT-7). Its OnPanic and Compat are the filter's alone, and its Nodes are set.
	Config engine.Config
	// Pins are the pin factories; a PinId is an index here. nil is a filter without KSPROPSETID_Pin.
	Pins []PinFactory
	// Topology declares the nodes and how they are connected. nil is a filter without nodes and without KSPROPSETID_Topology.
	Topology *engine.Topology
	// Nodes has the sets of the nodes, by NodeId; nodes beyond it have none (AT-11).
	Nodes []engine.Config
	// PinName is engine.PinSet.Name: it looks up the display name of a pin.
	PinName func(ks.GUID) (string, ks.Status)
	// ModeFormat and ModeFormats are those of engine.PinSet: the formats of a pin in a signal processing mode.
	ModeFormat  func(irp *engine.IRP, pin uint32, mode ks.GUID) (format []byte, status ks.Status)
	ModeFormats func(irp *engine.IRP, pin uint32, mode ks.GUID) (formats [][]byte, status ks.Status)
	// DenyUserMode refuses everything that is created on a handle in user mode: KSFILTER_FLAG_DENY_USERMODE_ACCESS (OB-9).
	DenyUserMode bool
	// MaxObjects is how many pins and nodes may be open on an instance at once, whatever the pins allow (S-37); 0 is 65,536.
	MaxObjects uint32

	// Hooks, which may be nil. A panic in one is a status, as in a handler (P-21).
	//
	// Create is told of a new filter instance, and refuses it with an error. Cleanup is told that its handle is closed; requests may
	// still be in flight. Close ends it, when its last pin is closed too (OB-14).
	Create  func(filter *Handle) ks.Status
	Cleanup func(filter *Handle)
	Close   func(filter *Handle)
}

// NewFilter returns a device that is a filter. Each Open is a filter instance with pins of its own (OB-16). Requests to its handles go
// to the sets of the filter, or with the bit TOPOLOGY to those of a node; requests to the handle of a pin, which CreatePin makes, to
// the sets of the pin or of a node (AT-10 to AT-13). The error says which pin or node is misdeclared, and is or wraps an
// *engine.CompileError.
func NewFilter(decl Filter) (*Device, error) {
	f, err := compileFilter(decl)
	if err != nil {
		return nil, err
	}
	dev := newDevice()
	dev.filter.Store(f)
	return dev, nil
}

// compileFilter compiles a filter with its nodes and pins.
func compileFilter(decl Filter) (*filter, error) {
	decl.MaxObjects = cmp.Or(decl.MaxObjects, 1<<16)
	f := &filter{decl: decl, nodes: engine.NewNodeList()}
	if t := decl.Topology; t != nil {
		if len(decl.Nodes) > len(t.Nodes) {
			return nil, fmt.Errorf("device: there are sets for %d nodes, but the topology has %d", len(decl.Nodes), len(t.Nodes))
		}
		for i := range t.Nodes {
			var config engine.Config
			if i < len(decl.Nodes) {
				config = decl.Nodes[i]
			}
			if err := f.compileNode(config); err != nil {
				return nil, err
			}
		}
	} else if len(decl.Nodes) != 0 {
		return nil, fmt.Errorf("device: there are sets for %d nodes, but no topology", len(decl.Nodes))
	}
	now := &declared{topology: decl.Topology}
	if decl.Pins != nil {
		now.answer(f.pinSet(nil))
	}
	class := engine.Config{Nodes: f.nodes, PropertySets: f.classSets(now)}
	for i := range decl.Pins {
		var err error
		if now, err = f.withPin(now, decl.Pins[i]); err != nil {
			return nil, err
		}
	}
	f.now.Store(now)
	own := decl.Config
	own.Nodes = f.nodes
	merged, err := engine.MergeSets(own, class)
	if err != nil {
		return nil, fmt.Errorf("device: the filter: %w", err)
	}
	d, err := engine.Compile(merged)
	if err != nil {
		return nil, fmt.Errorf("device: the filter: %w", err)
	}
	f.table.Store(d)
	return f, nil
}

// filter is what answers the requests of all instances of a filter, and of their pins and nodes.
type filter struct {
	decl  Filter // as it was declared: Pins and Topology are in now
	table table  // of the filter itself
	nodes *engine.NodeList
	now   atomic.Pointer[declared]
}

// declared is what a filter consists of at one time. It is replaced when a pin or a node is added, and never changed (AT-14).
type declared struct {
	pins      *engine.PinSet   // nil: no KSPROPSETID_Pin
	handlers  []engine.Handler // of the items of pins, in their order
	factories []*factory
	topology  *engine.Topology // nil: no KSPROPSETID_Topology
}

// answer makes pins those that d answers about, and returns their set.
func (d *declared) answer(pins *engine.PinSet) engine.PropertySet {
	d.pins = pins
	set := pins.PropertySet()
	for i := range set.Items {
		h := set.Items[i].Get
		if h == nil {
			h = set.Items[i].Set
		}
		d.handlers = append(d.handlers, h)
	}
	return set
}

// setTopology is KSPROPSETID_Topology.
var setTopology = ks.MustParseGUID("720d4ac0-7533-11d0-a5d6-28db04c10000")

// classSets are the sets that are answered from what the filter consists of when the request comes.
func (f *filter) classSets(now *declared) (sets []engine.PropertySet) {
	if now.pins != nil {
		set := now.pins.PropertySet()
		for i := range set.Items {
			it := &set.Items[i]
			live := func(irp *engine.IRP, request, data []byte) ks.Status {
				return f.now.Load().handlers[i](irp, request, data)
			}
			if it.Get != nil {
				it.Get = live
			} else {
				it.Set = live
			}
		}
		sets = append(sets, set)
	}
	if now.topology != nil {
		set := now.topology.PropertySet(setTopology)
		for i := range set.Items {
			set.Items[i].Get = func(irp *engine.IRP, request, data []byte) ks.Status {
				return f.now.Load().topology.Property(irp, request, data)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// factory is that of a pin, or if the filter has none that which made the pin.
func (f *filter) factory(p *Pin) *factory {
	if all := f.now.Load().factories; uint64(p.factory.id) < uint64(len(all)) {
		return all[p.factory.id]
	}
	return p.factory
}

// pinSet returns the class's part of pins.
func (f *filter) pinSet(pins []engine.PinDescriptor) *engine.PinSet {
	return &engine.PinSet{Pins: pins, Name: f.decl.PinName, Instances: f.instances, GlobalInstances: f.globalInstances,
		ModeFormat: f.decl.ModeFormat, ModeFormats: f.decl.ModeFormats}
}

// withPin returns now with one more pin.
func (f *filter) withPin(now *declared, decl PinFactory) (*declared, error) {
	id := len(now.factories)
	fail := func(err error) (*declared, error) { return nil, fmt.Errorf("device: pin %d: %w", id, err) }
	pins := append(now.pins.Pins[:id:id], decl.PinDescriptor)
	next := &declared{topology: now.topology}
	set := next.answer(f.pinSet(pins))
	if _, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}}); err != nil {
		return fail(err)
	}
	pin := &factory{PinFactory: decl, id: uint32(id)}
	own := decl.Config
	own.Nodes = f.nodes
	config, err := engine.MergeSets(own, engine.Config{PropertySets: []engine.PropertySet{pin.connectionSet()}})
	if err != nil {
		return fail(err)
	}
	config.Control = streamControl(config.Control)
	if pin.dispatcher, err = engine.Compile(config); err != nil {
		return fail(err)
	}
	next.factories = append(now.factories[:id:id], pin)
	return next, nil
}

// compileNode adds the sets of the next node.
func (f *filter) compileNode(config engine.Config) error {
	config.Nodes = nil // a node has none
	d, err := engine.Compile(config)
	if err != nil {
		return fmt.Errorf("device: node %d: %w", f.nodes.Len(), err)
	}
	f.nodes.Add(d)
	return nil
}

// AddPin adds a pin factory to a filter that may be in use, and returns its PinId: KsFilterCreatePinFactory (AT-14). Handles that are
// open have it at once; PinIds are not used again. The error is that of NewFilter, or says that the filter has no Pins.
func (dev *Device) AddPin(pin PinFactory) (id uint32, err error) {
	dev.swap.change.Lock()
	defer dev.swap.change.Unlock()
	f := dev.filter.Load()
	if f == nil || f.now.Load().pins == nil {
		return 0, fmt.Errorf("device: a pin can be added to a filter with Pins only; declare them, if only as an empty slice")
	}
	now := f.now.Load()
	next, err := f.withPin(now, pin)
	if err != nil {
		return 0, err
	}
	f.now.Store(next)
	return uint32(len(now.factories)), nil
}

// AddNode adds a node to the topology of a filter that may be in use, and connections, and returns its NodeId (AT-14):
// KsFilterAddTopologyConnections. node is its type, name what it is called by if that is not its type, GUID_NULL for none. NodeIds
// are not used again.
func (dev *Device) AddNode(node, name ks.GUID, config engine.Config, connections ...ks.TopologyConnection) (id uint32, err error) {
	dev.swap.change.Lock()
	defer dev.swap.change.Unlock()
	f := dev.filter.Load()
	if f == nil || f.now.Load().topology == nil {
		return 0, fmt.Errorf("device: a node can be added to a filter with a Topology only; declare one, if only an empty one")
	}
	now := f.now.Load()
	n := len(now.topology.Nodes)
	if err := f.compileNode(config); err != nil {
		return 0, err
	}
	t := *now.topology
	t.Nodes = append(t.Nodes[:n:n], node)
	names := make([]ks.GUID, n+1)
	copy(names, t.NodesNames)
	names[n] = name
	t.NodesNames = names
	t.Connections = append(t.Connections[:len(t.Connections):len(t.Connections)], connections...)
	next := *now
	next.topology = &t
	f.now.Store(&next)
	return uint32(n), nil
}

// instances is KSPROPERTY_PIN_CINSTANCES of the filter instance that the request was sent to (OB-16).
func (f *filter) instances(irp *engine.IRP, pin uint32) (n ks.PinCInstances, _ ks.Status) {
	n.PossibleCount = f.now.Load().factories[pin].InstancesPossible
	if h := HandleOf(irp); h != nil && h.object != nil {
		n.CurrentCount = h.object.instance.current(pin)
	}
	return n, ks.StatusSuccess
}

// globalInstances is KSPROPERTY_PIN_GLOBALCINSTANCES. A filter limits the pins of an instance, not those of all (OB-16).
func (f *filter) globalInstances(irp *engine.IRP, pin uint32) (n ks.PinCInstances, _ ks.Status) {
	if f.now.Load().factories[pin].InstancesPossible != 0 {
		n.PossibleCount = ks.InstanceIndeterminate
	}
	if h := HandleOf(irp); h != nil {
		n.CurrentCount = h.device.pins.current(pin)
	}
	return n, ks.StatusSuccess
}

// open returns the handle of a new filter instance.
func (f *filter) open(dev *Device) (*Handle, error) {
	o, d := &object{instance: &instance{device: dev}, refs: 2}, f.table.Load()
	h, err := dev.newHandle(o)
	if err != nil {
		return nil, err
	}
	made := false
	defer func() {
		if !made { // the hook failed, or ended its goroutine
			_ = h.Close()
			o.release()
		}
	}()
	if f.decl.Create != nil {
		status := d.Call(new(engine.IRP), func() ks.Status { return notPending(f.decl.Create(h)) })
		if !status.IsSuccess() {
			return nil, fmt.Errorf("device: the filter refuses to be opened: %v", status)
		}
	}
	made = true
	o.created(func() { call(h, d, f.decl.Cleanup) }, func() { call(h, d, f.decl.Close) })
	return h, nil
}

// call calls a hook that returns nothing, which is of what d is of.
func call(h *Handle, d *engine.Dispatcher, hook func(*Handle)) {
	if hook != nil {
		d.Call(new(engine.IRP), // that of the handle may have a request in flight
			func() ks.Status { hook(h); return ks.StatusSuccess })
	}
}

// notPending is the status of a hook, which may take its time but not leave its work to others.
func notPending(status ks.Status) ks.Status {
	if status == ks.StatusPending {
		return ks.StatusInvalidDeviceRequest
	}
	return status
}
