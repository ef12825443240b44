package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// IoControl answers one DeviceIoControl from beginning to end: what KsSynchronousIoControlDevice does to the object whose
// filter is this dispatcher with irp.Pool as its allocator (P-13). The request is dispatched, the data copied back and the
// buffer freed; n is BytesReturned. A pended request is waited for if irp.UserEvent is there to wait on; else the result is
// STATUS_PENDING, and who is told by irp.Completion calls irp.Finish and frees irp.SystemBuffer. in and out, which take the
// place of irp.Type3InputBuffer and irp.UserBuffer, may be the same memory (P-11) and are not kept.
//
// An unknown code is STATUS_INVALID_DEVICE_REQUEST, a length beyond 32 bits STATUS_INVALID_PARAMETER, and an IRP without
// a Pool, which is what a closed handle has, STATUS_INVALID_HANDLE.
//
// Most requests are a GET or SET of an item that is there, with buffers of a moderate length that hold enough. Such a
// request, found out to be one before anything is touched, takes the way that is written out here and in serve; it was 520
// instructions through PropertyWithBuffers, an Allocator and Finish, and is 335 (callgrind, GET of 4 bytes, with the loop around). All others take that longer way, which is
// the one to read first: the answers are the same.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kssynchronousiocontroldevice
func (d *Dispatcher) IoControl(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	if code != ks.IoctlProperty || uint64(len(in)-ks.SizeIdentifier) >= express-ks.SizeIdentifier || uint64(len(out)) >= express ||
		irp.SystemBuffer != nil || irp.Memory != nil || irp.Pool == nil {
		if code == ks.IoctlMethod {
			return d.controlMethod(irp, in, out)
		}
		return d.control(irp, code, in, out)
	}
	b := (*[ks.SizeIdentifier]byte)(in)
	lo, hi, word := binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	verb := uint32(word >> 32)
	if verb-1 > 1 {
		return d.control(irp, code, in, out)
	}
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	irp.IoStatus.Information = 0
	e := d.table.Lookup(lo, hi, uint32(word))
	if e == nil {
		return irp.refuse(d.miss(irp, lo, hi))
	}
	handler := e.Value.handlers[verb-1]
	if handler == nil || uint32(len(in)) < e.Value.minProperty || uint32(len(out)) < e.Value.minData {
		return irp.refuse(d.refused(irp, e, handler))
	}
	if irp.owner != d {
		irp.owner = d
	}
	irp.index = e.Tag
	irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
	irp.layout.dir = direction(verb)
	return irp.serve(handler, in, out)
}

// express is the length in bytes from which on a buffer does not take the short way.
const express = 32 << 10

// serve is the second half of the short way, for a request whose owner, item, identifier and direction are in irp: obtain the
// buffer, fill it, call the handler, check what it returned, complete. The handler may have done anything to irp; if it left
// something behind that is not what most leave, finish sees to it.
func (irp *IRP) serve(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	d, dir := irp.owner, irp.layout.dir
	at := (uint(len(out)) + 7) &^ 7
	buffer := irp.Pool.TryAlloc(int(at + uint(len(in))))
	if buffer == nil {
		return irp.serveAny(handler, in, out)
	}
	irp.SystemBuffer = buffer
	if base := &buffer[0]; irp.base != base {
		irp.base = base // compared first, as storing a pointer costs a write barrier
	}
	irp.layout.in, irp.layout.out, irp.layout.prepared = uint32(len(in)), uint32(len(out)), true
	irp.Flags = 0 // P-13
	irp.rule = ruleP17
	data, request := split(buffer, uint(len(out)), at, uint(len(in)))
	switch {
	case dir != dataOut:
		fill(buffer[:at], out, dir)
	case at == 8:
		binary.LittleEndian.PutUint64(buffer, 0) // most values are that short: 2 ns less than a call to clear them
	default:
		clear(buffer[:at]) // S-11
	}
	irp.ident.write(request)
	if len(in) != ks.SizeIdentifier {
		copy(request[ks.SizeIdentifier:], in[ks.SizeIdentifier:])
	}
	if len(out) == 0 {
		data = nil
	}

	// The guard is 40 instructions, 3 to 4 ns. A function of its own around the call, which needs no arguments moved, made
	// the whole 15 longer.
	returned := false
	defer func() {
		if !returned {
			n, status = irp.finish(d.unwound(irp, recover()), nil, out)
		}
	}()
	event := irp.UserEvent // read now, as a pended IRP is not (S-16)
	status = handler(irp, request, data)
	returned = true

	if status != ks.StatusSuccess || irp.IoStatus.Information > uint64(len(out)) || irp.Flags != 0 || !irp.layout.prepared {
		return irp.finish(irp.check(status, uint32(len(out)), dir), event, out)
	}
	irp.IoStatus.Status = status
	information, used := irp.IoStatus.Information, irp.SystemBuffer
	if irp.layout.dir&dataOut != 0 {
		if information == 4 { // most values again
			binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(used))
		} else {
			copy(out, used[:information])
		}
	}
	irp.layout.prepared = false
	irp.SystemBuffer = nil
	if !irp.Pool.TryFree(used) {
		irp.Pool.Free(used)
	}
	return uint32(information), status
}

