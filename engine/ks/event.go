package ks

import "encoding/binary"

// EventData is KSEVENTDATA: how the client of an event wants to be told, 32 bytes. It travels in the output buffer of
// IOCTL_KS_ENABLE_EVENT, and its address is the name of the enabled event afterwards. Documented at ns-ks-kseventdata.
//
// In C the bytes from 8 on are a union with one arm for each NotificationType; the fields here go by position:
//
//	offset  size  EVENT_HANDLE  SEMAPHORE_HANDLE  EVENT_OBJECT  SEMAPHORE_OBJECT  DPC             WORKITEM, KSWORKITEM
//	8       8     Event         Semaphore         Event         Semaphore         Dpc             WorkQueueItem
//	16      4     Reserved      Reserved          Increment     Increment         ReferenceCount  WorkQueueType, or half of KsWorkerObject
//	20      4     Reserved      Adjustment        -             Adjustment        -               -, or the high half of KsWorkerObject
//	24      8     Reserved      -                 Reserved      -                 Reserved        Reserved
type EventData struct {
	NotificationType uint32 // offset 0: a Notification constant; exactly one (E-7)
	Object           uint64 // offset 8: the handle or kernel pointer that is signalled
	Increment        int32  // offset 16: priority increment of the object types
	Adjustment       int32  // offset 20: what a semaphore is released by
	Reserved         uint64 // offset 24; zero
}

// SizeEventData is sizeof(KSEVENTDATA) in bytes.
const SizeEventData = 32

// Ways to be notified, KSEVENTF_*: NotificationType of [EventData]. All but the two handle types are for kernel-mode
// clients only (E-7).
const (
	NotificationEventHandle     uint32 = 0x01 // KSEVENTF_EVENT_HANDLE
	NotificationSemaphoreHandle uint32 = 0x02 // KSEVENTF_SEMAPHORE_HANDLE
	NotificationEventObject     uint32 = 0x04 // KSEVENTF_EVENT_OBJECT
	NotificationSemaphoreObject uint32 = 0x08 // KSEVENTF_SEMAPHORE_OBJECT
	NotificationDPC             uint32 = 0x10 // KSEVENTF_DPC
	NotificationWorkItem        uint32 = 0x20 // KSEVENTF_WORKITEM
	NotificationKsWorkItem      uint32 = 0x80 // KSEVENTF_KSWORKITEM
)

// DecodeEventData reads a KSEVENTDATA from the first 32 bytes of b; false if b is shorter.
func DecodeEventData(b []byte) (x EventData, ok bool) {
	if len(b) < SizeEventData {
		return x, false
	}
	x.NotificationType = binary.LittleEndian.Uint32(b)
	x.Object = binary.LittleEndian.Uint64(b[8:])
	x.Increment = int32(binary.LittleEndian.Uint32(b[16:]))
	x.Adjustment = int32(binary.LittleEndian.Uint32(b[20:]))
	x.Reserved = binary.LittleEndian.Uint64(b[24:])
	return x, true
}

// Put writes the 32 bytes of x, zeros in its padding; it panics if b is shorter.
func (x EventData) Put(b []byte) {
	_ = b[SizeEventData-1]
	binary.LittleEndian.PutUint64(b, uint64(x.NotificationType))
	binary.LittleEndian.PutUint64(b[8:], x.Object)
	binary.LittleEndian.PutUint32(b[16:], uint32(x.Increment))
	binary.LittleEndian.PutUint32(b[20:], uint32(x.Adjustment))
	binary.LittleEndian.PutUint64(b[24:], x.Reserved)
}

// Bytes returns the 32 bytes of x.
func (x EventData) Bytes() []byte { return bytesOf(x, SizeEventData) }

// QueryBuffer is KSQUERYBUFFER: the request of KSEVENT_TYPE_QUERYBUFFER, which fetches what a buffered event has queued
// (E-26). 40 bytes. Documented at ns-ks-ksquerybuffer.
type QueryBuffer struct {
	Event     Identifier // offset 0
	EventData uint64     // offset 24: the address that the event was enabled with; a name, never followed
	Reserved  uint64     // offset 32; zero
}

// SizeQueryBuffer is sizeof(KSQUERYBUFFER) in bytes.
const SizeQueryBuffer = 40

// DecodeQueryBuffer reads a KSQUERYBUFFER from the first 40 bytes of b; false if b is shorter.
func DecodeQueryBuffer(b []byte) (x QueryBuffer, ok bool) {
	if len(b) < SizeQueryBuffer {
		return x, false
	}
	x.Event, _ = DecodeIdentifier(b)
	x.EventData = binary.LittleEndian.Uint64(b[24:])
	x.Reserved = binary.LittleEndian.Uint64(b[32:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x QueryBuffer) Put(b []byte) {
	_ = b[SizeQueryBuffer-1]
	x.Event.Put(b)
	binary.LittleEndian.PutUint64(b[24:], x.EventData)
	binary.LittleEndian.PutUint64(b[32:], x.Reserved)
}

// Bytes returns the 40 bytes of x.
func (x QueryBuffer) Bytes() []byte { return bytesOf(x, SizeQueryBuffer) }
