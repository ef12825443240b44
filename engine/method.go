package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Method dispatches a method request whose buffer comes from irp.Pool: KsMethodHandler. As for Property, the result is the
// status, irp.IoStatus.Information is set and irp.IoStatus.Status is not; after any status but STATUS_PENDING call
// irp.Finish (M-1).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksmethodhandler
func (d *Dispatcher) Method(irp *IRP) ks.Status {
	return d.MethodWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, nil)
}

// MethodWithAllocator is Method with the buffer of a method that is sent and has no KSMETHOD_TYPE_SOURCE provided by
// allocator; nil is Method: KsMethodHandlerWithAllocator. The caller copies back and frees that buffer (P-13, M-5).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksmethodhandlerwithallocator
func (d *Dispatcher) MethodWithAllocator(irp *IRP, allocator Allocator) ks.Status {
	return d.MethodWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, allocator)
}

// MethodWithBuffers is MethodWithAllocator for a caller whose buffers must not be retained, such as arrays on its stack: in
// and out take the place of irp.Type3InputBuffer and irp.UserBuffer for the length of the call. A SOURCE method then works
// on a copy of out, all of which Finish writes back if the handler may write; where out is irp.UserBuffer itself, or
// irp.Memory lends its buffer (LockableMemory), it works on the caller's own.
//
// The steps are in the order of P-23. What fails before the buffer is obtained costs no allocation.
func (d *Dispatcher) MethodWithBuffers(irp *IRP, in, out []byte, allocator Allocator) (status ks.Status) {
	irp.IoStatus.Information = 0 // P-1
	irp.index = noItem
	if status = irp.identify(in, ruleM1); status != ks.StatusSuccess {
		return status
	}
	if d, status = d.routed(irp); d == nil {
		return status
	}
	return d.identifiedMethod(irp, in, out, allocator)
}

// identifiedMethod is MethodWithBuffers for a request whose identifier was read.
func (d *Dispatcher) identifiedMethod(irp *IRP, in, out []byte, allocator Allocator) (status ks.Status) {
	q := &irp.ident
	verb := q.flags() &^ ks.MethodTypeTopology
	if verb > sent {
		if verb == ks.MethodTypeSetSupport || verb == ks.MethodTypeBasicSupport {
			return d.methodQuery(irp, verb, in, out)
		}
		return irp.decide(ruleM2, d.compat.UnknownMethodFlags)
	}

	e := d.methods.table.Lookup(q.lo, q.hi, q.id())
	outLen := irp.OutputBufferLength
	if e == nil || e.Value.handler == nil || irp.InputBufferLength < e.Value.minMethod || outLen < e.Value.minData {
		return d.rejectMethod(irp, e)
	}

	irp.own(d)
	irp.index = firstMethod + e.Tag
	before := irp.loadState()
	return irp.settled(d.runMethodGuarded(irp, e.Value.handler, allocator, e.Value.flags, in, out), before)
}

// runMethodGuarded is runGuarded for a method that is sent.
func (d *Dispatcher) runMethodGuarded(irp *IRP, handler Handler, allocator Allocator, flags uint32, in, out []byte) (status ks.Status) {
	outLen, dir := irp.OutputBufferLength, methodDirection(flags)
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recovered(irp, recover())
		}
	}()
	return irp.checked(d.runMethod(irp, handler, allocator, flags, in, out), outLen, dir)
}

// runMethod obtains and fills the buffer and calls the handler: M-4, M-5. What an earlier pass laid out for data that go
// other ways is refused, as data that were not captured then would be missing, or nobody would copy back (S-15).
func (d *Dispatcher) runMethod(irp *IRP, handler Handler, allocator Allocator, flags uint32, in, out []byte) ks.Status {
	if flags&ks.MethodTypeSource != 0 {
		return d.runSource(irp, handler, flags, in, out)
	}
	dir := methodDirection(flags)
	if !irp.hasBuffer() {
		irp.layout.dir = dir
	} else if irp.layout.dir != dir {
		return irp.decide(ruleP15, ks.StatusInvalidParameter)
	}
	return d.run(irp, handler, allocator, in, out)
}

// rejectMethod says why a method cannot be sent, in the order of P-23.
func (d *Dispatcher) rejectMethod(irp *IRP, e *methodEntry) ks.Status {
	switch {
	case e == nil || e.Tag == noItem:
		return d.missMethod(irp)
	case e.Value.handler == nil:
		return irp.decide(ruleM8, d.compat.NoMethodHandler)
	case irp.InputBufferLength < e.Value.minMethod:
		return irp.decide(ruleM7, d.compat.ShortRequest)
	case irp.OutputBufferLength == 0:
		return irp.sizeAnswer(ruleM7, d.compat.NoDataBuffer, uint64(e.Value.minData))
	}
	return irp.tooShort(ruleM7, uint64(irp.OutputBufferLength), uint64(e.Value.minData))
}

// DispatchSpecificMethod calls handler for a method request that a dispatcher has laid out before, usually one that its
// first handler left pending: KsDispatchSpecificMethod (M-9). The data is where it was then: in the system buffer, or for a
// method that was sent with KSMETHOD_TYPE_SOURCE in the caller's locked one. The rest is as for DispatchSpecificProperty.
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksdispatchspecificmethod
func DispatchSpecificMethod(irp *IRP, handler Handler) (status ks.Status) {
	if irp.SystemBuffer == nil || !irp.wasPrepared() || irp.method() == nil {
		irp.IoStatus.Information = 0
		return irp.decide(ruleM9, ks.StatusInvalidParameter)
	}
	d, n, dir, source := irp.owner, irp.layout.out, irp.layout.dir, irp.layout.source
	if source {
		dir = methodDirection(irp.MethodType())
	}
	returned := false
	defer d.guard(irp, &returned, &status)
	if source {
		status = d.runSource(irp, handler, 0, nil, nil)
	} else {
		status = d.run(irp, handler, nil, nil, nil)
	}
	status = irp.checked(status, n, dir)
	returned = true
	return status
}