// fill makes the data of a request whose caller may have sent some: what came in, then zeros (P-8).
func fill(buffer, out []byte, dir direction) {
	n := 0
	if dir&dataIn != 0 {
		n = copy(buffer, out)
	}
	clear(buffer[n:])
}

// serveAny is serve with a buffer that is not simply the arena's next: there may be none.
func (irp *IRP) serveAny(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	d, outLen, dir := irp.owner, uint32(len(out)), irp.layout.dir
	returned := false
	defer func() {
		if !returned {
			n, status = irp.finish(d.unwound(irp, recover()), nil, out)
		}
	}()
	event := irp.UserEvent
	status = d.run(irp, handler, fromPool, in, out)
	returned = true
	return irp.finish(irp.check(status, outLen, dir), event, out)
}

// refuse completes a request that has got no buffer.
func (irp *IRP) refuse(status ks.Status) (n uint32, _ ks.Status) {
	irp.index = noItem
	return irp.Finish(status, nil), status
}

// control is IoControl for any request.
func (d *Dispatcher) control(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	switch {
	case irp.Pool == nil:
		return 0, ks.StatusInvalidHandle
	case code != ks.IoctlProperty && code != ks.IoctlMethod && code != ks.IoctlEnableEvent && code != ks.IoctlDisableEvent:
		return 0, ks.StatusInvalidDeviceRequest
	case (uint64(len(in))|uint64(len(out)))>>32 != 0:
		return 0, ks.StatusInvalidParameter // DeviceIoControl takes 32-bit lengths
	}
	if irp.SystemBuffer != nil {
		irp.release() // a handler ended its goroutine and left the buffer behind (P-21)
	}
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	event := irp.UserEvent // read now, as a pended IRP is not (S-16)
	switch code {
	case ks.IoctlMethod:
		return irp.finish(d.MethodWithBuffers(irp, in, out, fromPool), event, out)
	case ks.IoctlEnableEvent, ks.IoctlDisableEvent:
		return d.controlEvent(irp, code, in, out)
	}
	return irp.finish(d.PropertyWithBuffers(irp, in, out, fromPool), event, out)
}

// finish is the end of a request that IoControl dispatched: wait for it if it is pending, complete it, free its buffer.
func (irp *IRP) finish(status ks.Status, event chan struct{}, out []byte) (n uint32, _ ks.Status) {
	if status == ks.StatusPending {
		if event == nil {
			return 0, status // S-16: the IRP may be another request by now
		}
		<-event
		status = irp.IoStatus.Status
	}
	n = irp.Finish(status, out)
	if irp.SystemBuffer != nil {
		irp.release()
	}
	return n, status
}

// fromPool is the Allocator of IoControl.
func fromPool(irp *IRP, size uint32, _ bool) ks.Status {
	if uint64(size) > largestBuffer {
		return ks.StatusInsufficientResources
	}
	b, err := irp.Pool.AllocUninit(int(size))
	if err != nil {
		return ks.StatusInsufficientResources
	}
	irp.SystemBuffer = b
	return ks.StatusSuccess
}

// release frees the buffer that fromPool gave to the request.
func (irp *IRP) release() {
	b := irp.SystemBuffer
	irp.SystemBuffer = nil
	irp.Pool.Free(b)
}
