package engine

import (
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The short way of a request, whose second half begins when its owner, item, identifier and direction are in the IRP. The pieces
// that are inlined are written so that IoControl keeps on its stack only what it needs after the handler: each word that is
// kept is a store, and their number bounds the way as much as that of the instructions.

// express is the length in bytes from which on a buffer does not take the short way.
const express = 32 << 10

// ready reports that an IRP holds no buffer, that the caller's memory is slices, and that there is a pool.
func (irp *IRP) ready() bool { return irp.SystemBuffer == nil && irp.Memory == nil && irp.Pool != nil }

// begin notes what was read of the caller.
func (irp *IRP) begin(lo, hi, word uint64, in, out uint32) {
	irp.InputBufferLength, irp.OutputBufferLength = in, out
	irp.IoStatus.Information = 0 // P-1
	irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
}

// lay gives the request its buffer (P-6, P-13).
func (irp *IRP) lay(buffer []byte, in, out uint32) {
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

// unreturned is the status of a handler that has not returned: one that never leaves the dispatcher (P-18).
const unreturned = ks.StatusSomeNotMapped

// call calls the handler under the guard of P-21. With a status that says whether it has returned, the guard holds three words,
// and a function of its own keeps them and the results from the stack of those that have much to do around: 40 instructions
// and 4 ns of 24. As part of serve, with a flag and what completion needs in the guard, it took 5 ns more.
func (irp *IRP) call(request, data []byte, handler Handler) (status ks.Status) {
	d := irp.owner // read now, as a handler may pass the request on to another dispatcher
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.threw(irp, recover())
		}
	}()
	status = handler(irp, request, data)
	if status == unreturned {
		status = irp.check(status, 0, 0)
	}
	return status
}

// threw is what a handler that panicked has returned (P-21). After runtime.Goexit there is nobody else to complete the request.
func (d *Dispatcher) threw(irp *IRP, value any) ks.Status {
	status := d.unwound(irp, value)
	if value == nil {
		irp.finish(status, nil, nil)
	}
	return status
}

// plain reports that the handler succeeded and left the request as it was.
func (irp *IRP) plain(status ks.Status, out int) bool {
	return status == ks.StatusSuccess && irp.IoStatus.Information <= uint64(out) && irp.Flags == 0 && irp.layout.prepared
}

// end completes a request that is not plain.
//
//go:noinline
func (irp *IRP) end(status ks.Status, dir direction, event chan struct{}, out []byte) (n uint32, _ ks.Status) {
	return irp.finish(irp.check(status, uint32(len(out)), dir), event, out)
}

// answer completes one that is, but for the buffer, which is to be freed.
func (irp *IRP) answer(out []byte) (n uint32, used []byte) {
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

// serve is the second half of the short way, for a request whose owner, item, identifier and direction are in irp. IoControl has
// the same lines.
func (irp *IRP) serve(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	in, out, dir := in[:len(in):len(in)], out[:len(out):len(out)], irp.layout.dir
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
