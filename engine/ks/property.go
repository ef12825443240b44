package ks

// Property request flags, KSPROPERTY_TYPE_*.
const (
	PropertyTypeGet            uint32 = 0x00000001
	PropertyTypeSet            uint32 = 0x00000002
	PropertyTypeGetPayloadSize uint32 = 0x00000004
	PropertyTypeSetSupport     uint32 = 0x00000100
	PropertyTypeBasicSupport   uint32 = 0x00000200
	PropertyTypeRelations      uint32 = 0x00000400
	PropertyTypeSerializeSet   uint32 = 0x00000800
	PropertyTypeUnserializeSet uint32 = 0x00001000
	PropertyTypeSerializeRaw   uint32 = 0x00002000
	PropertyTypeUnserializeRaw uint32 = 0x00004000
	PropertyTypeSerializeSize  uint32 = 0x00008000
	PropertyTypeDefaultValues  uint32 = 0x00010000
	PropertyTypeHighPriority   uint32 = 0x08000000
	PropertyTypeTopology       uint32 = 0x10000000
	PropertyTypeFSFilterScope  uint32 = 0x40000000
	PropertyTypeCopyPayload    uint32 = 0x80000000
)

// Identifier is KSIDENTIFIER, and under its other names KSPROPERTY, KSMETHOD and KSEVENT.
type Identifier struct {
	Set   GUID
	ID    uint32
	Flags uint32
}

// SizeIdentifier is sizeof(KSIDENTIFIER) in bytes.
const SizeIdentifier = 24

// SizeNode is sizeof(KSP_NODE) in bytes.
const SizeNode = 32

// MembersHeader is KSPROPERTY_MEMBERSHEADER.
type MembersHeader struct {
	MembersFlags uint32
	MembersSize  uint32
	MembersCount uint32
	Flags        uint32
}

// MemberFlagDefault is KSPROPERTY_MEMBER_FLAG_DEFAULT.
const MemberFlagDefault uint32 = 1

// IOCTL codes.
const (
	IoctlProperty     uint32 = 0x002F0003
	IoctlEnableEvent  uint32 = 0x002F0007
	IoctlDisableEvent uint32 = 0x002F000B
	IoctlMethod       uint32 = 0x002F000F
)
