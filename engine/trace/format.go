package trace

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Version is that of the format: a reader knows files of this one.
const Version = 1

// magic begins each block. It breaks where a file was sent as text.
const magic = "\x8Akst\r\n\x1a\n"

// A block is a header and a payload.
const (
	blockHeader = 64
	maxPayload  = 64 << 20 // bytes; a reader believes no longer one
)

// blockKind says what the payload of a block is.
type blockKind uint32

const (
	blockStart   blockKind = 1 // a Header as JSON
	blockRecords blockKind = 2 // records of one handle, or those of no handle
	blockEnd     blockKind = 3 // nothing: the trace was closed here
)

// block is the header of a block.
type block struct {
	kind     blockKind
	handle   uint32 // whose records they are; 0 for those of no handle
	length   uint32 // of the payload, in bytes
	sequence uint64 // how many blocks were written before
	first    uint64 // the Order of the first record; in the end block, of the last
	dropped  uint64 // records of the handle that were lost before this block, in all; in the end block, of all handles
	payload  uint64 // its hash
	hashed   bool   // payload is set, in a block that is written

	offset int64 // of the header, in the file
}

// put writes the header of a payload, whose hash it takes unless that is known.
func (b *block) put(to []byte, payload []byte) {
	_ = to[blockHeader-1]
	if !b.hashed {
		b.payload = xxhash.Sum64(payload)
	}
	copy(to, magic)
	le := binary.LittleEndian
	le.PutUint64(to[16:], b.payload)
	le.PutUint32(to[24:], uint32(len(payload)))
	le.PutUint32(to[28:], uint32(b.kind))
	le.PutUint32(to[32:], b.handle)
	le.PutUint32(to[36:], 0)
	le.PutUint64(to[40:], b.sequence)
	le.PutUint64(to[48:], b.first)
	le.PutUint64(to[56:], b.dropped)
	le.PutUint64(to[8:], xxhash.Sum64(to[16:blockHeader]))
}

// read reads a header, or reports that it is none.
func (b *block) read(from []byte) bool {
	_ = from[blockHeader-1]
	le := binary.LittleEndian
	if string(from[:8]) != magic || le.Uint64(from[8:]) != xxhash.Sum64(from[16:blockHeader]) {
		return false
	}
	b.payload = le.Uint64(from[16:])
	b.length = le.Uint32(from[24:])
	b.kind = blockKind(le.Uint32(from[28:]))
	b.handle = le.Uint32(from[32:])
	b.sequence = le.Uint64(from[40:])
	b.first = le.Uint64(from[48:])
	b.dropped = le.Uint64(from[56:])
	return b.length <= maxPayload && le.Uint32(from[36:]) == 0
}

// Kind says what a record is of.
type Kind uint8

const (
	KindRequest  Kind = 1 // a request that was sent through a handle, and how it ended
	KindOpen     Kind = 2 // a handle was opened
	KindCreate   Kind = 3 // a pin, a node or a lane was created on a handle, or was refused
	KindClose    Kind = 4 // a handle was closed
	KindGenerate Kind = 5 // a driver generated an event
	KindCancel   Kind = 6 // what was pended on a handle, or a lane of it, was cancelled
)

var kindNames = [...]string{KindRequest: "request", KindOpen: "open", KindCreate: "create", KindClose: "close", KindGenerate: "generate",
	KindCancel: "cancel"}

// String returns the name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// Flags are what else is known of a record.
type Flags uint16

const (
	FlagExact     Flags = 1 << iota // Time and Duration were read from the clock; else they are those of the last tick
	FlagKernel                      // the requestor mode is kernel
	FlagCarried                     // Out has what the output buffer held before: the verb takes data, or may
	FlagProduced                    // Out has what a pended request produced
	FlagPended                      // the handler left the request pending
	FlagAliased                     // input and output began at the same address (P-11)
	FlagContinued                   // of an open: the handle was opened in an earlier part
	FlagNamed                       // of a create: In is a name, not a KSPIN_CONNECT
	FlagEvent                       // Event is there
	FlagLane                        // of a create: it is a lane for the overlapped requests of a handle, which has one at a time

	allFlags Flags = 1<<iota - 1
)

