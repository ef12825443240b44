package ks

import "encoding/binary"

// Identifier is KSIDENTIFIER, and under its other names KSPROPERTY, KSMETHOD and KSEVENT: the start of every request,
// 24 bytes. Documented at ns-ks-ksidentifier.
type Identifier struct {
	Set   GUID   // offset 0
	ID    uint32 // offset 16, Id
	Flags uint32 // offset 20
}

// SizeIdentifier is sizeof(KSIDENTIFIER) in bytes.
const SizeIdentifier = 24

// DecodeIdentifier reads a KSIDENTIFIER from the first 24 bytes of b; false if b is shorter.
//
// It inlines, and is still not for a dispatch path: Go keeps a struct that holds an array in memory, and copies these 24
// bytes as two overlapping halves, the second of which has to wait for three stores. Using a decoded identifier costs 10
// to 20 ns, reading the same bytes as words 2 (BenchmarkDecodeIdentifier, BenchmarkIdentifierWords). A composite literal
// as result, copy instead of the array conversion, and stores word by word were tried: all within 10%.
func DecodeIdentifier(b []byte) (x Identifier, ok bool) {
	if len(b) < SizeIdentifier {
		return x, false
	}
	x.Set = GUID(b)
	x.ID = binary.LittleEndian.Uint32(b[16:])
	x.Flags = binary.LittleEndian.Uint32(b[20:])
	return x, true
}

// Put writes the 24 bytes of x; it panics if b is shorter.
func (x Identifier) Put(b []byte) {
	_ = b[SizeIdentifier-1]
	copy(b, x.Set[:])
	binary.LittleEndian.PutUint32(b[16:], x.ID)
	binary.LittleEndian.PutUint32(b[20:], x.Flags)
}

// Bytes returns the 24 bytes of x.
func (x Identifier) Bytes() []byte { return bytesOf(x, SizeIdentifier) }

// Node is KSP_NODE, and as it only differs in the name of its first member KSM_NODE and KSE_NODE: a request to one node
// of a filter's topology, which carries the TOPOLOGY flag. 32 bytes. Documented at ns-ks-ksp_node.
type Node struct {
	Identifier        // offset 0: Property, Method or Event
	NodeID     uint32 // offset 24, NodeId
	Reserved   uint32 // offset 28; zero
}

// SizeNode is sizeof(KSP_NODE) in bytes.
const SizeNode = 32

// DecodeNode reads a KSP_NODE from the first 32 bytes of b; false if b is shorter.
func DecodeNode(b []byte) (x Node, ok bool) {
	if len(b) < SizeNode {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.NodeID = binary.LittleEndian.Uint32(b[24:])
	x.Reserved = binary.LittleEndian.Uint32(b[28:])
	return x, true
}

// Put writes the 32 bytes of x; it panics if b is shorter.
func (x Node) Put(b []byte) {
	_ = b[SizeNode-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint32(b[24:], x.NodeID)
	binary.LittleEndian.PutUint32(b[28:], x.Reserved)
}

// Bytes returns the 32 bytes of x.
func (x Node) Bytes() []byte { return bytesOf(x, SizeNode) }

// MultipleItem is KSMULTIPLE_ITEM: the head of a list of variable size, 8 bytes. Documented at ns-ks-ksmultiple_item.
type MultipleItem struct {
	Size  uint32 // offset 0: bytes of the whole list, these 8 included
	Count uint32 // offset 4: elements that follow
}

// SizeMultipleItem is sizeof(KSMULTIPLE_ITEM) in bytes.
const SizeMultipleItem = 8

// DecodeMultipleItem reads a KSMULTIPLE_ITEM from the first 8 bytes of b; false if b is shorter.
func DecodeMultipleItem(b []byte) (x MultipleItem, ok bool) {
	if len(b) < SizeMultipleItem {
		return x, false
	}
	x.Size = binary.LittleEndian.Uint32(b)
	x.Count = binary.LittleEndian.Uint32(b[4:])
	return x, true
}

// Put writes the 8 bytes of x; it panics if b is shorter.
func (x MultipleItem) Put(b []byte) {
	_ = b[SizeMultipleItem-1]
	binary.LittleEndian.PutUint32(b, x.Size)
	binary.LittleEndian.PutUint32(b[4:], x.Count)
}

// Bytes returns the 8 bytes of x.
func (x MultipleItem) Bytes() []byte { return bytesOf(x, SizeMultipleItem) }

// TopologyConnection is KSTOPOLOGY_CONNECTION: one edge of a filter's topology, 16 bytes; what
// KSPROPERTY_TOPOLOGY_CONNECTIONS lists. Documented at ns-ks-kstopology_connection.
type TopologyConnection struct {
	FromNode    uint32 // offset 0; KSFILTER_NODE (0xFFFFFFFF) is the filter itself
	FromNodePin uint32 // offset 4
	ToNode      uint32 // offset 8; as FromNode
	ToNodePin   uint32 // offset 12
}

// SizeTopologyConnection is sizeof(KSTOPOLOGY_CONNECTION) in bytes.
const SizeTopologyConnection = 16

// DecodeTopologyConnection reads a KSTOPOLOGY_CONNECTION from the first 16 bytes of b; false if b is shorter.
func DecodeTopologyConnection(b []byte) (x TopologyConnection, ok bool) {
	if len(b) < SizeTopologyConnection {
		return x, false
	}
	x.FromNode = binary.LittleEndian.Uint32(b)
	x.FromNodePin = binary.LittleEndian.Uint32(b[4:])
	x.ToNode = binary.LittleEndian.Uint32(b[8:])
	x.ToNodePin = binary.LittleEndian.Uint32(b[12:])
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x TopologyConnection) Put(b []byte) {
	_ = b[SizeTopologyConnection-1]
	binary.LittleEndian.PutUint32(b, x.FromNode)
	binary.LittleEndian.PutUint32(b[4:], x.FromNodePin)
	binary.LittleEndian.PutUint32(b[8:], x.ToNode)
	binary.LittleEndian.PutUint32(b[12:], x.ToNodePin)
}

// Bytes returns the 16 bytes of x.
func (x TopologyConnection) Bytes() []byte { return bytesOf(x, SizeTopologyConnection) }

// bytesOf is Bytes of every structure.
func bytesOf[X interface{ Put([]byte) }](x X, size int) []byte {
	b := make([]byte, size)
	x.Put(b)
	return b
}
