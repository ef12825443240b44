package engine

import (
	"cmp"
	"encoding/binary"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/table"
)

// IoControl answers one DeviceIoControl from beginning to end: what KsSynchronousIoControlDevice does to the object whose
// filter is this dispatcher with irp.Pool as its allocator (P-13). The request is dispatched, the data copied back and the
// buffer freed; n is BytesReturned. A pended request is waited for if irp.UserEvent is there to wait on; else, and after Detach,
// the result is STATUS_PENDING, and who is told by irp.Completion calls irp.Finish and frees irp.SystemBuffer. in and out, which
// take the place of irp.Type3InputBuffer and irp.UserBuffer, may be the same memory (P-11) and are not kept.
//
// A nil Dispatcher stands for the one that the IRP's SetRoute names when the request is sent.
//
// A code that is none of KS's four is answered by Config.Control, and without it is STATUS_INVALID_DEVICE_REQUEST. A length beyond
// 32 bits is STATUS_INVALID_PARAMETER, and an IRP without a Pool, which is what a closed handle has, STATUS_INVALID_HANDLE.
//
// Most requests are for an item that is there, with buffers of a moderate length that hold enough. They take the short path,
// which is written out here. All others take that of control, which is the one to read first: the answers are the same. A GET of
// 4 bytes takes 270 instructions here and 520 there (docs/rationale.md).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kssynchronousiocontroldevice
func (d *Dispatcher) IoControl(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)] // a capacity that is the length takes no register
	if d == nil {
		return irp.routed(code, in, out)
	}
	if code != ks.IoctlProperty || len(in) < ks.SizeIdentifier || len(in) >= shortPathLimit || len(out) >= shortPathLimit || !irp.ready() {
		return d.ioControl(irp, code, in, out)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
	verb := uint32(word >> 32)
	if verb-1 > 1 {
		return d.nodeRequest(irp, code, in, out)
	}
	if irp.owner != d {
		irp.owner, irp.direct = d, d.properties.direct
	}
	var e *entry
	var ok bool
	if irp.direct.Ready() {
		if e, ok = irp.direct.Find(lo, hi, word); !ok {
			return d.missed(irp, lo, hi, word, in, out)
		}
	} else if e, ok = d.properties.table.Find(lo, hi, uint32(word)); !ok {
		return d.missed(irp, lo, hi, word, in, out)
	}
	handler := e.Value.handlers[verb-1]
	if handler == nil || !e.Value.fits(len(in), len(out)) {
		return d.rejected(irp, e, word, in, out)
	}
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	irp.IoStatus.Information = 0 // P-1
	irp.index, irp.layout.dir = e.Tag, direction(verb)
	if (len(out)-4)&^4 != 0 || len(in) != ks.SizeIdentifier && len(in) != ks.SizeNode || !irp.isKept() {
		irp.ident.lo, irp.ident.hi, irp.ident.word = lo, hi, word
		return irp.serve(handler, in, out)
	}

	// From here on these are the lines of serve for 4 or 8 bytes of data. None of them asks for the verb, which is mispredicted half of the
	// time where values are read and written.
	irp.setBuffer(uint32(len(in)), uint32(len(out)))
	if closed := atomic.LoadUint32(&irp.closed); closed&(closedClose|closedGate|closedCounted) != 0 {
		if closed&(closedClose|closedGate) != 0 {
			return irp.tooLate(in, out)
		}
		// A request that is counted goes on here, to its end: where its path joined that of the others, they would pay for it.
		at := uint32(0) // where it is counted, if not by a meter around its handler
		if t := irp.extra.tally; t.d != d {
			t.other(d, irp)
		} else if b := d.bareOf(irp.index, verb); t.takes(b.at) {
			handler, at = b.handler, b.at
		}
		code := irp.short(irp.fill(lo, hi, word, value(word>>32, out), in), len(in), len(out), handler)
		status = ks.Status(code)
		if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.isLaid() {
			d.returned(code, at)
			return irp.finishChecked(status, direction(verb), out)
		}
		return irp.finishPlain(irp.window(), direction(verb), out), ks.StatusSuccess
	}
	status = ks.Status(irp.short(irp.fill(lo, hi, word, value(word>>32, out), in), len(in), len(out), handler))
	if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.isLaid() {
		return irp.finishChecked(status, direction(verb), out)
	}
	return irp.finishPlain(irp.window(), direction(verb), out), ks.StatusSuccess
}

