package exec

import (
	"errors"
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// object is one object of the manifest, or a pin or node of a filter that the manifest has no object for.
type object struct {
	dispatcher *engine.Dispatcher // of its own sets alone
	refused    ks.Status          // not 0: Compile refused PropertyItemSize, and this answers every property request (P-3)
	events     *engine.EventList
	methods    map[methodKey]uint32 // KSMETHOD_ITEM.Flags

	root        *object        // the filter of a node or a pin; else itself
	device      *device.Device // of a filter, and of a table: what open opens
	pins, nodes []*object      // of a filter, by number
	removed     bool           // of a root (AS-34)
}

type methodKey struct {
	set ks.GUID
	id  uint32
}

// compileAll compiles the objects of a manifest.
func (s *Session) compileAll(m *manifest.Manifest) error {
	options := manifest.Options{Wrap: s.observe, WrapFast: s.observeFast}
	parts := make(map[part]*object)
	for i := range m.Objects {
		decl := &m.Objects[i]
		if decl.Role != manifest.RoleFilter {
			continue
		}
		f, err := m.Filter(decl.Name, options)
		if err != nil {
			return err
		}
		o, err := s.filter(&f)
		if err != nil {
			return fmt.Errorf("object %q: %w", decl.Name, err)
		}
		parts[part{manifest.RoleFilter, decl.Name, 0}] = o
		for n, pin := range o.pins {
			parts[part{manifest.RolePin, decl.Name, uint32(n)}] = pin
		}
		for n, node := range o.nodes {
			parts[part{manifest.RoleNode, decl.Name, uint32(n)}] = node
		}
	}
	for i := range m.Objects {
		decl := &m.Objects[i]
		name := decl.Of
		if decl.Role == manifest.RoleFilter {
			name = decl.Name
		}
		o := parts[part{decl.Role, name, decl.Number}]
		if o == nil {
			config := decl.Config(options)
			var err error
			if o, err = s.compile(&config); err != nil {
				return fmt.Errorf("object %q: %w", decl.Name, err)
			}
			o.device = device.New(o.dispatcher)
		}
		if s.first == nil {
			s.first = o
		}
		if _, ok := s.objects[decl.Name]; !ok {
			s.objects[decl.Name] = o
		}
	}
	return nil
}

// part is an object by its place.
type part struct {
	role   manifest.Role
	of     string // the filter, also of itself
	number uint32
}

// filter makes the objects of a filter. The values of an object are those of its configuration, so that its own sets and the device
// share them.
func (s *Session) filter(f *device.Filter) (*object, error) {
	o, err := s.compile(&f.Config)
	if err != nil {
		return nil, err
	}
	add := func(to *[]*object, config *engine.Config, what string, number int) error {
		p, err := s.compile(config)
		if err != nil {
			return fmt.Errorf("%s %d: %w", what, number, err)
		}
		p.root = o
		*to = append(*to, p)
		return nil
	}
	for i := range f.Pins {
		if err := add(&o.pins, &f.Pins[i].Config, "pin", i); err != nil {
			return nil, err
		}
	}
	for i := range f.Nodes {
		if err := add(&o.nodes, &f.Nodes[i], "node", i); err != nil {
			return nil, err
		}
	}
	o.device, err = device.NewFilter(*f)
	return o, err
}

// compile is engine.Compile, with a refused item size as an object that answers so to property requests; config is then one that
// is not refused.
func (s *Session) compile(config *engine.Config) (*object, error) {
	config.Compat = s.options.Compat
	config.OnPanic = func(any, []byte) {} // a program that is to panic is no news
	o := &object{methods: make(map[methodKey]uint32)}
	o.root = o
	for _, set := range config.MethodSets {
		for _, it := range set.Items {
			o.methods[methodKey{set.Set, it.ID}] = it.Flags
		}
	}
	var err error
	o.dispatcher, err = engine.Compile(*config)
	if e, ok := errors.AsType[*engine.CompileError](err); ok && e.Index < 0 {
		o.refused = e.Status
		config.PropertyItemSize, config.PropertySets, config.MethodItemSize = 0, nil, 0
		o.dispatcher, err = engine.Compile(*config)
	}
	if err != nil {
		return nil, err
	}
	o.events, err = engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockNone}) // a session is one goroutine's
	s.all = append(s.all, o)
	return o, err
}

// target returns the object whose sets a request through a handle of o is for (AT-10, AT-11). A node that is not there is o, which
// refuses the request.
func (o *object) target(q *request) *object {
	const topology, sizeNode = ks.PropertyTypeTopology, 32
	if q.flags&topology != 0 && q.in >= sizeNode {
		if node := uint64(q.nodeID()); node < uint64(len(o.root.nodes)) {
			return o.root.nodes[node]
		}
	}
	return o
}
