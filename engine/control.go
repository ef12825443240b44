package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
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
// Most requests are for an item that is there, with buffers of a moderate length that hold enough. They take the short path,
// which is written out here. All others take that of control, which is the one to read first: the answers are the same. A GET of
// 4 bytes takes 325 instructions here and 520 there (docs/rationale.md).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kssynchronousiocontroldevice
func (d *Dispatcher) IoControl(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)] // a capacity that is the length takes no register
	if len(in) < ks.SizeIdentifier || len(in) >= shortPathLimit || len(out) >= shortPathLimit || !irp.ready() {
		return d.control(irp, code, in, out)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
	var handler Handler
	var dir direction
	if verb := uint32(word >> 32); code == ks.IoctlProperty && verb-1 <= 1 {
		irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
		var e *entry
		if x := &d.properties.dense; x.Ready() {
			e = x.Lookup(lo, hi, uint32(word))
		} else {
			e = d.properties.table.Lookup(lo, hi, uint32(word))
		}
		if e == nil {
			return irp.reject(d.missProperty(irp, lo, hi))
		}
		handler = e.Value.handlers[verb-1]
		if handler == nil || uint32(len(in)) < e.Value.minProperty || uint32(len(out)) < e.Value.minData {
			return irp.reject(d.rejectProperty(irp, e, handler))
		}
		irp.index, dir = e.Tag, direction(verb)
	} else if code == ks.IoctlMethod && verb <= sent {
		var e *table.Entry[methodSlot]
		if x := &d.methods.dense; x.Ready() {
			e = x.Lookup(lo, hi, uint32(word))
		} else {
			e = d.methods.table.Lookup(lo, hi, uint32(word))
		}
		if e != nil && e.Value.flags&ks.MethodTypeSource != 0 {
			return d.control(irp, code, in, out)
		}
		irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
		if e == nil || e.Value.handler == nil || uint32(len(in)) < e.Value.minMethod || uint32(len(out)) < e.Value.minData {
			return irp.reject(d.rejectMethod(irp, e))
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
	irp.setBuffer(buffer, uint32(len(in)), uint32(len(out)))
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
		return irp.finishChecked(status, dir, event, out)
	}
	n, used := irp.finishPlain(out)
	irp.Pool.Free(used)
	return n, status
}

// reject finishes a request that has got no buffer.
func (irp *IRP) reject(status ks.Status) (n uint32, _ ks.Status) {
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
		return irp.finishControl(d.MethodWithBuffers(irp, in, out, fromPool), event, out)
	case ks.IoctlEnableEvent, ks.IoctlDisableEvent:
		return d.controlEvent(irp, code, in, out)
	}
	return irp.finishControl(d.PropertyWithBuffers(irp, in, out, fromPool), event, out)
}

// controlEvent is IoControl for an event. The list is that of the file object. The name of an event is the address of the
// client's KSEVENTDATA: the output buffer of an enable, the input buffer of a disable.
func (d *Dispatcher) controlEvent(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	var list *EventList
	if irp.FileObject != nil {
		list = irp.FileObject.Events
	}
	if code == ks.IoctlDisableEvent {
		irp.EventData = addressOf(in)
		irp.layout.dir = 0 // nothing is produced
		return irp.finishControl(d.DisableEvent(irp, list), nil, out)
	}
	irp.EventData = addressOf(out)
	event := irp.UserEvent
	return irp.finishControl(d.EnableEventWithBuffers(irp, in, out, list, fromPool), event, out)
}