// Record is one thing that happened. The fields that have no meaning for a kind are zero. In and Out are valid until the next record
// is read.
type Record struct {
	Kind     Kind
	Flags    Flags
	Order    uint64        // how many records and marks there were with this one
	Begin    uint64        // how many there were when it began
	Time     time.Duration // when it began, since Header.Start
	Duration time.Duration // how long it took

	// Handle is the number of the handle that a request was sent through, or that is opened, created, closed. A create that failed
	// has none: it is 0.
	Handle uint32
	// Code is the control code of a request, the id of an event that was generated.
	Code uint32
	// Parent is the number of the handle that something is created on, of the device that is opened or generates.
	Parent uint32

	Status      ks.Status
	Information uint64 // BytesReturned; how many enabled events were generated, or requests cancelled
	// Digest is the xxhash64 of the output that was returned, the first Information bytes of it; 0 if there is none.
	Digest uint64
	// Event is the address of the KSEVENTDATA that a request to enable, disable or query an event came with: its name.
	Event uint64

	In, Out  []byte
	OutBytes uint32 // length of the output buffer

	opened int // index in Reader.opened, -1 for no handle
}

// Mode returns the requestor mode of the request.
func (r *Record) Mode() engine.Mode {
	if r.Flags&FlagKernel != 0 {
		return engine.KernelMode
	}
	return engine.UserMode
}

// modeFlag is the flag of requests of a mode.
func modeFlag(mode engine.Mode) Flags {
	if mode == engine.KernelMode {
		return FlagKernel
	}
	return 0
}

// Identifier returns the identifier of a request, unless its input is too short for one.
func (r *Record) Identifier() (ks.Identifier, bool) {
	if r.Kind != KindRequest || r.Code == ks.IoctlDisableEvent {
		return ks.Identifier{}, false
	}
	return ks.DecodeIdentifier(r.In)
}

// recordHeader is how many bytes a record has before its input.
const recordHeader = 56

// pad is n up to a multiple of 8.
func pad(n int) int { return (n + 7) &^ 7 }

// size is how many bytes a record takes.
func (r *Record) size() int {
	n := recordHeader + pad(len(r.In)) + pad(len(r.Out))
	if r.Flags&FlagEvent != 0 {
		n += 8
	}
	return n
}

// putBegin writes what is known of a record when its request begins.
func putBegin(to *[recordHeader]byte, kind Kind, flags Flags, code uint32, at time.Duration, in, out uint32) {
	le := binary.LittleEndian
	le.PutUint64(to[:], uint64(kind)|uint64(flags)<<16|uint64(code)<<32)
	le.PutUint64(to[16:], uint64(at))
	le.PutUint64(to[40:], uint64(in)|uint64(out)<<32)
}

// putFlags writes the flags that are known only later.
func putFlags(to *[recordHeader]byte, flags Flags) {
	binary.LittleEndian.PutUint16(to[2:], uint16(flags))
}

// putEnd and putResult write the rest of it.
func putEnd(to *[recordHeader]byte, order, begin uint64, took uint32) {
	le := binary.LittleEndian
	le.PutUint64(to[8:], order)
	le.PutUint64(to[24:], uint64(least32(order-1-begin))|uint64(took)<<32)
}

func putResult(to *[recordHeader]byte, status ks.Status, information uint32, digest uint64) {
	le := binary.LittleEndian
	le.PutUint64(to[32:], uint64(status)|uint64(information)<<32)
	le.PutUint64(to[48:], digest)
}

// least32 is v, or the largest of 32 bits.
func least32(v uint64) uint32 {
	if v > 1<<32-1 {
		return 1<<32 - 1
	}
	return uint32(v)
}

// putDuration is a duration as a record has it: in nanoseconds where the clock was read, else in microseconds.
func putDuration(d time.Duration, flags Flags) uint32 {
	if flags&FlagExact == 0 {
		d /= time.Microsecond
	}
	return least32(uint64(max(d, 0)))
}

// putBytes writes b behind what a record has, and returns where it ends.
func putBytes(to []byte, at int, b []byte) int {
	if len(b) == 0 {
		return at
	}
	end := at + pad(len(b))
	binary.LittleEndian.PutUint64(to[end-8:], 0)
	copy(to[at:end], b)
	return end
}

// putIdentifier is putBytes for an identifier, by words: a load of 16 bytes would wait for two stores of 8 that
// have just made b.
func putIdentifier(to, b *[ks.SizeIdentifier]byte) {
	le := binary.LittleEndian
	lo, hi, word := le.Uint64(b[:]), le.Uint64(b[8:]), le.Uint64(b[16:])
	le.PutUint64(to[:], lo)
	le.PutUint64(to[8:], hi)
	le.PutUint64(to[16:], word)
}

