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
