package engine

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
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
	// Handles resolves the objects that enables of events name; nil knows none.
	Handles Handles
	// Events is the list of the object that the file is open on, for IoControl.
	Events *EventList

	events atomic.Int32  // that are enabled (S-24)
	number atomic.Uint64 // for event lists, 0 before the first event

	io      IoStatus // what the fast handler writes, so that a caller's IoStatus may live on its stack
	small   [fastScratch]byte
	scratch []byte // for requests longer than small; grows to the longest request seen
}

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

// IRP is one request, with the fields of IRP and IO_STACK_LOCATION that matter here. The owner fills the first group, the
// dispatcher the second. An IRP is reused freely once its request has been finished; it belongs to one goroutine at a
// time, and to the handler's owner while the request is pending. Do not copy an IRP that was dispatched.
type IRP struct {
	// Type3InputBuffer is the caller's input: a KSPROPERTY and what follows it. A length above that of the slice means
	// that the rest is not mapped: reading it is STATUS_ACCESS_VIOLATION (P-9). Not used when Memory is set.
	Type3InputBuffer []byte
	// UserBuffer is the caller's output, which for the in-verbs carries data in. It is only read by the dispatcher;
	// Finish writes it. Not used when Memory is set.
	UserBuffer         []byte
	InputBufferLength  uint32 // Parameters.DeviceIoControl.InputBufferLength, bytes
	OutputBufferLength uint32 // Parameters.DeviceIoControl.OutputBufferLength, bytes
	RequestorMode      Mode   // never changed by the dispatcher (S-22)

	rule   rule   // that decided
	layout layout // of SystemBuffer
	ident  ident  // read once; what the handler's copy is written from

	// FileObject is the open handle that the request came through.
	FileObject *FileObject
	// Pool serves P-10's pool buffers and the scratch of inner requests; nil means the Go heap.
	Pool *arena.Arena
	// Memory replaces Type3InputBuffer and UserBuffer; nil for plain slices.
	Memory Memory
	// Completion is called by Complete, on the goroutine that calls it: the completion routine of an owner that was told
	// STATUS_PENDING.
	Completion func(*IRP)
	// UserEvent is what Complete signals when there is no Completion, and IoControl waits for. It has room for one signal.
	UserEvent chan struct{}

	// IoStatus is the result. The dispatcher owns Information and never writes Status (P-1).
	IoStatus IoStatus
	// Flags say what is in SystemBuffer and what completion owes (P-10, P-13).
	Flags IRPFlags
	index uint32 // of the item that was found, and its family: DriverContext[0] and [3] (family.go)

	// SystemBuffer is AssociatedIrp.SystemBuffer: data, padding to 8, request (P-6). nil before the dispatcher, or the
	// caller's Allocator, obtained one.
	SystemBuffer []byte

	base  *byte       // of SystemBuffer as it was laid out
	owner *Dispatcher // that wrote index
	extra *extra      // made when first needed, kept

	// EventData is the address of the client's KSEVENTDATA: of the output buffer of an enable, of the input buffer of a
	// disable. It is only compared (E-6, E-17).
	EventData uint64
}

// layout records how SystemBuffer was laid out, so that a later pass never trusts a buffer that somebody else set (P-15,
// S-15).
type layout struct {
	in, out  uint32
	prepared bool
	dir      direction
	source   bool // the data are not in SystemBuffer (M-4)
	hold     hold // where they are then
}

// direction says which ways the data of a request go (P-7). Its bits are those of the verbs GET and SET, so that the verb
// of a property is its direction.
type direction uint8

const (
	dataOut direction = 1 << iota // what the handler produces is copied to the caller at completion
	dataIn                        // what the caller has is copied to the handler's buffer
)

// dispatched reports that a property was found for this request, so that DriverContext is written (P-22).
func (irp *IRP) dispatched() bool { return irp.owner != nil && irp.index < noItem }

// PropertySet returns the set that the request was dispatched to: KSPROPERTY_SET_IRP_STORAGE, DriverContext[0] (P-22).
// It is nil if no item was found. The set is the compiled one and must not be changed.
func (irp *IRP) PropertySet() *PropertySet {
	if !irp.dispatched() {
		return nil
	}
	return &irp.owner.sets[irp.owner.items[irp.index].set].PropertySet
}

