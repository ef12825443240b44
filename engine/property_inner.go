package engine

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// prepareInner returns the IRP of the GET and SET requests that a serialization is broken up into (P-43). They inherit the mode,
// the file object and the memory pool of who asks (S-1), and nothing of the caller's memory, flags or allocator.
func (irp *IRP) prepareInner() *IRP {
	x := irp.more()
	if x.inner == nil {
		x.inner = new(IRP)
	}
	in := x.inner
	in.UserEvent, in.Completion = nil, nil
	in.RequestorMode = irp.RequestorMode
	in.FileObject = irp.FileObject
	in.Pool = irp.Pool
	return in
}

// innerRequest sends verb, GET or SET, for one item with n bytes of data, read from or written to value, and the rest of
// the outer request unchanged (P-43). P-26 to P-28 and P-17 to P-22 apply to it. It returns the handler's Information.
func (d *Dispatcher) innerRequest(irp *IRP, verb, index uint32, value []byte) (information uint64, status ks.Status) {
	it := &d.properties.items[index]
	in := irp.prepareInner()
	in.InputBufferLength, in.OutputBufferLength = irp.layout.in, uint32(len(value))
	in.IoStatus = IoStatus{}

	handler := it.slot.handlers[verb-1]
	switch {
	case handler == nil:
		return 0, irp.decide(ruleP26, d.compat.NoHandler)
	case in.InputBufferLength < it.slot.minProperty():
		return 0, irp.decide(ruleP27, d.compat.ShortRequest)
	case in.OutputBufferLength < it.slot.minData:
		return 0, irp.decide(ruleP28, in.tooShort(ruleP28, uint64(len(value)), 0))
	case (uint64(len(value))+7)&^7+uint64(in.InputBufferLength) > math.MaxUint32:
		return 0, irp.decide(ruleP5, ks.StatusInvalidBufferSize)
	}

	in.index, in.layout.dir = index, direction(verb)
	in.ident = irp.ident
	in.ident.word = uint64(it.decl.ID) | uint64(verb|irp.ident.flags()&d.compat.modifiers())<<32
	outer := irp.layout.requestOffset()
	in.setState(stateServed)
	var misuse invariants.Violation
	irp.change(stateNested, 0) // Cancel and Close find it from here
	defer irp.endInner()
	status = d.runInner(in, handler, irp.SystemBuffer[outer:outer+irp.layout.in], value)
	if status == ks.StatusPending {
		status = in.await(irp)
	} else if !in.shut() {
		misuse = in.handedOver()
		status = in.outcome()
	}
	in.Pool = irp.Pool
	in.restore()
	irp.rule = in.rule
	information = in.IoStatus.Information
	if in.layout.dir == dataOut && status.IsSuccess() {
		n := min(information, uint64(len(value)))
		clear(value[copy(value, in.SystemBuffer[:n]):]) // what was not produced is zero (P-39)
	}
	misuse.Raise()
	return information, status
}

// endInner ends an inner request, also if its cancel routine ended the goroutine.
func (irp *IRP) endInner() {
	irp.change(0, stateNested)
	in := irp.extra.inner
	in.Pool = irp.Pool
	in.restore()
	misuse := in.releasePool()
	in.change(0, ^uint32(0))
	misuse.Raise()
}

// runInner calls the handler of an inner request, with its panics turned into statuses like those of any request.
func (d *Dispatcher) runInner(in *IRP, handler Handler, request, value []byte) (status ks.Status) {
	dir := in.layout.dir
	returned := false
	defer d.guard(in, &returned, &status)
	status = in.checked(d.run(in, handler, nil, request, value), uint32(len(value)), dir)
	returned = true
	return status
}

// modifiers are the flag bits beside the verb that are passed through, to inner requests too (P-43, P-45).
func (c *Compat) modifiers() uint32 {
	if c.PayloadSizeModifier {
		return modifiers | ks.PropertyTypeGetPayloadSize
	}
	return modifiers
}
