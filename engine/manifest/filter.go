package manifest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Role says what an object is.
type Role uint8

const (
	RoleTable  Role = iota // one dispatcher that stands alone
	RoleFilter             // a filter, with its pins and its topology
	RoleNode               // a node of a filter's topology
	RolePin                // a pin of a filter
)

var roleNames = []string{"table", "filter", "node", "pin"}

// String returns the role as a manifest has it.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "role " + strconv.Itoa(int(r))
}

// Topology is what a filter is made of, and which object each of its nodes is.
type Topology struct {
	engine.Topology          // without Name, which Filter sets
	Objects         []string // names of the nodes' objects; "" for a node without one
}

// Filter declares the filter of that name with its pins and nodes, for device.NewFilter. The sets of each are those of its object, as
// Config returns them: their values are the filter's own, and are shared by all instances of it and by all pins of one factory. A
// caller may add hooks before it makes the device.
func (m *Manifest) Filter(name string, opt Options) (device.Filter, error) {
	i := slices.IndexFunc(m.Objects, func(o Object) bool { return o.Name == name })
	switch {
	case i < 0:
		return device.Filter{}, fmt.Errorf("manifest: there is no object %q", name)
	case m.Objects[i].Role != RoleFilter:
		return device.Filter{}, fmt.Errorf("manifest: %q is a %s, no filter; give it that role, or open what it is of", name, m.Objects[i].Role)
	}
	o := &m.Objects[i]
	f := device.Filter{Config: o.Config(opt), PinName: o.nameOf}
	if o.Pins != nil {
		f.Pins = make([]device.PinFactory, len(o.Pins))
		for i := range o.Pins {
			f.Pins[i].PinDescriptor = o.Pins[i]
		}
	}
	if o.Topology != nil {
		t := o.Topology.Topology
		t.Name = o.nameOf
		f.Topology, f.Nodes = &t, make([]engine.Config, len(t.Nodes))
	}
	for i := range m.Objects {
		part := &m.Objects[i]
		switch {
		case part.Of != name:
		case part.Role == RoleNode && uint64(part.Number) < uint64(len(f.Nodes)):
			f.Nodes[part.Number] = part.Config(opt)
		case part.Role == RolePin && uint64(part.Number) < uint64(len(f.Pins)):
			f.Pins[part.Number].Config = part.Config(opt)
		}
	}
	return f, nil
}

// nameOf is what a host looks up in its registry. A manifest has texts only, which stand for themselves.
func (o *Object) nameOf(g ks.GUID) (string, ks.Status) {
	if text, ok := o.Names[g]; ok {
		return text, ks.StatusSuccess
	}
	return "", ks.StatusObjectNameNotFound
}

// text is a name that a manifest spells out; the object gives it a GUID when all of those that the file has are known.
type text struct {
	at   func() *ks.GUID
	name string
}

// filterParts are what an object declares beside its sets, and where.
type filterParts struct {
	name, of, number, pins, topology int // positions; 0: not there
	connections                      []int
	texts                            []text
}

// filterFields are the keys of an object that say what it is.
func (p *parser) filterFields(o *Object, parts *filterParts) []field {
	return []field{
		{"role", false, func() { o.Role = Role(p.oneOf(roleNames)) }},
		{"of", false, func() { o.Of, parts.of = p.string(), p.pos }},
		{"number", false, func() { o.Number, parts.number = p.uint32(), p.pos }},
		{"pins", false, func() {
			parts.pins, o.Pins = p.ahead(), []engine.PinDescriptor{}
			p.array(func() {
				i := len(o.Pins)
				o.Pins = append(o.Pins, p.pin(func(name string) {
					parts.texts = append(parts.texts, text{func() *ks.GUID { o.Pins[i].Name = new(ks.GUID); return o.Pins[i].Name }, name})
				}))
			})
		}},
		{"topology", false, func() {
			parts.topology = p.ahead()
			o.Topology = p.topology(parts)
		}},
	}
}

