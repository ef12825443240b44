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
// Most requests are for an item that is there, with buffers of a moderate length that hold enough. Such a request, found out to
// be one before anything is touched, takes the way that is written out here and in short.go. All others take that of control,
// which is the one to read first: the answers are the same. A GET of 4 bytes was 520 instructions that way and is 325 this way
// (callgrind, with the handler and the loop around, which are 80).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kssynchronousiocontroldevice
func (d *Dispatcher) IoControl(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)] // a capacity that is the length takes no register
	if len(in) < ks.SizeIdentifier || len(in) >= express || len(out) >= express || !irp.ready() {
		return d.control(irp, code, in, out)
	}
	b := (*[ks.SizeIdentifier]byte)(in)
	lo, hi, word := binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	var handler Handler
	var dir direction
	if verb := uint32(word >> 32); code == ks.IoctlProperty && verb-1 <= 1 {
		irp.begin(lo, hi, word, uint32(len(in)), uint32(len(out)))
		e := d.table.Lookup(lo, hi, uint32(word))
		if e == nil {
			return irp.refuse(d.miss(irp, lo, hi))
		}
		handler = e.Value.handlers[verb-1]
		if handler == nil || uint32(len(in)) < e.Value.minProperty || uint32(len(out)) < e.Value.minData {
			return irp.refuse(d.refused(irp, e, handler))
		}
		irp.index, dir = e.Tag, direction(verb)
	} else if code == ks.IoctlMethod && verb <= sent {
		e := d.methods.table.Lookup(lo, hi, uint32(word))
		if e != nil && e.Value.flags&ks.MethodTypeSource != 0 {
			return d.control(irp, code, in, out)
		}
		irp.begin(lo, hi, word, uint32(len(in)), uint32(len(out)))
		if e == nil || e.Value.handler == nil || uint32(len(in)) < e.Value.minMethod || uint32(len(out)) < e.Value.minData {
			return irp.refuse(d.refusedMethod(irp, e))
		}
		handler = e.Value.handler
		irp.index, dir = firstMethod+e.Tag, methodDirection(e.Value.flags)
	} else {
		return d.control(irp, code, in, out)
	}
	if irp.owner != d {
		irp.owner = d
	}
	irp.layout.dir = dir

	// The rest is serve, written out: its call would make 24 ns 25.6.
	at := (len(out) + 7) &^ 7
	buffer := irp.Pool.TryAlloc(at + len(in))
	if buffer == nil {
		return irp.serveAny(handler, in, out)
	}
	irp.lay(buffer, uint32(len(in)), uint32(len(out)))
	var request, data []byte
	if dir == dataOut && at == 8 && len(in) == ks.SizeIdentifier {
		request, data = split(buffer, len(out))
		irp.ident.write(request)
	} else {
		request, data, handler = irp.capture(in, out, handler)
	}
	event := irp.UserEvent // read now, as a pended IRP is not (S-16)
	status = irp.call(request, data, handler)
	if !irp.plain(status, len(out)) {
		return irp.end(status, dir, event, out)
	}
	n, used := irp.answer(out)
	irp.Pool.Free(used)
	return n, status
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
