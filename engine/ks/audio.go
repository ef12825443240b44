package ks

import "encoding/binary"

// NodePropertyAudioChannel is KSNODEPROPERTY_AUDIO_CHANNEL: a request about one channel of an audio node, 40 bytes. Documented at
// ns-ksmedia-ksnodeproperty_audio_channel.
type NodePropertyAudioChannel struct {
	Node            // offset 0, NodeProperty
	Channel  int32  // offset 32: -1 is all channels
	Reserved uint32 // offset 36; zero
}

// SizeNodePropertyAudioChannel is sizeof(KSNODEPROPERTY_AUDIO_CHANNEL) in bytes.
const SizeNodePropertyAudioChannel = 40

// DecodeNodePropertyAudioChannel reads a KSNODEPROPERTY_AUDIO_CHANNEL from the first 40 bytes of b; false if b is shorter.
func DecodeNodePropertyAudioChannel(b []byte) (x NodePropertyAudioChannel, ok bool) {
	if len(b) < SizeNodePropertyAudioChannel {
		return x, false
	}
	x.Node, _ = DecodeNode(b)
	x.Channel = int32(binary.LittleEndian.Uint32(b[32:]))
	x.Reserved = binary.LittleEndian.Uint32(b[36:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x NodePropertyAudioChannel) Put(b []byte) {
	_ = b[SizeNodePropertyAudioChannel-1]
	x.Node.Put(b)
	binary.LittleEndian.PutUint32(b[32:], uint32(x.Channel))
	binary.LittleEndian.PutUint32(b[36:], x.Reserved)
}

// Bytes returns the 40 bytes of x.
func (x NodePropertyAudioChannel) Bytes() []byte { return bytesOf(x, SizeNodePropertyAudioChannel) }

// AudioPosition is KSAUDIO_POSITION: how far a stream has come, 16 bytes. Documented at ns-ksmedia-ksaudio_position.
type AudioPosition struct {
	PlayOffset  uint64 // offset 0: bytes
	WriteOffset uint64 // offset 8: bytes
}

// SizeAudioPosition is sizeof(KSAUDIO_POSITION) in bytes.
const SizeAudioPosition = 16

// DecodeAudioPosition reads a KSAUDIO_POSITION from the first 16 bytes of b; false if b is shorter.
func DecodeAudioPosition(b []byte) (x AudioPosition, ok bool) {
	if len(b) < SizeAudioPosition {
		return x, false
	}
	x.PlayOffset = binary.LittleEndian.Uint64(b)
	x.WriteOffset = binary.LittleEndian.Uint64(b[8:])
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x AudioPosition) Put(b []byte) {
	_ = b[SizeAudioPosition-1]
	binary.LittleEndian.PutUint64(b, x.PlayOffset)
	binary.LittleEndian.PutUint64(b[8:], x.WriteOffset)
}

// Bytes returns the 16 bytes of x.
func (x AudioPosition) Bytes() []byte { return bytesOf(x, SizeAudioPosition) }

// JackDescription is KSJACK_DESCRIPTION: a jack of a bridge pin, 28 bytes. Documented at
// https://learn.microsoft.com/windows/win32/api/devicetopology/ns-devicetopology-ksjack_description.
type JackDescription struct {
	ChannelMapping uint32 // offset 0: SPEAKER bits
	Color          uint32 // offset 4: 0x00RRGGBB
	ConnectionType uint32 // offset 8: an EPcxConnectionType
	GeoLocation    uint32 // offset 12: an EPcxGeoLocation
	GenLocation    uint32 // offset 16: an EPcxGenLocation
	PortConnection uint32 // offset 20: an EPxcPortConnection
	IsConnected    uint32 // offset 24: a BOOL
}

// SizeJackDescription is sizeof(KSJACK_DESCRIPTION) in bytes.
const SizeJackDescription = 28

// DecodeJackDescription reads a KSJACK_DESCRIPTION from the first 28 bytes of b; false if b is shorter.
func DecodeJackDescription(b []byte) (x JackDescription, ok bool) {
	if len(b) < SizeJackDescription {
		return x, false
	}
	x.ChannelMapping = binary.LittleEndian.Uint32(b)
	x.Color = binary.LittleEndian.Uint32(b[4:])
	x.ConnectionType = binary.LittleEndian.Uint32(b[8:])
	x.GeoLocation = binary.LittleEndian.Uint32(b[12:])
	x.GenLocation = binary.LittleEndian.Uint32(b[16:])
	x.PortConnection = binary.LittleEndian.Uint32(b[20:])
	x.IsConnected = binary.LittleEndian.Uint32(b[24:])
	return x, true
}

// Put writes the 28 bytes of x; it panics if b is shorter.
func (x JackDescription) Put(b []byte) {
	_ = b[SizeJackDescription-1]
	binary.LittleEndian.PutUint32(b, x.ChannelMapping)
	binary.LittleEndian.PutUint32(b[4:], x.Color)
	binary.LittleEndian.PutUint32(b[8:], x.ConnectionType)
	binary.LittleEndian.PutUint32(b[12:], x.GeoLocation)
	binary.LittleEndian.PutUint32(b[16:], x.GenLocation)
	binary.LittleEndian.PutUint32(b[20:], x.PortConnection)
	binary.LittleEndian.PutUint32(b[24:], x.IsConnected)
}

// Bytes returns the 28 bytes of x.
func (x JackDescription) Bytes() []byte { return bytesOf(x, SizeJackDescription) }

// ComponentID is KSCOMPONENTID: who made a filter, 72 bytes; the value of KSPROPERTY_GENERAL_COMPONENTID. Documented at
// ns-ks-kscomponentid.
type ComponentID struct {
	Manufacturer GUID   // offset 0
	Product      GUID   // offset 16
	Component    GUID   // offset 32
	Name         GUID   // offset 48
	Version      uint32 // offset 64
	Revision     uint32 // offset 68
}

// SizeComponentID is sizeof(KSCOMPONENTID) in bytes.
const SizeComponentID = 72

// DecodeComponentID reads a KSCOMPONENTID from the first 72 bytes of b; false if b is shorter.
func DecodeComponentID(b []byte) (x ComponentID, ok bool) {
	if len(b) < SizeComponentID {
		return x, false
	}
	x.Manufacturer = GUID(b)
	x.Product = GUID(b[16:])
	x.Component = GUID(b[32:])
	x.Name = GUID(b[48:])
	x.Version = binary.LittleEndian.Uint32(b[64:])
	x.Revision = binary.LittleEndian.Uint32(b[68:])
	return x, true
}

// Put writes the 72 bytes of x; it panics if b is shorter.
func (x ComponentID) Put(b []byte) {
	_ = b[SizeComponentID-1]
	copy(b, x.Manufacturer[:])
	copy(b[16:], x.Product[:])
	copy(b[32:], x.Component[:])
	copy(b[48:], x.Name[:])
	binary.LittleEndian.PutUint32(b[64:], x.Version)
	binary.LittleEndian.PutUint32(b[68:], x.Revision)
}

// Bytes returns the 72 bytes of x.
func (x ComponentID) Bytes() []byte { return bytesOf(x, SizeComponentID) }

// RtAudioBufferProperty is KSRTAUDIO_BUFFER_PROPERTY: a request for a cyclic buffer, 40 bytes. Documented at
// ns-ksmedia-ksrtaudio_buffer_property.
type RtAudioBufferProperty struct {
	Identifier                 // offset 0, Property
	BaseAddress         uint64 // offset 24: a wish; a driver ignores it
	RequestedBufferSize uint32 // offset 32: bytes; 4 bytes of padding follow
}

// SizeRtAudioBufferProperty is sizeof(KSRTAUDIO_BUFFER_PROPERTY) in bytes.
const SizeRtAudioBufferProperty = 40

// DecodeRtAudioBufferProperty reads a KSRTAUDIO_BUFFER_PROPERTY from the first 40 bytes of b; false if b is shorter.
func DecodeRtAudioBufferProperty(b []byte) (x RtAudioBufferProperty, ok bool) {
	if len(b) < SizeRtAudioBufferProperty {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.BaseAddress = binary.LittleEndian.Uint64(b[24:])
	x.RequestedBufferSize = binary.LittleEndian.Uint32(b[32:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x RtAudioBufferProperty) Put(b []byte) {
	_ = b[SizeRtAudioBufferProperty-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint64(b[24:], x.BaseAddress)
	binary.LittleEndian.PutUint32(b[32:], x.RequestedBufferSize)
	clear(b[36:40])
}

// Bytes returns the 40 bytes of x.
func (x RtAudioBufferProperty) Bytes() []byte { return bytesOf(x, SizeRtAudioBufferProperty) }

// RtAudioBufferPropertyWithNotification is KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION: an [RtAudioBufferProperty] that asks for
// events as well, 40 bytes. Only their ids tell the two apart. Documented at ns-ksmedia-ksrtaudio_buffer_property_with_notification.
type RtAudioBufferPropertyWithNotification struct {
	Identifier                 // offset 0, Property
	BaseAddress         uint64 // offset 24: a wish; a driver ignores it
	RequestedBufferSize uint32 // offset 32: bytes
	NotificationCount   uint32 // offset 36: events in each pass through the buffer, 1 or 2
}

// SizeRtAudioBufferPropertyWithNotification is sizeof(KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION) in bytes.
const SizeRtAudioBufferPropertyWithNotification = 40

// DecodeRtAudioBufferPropertyWithNotification reads a KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION from the first 40 bytes of b;
// false if b is shorter.
func DecodeRtAudioBufferPropertyWithNotification(b []byte) (x RtAudioBufferPropertyWithNotification, ok bool) {
	if len(b) < SizeRtAudioBufferPropertyWithNotification {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.BaseAddress = binary.LittleEndian.Uint64(b[24:])
	x.RequestedBufferSize = binary.LittleEndian.Uint32(b[32:])
	x.NotificationCount = binary.LittleEndian.Uint32(b[36:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x RtAudioBufferPropertyWithNotification) Put(b []byte) {
	_ = b[SizeRtAudioBufferPropertyWithNotification-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint64(b[24:], x.BaseAddress)
	binary.LittleEndian.PutUint32(b[32:], x.RequestedBufferSize)
	binary.LittleEndian.PutUint32(b[36:], x.NotificationCount)
}

// Bytes returns the 40 bytes of x.
func (x RtAudioBufferPropertyWithNotification) Bytes() []byte {
	return bytesOf(x, SizeRtAudioBufferPropertyWithNotification)
}

// RtAudioBuffer is KSRTAUDIO_BUFFER: the cyclic buffer that was made, 16 bytes. Documented at ns-ksmedia-ksrtaudio_buffer.
type RtAudioBuffer struct {
	BufferAddress     uint64 // offset 0
	ActualBufferSize  uint32 // offset 8: bytes
	CallMemoryBarrier uint32 // offset 12: a BOOL
}

// SizeRtAudioBuffer is sizeof(KSRTAUDIO_BUFFER) in bytes.
const SizeRtAudioBuffer = 16

// DecodeRtAudioBuffer reads a KSRTAUDIO_BUFFER from the first 16 bytes of b; false if b is shorter.
func DecodeRtAudioBuffer(b []byte) (x RtAudioBuffer, ok bool) {
	if len(b) < SizeRtAudioBuffer {
		return x, false
	}
	x.BufferAddress = binary.LittleEndian.Uint64(b)
	x.ActualBufferSize = binary.LittleEndian.Uint32(b[8:])
	x.CallMemoryBarrier = binary.LittleEndian.Uint32(b[12:])
	return x, true
}

// Put writes the 16 bytes of x; it panics if b is shorter.
func (x RtAudioBuffer) Put(b []byte) {
	_ = b[SizeRtAudioBuffer-1]
	binary.LittleEndian.PutUint64(b, x.BufferAddress)
	binary.LittleEndian.PutUint32(b[8:], x.ActualBufferSize)
	binary.LittleEndian.PutUint32(b[12:], x.CallMemoryBarrier)
}

// Bytes returns the 16 bytes of x.
func (x RtAudioBuffer) Bytes() []byte { return bytesOf(x, SizeRtAudioBuffer) }

// RtAudioHWLatency is KSRTAUDIO_HWLATENCY: how late a device is, 12 bytes. Documented at ns-ksmedia-ksrtaudio_hwlatency.
type RtAudioHWLatency struct {
	FifoSize     uint32 // offset 0: bytes
	ChipsetDelay uint32 // offset 4: units of 100 ns
	CodecDelay   uint32 // offset 8: units of 100 ns
}

// SizeRtAudioHWLatency is sizeof(KSRTAUDIO_HWLATENCY) in bytes.
const SizeRtAudioHWLatency = 12

// DecodeRtAudioHWLatency reads a KSRTAUDIO_HWLATENCY from the first 12 bytes of b; false if b is shorter.
func DecodeRtAudioHWLatency(b []byte) (x RtAudioHWLatency, ok bool) {
	if len(b) < SizeRtAudioHWLatency {
		return x, false
	}
	x.FifoSize = binary.LittleEndian.Uint32(b)
	x.ChipsetDelay = binary.LittleEndian.Uint32(b[4:])
	x.CodecDelay = binary.LittleEndian.Uint32(b[8:])
	return x, true
}

// Put writes the 12 bytes of x; it panics if b is shorter.
func (x RtAudioHWLatency) Put(b []byte) {
	_ = b[SizeRtAudioHWLatency-1]
	binary.LittleEndian.PutUint32(b, x.FifoSize)
	binary.LittleEndian.PutUint32(b[4:], x.ChipsetDelay)
	binary.LittleEndian.PutUint32(b[8:], x.CodecDelay)
}

// Bytes returns the 12 bytes of x.
func (x RtAudioHWLatency) Bytes() []byte { return bytesOf(x, SizeRtAudioHWLatency) }

// RtAudioHWRegisterProperty is KSRTAUDIO_HWREGISTER_PROPERTY: a request for a position or clock register, 32 bytes. Documented at
// ns-ksmedia-ksrtaudio_hwregister_property.
type RtAudioHWRegisterProperty struct {
	Identifier         // offset 0, Property
	BaseAddress uint64 // offset 24: a wish; a driver ignores it
}

// SizeRtAudioHWRegisterProperty is sizeof(KSRTAUDIO_HWREGISTER_PROPERTY) in bytes.
const SizeRtAudioHWRegisterProperty = 32

// DecodeRtAudioHWRegisterProperty reads a KSRTAUDIO_HWREGISTER_PROPERTY from the first 32 bytes of b; false if b is shorter.
func DecodeRtAudioHWRegisterProperty(b []byte) (x RtAudioHWRegisterProperty, ok bool) {
	if len(b) < SizeRtAudioHWRegisterProperty {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.BaseAddress = binary.LittleEndian.Uint64(b[24:])
	return x, true
}

// Put writes the 32 bytes of x; it panics if b is shorter.
func (x RtAudioHWRegisterProperty) Put(b []byte) {
	_ = b[SizeRtAudioHWRegisterProperty-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint64(b[24:], x.BaseAddress)
}

// Bytes returns the 32 bytes of x.
func (x RtAudioHWRegisterProperty) Bytes() []byte { return bytesOf(x, SizeRtAudioHWRegisterProperty) }

// RtAudioHWRegister is KSRTAUDIO_HWREGISTER: a register that a client may read, 40 bytes. Documented at
// ns-ksmedia-ksrtaudio_hwregister.
type RtAudioHWRegister struct {
	Register    uint64 // offset 0: its address
	Width       uint32 // offset 8: bits; 4 bytes of padding follow
	Numerator   uint64 // offset 16: of its frequency, or what a position is counted in
	Denominator uint64 // offset 24
	Accuracy    uint32 // offset 32; 4 bytes of padding follow
}

// SizeRtAudioHWRegister is sizeof(KSRTAUDIO_HWREGISTER) in bytes.
const SizeRtAudioHWRegister = 40

// DecodeRtAudioHWRegister reads a KSRTAUDIO_HWREGISTER from the first 40 bytes of b; false if b is shorter.
func DecodeRtAudioHWRegister(b []byte) (x RtAudioHWRegister, ok bool) {
	if len(b) < SizeRtAudioHWRegister {
		return x, false
	}
	x.Register = binary.LittleEndian.Uint64(b)
	x.Width = binary.LittleEndian.Uint32(b[8:])
	x.Numerator = binary.LittleEndian.Uint64(b[16:])
	x.Denominator = binary.LittleEndian.Uint64(b[24:])
	x.Accuracy = binary.LittleEndian.Uint32(b[32:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x RtAudioHWRegister) Put(b []byte) {
	_ = b[SizeRtAudioHWRegister-1]
	binary.LittleEndian.PutUint64(b, x.Register)
	binary.LittleEndian.PutUint32(b[8:], x.Width)
	clear(b[12:16])
	binary.LittleEndian.PutUint64(b[16:], x.Numerator)
	binary.LittleEndian.PutUint64(b[24:], x.Denominator)
	binary.LittleEndian.PutUint32(b[32:], x.Accuracy)
	clear(b[36:40])
}

// Bytes returns the 40 bytes of x.
func (x RtAudioHWRegister) Bytes() []byte { return bytesOf(x, SizeRtAudioHWRegister) }

// RtAudioNotificationEventProperty is KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY: a request that registers an event, or takes it back,
// 32 bytes. Documented at ns-ksmedia-ksrtaudio_notification_event_property.
type RtAudioNotificationEventProperty struct {
	Identifier               // offset 0, Property
	NotificationEvent uint64 // offset 24: a handle of the client
}

// SizeRtAudioNotificationEventProperty is sizeof(KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY) in bytes.
const SizeRtAudioNotificationEventProperty = 32

// DecodeRtAudioNotificationEventProperty reads a KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY from the first 32 bytes of b; false if b is shorter.
func DecodeRtAudioNotificationEventProperty(b []byte) (x RtAudioNotificationEventProperty, ok bool) {
	if len(b) < SizeRtAudioNotificationEventProperty {
		return x, false
	}
	x.Identifier, _ = DecodeIdentifier(b)
	x.NotificationEvent = binary.LittleEndian.Uint64(b[24:])
	return x, true
}

// Put writes the 32 bytes of x; it panics if b is shorter.
func (x RtAudioNotificationEventProperty) Put(b []byte) {
	_ = b[SizeRtAudioNotificationEventProperty-1]
	x.Identifier.Put(b)
	binary.LittleEndian.PutUint64(b[24:], x.NotificationEvent)
}

// Bytes returns the 32 bytes of x.
func (x RtAudioNotificationEventProperty) Bytes() []byte {
	return bytesOf(x, SizeRtAudioNotificationEventProperty)
}
