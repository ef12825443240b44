package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Object is what one driver object declares. ItemSize is PropertyItemSize: 0, or the stride of extended items (P-3).
type Object struct {
	ItemSize uint32
	Sets     []Set
}

// Set is KSPROPERTY_SET. Several sets may have one GUID if their ids differ (P-24).
type Set struct {
	GUID  ks.GUID
	Items []Item
	Fast  []Fast
}

// Item is KSPROPERTY_ITEM with programs for handlers; a program of kind None is a null handler.
type Item struct {
	ID                   uint32
	Get, Set, Support    Program
	MinProperty, MinData uint32
	Values               *Values
	Relations            []ks.Identifier
	SerializedSize       uint32
}

// Fast is KSFASTPROPERTY_ITEM: which verbs of the item with that id also have a fast handler, which runs the item's own
// program on the same value.
type Fast struct {
	ID       uint32
	Get, Set bool
}

// Values is KSPROPERTY_VALUES: the value's type and its lists of members.
type Values struct {
	TypeSet ks.GUID
	TypeID  uint32
	Lists   []Members
}

// Members is KSPROPERTY_MEMBERSLIST. Data holds Size x Count bytes.
type Members struct {
	MembersFlags, Size, Count, Flags uint32
	Data                             []byte
}

// Compat replaces the answers of rules that no public source pins. The zero value is the rules as written; a zero status
// is the rule's own.
type Compat struct {
	P25                bool      // accept mixtures of verbs
	P26, P27, P36, P38 ks.Status // instead of NOT_FOUND, INVALID_BUFFER_SIZE, NOT_FOUND, NOT_FOUND
	P28Zero            ks.Status // of GET, SET and methods with Out 0 below MinData, instead of BUFFER_OVERFLOW
	P33                bool      // BASICSUPPORT and DEFAULTVALUES accept 4, 40 and at least full, nothing in between
	P33Zero            ks.Status // of these two with Out 0, instead of BUFFER_OVERFLOW
	P39                ks.Status // instead of BUFFER_TOO_SMALL
	P42Set, P42Entry   ks.Status // instead of INVALID_PARAMETER: another set, an entry that does not fit
	P42Item, P42Length ks.Status // instead of NOT_FOUND, INVALID_BUFFER_SIZE
	P45                bool      // GETPAYLOADSIZE is a modifier
	M2, M8             ks.Status // of methods, instead of INVALID_PARAMETER, NOT_FOUND
}

// modifiers are the bits of Flags that are no verb (P-25, P-45).
func (c *Compat) modifiers() uint32 {
	if c.P45 {
		return modifiers | ks.PropertyTypeGetPayloadSize
	}
	return modifiers
}

// Op says what a Request asks for.
type Op uint8

const (
	Property         Op = iota // KsPropertyHandler or KsPropertyHandlerWithAllocator
	FastProperty               // KsFastPropertyHandler
	Complete                   // the owner of a pended request ends it
	DispatchSpecific           // KsDispatchSpecificProperty on a pended request
)

// Allocator is how the caller's allocator behaves (P-12..P-16).
type Allocator uint8

const (
	AllocNone     Allocator = iota // a null allocator: the pool serves
	AllocGood                      // succeeds
	AllocFail                      // returns AllocStatus, or STATUS_INSUFFICIENT_RESOURCES if that is 0
	AllocNoBuffer                  // returns success and sets no buffer
	AllocShort                     // returns success and sets a buffer one byte shorter than asked for
	AllocPanic                     // panics with something that is no ks.Status
)

// Fault says which caller memory faults (P-9).
type Fault uint8

const (
	FaultNone Fault = iota
	FaultIn
	FaultOut
)

// Prepared says what SystemBuffer is when the dispatcher is called.
type Prepared uint8

const (
	Fresh         Prepared = iota // NULL
	PreparedByUs                  // an earlier pass laid out this request (P-15)
	PreparedForge                 // set by someone else (S-15)
)

// Request is one request and the world it is made in. The input is the identifier, then Extra, then zeros, In bytes in all.
type Request struct {
	Op          Op
	Plain       bool // KsPropertyHandler: Allocator is not used
	Set         ks.GUID
	ID, Flags   uint32
	Extra       []byte
	In, Out     uint32
	Data        []byte // initial content of the output buffer, zeros up to Out. Complete: what the owner wrote
	Alias       bool   // input and output are the same memory (P-11)
	Allocator   Allocator
	AllocStatus ks.Status
	Fault       Fault
	Prepared    Prepared
	Kernel      bool // RequestorMode is KernelMode
	File        int
	Info0       uint64 // Information before the call

	Tag         string    // names a request that pends, and the pended request of Complete and DispatchSpecific
	Status      ks.Status // Complete
	Information uint64    // Complete
	Program     Program   // DispatchSpecific
}

// Call is one handler invocation. Request and Data are copies of what the handler saw when it started.
type Call struct {
	Verb              string // get, set or support
	Set               ks.GUID
	ID                uint32
	RequestOffset     uint32 // not on the fast path
	DataOffset        int    // 0, or -1 where Data is NULL; not on the fast path
	In, Out           uint32
	Kernel            bool
	File              int
	SetSlot, ItemSlot bool // DriverContext (P-22)
	Status            ks.Status
	Request, Data     []byte
}

// Allocation is one request for a buffer, By "pool" or "custom". InputOperation is the argument of a custom one.
type Allocation struct {
	By             string
	Size           uint32
	InputOperation bool
	Status         ks.Status
}

// The IRP flags of P-10.
const (
	BufferedIO       = 0x10
	DeallocateBuffer = 0x20
	InputOperation   = 0x40
)

// Outcome is everything that can be seen of a request from outside.
type Outcome struct {
	Status        ks.Status
	Information   uint64
	Handled       bool // fast path only; when false only Information and Calls count
	Pended        bool // Information, BytesReturned, Win32 and Output do not count
	Calls         []Call
	Allocations   []Allocation
	Flags         uint32
	BytesReturned uint64
	Win32         uint32
	Output        []byte // nil where it is left out: pended, or longer than 65,536 bytes
	Rule          string // the rule that decided
	Unknown       bool   // Complete names no pended request: nothing happened and nothing else counts
}

// Model is an object with its state. It is not safe for concurrent use.
type Model struct {
	object Object
	compat Compat
	values map[*Item]*Value
	pended map[string]*irp
}

// New returns an object whose stored values are zero. The model reads obj for as long as it lives and never changes it.
func New(obj Object, compat Compat) *Model {
	m := &Model{object: obj, compat: compat, values: map[*Item]*Value{}, pended: map[string]*irp{}}
	for i := range obj.Sets {
		for j := range obj.Sets[i].Items {
			it := &obj.Sets[i].Items[j]
			m.values[it] = NewValue(it.MinData)
		}
	}
	return m
}

// Refuses says that a property request fails before it needs a buffer (P-23), however long that would be.
func (m *Model) Refuses(q *Request) bool {
	_, _, failed := m.check(q)
	return failed != nil
}

// Do answers one request.
func (m *Model) Do(q Request) Outcome {
	switch q.Op {
	case FastProperty:
		return m.fast(&q)
	case Complete:
		return m.complete(&q)
	case DispatchSpecific:
		return m.dispatchSpecific(&q)
	}
	x := &irp{m: m, q: &q}
	x.property()
	return x.outcome()
}
