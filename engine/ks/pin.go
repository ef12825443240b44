package ks

import "encoding/binary"

// Pin is KSP_PIN, and as it only differs in the name of its first member KSE_PIN: a request to a filter about one of its
// pins, 32 bytes. Documented at ns-ks-ksp_pin.
type Pin struct {
	Identifier        // offset 0: Property or Event
	PinID      uint32 // offset 24, PinId
	PinFlags   uint32 // offset 28, a union of Reserved and Flags: a PinFlag bit or zero
}

// SizePin is sizeof(KSP_PIN) in bytes.
const SizePin = 32

// DecodePin reads a KSP_PIN from the first 32 bytes of b; false if b is shorter.
func DecodePin(b []byte) (x Pin, ok bool) {
	if len(b) < SizePin {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.PinID = binary.LittleEndian.Uint32(b[24:])
	x.PinFlags = binary.LittleEndian.Uint32(b[28:])
	return x, true
}

// Put writes the 32 bytes of x; it panics if b is shorter.
func (x Pin) Put(b []byte) {
	_ = b[SizePin-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint32(b[24:], x.PinID)
	binary.LittleEndian.PutUint32(b[28:], x.PinFlags)
}

// Bytes returns the 32 bytes of x.
func (x Pin) Bytes() []byte { return bytesOf(x, SizePin) }

// PinFlagAttributeRangeAware is KSPROPERTY_PIN_FLAGS_ATTRIBUTE_RANGE_AWARE, a bit of PinFlags of [Pin]: the client knows that
// attribute lists may stand between data ranges (PN-11).
const PinFlagAttributeRangeAware uint32 = 1

// KSPIN_DATAFLOW: which way the data of a pin go, seen from the filter.
const (
	DataFlowIn  uint32 = 1 // KSPIN_DATAFLOW_IN
	DataFlowOut uint32 = 2 // KSPIN_DATAFLOW_OUT
)

// KSPIN_COMMUNICATION: who connects a pin.
const (
	CommunicationNone   uint32 = iota // KSPIN_COMMUNICATION_NONE: nobody
	CommunicationSink                 // KSPIN_COMMUNICATION_SINK: it takes requests
	CommunicationSource               // KSPIN_COMMUNICATION_SOURCE: it makes requests
	CommunicationBoth                 // KSPIN_COMMUNICATION_BOTH
	CommunicationBridge               // KSPIN_COMMUNICATION_BRIDGE: it ends the graph, as a jack does
)

// InstanceIndeterminate is KSINSTANCE_INDETERMINATE: a count of instances without a limit.
const InstanceIndeterminate uint32 = 0xFFFFFFFF

// Identifiers of pins that declare none (PN-7).
var (
	// InterfaceStreaming is KSINTERFACESETID_Standard with KSINTERFACE_STANDARD_STREAMING.
	InterfaceStreaming = Identifier{Set: GUID{0xa0, 0x66, 0x87, 0x1a, 0xce, 0x62, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00}}
	// MediumDevIO is KSMEDIUMSETID_Standard with KSMEDIUM_STANDARD_DEVIO, which is KSMEDIUM_TYPE_ANYINSTANCE.
	MediumDevIO = Identifier{Set: GUID{0x20, 0xb3, 0x47, 0x47, 0xce, 0x62, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00}}
)

// PinCInstances is KSPIN_CINSTANCES: how many pins of a kind there may be, and are, 8 bytes. Documented at
// ns-ks-kspin_cinstances.
type PinCInstances struct {
	PossibleCount uint32 // offset 0: InstanceIndeterminate is no limit
	CurrentCount  uint32 // offset 4
}

// SizePinCInstances is sizeof(KSPIN_CINSTANCES) in bytes.
const SizePinCInstances = 8

// DecodePinCInstances reads a KSPIN_CINSTANCES from the first 8 bytes of b; false if b is shorter.
func DecodePinCInstances(b []byte) (x PinCInstances, ok bool) {
	if len(b) < SizePinCInstances {
		return x, false
	}
	x.PossibleCount = binary.LittleEndian.Uint32(b)
	x.CurrentCount = binary.LittleEndian.Uint32(b[4:])
	return x, true
}

// Put writes the 8 bytes of x; it panics if b is shorter.
func (x PinCInstances) Put(b []byte) {
	_ = b[SizePinCInstances-1]
	binary.LittleEndian.PutUint32(b, x.PossibleCount)
	binary.LittleEndian.PutUint32(b[4:], x.CurrentCount)
}

// Bytes returns the 8 bytes of x.
func (x PinCInstances) Bytes() []byte { return bytesOf(x, SizePinCInstances) }

// PinPhysicalConnection is the head of KSPIN_PHYSICALCONNECTION: which pin of which filter a pin is wired to, 8 bytes, followed
// by the symbolic link name of that filter, UTF-16 with a terminator. sizeof is 12, as in C one WCHAR of the name and padding
// belong to it. Documented at ns-ks-kspin_physicalconnection.
type PinPhysicalConnection struct {
	Size uint32 // offset 0: bytes of the whole value, the name and its terminator included
	Pin  uint32 // offset 4: of the other filter
}

// SizePinPhysicalConnection is the offset of the name in KSPIN_PHYSICALCONNECTION.
const SizePinPhysicalConnection = 8

// DecodePinPhysicalConnection reads a KSPIN_PHYSICALCONNECTION from the first 8 bytes of b; false if b is shorter.
func DecodePinPhysicalConnection(b []byte) (x PinPhysicalConnection, ok bool) {
	if len(b) < SizePinPhysicalConnection {
		return x, false
	}
	x.Size = binary.LittleEndian.Uint32(b)
	x.Pin = binary.LittleEndian.Uint32(b[4:])
	return x, true
}

// Put writes the 8 bytes of x; it panics if b is shorter.
func (x PinPhysicalConnection) Put(b []byte) {
	_ = b[SizePinPhysicalConnection-1]
	binary.LittleEndian.PutUint32(b, x.Size)
	binary.LittleEndian.PutUint32(b[4:], x.Pin)
}

// Bytes returns the 8 bytes of x.
func (x PinPhysicalConnection) Bytes() []byte { return bytesOf(x, SizePinPhysicalConnection) }

// Priority is KSPRIORITY: how a pin ranks among those that compete for a resource, 8 bytes. Documented at ns-ks-kspriority.
type Priority struct {
	PriorityClass    uint32 // offset 0: a Priority constant
	PrioritySubClass uint32 // offset 4
}

// SizePriority is sizeof(KSPRIORITY) in bytes.
const SizePriority = 8

// DecodePriority reads a KSPRIORITY from the first 8 bytes of b; false if b is shorter.
func DecodePriority(b []byte) (x Priority, ok bool) {
	if len(b) < SizePriority {
		return x, false
	}
	x.PriorityClass = binary.LittleEndian.Uint32(b)
	x.PrioritySubClass = binary.LittleEndian.Uint32(b[4:])
	return x, true
}

// Put writes the 8 bytes of x; it panics if b is shorter.
func (x Priority) Put(b []byte) {
	_ = b[SizePriority-1]
	binary.LittleEndian.PutUint32(b, x.PriorityClass)
	binary.LittleEndian.PutUint32(b[4:], x.PrioritySubClass)
}

// Bytes returns the 8 bytes of x.
func (x Priority) Bytes() []byte { return bytesOf(x, SizePriority) }

// KSPRIORITY: PriorityClass of [Priority].
const (
	PriorityLow       uint32 = 1          // KSPRIORITY_LOW
	PriorityNormal    uint32 = 0x40000000 // KSPRIORITY_NORMAL
	PriorityHigh      uint32 = 0x80000000 // KSPRIORITY_HIGH
	PriorityExclusive uint32 = 0xFFFFFFFF // KSPRIORITY_EXCLUSIVE
)

// PinConnect is KSPIN_CONNECT: what a client asks of a pin that it creates, 72 bytes, followed by a [DataFormat] and what
// belongs to that. Documented at ns-ks-kspin_connect.
type PinConnect struct {
	Interface   Identifier // offset 0: one of those that the pin lists
	Medium      Identifier // offset 24: one of those that the pin lists
	PinID       uint32     // offset 48, PinId; 4 bytes of padding follow
	PinToHandle uint64     // offset 56: the pin to connect to, a handle of the client; 0 is none
	Priority    Priority   // offset 64
}

// SizePinConnect is sizeof(KSPIN_CONNECT) in bytes.
const SizePinConnect = 72

// DecodePinConnect reads a KSPIN_CONNECT from the first 72 bytes of b; false if b is shorter.
func DecodePinConnect(b []byte) (x PinConnect, ok bool) {
	if len(b) < SizePinConnect {
		return x, false
	}
	x.Interface, _ = DecodeIdentifier(b)
	x.Medium, _ = DecodeIdentifier(b[24:])
	x.PinID = binary.LittleEndian.Uint32(b[48:])
	x.PinToHandle = binary.LittleEndian.Uint64(b[56:])
	x.Priority, _ = DecodePriority(b[64:])
	return x, true
}

// Put writes the 72 bytes of x; it panics if b is shorter.
func (x PinConnect) Put(b []byte) {
	_ = b[SizePinConnect-1]
	x.Interface.Put(b)
	x.Medium.Put(b[24:])
	binary.LittleEndian.PutUint32(b[48:], x.PinID)
	clear(b[52:56])
	binary.LittleEndian.PutUint64(b[56:], x.PinToHandle)
	x.Priority.Put(b[64:])
}

// Bytes returns the 72 bytes of x.
func (x PinConnect) Bytes() []byte { return bytesOf(x, SizePinConnect) }

// KSSTATE: the states of a pin, in the order in which it goes through them.
const (
	StateStop    uint32 = iota // KSSTATE_STOP
	StateAcquire               // KSSTATE_ACQUIRE: it has its resources
	StatePause                 // KSSTATE_PAUSE: it is about to run
	StateRun                   // KSSTATE_RUN
)