// settle checks what the parts of an object have to do with its role, and names its texts.
func (p *parser) settle(o *Object, parts *filterParts) {
	part := o.Role == RoleNode || o.Role == RolePin
	switch {
	case o.Role != RoleFilter && parts.pins != 0:
		p.failAt(parts.pins, ".pins", "a %s has no pins; give the object the role filter, or remove them", o.Role)
	case o.Role != RoleFilter && parts.topology != 0:
		p.failAt(parts.topology, ".topology", "a %s has no topology; give the object the role filter, or remove it", o.Role)
	case part && parts.of == 0:
		p.fail("a %s needs of, the name of its filter; add it", o.Role)
	case part && parts.number == 0:
		p.fail("a %s needs its number in the filter; add it", o.Role)
	case !part && parts.of != 0:
		p.failAt(parts.of, ".of", "a %s is of no filter; give the object the role node or pin, or remove it", o.Role)
	case !part && parts.number != 0:
		p.failAt(parts.number, ".number", "a %s has no number; give the object the role node or pin, or remove it", o.Role)
	}
	if o.Topology != nil {
		for i, c := range o.Topology.Connections {
			p.connected(o, c, parts.connections[i], i)
		}
	}
	if len(parts.texts) == 0 || p.err != nil {
		return
	}
	taken := make(map[ks.GUID]bool)
	for i := range o.Pins {
		for _, g := range []*ks.GUID{o.Pins[i].Category, o.Pins[i].Name} {
			if g != nil {
				taken[*g] = true
			}
		}
	}
	if o.Topology != nil {
		for _, g := range slices.Concat(o.Topology.Nodes, o.Topology.NodesNames) {
			taken[g] = true
		}
	}
	o.Names = make(map[ks.GUID]string)
	g := ks.GUID{15: 1}
	for _, t := range parts.texts {
		for taken[g] {
			binary.LittleEndian.PutUint32(g[:], binary.LittleEndian.Uint32(g[:])+1)
		}
		taken[g] = true
		o.Names[g] = t.name
		*t.at() = g
	}
}

// filterNode is KSFILTER_NODE, what stands for the filter in a connection.
const filterNode = 0xFFFFFFFF

// connected checks that both ends of a connection are declared. Which pins a node has is nowhere declared, and those of a filter are not
// if it answers for them itself.
func (p *parser) connected(o *Object, c ks.TopologyConnection, at, i int) {
	end := func(node, pin uint32) (name string, there bool) {
		if node == filterNode {
			return fmt.Sprintf("pin %d of the filter", pin), o.Pins == nil || uint64(pin) < uint64(len(o.Pins))
		}
		return fmt.Sprintf("pin %d of node %d", pin, node), uint64(node) < uint64(len(o.Topology.Nodes))
	}
	from, fromThere := end(c.FromNode, c.FromNodePin)
	to, toThere := end(c.ToNode, c.ToNodePin)
	if !fromThere || !toThere {
		p.failAt(at, fmt.Sprintf(".topology.connections[%d]", i),
			"%q connects %s to %s, but of nodes it has %d and of pins %d; correct the number, or declare what it names",
			o.Name, from, to, len(o.Topology.Nodes), len(o.Pins))
	}
}

// nameText reads a name: the GUID of one, or a text, which spelled is told.
func (p *parser) nameText(guid func(ks.GUID), spelled func(string)) {
	s := p.string()
	if g, err := ks.ParseGUID(s); err == nil {
		guid(g)
	} else {
		spelled(s)
	}
}

