package engine

import (
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