// value returns the 4 or 8 bytes of data that a request begins with: what came in, or zeros (P-8).
func value(dir uint64, out []byte) (data uint64) {
	if len(out) == 4 {
		data = uint64(binary.LittleEndian.Uint32(out))
	} else {
		data = binary.LittleEndian.Uint64(out)
	}
	return data & -(dir >> 1) // dataIn is 2, and there is nothing above it
}

// fill writes the buffer of a short request, which is kept.
func (irp *IRP) fill(lo, hi, word, data uint64, in []byte) *shortWindow {
	p := irp.reuse(8 + len(in))
	binary.LittleEndian.PutUint64(p[:], data)
	putWords((*[ks.SizeIdentifier]byte)(p[8:]), lo, hi, word)
	if len(in) == ks.SizeNode {
		binary.LittleEndian.PutUint64(p[8+ks.SizeIdentifier:], binary.LittleEndian.Uint64(in[ks.SizeIdentifier:]))
	}
	return p
}

// panicked is in what short returns if its handler did not return.
const panicked = 2 << 32

// short is call for a short request.
func (irp *IRP) short(p *shortWindow, in, out int, handler Handler) (code uint64) {
	d := irp.owner // read now, as a handler may pass the request on to another dispatcher
	defer func() {
		if code == 0 {
			code = panicked | uint64(d.recoveredControl(irp, recover()))
		}
	}()
	request := p[8:]
	if in == ks.SizeIdentifier {
		request = p[8 : 8+ks.SizeIdentifier : 8+ks.SizeIdentifier]
	}
	code = 1<<32 | uint64(handler(irp, request, p[:out:out]))
	return code
}

// routed is IoControl for an IRP that knows who answers.
//
//go:noinline
func (irp *IRP) routed(code uint32, in, out []byte) (n uint32, status ks.Status) {
	return irp.extra.route().IoControl(irp, code, in, out)
}

// missed answers a request for what there is not.
//
//go:noinline
func (d *Dispatcher) missed(irp *IRP, lo, hi, word uint64, in, out []byte) (n uint32, status ks.Status) {
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
	return irp.reject(d, ks.IoctlProperty, d.missProperty(irp, lo, hi), in, out)
}

// rejected answers a GET or SET that the item of e does not take.
//
//go:noinline
func (d *Dispatcher) rejected(irp *IRP, e *entry, word uint64, in, out []byte) (n uint32, status ks.Status) {
	irp.setRequest(e.Lo, e.Hi, word, uint32(len(in)), uint32(len(out)))
	return irp.reject(d, ks.IoctlProperty, d.rejectProperty(irp, e, e.Value.handlers[uint32(word>>32)-1]), in, out)
}

// ioControl is IoControl for what is no property, or not for the short path.
//
//go:noinline
func (d *Dispatcher) ioControl(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)]
	if code != ks.IoctlMethod || len(in) < ks.SizeIdentifier || len(in) >= shortPathLimit || len(out) >= shortPathLimit || !irp.ready() {
		return d.control(irp, code, in, out)
	}
	lo, hi, word := words((*[ks.SizeIdentifier]byte)(in))
	if uint32(word>>32) > sent {
		return d.nodeRequest(irp, code, in, out)
	}
	var e *table.Entry[methodSlot]
	if x := &d.methods.direct; x.Ready() {
		e = x.Lookup(lo, hi, uint32(word))
	} else {
		e = d.methods.table.Lookup(lo, hi, uint32(word))
	}
	if e != nil && e.Value.flags&ks.MethodTypeSource != 0 {
		return d.control(irp, code, in, out)
	}
	irp.setRequest(lo, hi, word, uint32(len(in)), uint32(len(out)))
	if e == nil || e.Value.handler == nil || uint32(len(in)) < e.Value.minMethod || uint32(len(out)) < e.Value.minData {
		return irp.reject(d, code, d.rejectMethod(irp, e), in, out)
	}
	irp.own(d)
	irp.index, irp.layout.dir = firstMethod+e.Tag, methodDirection(e.Value.flags)
	return irp.serve(e.Value.handler, in, out)
}