func (p *parser) pin(spelled func(string)) (d engine.PinDescriptor) {
	d.InstancesPossible = ks.InstanceIndeterminate
	p.object(
		field{"flow", true, func() { d.DataFlow = ks.DataFlowIn + p.oneOf([]string{"in", "out"}) }},
		field{"communication", true, func() { d.Communication = p.oneOf([]string{"none", "sink", "source", "both", "bridge"}) }},
		field{"category", false, func() { g := p.guid(); d.Category = &g }},
		field{"name", false, func() { p.nameText(func(g ks.GUID) { d.Name = &g }, spelled) }},
		field{"instances", false, func() {
			counts := p.numbers(2, "[possible, necessary]")
			d.InstancesPossible, d.InstancesNecessary = counts[0], counts[1]
		}},
		field{"interfaces", false, func() { p.array(func() { d.Interfaces = append(d.Interfaces, p.relation()) }) }},
		field{"mediums", false, func() { p.array(func() { d.Mediums = append(d.Mediums, p.relation()) }) }},
		field{"ranges", false, func() { d.DataRanges = p.ranges() }},
		field{"constrained_ranges", false, func() { d.ConstrainedDataRanges = p.ranges() }},
		field{"physical", false, func() {
			c := new(engine.PhysicalConnection)
			p.object(
				field{"pin", true, func() { c.Pin = p.uint32() }},
				field{"link", true, func() { c.Link = p.string() }},
			)
			d.PhysicalConnection = c
		}},
	)
	return d
}

// ranges reads data ranges, each in hex, of which one with KSDATARANGE_ATTRIBUTES is followed by its attribute list.
func (p *parser) ranges() (list []engine.DataRange) {
	wanted := false // the list of the latest
	p.array(func() {
		b := p.hex()
		switch {
		case p.err != nil:
		case wanted:
			list[len(list)-1].Attributes, wanted = b, false
			format := ks.DataFormat{FormatSize: ks.SizeDataFormat, Flags: ks.DataRangeAttributes}.Bytes()
			if _, attributes, ok := engine.SplitDataFormat(append(format, b...)); !ok || len(attributes) != len(b) {
				p.fail("an attribute list of %d bytes is to stand here, as the range before it has KSDATARANGE_ATTRIBUTES: "+
					"a KSMULTIPLE_ITEM and the attributes that it counts", len(b))
			}
		case len(b) < ks.SizeDataFormat:
			p.fail("a KSDATARANGE has at least %d bytes, this one %d; write all of it", ks.SizeDataFormat, len(b))
		default:
			r, _ := ks.DecodeDataFormat(b)
			if uint64(r.FormatSize) != uint64(len(b)) {
				p.fail("FormatSize is %d, but there are %d bytes; correct the one that is wrong", r.FormatSize, len(b))
			}
			list, wanted = append(list, engine.DataRange{Format: b}), r.Flags&ks.DataRangeAttributes != 0
		}
	})
	if wanted {
		p.fail("the last range has KSDATARANGE_ATTRIBUTES, but no attribute list stands behind it; add it, or clear the flag")
	}
	return list
}

func (p *parser) topology(parts *filterParts) *Topology {
	t := new(Topology)
	p.object(
		field{"categories", false, func() { p.array(func() { t.Categories = append(t.Categories, p.guid()) }) }},
		field{"nodes", false, func() {
			p.array(func() {
				i := len(t.Nodes)
				var node, name ks.GUID
				var object string
				p.object(
					field{"type", true, func() { node = p.guid() }},
					field{"name", false, func() {
						p.nameText(func(g ks.GUID) { name = g }, func(s string) {
							parts.texts = append(parts.texts, text{func() *ks.GUID { return &t.NodesNames[i] }, s})
						})
					}},
					field{"object", false, func() {
						if object = p.string(); object == "" {
							p.fail("a node without an object has null here; write that, or the name of the object")
						}
					}},
				)
				t.Nodes, t.NodesNames, t.Objects = append(t.Nodes, node), append(t.NodesNames, name), append(t.Objects, object)
			})
		}},
		field{"connections", false, func() {
			p.array(func() {
				parts.connections = append(parts.connections, p.ahead())
				c := p.numbers(4, "[from node, from pin, to node, to pin]")
				t.Connections = append(t.Connections,
					ks.TopologyConnection{FromNode: c[0], FromNodePin: c[1], ToNode: c[2], ToNodePin: c[3]})
			})
		}},
	)
	return t
}

