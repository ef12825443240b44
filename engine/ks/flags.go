package ks

// Property request flags, KSPROPERTY_TYPE_*: KSPROPERTY.Flags of a request. One verb, plus modifiers: TOPOLOGY,
// HIGHPRIORITY, FSFILTERSCOPE and COPYPAYLOAD (P-25). GET and SET are also the AccessFlags of [PropertyDescription].
// Documented at https://learn.microsoft.com/windows-hardware/drivers/stream/ksproperty-structure.
const (
	PropertyTypeGet            uint32 = 0x00000001 // KSPROPERTY_TYPE_GET
	PropertyTypeSet            uint32 = 0x00000002 // KSPROPERTY_TYPE_SET
	PropertyTypeGetPayloadSize uint32 = 0x00000004 // KSPROPERTY_TYPE_GETPAYLOADSIZE
	PropertyTypeSetSupport     uint32 = 0x00000100 // KSPROPERTY_TYPE_SETSUPPORT
	PropertyTypeBasicSupport   uint32 = 0x00000200 // KSPROPERTY_TYPE_BASICSUPPORT
	PropertyTypeRelations      uint32 = 0x00000400 // KSPROPERTY_TYPE_RELATIONS
	PropertyTypeSerializeSet   uint32 = 0x00000800 // KSPROPERTY_TYPE_SERIALIZESET
	PropertyTypeUnserializeSet uint32 = 0x00001000 // KSPROPERTY_TYPE_UNSERIALIZESET
	PropertyTypeSerializeRaw   uint32 = 0x00002000 // KSPROPERTY_TYPE_SERIALIZERAW
	PropertyTypeUnserializeRaw uint32 = 0x00004000 // KSPROPERTY_TYPE_UNSERIALIZERAW
	PropertyTypeSerializeSize  uint32 = 0x00008000 // KSPROPERTY_TYPE_SERIALIZESIZE
	PropertyTypeDefaultValues  uint32 = 0x00010000 // KSPROPERTY_TYPE_DEFAULTVALUES
	PropertyTypeHighPriority   uint32 = 0x08000000 // KSPROPERTY_TYPE_HIGHPRIORITY
	PropertyTypeTopology       uint32 = 0x10000000 // KSPROPERTY_TYPE_TOPOLOGY: the request is a KSP_NODE
	PropertyTypeFSFilterScope  uint32 = 0x40000000 // KSPROPERTY_TYPE_FSFILTERSCOPE
	PropertyTypeCopyPayload    uint32 = 0x80000000 // KSPROPERTY_TYPE_COPYPAYLOAD
)

// Method request flags, KSMETHOD_TYPE_*: KSMETHOD.Flags of a request. SEND has the value of the item flag READ; the
// side that the flag stands on tells them apart.
// Documented at https://learn.microsoft.com/windows-hardware/drivers/stream/ksmethod-structure.
const (
	MethodTypeSend         uint32 = 0x00000001 // KSMETHOD_TYPE_SEND
	MethodTypeSetSupport   uint32 = 0x00000100 // KSMETHOD_TYPE_SETSUPPORT
	MethodTypeBasicSupport uint32 = 0x00000200 // KSMETHOD_TYPE_BASICSUPPORT
	MethodTypeTopology     uint32 = 0x10000000 // KSMETHOD_TYPE_TOPOLOGY: the request is a KSM_NODE
)

// Method item flags, KSMETHOD_TYPE_*: which way a method moves its data, declared by the driver in KSMETHOD_ITEM.Flags.
// Documented at ns-ks-ksmethod_item.
const (
	MethodTypeNone   uint32 = 0 // KSMETHOD_TYPE_NONE
	MethodTypeRead   uint32 = 1 // KSMETHOD_TYPE_READ
	MethodTypeWrite  uint32 = 2 // KSMETHOD_TYPE_WRITE
	MethodTypeModify uint32 = 3 // KSMETHOD_TYPE_MODIFY
	MethodTypeSource uint32 = 4 // KSMETHOD_TYPE_SOURCE
)