// nodeRequest is IoControl for a property or method request with more flags than a plain one, which the short path takes if it is one to
// a node.
//
//go:noinline
func (d *Dispatcher) nodeRequest(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)]
	handler, dir := d.nodeItem(irp, code, in, len(out))
	if handler == nil {
		return d.control(irp, code, in, out)
	}
	irp.layout.dir = dir
	return irp.serve(handler, in, out)
}

// reject finishes a request that has got no buffer.
func (irp *IRP) reject(d *Dispatcher, code uint32, status ks.Status, in, out []byte) (n uint32, _ ks.Status) {
	if irp.isClosed() {
		return irp.refuse(code, in, out)
	}
	if d.onRefuse != nil {
		d.refused(irp, code, int(irp.InputBufferLength), int(irp.OutputBufferLength), status)
	}
	irp.index = noItem
	n, misuse := irp.conclusion(status, nil)
	misuse.Raise()
	return n, status
}

// tooLate answers a request on the short path that finds the IRP closed.
//
//go:noinline
func (irp *IRP) tooLate(in, out []byte) (n uint32, status ks.Status) {
	if irp.leave() {
		return 0, ks.StatusCancelled // AS-9, as in control
	}
	code := uint32(ks.IoctlProperty)
	if irp.index >= firstMethod {
		code = ks.IoctlMethod
	}
	return irp.refuse(code, in, out)
}

// refuse answers a request that came after Close or while the gate is on.
func (irp *IRP) refuse(code uint32, in, out []byte) (n uint32, status ks.Status) {
	d, status := irp.refusal()
	if d == nil {
		return 0, status
	}
	return d.IoControl(irp, code, in, out)
}

// control is IoControl for any request.
func (d *Dispatcher) control(irp *IRP, code uint32, in, out []byte) (n uint32, status ks.Status) {
	if !irp.enter() {
		return 0, ks.StatusDeviceBusy // S-15, before every other check
	}
	if irp.Pool != nil && irp.isClosed() {
		if irp.leave() {
			return 0, ks.StatusCancelled // AS-9: nobody would find the mark where the request goes now
		}
		return irp.refuse(code, in, out)
	}
	served := irp.loadState()&stateServed != 0
	finished := false
	defer func() {
		if !finished {
			irp.desert()
		}
	}()
	n, status, last := d.dispatch(irp, code, in, out, served)
	finished = true
	last.do(irp)
	return n, status
}

// desert gives up the request of a handler that ended its goroutine (runtime.Goexit): there is nobody to answer.
func (irp *IRP) desert() {
	irp.ownPool()
	if irp.detached {
		irp.desertDetached()
		return
	}
	if irp.loadState()&stateCancelable != 0 {
		irp.disarm()
		irp.awaitHolds()
	}
	irp.restore()
	misuse := invariants.Violation("")
	if irp.SystemBuffer != nil {
		misuse = irp.release()
	}
	irp.leave()
	misuse.Raise()
}

