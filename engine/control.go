package engine

import (
	"cmp"
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
