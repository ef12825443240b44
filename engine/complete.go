package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A request ends in one of four ways, and functions are named for them. It is rejected before it has a buffer (reject,
// rejectProperty). A handler that kept it completes it (Complete). Whoever sent it finishes it: copies back and frees
// (Finish, finishControl). A handler that panics is recovered from (guard, recovered), and the request is finished like
// any other. Buffers are released.

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
		irp.releasePool()
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
