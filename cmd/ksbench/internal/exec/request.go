package exec

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// request is one decoded line. Its slices are valid until the next line is decoded.
type request struct {
	i         []byte // the number as written; nil for none
	object    []byte // nil: the default object
	handle    []byte // nil: none
	op        op
	plain     bool // KsPropertyHandler, without an allocator
	set       ks.GUID
	id        uint32
	flags     uint32
	in        uint32
	out       uint32
	extra     []byte
	data      []byte // as written
	output    []byte // what the output begins with: data, of enable_event behind the notification
	alias     bool
	allocator allocator
	faultIn   bool
	faultOut  bool
	prepared  prepared
	mode      engine.Mode
	file      uint64
	info0     uint64
	tag       []byte

	eventData    uint64 // enable_event and disable_event: the address of KSEVENTDATA
	notification uint32 // enable_event
	count        uint32 // generate

	status      ks.Status // complete
	information uint64
	program     *manifest.Program // dispatch_specific

	parent     []byte // create_pin
	connect    []byte
	overlapped bool // open and create_pin
	ownFile    bool // they name the number of the file
}

// nodeID is what a KSP_NODE has where the sets of a request end.
func (q *request) nodeID() uint32 {
	var id [4]byte
	copy(id[:], q.extra)
	return binary.LittleEndian.Uint32(id[:])
}

type op uint8

const (
	opProperty op = iota
	opFastProperty
	opMethod
	opFastMethod
	opComplete
	opDispatchSpecific
	opEnableEvent
	opDisableEvent
	opGenerate
	opClose
	opOpen
	opCreatePin
	opCancel
	opRemove
)

// allocator is how the caller's allocator behaves (P-12 to P-16).
type allocator uint8

const (
	allocArena    allocator = iota // serves from the session's arena
	allocNone                      // there is none
	allocFail                      // STATUS_INSUFFICIENT_RESOURCES
	allocNoBuffer                  // success, and no buffer
)

// prepared is what the dispatcher finds in SystemBuffer (P-15, S-15).
type prepared uint8

const (
	fresh   prepared = iota // nothing
	earlier                 // the layout of an earlier pass
	forged                  // something else
)
