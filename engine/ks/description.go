package ks

import "encoding/binary"

// PropertyDescription is KSPROPERTY_DESCRIPTION: what BASICSUPPORT and DEFAULTVALUES return (P-33, P-36), followed by
// MembersListCount lists of a [MembersHeader] and its members. 40 bytes. Documented at ns-ks-ksproperty_description.
type PropertyDescription struct {
	AccessFlags      uint32     // offset 0: the supported verbs, KSPROPERTY_TYPE_GET and so on
	DescriptionSize  uint32     // offset 4: bytes of the whole description, lists included
	PropTypeSet      Identifier // offset 8: the type of the value, such as KSPROPTYPESETID_General and a VT_* as Id
	MembersListCount uint32     // offset 32
	Reserved         uint32     // offset 36; zero
}

// SizePropertyDescription is sizeof(KSPROPERTY_DESCRIPTION) in bytes.
const SizePropertyDescription = 40

// DecodePropertyDescription reads a KSPROPERTY_DESCRIPTION from the first 40 bytes of b; false if b is shorter.
func DecodePropertyDescription(b []byte) (x PropertyDescription, ok bool) {
	if len(b) < SizePropertyDescription {
		return x, false
	}
	x.AccessFlags = binary.LittleEndian.Uint32(b)
	x.DescriptionSize = binary.LittleEndian.Uint32(b[4:])
	x.PropTypeSet, _ = DecodeIdentifier(b[8:])
	x.MembersListCount = binary.LittleEndian.Uint32(b[32:])
	x.Reserved = binary.LittleEndian.Uint32(b[36:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x PropertyDescription) Put(b []byte) {
	_ = b[SizePropertyDescription-1]
	binary.LittleEndian.PutUint32(b, x.AccessFlags)
	binary.LittleEndian.PutUint32(b[4:], x.DescriptionSize)
	x.PropTypeSet.Put(b[8:])
	binary.LittleEndian.PutUint32(b[32:], x.MembersListCount)
	binary.LittleEndian.PutUint32(b[36:], x.Reserved)
}

// Bytes returns the 40 bytes of x.
func (x PropertyDescription) Bytes() []byte { return bytesOf(x, SizePropertyDescription) }

// MembersHeader is KSPROPERTY_MEMBERSHEADER: the head of one list of values, 16 bytes, followed by MembersSize x
// MembersCount bytes. Documented at ns-ks-ksproperty_membersheader.
type MembersHeader struct {
	MembersFlags uint32 // offset 0: MemberRanges, MemberSteppedRanges or MemberValues
	MembersSize  uint32 // offset 4: bytes of one member
	MembersCount uint32 // offset 8
	Flags        uint32 // offset 12: MemberFlag bits
}

// SizeMembersHeader is sizeof(KSPROPERTY_MEMBERSHEADER) in bytes.
const SizeMembersHeader = 16

// What a list holds, KSPROPERTY_MEMBER_*: MembersFlags of [MembersHeader].
const (
	MemberRanges        uint32 = 1 // KSPROPERTY_MEMBER_RANGES: KSPROPERTY_BOUNDS_LONG or _LONGLONG
	MemberSteppedRanges uint32 = 2 // KSPROPERTY_MEMBER_STEPPEDRANGES: KSPROPERTY_STEPPING_LONG or _LONGLONG
	MemberValues        uint32 = 3 // KSPROPERTY_MEMBER_VALUES: values of the property's type
)

// Marks of a list, KSPROPERTY_MEMBER_FLAG_*: Flags of [MembersHeader].
const (
	// MemberFlagDefault is KSPROPERTY_MEMBER_FLAG_DEFAULT: the list holds default values (P-36).
	MemberFlagDefault uint32 = 1
	// MemberFlagMultichannel is KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL: one member for each channel.
	MemberFlagMultichannel uint32 = 2
	// MemberFlagUniform is KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM: a change applies to all channels.
	MemberFlagUniform uint32 = 4
)

// DecodeMembersHeader reads a KSPROPERTY_MEMBERSHEADER from the first 16 bytes of b; false if b is shorter.
func DecodeMembersHeader(b []byte) (x MembersHeader, ok bool) {
	if len(b) < SizeMembersHeader {
		return x, false
	}
	x.MembersFlags = binary.LittleEndian.Uint32(b)
	x.MembersSize = binary.LittleEndian.Uint32(b[4:])
	x.MembersCount = binary.LittleEndian.Uint32(b[8:])
	x.Flags = binary.LittleEndian.Uint32(b[12:])
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x MembersHeader) Put(b []byte) {
	_ = b[SizeMembersHeader-1]
	binary.LittleEndian.PutUint32(b, x.MembersFlags)
	binary.LittleEndian.PutUint32(b[4:], x.MembersSize)
	binary.LittleEndian.PutUint32(b[8:], x.MembersCount)
	binary.LittleEndian.PutUint32(b[12:], x.Flags)
}

// Bytes returns the 16 bytes of x.
func (x MembersHeader) Bytes() []byte { return bytesOf(x, SizeMembersHeader) }

// BoundsLong is KSPROPERTY_BOUNDS_LONG: a range of 32-bit values, 8 bytes. The union's unsigned arm is the same bits,
// uint32(x.SignedMinimum). Documented at ns-ks-ksproperty_bounds_long.
type BoundsLong struct {
	SignedMinimum int32 // offset 0
	SignedMaximum int32 // offset 4
}

// SizeBoundsLong is sizeof(KSPROPERTY_BOUNDS_LONG) in bytes.
const SizeBoundsLong = 8

// DecodeBoundsLong reads a KSPROPERTY_BOUNDS_LONG from the first 8 bytes of b; false if b is shorter.
func DecodeBoundsLong(b []byte) (x BoundsLong, ok bool) {
	if len(b) < SizeBoundsLong {
		return x, false
	}
	x.SignedMinimum = int32(binary.LittleEndian.Uint32(b))
	x.SignedMaximum = int32(binary.LittleEndian.Uint32(b[4:]))
	return x, true
}

// Put writes the 8 bytes of x; it panics if b is shorter.
func (x BoundsLong) Put(b []byte) {
	_ = b[SizeBoundsLong-1]
	binary.LittleEndian.PutUint32(b, uint32(x.SignedMinimum))
	binary.LittleEndian.PutUint32(b[4:], uint32(x.SignedMaximum))
}

// Bytes returns the 8 bytes of x.
func (x BoundsLong) Bytes() []byte { return bytesOf(x, SizeBoundsLong) }

// BoundsLongLong is KSPROPERTY_BOUNDS_LONGLONG: a range of 64-bit values, 16 bytes. The union's unsigned arm is the same
// bits, uint64(x.SignedMinimum). Documented at ns-ks-ksproperty_bounds_longlong.
type BoundsLongLong struct {
	SignedMinimum int64 // offset 0
	SignedMaximum int64 // offset 8
}

// SizeBoundsLongLong is sizeof(KSPROPERTY_BOUNDS_LONGLONG) in bytes.
const SizeBoundsLongLong = 16

// DecodeBoundsLongLong reads a KSPROPERTY_BOUNDS_LONGLONG from the first 16 bytes of b; false if b is shorter.
func DecodeBoundsLongLong(b []byte) (x BoundsLongLong, ok bool) {
	if len(b) < SizeBoundsLongLong {
		return x, false
	}
	x.SignedMinimum = int64(binary.LittleEndian.Uint64(b))
	x.SignedMaximum = int64(binary.LittleEndian.Uint64(b[8:]))
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x BoundsLongLong) Put(b []byte) {
	_ = b[SizeBoundsLongLong-1]
	binary.LittleEndian.PutUint64(b, uint64(x.SignedMinimum))
	binary.LittleEndian.PutUint64(b[8:], uint64(x.SignedMaximum))
}

// Bytes returns the 16 bytes of x.
func (x BoundsLongLong) Bytes() []byte { return bytesOf(x, SizeBoundsLongLong) }

// SteppingLong is KSPROPERTY_STEPPING_LONG: a range of 32-bit values and the step between them, 16 bytes.
// Documented at ns-ks-ksproperty_stepping_long.
type SteppingLong struct {
	SteppingDelta uint32     // offset 0
	Reserved      uint32     // offset 4; zero
	Bounds        BoundsLong // offset 8
}

// SizeSteppingLong is sizeof(KSPROPERTY_STEPPING_LONG) in bytes.
const SizeSteppingLong = 16

// DecodeSteppingLong reads a KSPROPERTY_STEPPING_LONG from the first 16 bytes of b; false if b is shorter.
func DecodeSteppingLong(b []byte) (x SteppingLong, ok bool) {
	if len(b) < SizeSteppingLong {
		return x, false
	}
	x.SteppingDelta = binary.LittleEndian.Uint32(b)
	x.Reserved = binary.LittleEndian.Uint32(b[4:])
	x.Bounds, _ = DecodeBoundsLong(b[8:])
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x SteppingLong) Put(b []byte) {
	_ = b[SizeSteppingLong-1]
	binary.LittleEndian.PutUint32(b, x.SteppingDelta)
	binary.LittleEndian.PutUint32(b[4:], x.Reserved)
	x.Bounds.Put(b[8:])
}

// Bytes returns the 16 bytes of x.
func (x SteppingLong) Bytes() []byte { return bytesOf(x, SizeSteppingLong) }

// SteppingLongLong is KSPROPERTY_STEPPING_LONGLONG: a range of 64-bit values and the step between them, 24 bytes.
// Documented at ns-ks-ksproperty_stepping_longlong.
type SteppingLongLong struct {
	SteppingDelta uint64         // offset 0
	Bounds        BoundsLongLong // offset 8
}

// SizeSteppingLongLong is sizeof(KSPROPERTY_STEPPING_LONGLONG) in bytes.
const SizeSteppingLongLong = 24

// DecodeSteppingLongLong reads a KSPROPERTY_STEPPING_LONGLONG from the first 24 bytes of b; false if b is shorter.
func DecodeSteppingLongLong(b []byte) (x SteppingLongLong, ok bool) {
	if len(b) < SizeSteppingLongLong {
		return x, false
	}
	x.SteppingDelta = binary.LittleEndian.Uint64(b)
	x.Bounds, _ = DecodeBoundsLongLong(b[8:])
	return x, true
}

// Put writes the 24 bytes of x; it panics if b is shorter.
func (x SteppingLongLong) Put(b []byte) {
	_ = b[SizeSteppingLongLong-1]
	binary.LittleEndian.PutUint64(b, x.SteppingDelta)
	x.Bounds.Put(b[8:])
}

// Bytes returns the 24 bytes of x.
func (x SteppingLongLong) Bytes() []byte { return bytesOf(x, SizeSteppingLongLong) }
