package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Compat overrides single answers that no public source pins down, so that a recording from a real host can be matched. Its
// zero value is this project's reading of each rule. A Status of 0 means that reading too.
//
// This file is the one place where those answers stand.
type Compat struct {
	// MixedVerbs accepts several known verbs in one request and takes the first of SET, GET, BASICSUPPORT and then the lowest
	// bit, as an open implementation does (P-25). Otherwise such a request is STATUS_INVALID_PARAMETER.
	MixedVerbs bool
	// NoHandler is the status of a GET or SET that the item has no handler for (P-26): STATUS_NOT_FOUND.
	NoHandler ks.Status
	// ShortRequest is the status of a GET or SET request shorter than MinProperty, and of a method shorter than MinMethod
	// (P-27, M-7): STATUS_INVALID_BUFFER_SIZE.
	ShortRequest ks.Status
	// NoDataBuffer is the status of a GET, a SET or a method with no output buffer where MinData is not 0 (P-28, M-7):
	// STATUS_BUFFER_OVERFLOW. A status that is an error carries no size; port drivers answer STATUS_BUFFER_TOO_SMALL.
	NoDataBuffer ks.Status
	// StrictDescriptionSize refuses BASICSUPPORT and DEFAULTVALUES with an output of 5 to 39 bytes, or between 41 and the full
	// size, with STATUS_BUFFER_TOO_SMALL (P-33). Otherwise the answer is the flags, or the
	// description and the whole lists that fit.
	StrictDescriptionSize bool
	// NoDescriptionBuffer is the status of a BASICSUPPORT or DEFAULTVALUES query with no output buffer (P-33):
	// STATUS_BUFFER_OVERFLOW. A status that is an error carries no size.
	NoDescriptionBuffer ks.Status
	// NoDefaultValues is the status of DEFAULTVALUES where there are neither Values nor a support handler (P-36):
	// STATUS_NOT_FOUND.
	NoDefaultValues ks.Status
	// NoRawSerialization is the status of SERIALIZERAW and UNSERIALIZERAW without a support handler (P-38): STATUS_NOT_FOUND.
	NoRawSerialization ks.Status
	// ShortSerializeBuffer is the status of SERIALIZESET into a buffer that is too small but not empty (P-39):
	// STATUS_BUFFER_TOO_SMALL.
	ShortSerializeBuffer ks.Status
	// UnserializeWrongSet is the status of UNSERIALIZESET when the blob names another set (P-42): STATUS_INVALID_PARAMETER.
	UnserializeWrongSet ks.Status
	// UnserializeTruncated is the status when an entry does not fit in the blob (P-42): STATUS_INVALID_PARAMETER.
	UnserializeTruncated ks.Status
	// UnserializeWrongItem is the status when an entry names no settable, serializable item (P-42): STATUS_NOT_FOUND.
	UnserializeWrongItem ks.Status
	// UnserializeWrongLength is the status when an entry's length is not the item's (P-42): STATUS_INVALID_BUFFER_SIZE.
	UnserializeWrongLength ks.Status
	// PayloadSizeModifier passes GETPAYLOADSIZE through as a modifier (P-45). Otherwise it is an unknown verb.
	PayloadSizeModifier bool

	// UnknownMethodFlags is the status of a method request with flags that are neither a way of sending nor one of the two
	// queries (M-2): STATUS_INVALID_PARAMETER.
	UnknownMethodFlags ks.Status
	// NoMethodHandler is the status of sending a method, or asking for its support, where the item has no handler (M-8):
	// STATUS_NOT_FOUND.
	NoMethodHandler ks.Status

	// ShortEventRequest is the status of an event request of 1 to 23 bytes, or under 32 with TOPOLOGY (E-2):
	// STATUS_INVALID_BUFFER_SIZE.
	ShortEventRequest ks.Status
	// ShortEventData is the status of an enable with less than DataInput bytes (E-5): STATUS_BUFFER_TOO_SMALL.
	ShortEventData ks.Status
	// SecondEnable, if not 0, is the status of a second enable by one client with the same KSEVENTDATA address (E-13).
	// Otherwise both are enabled.
	SecondEnable ks.Status
	// QueueFull is the status of a generate for a buffered event whose queue is full (E-24): STATUS_INSUFFICIENT_RESOURCES.
	QueueFull ks.Status
	// SignalBuffered signals a buffered event too, after its data were queued (E-25). Otherwise they are queued only.
	SignalBuffered bool

	// NoConnection is the status of PHYSICALCONNECTION for a pin that has none (PN-14): STATUS_NOT_FOUND.
	NoConnection ks.Status
	// BadRangeList is the status of DATAINTERSECTION with a list of ranges that is not well-formed (PN-18):
	// STATUS_INVALID_BUFFER_SIZE.
	BadRangeList ks.Status
}

// withDefaults replaces each zero status by this project's reading of the rule.
func (c Compat) withDefaults() Compat {
	def := func(s *ks.Status, d ks.Status) {
		if *s == 0 {
			*s = d
		}
	}
	def(&c.NoHandler, ks.StatusNotFound)
	def(&c.ShortRequest, ks.StatusInvalidBufferSize)
	def(&c.NoDataBuffer, ks.StatusBufferOverflow)
	def(&c.NoDescriptionBuffer, ks.StatusBufferOverflow)
	def(&c.NoDefaultValues, ks.StatusNotFound)
	def(&c.NoRawSerialization, ks.StatusNotFound)
	def(&c.ShortSerializeBuffer, ks.StatusBufferTooSmall)
	def(&c.UnserializeWrongSet, ks.StatusInvalidParameter)
	def(&c.UnserializeTruncated, ks.StatusInvalidParameter)
	def(&c.UnserializeWrongItem, ks.StatusNotFound)
	def(&c.UnserializeWrongLength, ks.StatusInvalidBufferSize)
	def(&c.UnknownMethodFlags, ks.StatusInvalidParameter)
	def(&c.NoMethodHandler, ks.StatusNotFound)
	def(&c.ShortEventRequest, ks.StatusInvalidBufferSize)
	def(&c.ShortEventData, ks.StatusBufferTooSmall)
	def(&c.QueueFull, ks.StatusInsufficientResources)
	def(&c.NoConnection, ks.StatusNotFound)
	def(&c.BadRangeList, ks.StatusInvalidBufferSize)
	return c
}
