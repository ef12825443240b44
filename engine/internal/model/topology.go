package model

import (
	"unicode/utf16"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Topology is KSTOPOLOGY. NodeNames is nil, or as long as Nodes.
type Topology struct {
	Categories, Nodes, NodeNames []ks.GUID
	Connections                  [][16]byte
}

// Item ids of KSPROPSETID_Topology.
const (
	TopologyCategories = iota
	TopologyNodes
	TopologyConnections
	TopologyName
)

// Property is KsTopologyPropertyHandler called directly (P-60..P-62). lookup finds the name of a category. It returns what
// the handler leaves in Data as well: the first Information bytes on success.
func (t *Topology) Property(q *Request, lookup func(ks.GUID) (string, ks.Status)) (ks.Status, uint64, []byte) {
	switch {
	case q.In < 24: // P-4
		return ks.StatusInvalidBufferSize, 0, nil
	case verbOf(q.Flags, false) != ks.PropertyTypeGet: // P-62
		return ks.StatusInvalidDeviceRequest, 0, nil
	}
	switch q.ID {
	case TopologyCategories:
		return sizedList(16, joined(t.Categories), q.Out)
	case TopologyNodes:
		return sizedList(16, joined(t.Nodes), q.Out)
	case TopologyConnections:
		return sizedList(16, joined(t.Connections), q.Out)
	case TopologyName:
		return t.name(q, lookup)
	}
	return ks.StatusNotFound, 0, nil
}

func (t *Topology) name(q *Request, lookup func(ks.GUID) (string, ks.Status)) (ks.Status, uint64, []byte) {
	if q.In < 32 { // the request is a KSP_NODE
		return ks.StatusInvalidBufferSize, 0, nil
	}
	node := u32(q.input(q.In)[24:])
	if uint64(node) >= uint64(len(t.Nodes)) { // P-61
		return ks.StatusInvalidParameter, 0, nil
	}
	guid := t.Nodes[node]
	if t.NodeNames != nil && t.NodeNames[node] != guidNull {
		guid = t.NodeNames[node]
	}
	text, status := lookup(guid)
	if !status.IsSuccess() {
		return status, 0, nil
	}
	var b []byte
	for _, c := range append(utf16.Encode([]rune(text)), 0) {
		b = append(b, byte(c), byte(c>>8))
	}
	switch need := uint64(len(b)); { // P-62
	case q.Out == 0:
		return ks.StatusBufferOverflow, need, nil
	case uint64(q.Out) < need:
		return ks.StatusBufferTooSmall, 0, nil
	default:
		return ks.StatusSuccess, need, b
	}
}

func joined[E ~[16]byte](list []E) (b []byte) {
	for _, e := range list {
		b = append(b, e[:]...)
	}
	return b
}