// appendTo appends a record whose Out is all of its output buffer, or none of it.
func (r *Record) appendTo(b []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, r.size())...)
	to := b[at:]
	information, code := least32(r.Information), r.Code
	switch r.Kind {
	case KindOpen, KindCreate, KindClose:
		code, information = r.Handle, r.Parent
	case KindCancel:
		code = r.Handle
	}
	digest := r.Digest
	if r.Kind == KindGenerate {
		information, digest = r.Parent, r.Information
	}
	head := (*[recordHeader]byte)(to)
	putBegin(head, r.Kind, r.Flags, code, r.Time, uint32(len(r.In)), r.OutBytes)
	putEnd(head, r.Order, r.Begin, putDuration(r.Duration, r.Flags))
	putResult(head, r.Status, information, digest)
	end := putBytes(to, recordHeader, r.In)
	if r.Flags&FlagEvent != 0 {
		binary.LittleEndian.PutUint64(to[end:], r.Event)
		end += 8
	}
	putBytes(to, end, r.Out)
	return b
}

// decode reads the record that b begins with, and returns how many bytes it has, or what is wrong with it.
func (r *Record) decode(b []byte) (n int, wrong string) {
	if len(b) < recordHeader {
		return 0, "a record has no whole header"
	}
	le := binary.LittleEndian
	head, lengths, about := le.Uint64(b), le.Uint64(b[40:]), le.Uint64(b[24:])
	r.Kind, r.Flags, r.Code = Kind(head), Flags(head>>16), uint32(head>>32)
	r.Order, r.Time = le.Uint64(b[8:]), time.Duration(le.Uint64(b[16:]))
	r.Begin = r.Order - 1 - uint64(uint32(about))
	r.Handle, r.Parent = 0, 0
	r.Duration = time.Duration(about >> 32)
	if r.Flags&FlagExact == 0 {
		r.Duration *= time.Microsecond
	}
	result := le.Uint64(b[32:])
	r.Status, r.Information = ks.Status(result), result>>32
	r.Digest = le.Uint64(b[48:])
	r.OutBytes = uint32(lengths >> 32)
	in, out := lengths&(1<<32-1), uint64(0)
	if r.Flags&(FlagCarried|FlagProduced) != 0 {
		if out = uint64(r.OutBytes); r.Flags&FlagCarried == 0 {
			out = min(out, r.Information)
		}
	}
	at := recordHeader + (in+7)&^7
	size := at + (out+7)&^7
	if r.Flags&FlagEvent != 0 {
		size += 8
	}
	switch {
	case head>>8&0xFF != 0 || r.Kind == 0 || int(r.Kind) >= len(kindNames) || r.Flags&^allFlags != 0:
		return 0, "a record of a kind that this version does not know"
	case r.Time < 0 || r.Order == 0 || r.Begin >= r.Order:
		return 0, "a record before the first"
	case size > uint64(len(b)):
		return 0, "a record reaches beyond its block"
	}
	r.In = b[recordHeader : recordHeader+in : recordHeader+in]
	r.Event = 0
	if r.Flags&FlagEvent != 0 {
		r.Event = le.Uint64(b[at:])
		at += 8
	}
	r.Out = b[at : at+out : at+out]
	if r.Kind != KindRequest {
		r.control()
	}
	return int(size), ""
}

// control puts the fields of a record that is no request to where they have their names.
func (r *Record) control() {
	if r.Kind == KindCancel {
		r.Handle, r.Code = r.Code, 0
		return
	}
	r.Parent = uint32(r.Information)
	if r.Kind == KindGenerate {
		r.Information, r.Digest = r.Digest, 0
		return
	}
	r.Handle, r.Code, r.Information = r.Code, 0, 0
}

// carries reports whether the output buffer of a request may hold data that the driver reads: all but that of the property verbs
// that only produce.
func carries(code uint32, in []byte) bool {
	if code != ks.IoctlProperty || len(in) < ks.SizeIdentifier {
		return code != ks.IoctlProperty
	}
	return carriesProperty(in)
}

// carriesProperty is carries for a property request with an identifier.
func carriesProperty(in []byte) bool {
	const producing = ks.PropertyTypeGet | ks.PropertyTypeSetSupport | ks.PropertyTypeBasicSupport | ks.PropertyTypeRelations |
		ks.PropertyTypeSerializeSet | ks.PropertyTypeSerializeRaw | ks.PropertyTypeSerializeSize | ks.PropertyTypeDefaultValues
	const scope = ks.PropertyTypeTopology | ks.PropertyTypeHighPriority | ks.PropertyTypeFSFilterScope
	return binary.LittleEndian.Uint32(in[ks.SizeIdentifier-4:])&^(producing|scope) != 0
}

// firstOrder is the Order of the first record of a payload.
func firstOrder(payload []byte) uint64 {
	if len(payload) < recordHeader {
		return 0
	}
	return binary.LittleEndian.Uint64(payload[8:])
}