// dispatch is control for a request that has the IRP. It leaves it, unless the request is pended and not waited for.
func (d *Dispatcher) dispatch(irp *IRP, code uint32, in, out []byte, served bool) (n uint32, _ ks.Status, _ last) {
	status := ks.StatusSuccess
	switch {
	case irp.Pool == nil:
		status = irp.decide(ruleNone, ks.StatusInvalidHandle)
	case d.other == nil && code != ks.IoctlProperty && code != ks.IoctlMethod && code != ks.IoctlEnableEvent &&
		code != ks.IoctlDisableEvent:
		status = irp.decide(ruleAS28, ks.StatusInvalidDeviceRequest)
	case (uint64(len(in))|uint64(len(out)))>>32 != 0:
		status = irp.decide(ruleNone, ks.StatusInvalidParameter) // DeviceIoControl takes 32-bit lengths
	}
	if d.onRefuse != nil {
		irp.ident = ident{} // of an earlier request
	}
	if status != ks.StatusSuccess {
		d.refused(irp, code, len(in), len(out), status)
		irp.leave()
		return 0, status, last{}
	}
	if irp.SystemBuffer != nil {
		irp.freeBuffer().Raise() // of a request that its owner did not finish, or kept
	}
	irp.more().pool = irp.Pool
	irp.InputBufferLength, irp.OutputBufferLength = uint32(len(in)), uint32(len(out))
	switch code {
	case ks.IoctlMethod:
		status = d.MethodWithBuffers(irp, in, out, fromPool)
	case ks.IoctlEnableEvent, ks.IoctlDisableEvent:
		status = d.controlEvent(irp, code, in, out)
	case ks.IoctlProperty:
		status = d.PropertyWithBuffers(irp, in, out, fromPool)
	default:
		status = d.controlCode(irp, code, in, out)
	}
	if d.onRefuse != nil && status.IsError() {
		d.refused(irp, code, len(in), len(out), status)
	}
	return irp.finishControl(status, served, out)
}

// controlEvent is IoControl for an event. The list is that of the file object. The name of an event is the address of the
// client's KSEVENTDATA: the output buffer of an enable, the input buffer of a disable.
func (d *Dispatcher) controlEvent(irp *IRP, code uint32, in, out []byte) ks.Status {
	var list *EventList
	if irp.FileObject != nil {
		list = irp.FileObject.Events
	}
	if code == ks.IoctlDisableEvent {
		irp.EventData = addressOf(in)
		irp.layout.dir = 0 // nothing is produced
		return d.DisableEvent(irp, list)
	}
	irp.EventData = addressOf(out)
	return d.EnableEventWithBuffers(irp, in, out, list, fromPool)
}

// finishControl is the end of a request that IoControl dispatched: wait for it if it is pending, complete it, free its buffer. served
// says whether IoControl waits; where it does not, a pended IRP may be another request by now and is not touched (S-16). Nor is it by its
// sender once this has returned, but for what is left to do.
func (irp *IRP) finishControl(status ks.Status, served bool, out []byte) (n uint32, _ ks.Status, x last) {
	switch {
	case status != ks.StatusPending:
		if irp.shut() {
			break
		}
		x.misuse = irp.handedOver()
		if !served {
			return 0, ks.StatusPending, x // it was completed all the same, and its owner is told by Completion
		}
		if irp.detached {
			x.ended = irp.pend()
			return 0, ks.StatusPending, x
		}
		status = irp.outcome()
	case !served:
		return 0, status, x
	case irp.detached:
		x.ended = irp.pend()
		return 0, status, x
	default:
		status = irp.await(irp)
	}
	irp.restore()
	irp.ownPool()
	n, misuse := irp.conclusion(status, out)
	if irp.SystemBuffer != nil {
		misuse = irp.release()
	}
	x.misuse = cmp.Or(x.misuse, misuse)
	irp.leave()
	return n, status, x
}

// last is what is left to do for a request that is its sender's no longer, and that may end the goroutine: to tell of a detached one that
// it has ended, and to name a misuse.
type last struct {
	ended  func(*IRP)
	misuse invariants.Violation
}

func (x last) do(irp *IRP) {
	if x.ended != nil {
		x.ended(irp)
	}
	x.misuse.Raise()
}