// finishControl waits for a request of IoControl if it is pending, finishes it, and releases its buffer.
func (irp *IRP) finishControl(status ks.Status, event chan struct{}, out []byte) (n uint32, _ ks.Status) {
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

// The short path of a request, whose second half begins when its owner, item, identifier and direction are in the IRP. The pieces
// that are inlined are written so that IoControl keeps on its stack only what it needs after the handler: each word that is
// kept is a store, and their number bounds the path as much as that of the instructions.

// shortPathLimit is the length in bytes from which on a buffer does not take the short path.
const shortPathLimit = 32 << 10

// ready reports that an IRP holds no buffer, that the caller's memory is slices, and that there is a pool.
func (irp *IRP) ready() bool { return irp.SystemBuffer == nil && irp.Memory == nil && irp.Pool != nil }

// setRequest notes what was read of the caller.
func (irp *IRP) setRequest(lo, hi, word uint64, in, out uint32) {
	irp.InputBufferLength, irp.OutputBufferLength = in, out
	irp.IoStatus.Information = 0 // P-1
	irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
}

// setBuffer gives the request its buffer (P-6, P-13).
func (irp *IRP) setBuffer(buffer []byte, in, out uint32) {
	irp.SystemBuffer = buffer
	if base := first(buffer); irp.base != base {
		irp.base = base // compared first, as storing a pointer costs a write barrier
	}
	irp.layout.in, irp.layout.out, irp.layout.prepared = in, out, true
	irp.Flags = 0
	irp.rule = ruleP17
}

// capture fills the buffer of any request and returns its parts: the copied request (P-6), and the data, which are what came
// in and then zeros (P-8, S-11). It returns the handler because its caller would have to keep that on the stack, also for the
// requests that are not captured here.
//
//go:noinline
func (irp *IRP) capture(in, out []byte, handler Handler) (request, data []byte, _ Handler) {
	buffer, at, n := irp.SystemBuffer, (len(out)+7)&^7, 0
	if irp.layout.dir&dataIn != 0 {
		n = copy(buffer, out)
	}
	clear(buffer[n:at])
	request = buffer[at:len(buffer):len(buffer)]
	irp.ident.write(request)
	copy(request[ks.SizeIdentifier:], in[ks.SizeIdentifier:])
	if len(out) != 0 {
		data = buffer[:len(out):len(out)]
	}
	return request, data, handler
}

// call calls the handler under a guard (P-21) that is written out, as in Property. It is a function of its own, so that the guard
// and the results are not on the stack of those that have much to do around: 4 ns of 24.
func (irp *IRP) call(request, data []byte, handler Handler) (status ks.Status) {
	d := irp.owner // read now, as a handler may pass the request on to another dispatcher
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recoveredControl(irp, recover())
		}
	}()
	status = handler(irp, request, data)
	if status == unreturned {
		status = irp.check(status, 0, 0)
	}
	return status
}

// recoveredControl is recovered for IoControl: after runtime.Goexit there is nobody else to finish the request.
func (d *Dispatcher) recoveredControl(irp *IRP, value any) ks.Status {
	status := d.recovered(irp, value)
	if value == nil {
		irp.finishControl(status, nil, nil)
	}
	return status
}

// plain reports that the handler succeeded and left the request as it was.
func (irp *IRP) plain(status ks.Status, out int) bool {
	return status == ks.StatusSuccess && irp.IoStatus.Information <= uint64(out) && irp.Flags == 0 && irp.layout.prepared
}

// finishChecked finishes a request that is not plain.
//
//go:noinline
func (irp *IRP) finishChecked(status ks.Status, dir direction, event chan struct{}, out []byte) (n uint32, _ ks.Status) {
	return irp.finishControl(irp.check(status, uint32(len(out)), dir), event, out)
}

// finishPlain finishes one that is, but for the buffer, which the caller frees.
func (irp *IRP) finishPlain(out []byte) (n uint32, used []byte) {
	irp.IoStatus.Status = ks.StatusSuccess
	information := irp.IoStatus.Information
	used = irp.SystemBuffer
	if irp.layout.dir&dataOut != 0 {
		if information == 4 { // most values: a call to copy them costs 3 ns more
			binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(used))
		} else {
			copy(out, used[:information])
		}
	}
	irp.layout.prepared = false
	irp.SystemBuffer = nil
	return uint32(information), used
}

// serve is the second half of the short path, for a request whose owner, item, identifier and direction are in irp. IoControl has
// the same lines.
func (irp *IRP) serve(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	in, out, dir := in[:len(in):len(in)], out[:len(out):len(out)], irp.layout.dir
	at := (len(out) + 7) &^ 7
	buffer := irp.Pool.TryAlloc(at + len(in))
	if buffer == nil {
		return irp.serveAny(handler, in, out)
	}
	irp.setBuffer(buffer, uint32(len(in)), uint32(len(out)))
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
		return irp.finishChecked(status, dir, event, out)
	}
	n, used := irp.finishPlain(out)
	irp.Pool.Free(used)
	return n, status
}

// serveAny is serve with a buffer that is not simply the arena's next: there may be none.
func (irp *IRP) serveAny(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	outLen, dir, event := uint32(len(out)), irp.layout.dir, irp.UserEvent
	status = irp.callAny(handler, in, out)
	return irp.finishControl(irp.check(status, outLen, dir), event, out)
}

// callAny is call for serveAny.
func (irp *IRP) callAny(handler Handler, in, out []byte) (status ks.Status) {
	d := irp.owner // read now, as in call
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recoveredControl(irp, recover())
		}
	}()
	if status = d.run(irp, handler, fromPool, in, out); status == unreturned {
		status = irp.check(status, 0, 0)
	}
	return status
}
