package engine

import (
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// Mode is KPROCESSOR_MODE. The zero value is the untrusted mode, unlike in C, so that a forgotten field never grants
// trust (S-22).
type Mode uint8

const (
	UserMode   Mode = iota // UserMode: buffers are probed
	KernelMode             // KernelMode: buffers are trusted
)

// String returns "user" or "kernel".
func (m Mode) String() string {
	if m == KernelMode {
		return "kernel"
	}
	return "user"
}

// IRPFlags are the IRP_* flags through which the dispatcher tells completion what to do (P-10).
type IRPFlags uint32

const (
	BufferedIO       IRPFlags = 0x10 // IRP_BUFFERED_IO: SystemBuffer holds the data
	DeallocateBuffer IRPFlags = 0x20 // IRP_DEALLOCATE_BUFFER: completion frees SystemBuffer
	InputOperation   IRPFlags = 0x40 // IRP_INPUT_OPERATION: completion copies Information bytes to the caller
)

// IoStatus is IO_STATUS_BLOCK. Information is in bytes.
type IoStatus struct {
	Status      ks.Status
	Information uint64
}

// FileObject stands for one open handle: FILE_OBJECT. Its zero value is ready. A FileObject belongs to one goroutine at
// a time: the fast path keeps the captured request in it (F-5).
type FileObject struct {
	// Context is the owner's: FsContext.
	Context any
	// Object is what is open, for the package that opened it: a *device.Handle. Its type tells what it is (S-7).
	Object any
	// Handles resolves the objects that enables of events name; nil knows none.
	Handles Handles
	// Events is the list of the object that the file is open on, for IoControl.
	Events *EventList

	queued atomic.Int64  // bytes that are queued for them (S-24)
	number atomic.Uint64 // for event lists, 0 before the first event
	events atomic.Int32  // that are enabled (S-24)

	flight  uint32   // in checked builds not 0 while a fast handler runs
	limit   int      // the length of data from which on a fast request does not take the short path: see idle
	io      IoStatus // what the fast handler writes, so that a caller's IoStatus may live on its stack; between requests Status is 0
	small   [fastScratch]byte
	scratch []byte // for requests longer than small; grows to the longest request seen
}

// reference is Object's: a file object is kept by who opened it.
func (*FileObject) reference(int32) {}

// fastScratch is the longest request that the fast path captures without a buffer of its own: KSPROPERTY, KSP_NODE and
// KSP_PIN requests with up to 24 bytes of instance data.
const fastScratch = 56

// Memory is caller memory that is not a plain slice: memory that can fault, or change under the reader (P-9, S-2). Each
// method returns ks.StatusSuccess or the status of the exception, usually ks.StatusAccessViolation. The dispatcher reads
// every byte of the input, and of the output of an in-verb, at most once.
type Memory interface {
	// ReadInput copies len(dst) bytes of the input buffer, from offset off, to dst.
	ReadInput(dst []byte, off uint32) ks.Status
	// ReadOutput copies the first len(dst) bytes of the output buffer to dst: the data of an in-verb.
	ReadOutput(dst []byte) ks.Status
	// ProbeOutput checks that the first n bytes of the output buffer could be written (ProbeForWrite).
	ProbeOutput(n uint32) ks.Status
	// WriteOutput copies src to the start of the output buffer, at completion.
	WriteOutput(src []byte) ks.Status
}

// IRP is one request, with the fields of IRP and IO_STACK_LOCATION that matter here. Flags, IoStatus and SystemBuffer are the
// dispatcher's; the owner fills the others. An IRP is reused freely once its request has been finished; it belongs to one goroutine at a
// time, and to the handler's owner while the request is pending. Do not copy an IRP that was dispatched.
type IRP struct {
	// What a short request reads and writes comes first, behind the two words that a device.Handle begins with: three cache lines, and
	// the first of them leads to the item, so that no other is waited for on the way there (TestHotFieldsOfIRP).
	owner  *Dispatcher        // that wrote index (own)
	direct table.Direct[slot] // a copy of owner's, for properties: the dispatcher itself is not read
	state  uint32             // who has the request (state.go)
	closed uint32             // closedClose and its kin (state.go)
	index  uint32             // of the item that was found, and its family: DriverContext[0] and [3] (family.go)

	// Flags say what is in SystemBuffer and what completion owes (P-10, P-13).
	Flags IRPFlags

	InputBufferLength  uint32 // Parameters.DeviceIoControl.InputBufferLength, bytes
	OutputBufferLength uint32 // Parameters.DeviceIoControl.OutputBufferLength, bytes
	RequestorMode      Mode   // never changed by the dispatcher (S-22)

	detached bool // IoControl does not wait (detach.go)

	rule   rule   // that decided
	kept   bool   // the buffer at base stays for the next request (keep.go)
	layout layout // of SystemBuffer
	ident  ident  // read once; what the handler's copy is written from

	// Pool serves P-10's pool buffers and the scratch of inner requests; nil means the Go heap. A handler leaves it alone: if it sets
	// another, and KeepBuffer has not said whose the pool is, the buffer of the request is lost to the first until that is reset.
	Pool *arena.Arena

	// IoStatus is the result. The dispatcher owns Information and never writes Status (P-1).
	IoStatus IoStatus

	// SystemBuffer is AssociatedIrp.SystemBuffer: data, padding to 8, request (P-6). nil before the dispatcher, or the
	// caller's Allocator, obtained one.
	SystemBuffer []byte

	base anchor // SystemBuffer as it was laid out

	// UserEvent is what Complete signals when there is no Completion, and IoControl waits for. It has room for one signal.
	UserEvent chan struct{}
	// Memory replaces Type3InputBuffer and UserBuffer; nil for plain slices.
	Memory Memory
	// FileObject is the open handle that the request came through.
	FileObject *FileObject

	// Type3InputBuffer is the caller's input: a KSPROPERTY and what follows it. A length above that of the slice means
	// that the rest is not mapped: reading it is STATUS_ACCESS_VIOLATION (P-9). Not used when Memory is set.
	Type3InputBuffer []byte
	// UserBuffer is the caller's output, which for the in-verbs carries data in. It is only read by the dispatcher;
	// Finish writes it. Not used when Memory is set.
	UserBuffer []byte
	// Completion is called by Complete, on the goroutine that calls it: the completion routine of an owner that was told
	// STATUS_PENDING.
	Completion func(*IRP)
	// EventData is the address of the client's KSEVENTDATA: of the output buffer of an enable, of the input buffer of a
	// disable. It is only compared (E-6, E-17).
	EventData uint64

	extra       *extra // made when first needed, kept
	onClose     *closing
	ending      ending // of the last request, in builds with the tag invariants
	information uint64 // of a completion that counted, for IoControl
}

// own makes d the dispatcher that the request is in. It compares first: the next request is nearly always for the same one, and
// storing a pointer costs a write barrier. IoControl has it written out, which takes an instruction less.
func (irp *IRP) own(d *Dispatcher) {
	if irp.owner != d {
		irp.owner, irp.direct = d, d.properties.direct
	}
}

// anchored keeps where the buffer is that the request was given.
func (irp *IRP) anchored(b []byte) {
	irp.base.set(b)
	irp.kept = false
}

// unanchored forgets it.
func (irp *IRP) unanchored() {
	irp.base = anchor{}
	irp.kept = false
}

// layout records how SystemBuffer was laid out, so that a later pass never trusts a buffer that somebody else set (P-15,
// S-15).
type layout struct {
	in, out uint32
	dir     direction
	source  bool // the data are not in SystemBuffer (M-4)
	hold    hold // where they are then
}

// direction says which ways the data of a request go (P-7). Its bits are those of the verbs GET and SET, so that the verb
// of a property is its direction.
type direction uint8

const (
	dataOut direction = 1 << iota // what the handler produces is copied to the caller at completion
	dataIn                        // what the caller has is copied to the handler's buffer
)

// requestOffset is where the request lies in SystemBuffer: at al8(Out) (P-6), or at 0 where the data are not in it (M-5).
func (l *layout) requestOffset() uint32 {
	if l.source {
		return 0
	}
	return uint32((uint64(l.out) + 7) &^ 7)
}

// size is how many bytes of SystemBuffer are laid out.
func (l *layout) size() uint64 { return uint64(l.requestOffset()) + uint64(l.in) }

// wasPrepared reports that SystemBuffer is the one that an earlier pass over this request laid out, with these lengths
// (P-15).
func (irp *IRP) wasPrepared() bool {
	l := &irp.layout
	return irp.loadState()&stateLaid != 0 && l.in == irp.InputBufferLength && l.out == irp.OutputBufferLength &&
		uint64(len(irp.SystemBuffer)) >= l.size() && irp.base.of(irp.SystemBuffer)
}

// hasBuffer reports that the request has got its buffer. It has too if a handler took SystemBuffer away: what ends the request goes by
// the layout of the buffer that it got, so that there is no second one (S-15).
func (irp *IRP) hasBuffer() bool {
	return irp.SystemBuffer != nil || irp.loadState()&stateLaid != 0 && !irp.forget()
}

// forget drops the layout of a request that nobody has any more, and whose owner has taken the buffer without calling Finish.
//
//go:noinline
func (irp *IRP) forget() bool {
	if irp.loadState()&(stateEntered|stateServed|stateOpen) != 0 {
		return false
	}
	irp.setState(0)
	irp.unanchored()
	return true
}

// extra is what few requests need. An IRP makes one when it first does, and keeps it.
type extra struct {
	inner *IRP                    // for the requests of P-43
	entry *EventEntry             // of an enable: DriverContext[0] (E-10)
	list  *EventList              // of an enable with a handler
	head  [ks.SizeIdentifier]byte // where Memory reads an identifier to: a local array would be moved to the heap each time
	view  []byte                  // the data of a SOURCE method (M-4)
	pool  *arena.Arena            // that IoControl works with
	keeps bool                    // KeepBuffer was called
	tally *tally                  // that the IRP has for itself

	completed chan struct{} // wakes who waits for a pended request
	event     chan struct{} // UserEvent as SetGate or Detach found or left it, for a handler that takes it away

	gate          func() (*Dispatcher, ks.Status) // of SetGate
	route         func() *Dispatcher              // of SetRoute
	pended, ended func(*IRP)                      // of Detach; nil: IoControl waits
	routine       func(*IRP)                      // that cancels the request; under the latch
	place         place                           // in a CancelQueue
	cited         string                          // rule that a handler decided by
}

// more returns it. Where others may have the request too, the latch is held.
func (irp *IRP) more() *extra {
	if irp.extra == nil {
		irp.extra = new(extra)
	}
	return irp.extra
}

// ident is the identifier of a request, read once. Nothing reads the caller's copy of it again: the copy that the handler
// sees is written from here (S-2, P-23).
type ident struct {
	lo, hi uint64 // the set
	word   uint64 // id, and flags above it
	node   uint64 // the second half of a KSP_NODE, when flags has TOPOLOGY
}

func (q *ident) id() uint32 { return uint32(q.word) }

func (q *ident) flags() uint32 { return uint32(q.word >> 32) }

// hold says what the view of a SOURCE method is, and so how it ends.
type hold uint8

const (
	holdNone   hold = iota // there is no MDL
	holdCaller             // the caller's slice
	holdLocked             // what a LockableMemory lent
	holdCopy               // a pool buffer
	holdBoth               // a pool buffer that is written back
)
