package engine

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// NodeList is the nodes of a filter: for each NodeId a dispatcher with the sets of that node. It is what Config.Nodes of the filter
// and of its pins points to (AT-11). Nodes can be added while requests are dispatched (AT-14); it is safe for concurrent use.
type NodeList struct {
	mu    sync.Mutex // of Add
	nodes atomic.Pointer[[]*Dispatcher]
}

// NewNodeList returns a list of nodes, whose numbers are their places. nil stands for a node without sets.
func NewNodeList(nodes ...*Dispatcher) *NodeList {
	l := new(NodeList)
	for _, d := range nodes {
		l.Add(d)
	}
	return l
}

// Add adds a node, or with nil one without sets, and returns its NodeId. Numbers are not used again.
func (l *NodeList) Add(d *Dispatcher) (node uint32) {
	if d == nil {
		d = noSets()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.all()
	nodes := append(old[:len(old):len(old)], d)
	l.nodes.Store(&nodes)
	return uint32(len(old))
}

// Len returns the number of nodes.
func (l *NodeList) Len() int { return len(l.all()) }

// Node returns the dispatcher of a node, or nil if there is no such node.
func (l *NodeList) Node(node uint32) *Dispatcher {
	if nodes := l.all(); uint64(node) < uint64(len(nodes)) {
		return nodes[node]
	}
	return nil
}

func (l *NodeList) all() []*Dispatcher {
	if nodes := l.nodes.Load(); nodes != nil {
		return *nodes
	}
	return nil
}

// noSets is the dispatcher of a node without sets.
var noSets = sync.OnceValue(func() *Dispatcher {
	d, err := Compile(Config{})
	if err != nil {
		panic(err) // nothing was declared
	}
	return d
})

// routedProperty is PropertyWithBuffers for a request whose identifier was read. It is a function of its own, as a second variable of
// a dispatcher would cost the hot path that PropertyWithBuffers is.
func (d *Dispatcher) routedProperty(irp *IRP, in, out []byte, allocator Allocator) ks.Status {
	to, status := d.routed(irp)
	if to == nil {
		return status
	}
	return to.identifiedProperty(irp, in, out, allocator)
}

// routed returns the dispatcher that a request of d with an identifier that was read is for: that of a node if the identifier, which
// nobody reads again (AT-12, S-39), has the bit TOPOLOGY and d has nodes; else d. It is nil, with the status, for an unknown node.
func (d *Dispatcher) routed(irp *IRP) (*Dispatcher, ks.Status) {
	const topology = ks.PropertyTypeTopology // the bit of each family
	if d.nodes == nil || irp.ident.flags()&topology == 0 {
		return d, ks.StatusSuccess
	}
	if node := d.nodes.Node(uint32(irp.ident.node)); node != nil {
		return node, ks.StatusSuccess
	}
	return nil, irp.decide(ruleAT11, ks.StatusInvalidParameter)
}

// nodeItem is the first half of the short path of IoControl for a GET, SET or method with the bit TOPOLOGY: it decides which table the
// request is for (AT-10 to AT-12) and which item, so that there is one guard whatever the table. The handler is nil if control is to
// answer the request, which finds out anew what is wrong with it, if anything.
//
//go:noinline
func (d *Dispatcher) nodeItem(irp *IRP, code uint32, in []byte, out int) (handler Handler, dir direction) {
	if len(in) < ks.SizeNode {
		return nil, 0
	}
	b := (*[ks.SizeNode]byte)(in)
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(b[:]))
	flags := uint32(word >> 32)
	if flags&ks.PropertyTypeTopology == 0 {
		return nil, 0
	}
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(out))
	irp.ident.node = binary.LittleEndian.Uint64(b[ks.SizeIdentifier:])
	if d.nodes != nil {
		if d = d.nodes.Node(uint32(irp.ident.node)); d == nil {
			return nil, 0
		}
	}
	tag := uint32(0)
	switch verb := flags &^ ks.PropertyTypeTopology; {
	case code == ks.IoctlProperty && verb-1 <= 1:
		irp.index = noItem // of the dispatcher that was the owner
		irp.own(d)
		var e *entry
		if irp.direct.Ready() { // a copy that is there before the processor has found d
			e = irp.direct.Lookup(lo, hi, uint32(word))
		} else {
			e = d.properties.table.Lookup(lo, hi, uint32(word))
		}
		if e == nil || uint32(len(in)) < e.Value.minProperty() || uint32(out) < e.Value.minData {
			return nil, 0
		}
		handler, dir, tag = e.Value.handlers[verb-1], direction(verb), e.Tag
	case code == ks.IoctlMethod && verb <= sent:
		e := d.methods.table.Lookup(lo, hi, uint32(word))
		if e == nil || e.Value.flags&ks.MethodTypeSource != 0 || uint32(len(in)) < e.Value.minMethod || uint32(out) < e.Value.minData {
			return nil, 0
		}
		irp.own(d)
		handler, dir, tag = e.Value.handler, methodDirection(e.Value.flags), firstMethod+e.Tag
	}
	if handler == nil {
		return nil, 0
	}
	irp.index = tag
	return handler, dir
}
