package ks

import "encoding/binary"

// SerialHdr is KSPROPERTY_SERIALHDR: the head of a serialized property set (P-41), followed by Count times padding to a
// multiple of 4, a [Serial] and its data. 20 bytes, the only packed structure of ks.h.
// Documented at ns-ks-ksproperty_serialhdr.
type SerialHdr struct {
	PropertySet GUID   // offset 0
	Count       uint32 // offset 16: properties that follow
}

// SizeSerialHdr is sizeof(KSPROPERTY_SERIALHDR) in bytes.
const SizeSerialHdr = 20

// DecodeSerialHdr reads a KSPROPERTY_SERIALHDR from the first 20 bytes of b; false if b is shorter.
func DecodeSerialHdr(b []byte) (x SerialHdr, ok bool) {
	if len(b) < SizeSerialHdr {
		return x, false
	}
	x.PropertySet = GUID(b)
	x.Count = binary.LittleEndian.Uint32(b[16:])
	return x, true
}

// Put writes the 20 bytes of x; it panics if b is shorter.
func (x SerialHdr) Put(b []byte) {
	_ = b[SizeSerialHdr-1]
	copy(b, x.PropertySet[:])
	binary.LittleEndian.PutUint32(b[16:], x.Count)
}

// Bytes returns the 20 bytes of x.
func (x SerialHdr) Bytes() []byte { return bytesOf(x, SizeSerialHdr) }

// Serial is KSPROPERTY_SERIAL: the head of one serialized property (P-41), followed by PropertyLength bytes of data.
// 32 bytes. In a blob it lies on a multiple of 4, the first one at 20. Documented at ns-ks-ksproperty_serial.
type Serial struct {
	PropTypeSet    Identifier // offset 0: the type of the value, as BASICSUPPORT reports it
	ID             uint32     // offset 24, Id: the property
	PropertyLength uint32     // offset 28: bytes of data, padding not counted
}

// SizeSerial is sizeof(KSPROPERTY_SERIAL) in bytes.
const SizeSerial = 32

// DecodeSerial reads a KSPROPERTY_SERIAL from the first 32 bytes of b; false if b is shorter.
func DecodeSerial(b []byte) (x Serial, ok bool) {
	if len(b) < SizeSerial {
		return x, false
	}
	x.PropTypeSet, _ = DecodeIdentifier(b)
	x.ID = binary.LittleEndian.Uint32(b[24:])
	x.PropertyLength = binary.LittleEndian.Uint32(b[28:])
	return x, true
}

// Put writes the 32 bytes of x; it panics if b is shorter.
func (x Serial) Put(b []byte) {
	_ = b[SizeSerial-1]
	x.PropTypeSet.Put(b)
	binary.LittleEndian.PutUint32(b[24:], x.ID)
	binary.LittleEndian.PutUint32(b[28:], x.PropertyLength)
}

// Bytes returns the 32 bytes of x.
func (x Serial) Bytes() []byte { return bytesOf(x, SizeSerial) }