// Event request flags, KSEVENT_TYPE_*: KSEVENT.Flags of a request.
// Documented at https://learn.microsoft.com/windows-hardware/drivers/stream/ksevent-structure.
const (
	EventTypeEnable         uint32 = 0x00000001 // KSEVENT_TYPE_ENABLE
	EventTypeOneShot        uint32 = 0x00000002 // KSEVENT_TYPE_ONESHOT
	EventTypeEnableBuffered uint32 = 0x00000004 // KSEVENT_TYPE_ENABLEBUFFERED
	EventTypeSetSupport     uint32 = 0x00000100 // KSEVENT_TYPE_SETSUPPORT
	EventTypeBasicSupport   uint32 = 0x00000200 // KSEVENT_TYPE_BASICSUPPORT
	EventTypeQueryBuffer    uint32 = 0x00000400 // KSEVENT_TYPE_QUERYBUFFER: the request is a KSQUERYBUFFER
	EventTypeTopology       uint32 = 0x10000000 // KSEVENT_TYPE_TOPOLOGY: the request is a KSE_NODE
)

// Event entry flags, KSEVENT_ENTRY_*: KSEVENT_ENTRY.Flags of an enabled event. Documented at ns-ks-_ksevent_entry.
const (
	EventEntryDeleted  uint32 = 1 // KSEVENT_ENTRY_DELETED
	EventEntryOneShot  uint32 = 2 // KSEVENT_ENTRY_ONESHOT
	EventEntryBuffered uint32 = 4 // KSEVENT_ENTRY_BUFFERED
)

// flagName names one bit.
type flagName struct {
	bit  uint32
	name string
}

var propertyFlagNames = [...]flagName{
	{PropertyTypeGet, "GET"},
	{PropertyTypeSet, "SET"},
	{PropertyTypeGetPayloadSize, "GETPAYLOADSIZE"},
	{PropertyTypeSetSupport, "SETSUPPORT"},
	{PropertyTypeBasicSupport, "BASICSUPPORT"},
	{PropertyTypeRelations, "RELATIONS"},
	{PropertyTypeSerializeSet, "SERIALIZESET"},
	{PropertyTypeUnserializeSet, "UNSERIALIZESET"},
	{PropertyTypeSerializeRaw, "SERIALIZERAW"},
	{PropertyTypeUnserializeRaw, "UNSERIALIZERAW"},
	{PropertyTypeSerializeSize, "SERIALIZESIZE"},
	{PropertyTypeDefaultValues, "DEFAULTVALUES"},
	{PropertyTypeHighPriority, "HIGHPRIORITY"},
	{PropertyTypeTopology, "TOPOLOGY"},
	{PropertyTypeFSFilterScope, "FSFILTERSCOPE"},
	{PropertyTypeCopyPayload, "COPYPAYLOAD"},
}

var methodFlagNames = [...]flagName{
	{MethodTypeSend, "SEND"},
	{MethodTypeSetSupport, "SETSUPPORT"},
	{MethodTypeBasicSupport, "BASICSUPPORT"},
	{MethodTypeTopology, "TOPOLOGY"},
}

var eventFlagNames = [...]flagName{
	{EventTypeEnable, "ENABLE"},
	{EventTypeOneShot, "ONESHOT"},
	{EventTypeEnableBuffered, "ENABLEBUFFERED"},
	{EventTypeSetSupport, "SETSUPPORT"},
	{EventTypeBasicSupport, "BASICSUPPORT"},
	{EventTypeQueryBuffer, "QUERYBUFFER"},
	{EventTypeTopology, "TOPOLOGY"},
}

// FormatPropertyFlags returns the flags of a property request as text: the names after KSPROPERTY_TYPE_ in order of
// value, then the unknown bits as one number, such as GET|TOPOLOGY or SET|0x00000020. No flags are 0.
func FormatPropertyFlags(flags uint32) string { return formatFlags(flags, propertyFlagNames[:]) }

// FormatMethodFlags is [FormatPropertyFlags] for the flags of a method request, KSMETHOD_TYPE_*.
func FormatMethodFlags(flags uint32) string { return formatFlags(flags, methodFlagNames[:]) }

// FormatEventFlags is [FormatPropertyFlags] for the flags of an event request, KSEVENT_TYPE_*.
func FormatEventFlags(flags uint32) string { return formatFlags(flags, eventFlagNames[:]) }

func formatFlags(flags uint32, names []flagName) string {
	if flags == 0 {
		return "0"
	}
	var room [64]byte
	b := room[:0]
	for _, n := range names {
		if flags&n.bit == 0 {
			continue
		}
		if flags &^= n.bit; len(b) > 0 {
			b = append(b, '|')
		}
		b = append(b, n.name...)
	}
	if flags != 0 {
		if len(b) > 0 {
			b = append(b, '|')
		}
		b = appendHex32(b, flags)
	}
	return string(b)
}