// restore puts back what a handler should not have changed: the buffer of the request, and the pool that it is from.
func (irp *IRP) restore() {
	if irp.Pool == nil {
		irp.Pool = irp.more().pool
	}
	if l := &irp.layout; irp.loadState()&stateLaid != 0 && (uint64(len(irp.SystemBuffer)) < l.size() || !irp.base.of(irp.SystemBuffer)) {
		irp.SystemBuffer = irp.base.buffer(uint(l.size()))
	}
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

// release frees the buffer that fromPool gave to the request, and keeps the one that is kept.
func (irp *IRP) release() (misuse invariants.Violation) {
	if !irp.kept || !irp.base.of(irp.SystemBuffer) {
		misuse = irp.freeBuffer()
	}
	return misuse
}

// The short path of a request, whose second half begins when its owner, item, identifier and direction are in the IRP. The pieces
// that are inlined are written so that IoControl keeps on its stack only what it needs after the handler: each word that is
// kept is a store, and their number bounds the path as much as that of the instructions.

// shortPathLimit is the length in bytes from which on a buffer does not take the short path.
const shortPathLimit = 32 << 10

// ready reports that no request is in flight, that the caller's memory is slices, that there is a pool, and that IoControl waits.
func (irp *IRP) ready() bool {
	idle := irp.loadState() == 0
	invariants.Yield() // to a goroutine that finds the same
	return idle && irp.Memory == nil && irp.Pool != nil && irp.UserEvent != nil
}

// setBuffer notes what the buffer of the request is laid out for (P-6, P-13).
func (irp *IRP) setBuffer(in, out uint32) {
	irp.layout.in, irp.layout.out = in, out
	irp.Flags = 0
	irp.rule = ruleP17
	irp.setState(stateShort)
}

// capture fills the buffer of any request and returns its parts: the copied request (P-6), and the data, which are what came
// in and then zeros (P-8, S-11). It returns the handler because its caller would have to keep that on the stack, also for the
// requests that are not captured here.
//
//go:noinline
func (irp *IRP) capture(in, out []byte, handler Handler) (request, data []byte, _ Handler) {
	buffer, at := irp.SystemBuffer, (len(out)+7)&^7
	switch dataIn := irp.layout.dir&dataIn != 0; {
	case at == 8 && !dataIn:
		binary.LittleEndian.PutUint64(buffer, 0)
	case len(out) == 4: // most values
		binary.LittleEndian.PutUint64(buffer, uint64(binary.LittleEndian.Uint32(out)))
	case len(out) == 16: // which a call to clear or copy them takes as long for as all the rest
		var data [16]byte
		if dataIn {
			data = [16]byte(out)
		}
		*(*[16]byte)(buffer) = data
	case dataIn:
		clear(buffer[copy(buffer, out):at])
	case at != 0:
		clear(buffer[:at])
	}
	request = buffer[at:len(buffer):len(buffer)]
	irp.ident.write(request)
	if len(request) != ks.SizeIdentifier {
		rest := request[ks.SizeIdentifier:]
		in = in[ks.SizeIdentifier:]
		if irp.ident.flags()&ks.PropertyTypeTopology != 0 {
			binary.LittleEndian.PutUint64(rest, irp.ident.node)
			rest, in = rest[8:], in[8:]
		}
		copyRest(rest, in)
	}
	if len(out) != 0 {
		data = buffer[:len(out):len(out)]
	}
	return request, data, handler
}

// copyRest copies what follows an identifier, or a node, to a place that is as long: for most requests a pin or a node, or with that a
// channel, which a call would take longer for.
func copyRest(to, from []byte) {
	switch len(to) {
	case 8:
		*(*[8]byte)(to) = [8]byte(from)
	case 16:
		*(*[16]byte)(to) = [16]byte(from)
	default:
		copy(to, from)
	}
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

// recoveredControl is recovered for IoControl: after runtime.Goexit, of the handler or of OnPanic, or a Violation there is nobody else
// to finish the request, and Close is not to wait for it.
func (d *Dispatcher) recoveredControl(irp *IRP, value any) ks.Status {
	reported := false
	defer func() {
		if value == nil || !reported {
			irp.desert()
		}
	}()
	status := d.recovered(irp, value)
	reported = true
	return status
}

// plain reports that the handler succeeded and left the request as it was.
func (irp *IRP) plain(status ks.Status, out int) bool {
	return status == ks.StatusSuccess && irp.IoStatus.Information <= uint64(out) && irp.Flags == 0 && irp.loadState() == stateShort
}

// finishChecked finishes a request that is not plain. If it is cancelled before it is waited for, and its cancel routine ends the
// goroutine, nobody else gives it up.
//
//go:noinline
func (irp *IRP) finishChecked(status ks.Status, dir direction, out []byte) (n uint32, _ ks.Status) {
	finished := false
	defer func() {
		if !finished {
			irp.desert()
		}
	}()
	n, status, last := irp.finishControl(irp.check(status, uint32(len(out)), dir), true, out)
	finished = true
	last.do(irp)
	return n, status
}

// answerPlain copies what the handler produced to the caller, if the request produces anything.
func (irp *IRP) answerPlain(used []byte, dir direction, out []byte) (n uint32) {
	irp.IoStatus.Status = ks.StatusSuccess
	information := irp.IoStatus.Information
	if dir&dataOut != 0 {
		switch information { // most values: a call to copy them costs 3 ns more
		case 4:
			*(*[4]byte)(out) = [4]byte(used)
		case 16:
			*(*[16]byte)(out) = [16]byte(used)
		default:
			copy(out, used[:information])
		}
	}
	return uint32(information)
}

// serve is the second half of the short path, for a request whose owner, item, identifier and direction are in irp.
func (irp *IRP) serve(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	in, out = in[:len(in):len(in)], out[:len(out):len(out)]
	irp.enterShort()
	if irp.isClosed() {
		return irp.tooLate(in, out)
	}
	dir := irp.layout.dir // read now, as a handler may pass the request on as another
	size := (len(out)+7)&^7 + len(in)
	if size <= keptSize && irp.isKept() {
		p := irp.reuse(size)
		if (len(out)-4)&^4 == 0 && (len(in) == ks.SizeIdentifier || len(in) == ks.SizeNode) {
			irp.setBuffer(uint32(len(in)), uint32(len(out)))
			binary.LittleEndian.PutUint64(p[:], value(uint64(dir), out))
			irp.ident.write(p[8:])
			if len(in) == ks.SizeNode {
				node := irp.ident.node
				if irp.ident.flags()&ks.PropertyTypeTopology == 0 {
					node = binary.LittleEndian.Uint64(in[ks.SizeIdentifier:])
				}
				binary.LittleEndian.PutUint64(p[8+ks.SizeIdentifier:], node)
			}
			status = ks.Status(irp.short(p, len(in), len(out), handler))
			if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.isLaid() {
				return irp.finishChecked(status, dir, out)
			}
			return irp.finishPlain(irp.window(), dir, out), ks.StatusSuccess
		}
	} else if !irp.takeShort(size) {
		return irp.serveAny(handler, in, out)
	}
	irp.setBuffer(uint32(len(in)), uint32(len(out)))
	request, data, handler := irp.capture(in, out, handler)
	status = irp.call(request, data, handler)
	if !irp.plain(status, len(out)) || irp.Pool == nil || !irp.base.of(irp.SystemBuffer) {
		return irp.finishChecked(status, dir, out)
	}
	used := irp.base.buffer(uint(len(out)+7)&^7 + uint(irp.layout.in))
	n = irp.answerPlain(used, dir, out)
	if !irp.kept {
		irp.SystemBuffer = nil
		if !irp.Pool.TryFree(used) {
			irp.freeOlder(used)
		}
	}
	irp.leaveShort()
	return n, status
}

// finishPlain finishes a request of 4 or 8 bytes of data that is plain. What a SET leaves in the buffer goes nowhere.
func (irp *IRP) finishPlain(p *shortWindow, dir direction, out []byte) (n uint32) {
	irp.IoStatus.Status = ks.StatusSuccess
	information := irp.IoStatus.Information
	if information == 4 { // most values: a call to copy them costs 3 ns more
		irp.answerValue(dir, out)
	} else if dir&dataOut != 0 {
		copy(out, p[:information])
	}
	irp.leaveShort()
	return uint32(information)
}

// serveAny is serve with a buffer that is not simply the arena's next: there may be none.
func (irp *IRP) serveAny(handler Handler, in, out []byte) (n uint32, status ks.Status) {
	dir := irp.layout.dir
	irp.more().pool = irp.Pool
	return irp.finishChecked(irp.callAny(handler, in, out), dir, out)
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
