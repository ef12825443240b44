package engine

import (
	"cmp"
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// A request ends in one of four ways, and functions are named for them. It is rejected before it has a buffer (reject,
// rejectProperty). A handler that kept it completes it (Complete). Whoever sent it finishes it: copies back and frees
// (Finish, finishControl). A handler that panics is recovered from (guard, recovered), and the request is finished like
// any other. Buffers are released.

// Complete ends a pended request with status and information, in bytes: IoCompleteRequest, called by whoever the handler
// handed the request to, from any goroutine, once that is agreed: before or after the handler returns STATUS_PENDING. It reports
// whether it counted. One that does not changes nothing: the request was completed or cancelled before, or its handler returned
// something else than STATUS_PENDING (AS-2). A handler that completes its request and then returns another status than
// STATUS_PENDING has pended it all the same (AS-1). STATUS_PENDING is no result and does not count.
//
// An error clears information, and more of it than the output holds is STATUS_BUFFER_TOO_SMALL, as for a result that a handler
// returns (AS-3). A request that IoControl waits for ends there. For another, Complete stores the result in IoStatus and calls
// Completion, and the one that was told STATUS_PENDING then calls Finish.
//
// What may cancel the request, a cancel routine or a place in a CancelQueue, is taken off it. Inside a cancel routine, or beside one that
// runs, the request ends when the routine has returned.
//
// A completion that arrives while the IRP serves another request is that request's: nobody can tell whose it was meant to be. And a
// handler that has handed its request to another goroutine returns STATUS_PENDING: with any other status it races with the one who
// completes, and both may count. A build with the tag invariants panics on such a handler, and on a completion that does not count,
// but for one that came after the request was cancelled.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest
func (irp *IRP) Complete(status ks.Status, information uint64) bool {
	if status == ks.StatusPending {
		return false
	}
	counted := irp.conclude(0, 0, status, information)
	if !counted {
		irp.surplus()
	}
	return counted
}

// Finish is what the I/O manager does when a request is complete, IopCompleteRequest (N-1), and what the filter does for
// a buffer of its own allocator (P-13): it stores status, copies min(Information, OutputBufferLength) bytes to the caller
// if the verb carries data out and status is not an error, and frees the buffer if DeallocateBuffer is set. A buffer that
// came from an Allocator stays in SystemBuffer for its owner to free. The result is the BytesReturned that the caller of
// DeviceIoControl sees: the low 32 bits of Information, or 0 for an error. A size answer returns more than len(out).
//
// out receives the data; it is usually irp.UserBuffer and is not used when Memory is set. Finish must not be called for a
// request that is pending. It has no effect on one that IoControl finishes, such as that of a handler it calls.
func (irp *IRP) Finish(status ks.Status, out []byte) (bytesReturned uint32) {
	s := irp.loadState()
	if s&stateServed != 0 || s&stateEntered != 0 && s&stateCompleted == 0 {
		return 0
	}
	if s&(stateOpen|stateCancelable) == stateOpen|stateCancelable {
		irp.disarm() // nobody completed it
	}
	if irp.detached || irp.Flags&DeallocateBuffer != 0 {
		irp.restore()
	}
	bytesReturned, misuse := irp.conclusion(status, out)
	if irp.detached && irp.SystemBuffer != nil { // IoControl sent it: the buffer is the pool's, whoever asked for it
		misuse = irp.release()
	}
	irp.setState(0)
	misuse.Raise()
	return bytesReturned
}

// conclusion is Finish for whoever may: the state is left to the caller, and the misuse to be raised after that.
func (irp *IRP) conclusion(status ks.Status, out []byte) (bytesReturned uint32, misuse invariants.Violation) {
	irp.IoStatus.Status = status
	l := &irp.layout
	if !status.IsError() {
		n := irp.IoStatus.Information
		bytesReturned = uint32(n)
		if l.dir&dataOut != 0 && l.out != 0 && irp.loadState()&stateLaid != 0 {
			irp.copyBack(out, min(n, uint64(l.out)))
		}
	}
	if irp.Flags&DeallocateBuffer != 0 {
		if l.source {
			misuse = irp.unlock(out)
		}
		misuse = cmp.Or(misuse, irp.releasePool())
	} else if l.in|l.out > keepBase {
		irp.unanchored()
	}
	return bytesReturned, misuse
}

// keepBase is the length in bytes up to which an IRP may go on pointing to a buffer that its owner freed, until the next
// request: forgetting each would cost a write barrier a request, and remembering a large one costs its memory.
const keepBase = 64 << 10

// copyBack copies n bytes that were produced to the caller. n was limited to the buffer just now, not when the size was
// answered (S-6).
func (irp *IRP) copyBack(out []byte, n uint64) {
	if uint64(len(irp.SystemBuffer)) < n {
		return // somebody took the buffer away
	}
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
