package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Topology declares what a filter is made of: KSTOPOLOGY. Its Property method answers the KSPROPSETID_Topology properties
// (P-60 to P-62). It must not be changed while requests are dispatched.
type Topology struct {
	Categories  []ks.GUID
	Nodes       []ks.GUID
	Connections []ks.TopologyConnection
	// NodesNames gives a node another name than that of its type: TopologyNodesNames. It may be nil or shorter than Nodes;
	// GUID_NULL stands for none.
	NodesNames []ks.GUID
	// Name returns the display name of a node GUID, the user-space counterpart of the Name value under
	// Control\MediaCategories, or the status of the failed look-up. nil answers STATUS_NOT_FOUND.
	Name func(ks.GUID) (string, ks.Status)
}

// KSPROPERTY_TOPOLOGY: the properties of KSPROPSETID_Topology.
const (
	topologyCategories = iota
	topologyNodes
	topologyConnections
	topologyName
)

// PropertySet declares KSPROPSETID_Topology, the set with GUID set, answered by t.
func (t *Topology) PropertySet(set ks.GUID) PropertySet {
	return PropertySet{Set: set, Items: []PropertyItem{
		{ID: topologyCategories, Get: t.Property},
		{ID: topologyNodes, Get: t.Property},
		{ID: topologyConnections, Get: t.Property},
		{ID: topologyName, Get: t.Property, MinProperty: ks.SizeNode},
	}}
}

// Property is a Handler: KsTopologyPropertyHandler. It answers GET of CATEGORIES (16 bytes each), NODES (16), CONNECTIONS
// (16) and NAME (UTF-16 with a terminator).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kstopologypropertyhandler
func (t *Topology) Property(irp *IRP, request, data []byte) ks.Status {
	q, ok := ks.DecodeIdentifier(request)
	if !ok || q.Flags&^modifiers != ks.PropertyTypeGet {
		return ks.StatusInvalidDeviceRequest // P-62
	}
	switch q.ID {
	case topologyCategories:
		return irp.guidList(data, t.Categories)
	case topologyNodes:
		return irp.guidList(data, t.Nodes)
	case topologyConnections:
		return irp.sizedList(ruleP17, data, uint32(len(t.Connections)), ks.SizeTopologyConnection, func(i uint32, b []byte) {
			t.Connections[i].Put(b)
		})
	case topologyName:
		return t.name(irp, request, data)
	}
	return ks.StatusNotFound
}

// name is P-61 and P-62.
func (t *Topology) name(irp *IRP, request, data []byte) ks.Status {
	if len(request) < ks.SizeNode {
		return ks.StatusInvalidBufferSize
	}
	node := binary.LittleEndian.Uint32(request[ks.SizeIdentifier:])
	if uint64(node) >= uint64(len(t.Nodes)) {
		return ks.StatusInvalidParameter
	}
	guid := t.Nodes[node]
	if uint64(node) < uint64(len(t.NodesNames)) && t.NodesNames[node] != (ks.GUID{}) {
		guid = t.NodesNames[node]
	}
	if t.Name == nil {
		return ks.StatusNotFound
	}
	name, status := t.Name(guid)
	if !status.IsSuccess() {
		return status
	}
	return irp.text(ruleP17, data, name)
}