// oneOf reads one of some words and returns its index.
func (p *parser) oneOf(words []string) uint32 {
	s := p.string()
	i := slices.Index(words, s)
	if i < 0 && p.err == nil {
		p.fail("expected %s, found %s", strings.Join(words, ", "), quote(s))
	}
	return uint32(max(i, 0))
}

// numbers reads an array of n numbers; -1 is 0xFFFFFFFF.
func (p *parser) numbers(n int, what string) []uint32 {
	at := p.ahead()
	var list []uint32
	p.array(func() { list = append(list, p.number()) })
	if len(list) != n {
		p.failAt(at, "", "expected %s, found %d of them", what, len(list))
		return make([]uint32, n)
	}
	return list
}

// related checks what objects say of each other. parts are those of each.
func (p *parser) related(m *Manifest, parts []filterParts) {
	filters := make(map[string]*Object)
	named := make(map[string]int) // the first of each name
	for i := range m.Objects {
		o := &m.Objects[i]
		if o.Role == RoleFilter && filters[o.Name] == nil {
			filters[o.Name] = o
		}
		if _, taken := named[o.Name]; !taken {
			named[o.Name] = i
		}
	}
	type place struct {
		role   Role
		of     string
		number uint32
	}
	first := make(map[place]*Object)
	fail := func(i, pos int, key, format string, args ...any) {
		if p.err == nil {
			line, column := p.place(pos)
			p.err = &Error{Name: p.name, Line: line, Column: column, Path: fmt.Sprintf("objects[%d]%s", i, key),
				Reason: fmt.Sprintf(format, args...)}
		}
	}
	for i := range m.Objects {
		o := &m.Objects[i]
		if n := named[o.Name]; n != i && filters[o.Name] != nil {
			fail(i, parts[i].name, ".object", "the %s is called %q, as the %s objects[%d] is, and what is of the filter would not say of which; "+
				"rename one", o.Role, o.Name, m.Objects[n].Role, n)
		}
		if o.Role != RoleNode && o.Role != RolePin {
			continue
		}
		filter := filters[o.Of]
		if filter == nil {
			fail(i, parts[i].of, ".of", "%s %q is of %q, which is no filter of this file; name one, or give that object the role filter",
				o.Role, o.Name, o.Of)
			continue
		}
		count := len(filter.Pins)
		if o.Role == RoleNode {
			if count = 0; filter.Topology != nil {
				count = len(filter.Topology.Nodes)
			}
		}
		if uint64(o.Number) >= uint64(count) {
			fail(i, parts[i].number, ".number", "%q is %s %d of %q, which has %d; correct the number, or declare the %s there",
				o.Name, o.Role, o.Number, filter.Name, count, o.Role)
		}
		at := place{o.Role, o.Of, o.Number}
		if other := first[at]; other != nil {
			fail(i, parts[i].number, ".number", "%q is %s %d of %q, which %q is too; remove one",
				o.Name, o.Role, o.Number, o.Of, other.Name)
		} else {
			first[at] = o
		}
	}
	for i := range m.Objects {
		o := &m.Objects[i]
		if o.Topology == nil {
			continue
		}
		for n, name := range o.Topology.Objects {
			node := first[place{RoleNode, o.Name, uint32(n)}]
			switch {
			case name == "" || node != nil && node.Name == name:
			case node == nil:
				fail(i, parts[i].topology, ".topology",
					"node %d of %q is to be %q, but no object is that node; give that one of, role and number, or name none", n, o.Name, name)
			default:
				fail(i, parts[i].topology, ".topology", "node %d of %q is to be %q, but %q is that node; correct one of them",
					n, o.Name, name, node.Name)
			}
		}
	}
}