// PropertyItem returns the item that the request was dispatched to: KSPROPERTY_ITEM_IRP_STORAGE, DriverContext[3]. It is
// nil unless the table has extended items, as DriverContext[3] is not written otherwise (P-22).
func (irp *IRP) PropertyItem() *PropertyItem {
	if !irp.dispatched() || irp.owner.itemSize == 0 {
		return nil
	}
	return irp.owner.items[irp.index].decl
}

// ItemStorage returns the private bytes of the item that the request was dispatched to: what an extended item has after
// its KSPROPERTY_ITEM, PropertyItemSize-72 bytes, or after its KSMETHOD_ITEM or KSEVENT_ITEM, 40 less than their size (P-3, M-3).
// nil without extended items, and on a 32-bit host for what it cannot address. All handles of an object share it; handlers
// synchronise its use.
func (irp *IRP) ItemStorage() []byte {
	if irp.owner == nil || irp.index == noItem {
		return nil
	}
	return irp.owner.storage(irp.index)
}

// ItemContext returns the Context of the item that the request was dispatched to.
func (irp *IRP) ItemContext() any {
	if irp.owner != nil && irp.index < noItem {
		return irp.owner.items[irp.index].decl.Context
	}
	return irp.otherContext()
}

// Rule names the rule that decided the last dispatch of this IRP, such as "P-28": for people, and for tools that explain
// an answer. It is meaningless while the request is pending.
func (irp *IRP) Rule() string { return irp.rule.String() }

// Complete ends a pended request with status and information, in bytes: IoCompleteRequest, called by whoever the handler
// handed the request to, exactly once, from any goroutine, and only for a request whose handler returned STATUS_PENDING or
// will. It stores the result and calls Completion. The one that was told STATUS_PENDING then calls Finish. STATUS_PENDING
// is no result: it becomes STATUS_UNSUCCESSFUL.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest
func (irp *IRP) Complete(status ks.Status, information uint64) {
	if status == ks.StatusPending {
		status = ks.StatusUnsuccessful
	}
	irp.IoStatus.Status = status
	irp.IoStatus.Information = information
	if f := irp.Completion; f != nil {
		f(irp)
	} else if irp.UserEvent != nil {
		irp.UserEvent <- struct{}{}
	}
}

// Finish is what the I/O manager does when a request is complete, IopCompleteRequest (N-1), and what the filter does for
// a buffer of its own allocator (P-13): it stores status, copies min(Information, OutputBufferLength) bytes to the caller
// if the verb carries data out and status is not an error, and frees the buffer if DeallocateBuffer is set. A buffer that
// came from an Allocator stays in SystemBuffer for its owner to free. The result is the BytesReturned that the caller of
// DeviceIoControl sees: the low 32 bits of Information, or 0 for an error. A size answer returns more than len(out).
//
// out receives the data; it is usually irp.UserBuffer and is not used when Memory is set. Finish must not be called for a
// request that is pending.
func (irp *IRP) Finish(status ks.Status, out []byte) (bytesReturned uint32) {
	irp.IoStatus.Status = status
	l := &irp.layout
	if !status.IsError() {
		n := irp.IoStatus.Information
		bytesReturned = uint32(n)
		if l.dir&dataOut != 0 && l.prepared && l.out != 0 {
			irp.copyBack(out, min(n, uint64(l.out)))
		}
	}
	l.prepared = false
	if irp.Flags&DeallocateBuffer != 0 {
		if l.source {
			irp.unlock(out)
		}
		irp.freePool()
	} else if l.in|l.out > keepBase {
		irp.base = nil
	}
	return bytesReturned
}

// keepBase is the length in bytes up to which an IRP may go on pointing to a buffer that its owner freed, until the next
// request: forgetting each would cost a write barrier a request, and remembering a large one costs its memory.
const keepBase = 64 << 10

// copyBack copies n bytes that were produced to the caller. n was limited to the buffer just now, not when the size was
// answered (S-6).
func (irp *IRP) copyBack(out []byte, n uint64) {
	if m := irp.Memory; m != nil {
		if n != 0 {
			// A fault here is the caller's own doing after a probe that passed: the request is complete all the same.
			_ = m.WriteOutput(irp.SystemBuffer[:n])
		}
		return
	}
	if n == 4 && len(out) >= 4 { // most values: a call to copy them costs 3 ns more
		binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(irp.SystemBuffer))
		return
	}
	copy(out, irp.SystemBuffer[:n])
}

// fastScratch is the longest request that the fast path captures without a buffer of its own: KSPROPERTY, KSP_NODE and
// KSP_PIN requests with up to 32 bytes of instance data.
const fastScratch = 64
