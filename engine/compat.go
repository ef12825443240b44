package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Compat overrides, rule by rule, the answers that no public source pins down, so that a recording from a real host can
// be matched. Its zero value is this project's reading of each rule. A Status of 0 means that reading.
//
// This file is the one place where those answers stand.
type Compat struct {
	// P25 accepts a mixture of known verbs and takes the first of SET, GET, BASICSUPPORT and then the lowest bit, as an
	// open implementation does. Otherwise a mixture is STATUS_INVALID_PARAMETER.
	P25 bool
	// P26 is the status of a GET or SET that the item has no handler for: STATUS_NOT_FOUND.
	P26 ks.Status
	// P27 is the status of a GET or SET request shorter than MinProperty, and of a method shorter than MinMethod (M-7): STATUS_INVALID_BUFFER_SIZE.
	P27 ks.Status
	// P33 takes the strict reading of BASICSUPPORT and DEFAULTVALUES sizes: an output of 5 to 39 bytes, or between 41 and
	// the full size, is STATUS_BUFFER_TOO_SMALL instead of the longest answer that fits.
	P33 bool
	// P33Zero is the status of a BASICSUPPORT or DEFAULTVALUES query with no output buffer: STATUS_BUFFER_OVERFLOW. A
	// status that is an error carries no size.
	P33Zero ks.Status
	// P36 is the status of DEFAULTVALUES where there are neither Values nor a support handler: STATUS_NOT_FOUND.
	P36 ks.Status
	// P38 is the status of SERIALIZERAW and UNSERIALIZERAW without a support handler: STATUS_NOT_FOUND.
	P38 ks.Status
	// P39 is the status of SERIALIZESET into a buffer that is too small but not empty: STATUS_BUFFER_TOO_SMALL.
	P39 ks.Status
	// P42Set is the status of UNSERIALIZESET when the blob names another set: STATUS_INVALID_PARAMETER.
	P42Set ks.Status
	// P42Entry is the status when an entry does not fit in the blob: STATUS_INVALID_PARAMETER.
	P42Entry ks.Status
	// P42Item is the status when an entry names no settable, serializable item: STATUS_NOT_FOUND.
	P42Item ks.Status
	// P42Length is the status when an entry's length is not the item's: STATUS_INVALID_BUFFER_SIZE.
	P42Length ks.Status
	// P45 accepts GETPAYLOADSIZE as a modifier that is passed through, not as an unknown verb.
	P45 bool
	// M2 is the status of a method request with flags that are neither a way of sending nor one of the two queries:
	// STATUS_INVALID_PARAMETER.
	M2 ks.Status
	// M8 is the status of sending a method, or asking for its support, where the item has no handler: STATUS_NOT_FOUND.
	M8 ks.Status

	// E2 is the status of an event request of 1 to 23 bytes, or under 32 with TOPOLOGY: STATUS_INVALID_BUFFER_SIZE.
	E2 ks.Status
	// E5 is the status of an enable with less than DataInput bytes: STATUS_BUFFER_TOO_SMALL.
	E5 ks.Status
	// E13, if not 0, refuses a client that enables a second event with the same KSEVENTDATA address, with that status.
	// Otherwise both are enabled.
	E13 ks.Status
	// E24 is the status of a generate for a buffered event whose queue is full: STATUS_INSUFFICIENT_RESOURCES.
	E24 ks.Status
	// E25 signals a buffered event too, after it was queued. Otherwise it is queued only.
	E25 bool
}

// withDefaults replaces each zero status by this project's reading of the rule.
func (c Compat) withDefaults() Compat {
	def := func(s *ks.Status, d ks.Status) {
		if *s == 0 {
			*s = d
		}
	}
	def(&c.P26, ks.StatusNotFound)
	def(&c.P27, ks.StatusInvalidBufferSize)
	def(&c.P33Zero, ks.StatusBufferOverflow)
	def(&c.P36, ks.StatusNotFound)
	def(&c.P38, ks.StatusNotFound)
	def(&c.P39, ks.StatusBufferTooSmall)
	def(&c.P42Set, ks.StatusInvalidParameter)
	def(&c.P42Entry, ks.StatusInvalidParameter)
	def(&c.P42Item, ks.StatusNotFound)
	def(&c.P42Length, ks.StatusInvalidBufferSize)
	def(&c.M2, ks.StatusInvalidParameter)
	def(&c.M8, ks.StatusNotFound)
	def(&c.E2, ks.StatusInvalidBufferSize)
	def(&c.E5, ks.StatusBufferTooSmall)
	def(&c.E24, ks.StatusInsufficientResources)
	return c
}
