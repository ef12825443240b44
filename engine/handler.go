package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Handler answers one request: PFNKSHANDLER.
//
// request is the captured property request, InputBufferLength bytes starting with a KSPROPERTY (a KSP_NODE when
// KSPROPERTY_TYPE_TOPOLOGY is set); data is the captured property value, OutputBufferLength bytes, nil when that is 0.
// Both lie in irp.SystemBuffer and are the handler's until it returns, or until the request is completed if it returns
// ks.StatusPending. An in-verb finds the caller's data in data; for every other verb data is zero. A handler that
// produces data sets irp.IoStatus.Information to the number of bytes. A handler is called concurrently for different
// requests; it may block. A panic in it is the request's status (P-21).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnkshandler
type Handler func(irp *IRP, request, data []byte) ks.Status

// FastHandler answers one request without an IRP: PFNKSFASTHANDLER. request is the captured request, data the caller's
// own memory, read it once. It returns true when it answered and set *io, false, without side effects, to fall back to an
// IRP. It is called concurrently for different files; a panic in it answers the request (F-6).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksfasthandler
type FastHandler func(file *FileObject, mode Mode, request, data []byte, io *IoStatus) bool

// Allocator provides the buffer of a GET or SET request: PFNKSALLOCATOR (P-12). It puts a buffer of at least size bytes
// in irp.SystemBuffer and returns success, or returns the status that the request fails with. inputOperation says that
// on success irp.IoStatus.Information bytes are to be copied back to the caller. The caller of the dispatcher copies
// back and frees (P-13), also after a failure that left a buffer. A status that is not a success fails the request and
// must leave no buffer; a success with none, or one too short, is STATUS_INSUFFICIENT_RESOURCES (P-16). What the
// allocator does to Information is undone.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnksallocator
type Allocator func(irp *IRP, size uint32, inputOperation bool) ks.Status

// ControlHandler answers control codes beyond the four of KS, like the DeviceIoControl entry of a KSDISPATCH_TABLE. Status,
// Information and STATUS_PENDING mean what they mean for a Handler. For a code that it does not know it returns
// ks.StatusInvalidDeviceRequest (AS-28).
//
// in is a copy of the input buffer, and nil if that is empty; out has the length of the output buffer. The transfer method of code,
// ks.TransferMethod, decides what out holds at first, and what of it the caller gets:
//
//	ks.MethodBuffered   in and out begin at the same byte, as they do in a driver. The caller gets Information bytes of out.
//	ks.MethodInDirect   out is what the output buffer holds. The caller gets nothing of it.
//	ks.MethodOutDirect  out is what the output buffer holds. The caller gets all of it, whatever the status.
//	ks.MethodNeither    out is a copy of what the output buffer holds. The caller gets Information bytes of it.
//
// On an error the caller gets nothing, except with ks.MethodOutDirect. Success with more Information than there is output becomes
// STATUS_BUFFER_TOO_SMALL (P-20). The slices are the handler's until it returns, or until the request is completed if it returns
// STATUS_PENDING.
type ControlHandler func(irp *IRP, code uint32, in, out []byte) ks.Status

// Refusal is a request that a dispatcher has answered with an error before any handler had it.
type Refusal struct {
	Code       uint32  // the control code
	Set        ks.GUID // of the request, as it was read; zero, with ID and Flags, where none was
	ID, Flags  uint32
	In, Out    int // lengths of the buffers
	FileObject *FileObject
	Status     ks.Status
	Rule       string // that decided, as IRP.Rule says; "" for lengths beyond 32 bits
}
