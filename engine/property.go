package engine

import (
	"math"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// modifiers are the flag bits beside the verb that are passed through to the handler (P-25, P-44, P-45).
const modifiers = ks.PropertyTypeTopology | ks.PropertyTypeHighPriority | ks.PropertyTypeFSFilterScope | ks.PropertyTypeCopyPayload

// Property dispatches a request whose buffer comes from irp.Pool: KsPropertyHandler. The result is the status;
// irp.IoStatus.Information is set and irp.IoStatus.Status is not (P-1). After any status but STATUS_PENDING call
// irp.Finish; after STATUS_PENDING leave the IRP alone until its Completion is called (P-17).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspropertyhandler
func (d *Dispatcher) Property(irp *IRP) ks.Status {
	return d.PropertyWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, nil)
}

// PropertyWithAllocator is Property with the buffer of a GET or SET provided by allocator; nil is Property:
// KsPropertyHandlerWithAllocator. The caller copies back and frees that buffer (P-13).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-kspropertyhandlerwithallocator
func (d *Dispatcher) PropertyWithAllocator(irp *IRP, allocator Allocator) ks.Status {
	return d.PropertyWithBuffers(irp, irp.Type3InputBuffer, irp.UserBuffer, allocator)
}

// PropertyWithBuffers is PropertyWithAllocator for a caller whose buffers must not be retained, such as arrays on its
// stack: in and out take the place of irp.Type3InputBuffer and irp.UserBuffer for the length of the call.
//
// The steps are in the order of P-23. What fails before the buffer is obtained costs no allocation.
func (d *Dispatcher) PropertyWithBuffers(irp *IRP, in, out []byte, allocator Allocator) (status ks.Status) {
	irp.IoStatus.Information = 0 // P-1
	irp.index = noItem
	inLen, outLen := irp.InputBufferLength, irp.OutputBufferLength
	if inLen < ks.SizeIdentifier {
		return irp.decide(ruleP4, ks.StatusInvalidBufferSize)
	}
	if (uint64(outLen)+7)&^7+uint64(inLen) > math.MaxUint32 {
		return irp.decide(ruleP5, ks.StatusInvalidBufferSize)
	}

	// One read of the identifier (S-2): from the caller, or from the copy that an earlier pass made (P-15).
	var lo, hi, word, node uint64
	if irp.SystemBuffer == nil && irp.Memory == nil && len(in) >= ks.SizeIdentifier {
		lo, hi, word = words((*[ks.SizeIdentifier]byte)(in))
	} else if lo, hi, word, status = irp.readIdentifier(in); status != ks.StatusSuccess {
		return status
	}
	if d.onRefuse != nil {
		irp.ident = ident{lo: lo, hi: hi, word: word}
	}
	flags := uint32(word >> 32)
	if flags&ks.PropertyTypeTopology != 0 {
		if inLen < ks.SizeNode { // P-4 comes before P-25
			return irp.decide(ruleP4, ks.StatusInvalidBufferSize)
		}
		if node, status = irp.readNode(in); status != ks.StatusSuccess {
			return status
		}
		if d.nodes != nil {
			irp.ident = ident{lo: lo, hi: hi, word: word, node: node}
			return d.routedProperty(irp, in, out, allocator)
		}
	}
	verb := flags &^ modifiers
	if verb-1 > 1 { // neither GET nor SET
		if verb = d.soleVerb(verb); verb == 0 {
			return irp.decide(ruleP25, ks.StatusInvalidParameter)
		}
		if verb > ks.PropertyTypeSet {
			irp.ident = ident{lo: lo, hi: hi, word: word, node: node}
			return d.query(irp, verb, in, out)
		}
	}

	e := d.properties.table.Lookup(lo, hi, uint32(word))
	if e == nil {
		return d.missProperty(irp, lo, hi)
	}
	handler := e.Value.handlers[verb-1]
	if handler == nil || inLen < e.Value.minProperty() || outLen < e.Value.minData {
		return d.rejectProperty(irp, e, handler)
	}

	irp.own(d)
	irp.index = e.Tag
	irp.ident.lo, irp.ident.hi, irp.ident.word, irp.ident.node = lo, hi, word, node
	if !irp.hasBuffer() { // else the data go the way for which they were laid out, whatever this pass is (P-15)
		irp.layout.dir = direction(verb)
	}
	before := irp.loadState()
	return irp.settled(d.runGuarded(irp, handler, allocator, in, out), before)
}

// runGuarded is run under a guard (P-21) that is written out, which takes 15 instructions fewer: checked never returns unreturned.
func (d *Dispatcher) runGuarded(irp *IRP, handler Handler, allocator Allocator, in, out []byte) (status ks.Status) {
	outLen, dir := irp.OutputBufferLength, irp.layout.dir
	status = unreturned
	defer func() {
		if status == unreturned {
			status = d.recovered(irp, recover())
		}
	}()
	return irp.checked(d.run(irp, handler, allocator, in, out), outLen, dir)
}

// rejectProperty is the first of P-24, P-26, P-27 and P-28 that a GET or SET of an entry fails.
//
//go:noinline
func (d *Dispatcher) rejectProperty(irp *IRP, e *entry, handler Handler) ks.Status {
	switch {
	case e.Tag == noItem:
		return irp.decide(ruleP24, ks.StatusNotFound)
	case handler == nil:
		return irp.decide(ruleP26, d.compat.NoHandler)
	case irp.InputBufferLength < e.Value.minProperty():
		return irp.decide(ruleP27, d.compat.ShortRequest)
	case irp.OutputBufferLength == 0:
		return irp.sizeAnswer(ruleP28, d.compat.NoDataBuffer, uint64(e.Value.minData))
	}
	return irp.tooShort(ruleP28, uint64(irp.OutputBufferLength), uint64(e.Value.minData))
}

// soleVerb returns the verb bit of flags without modifiers, or 0 if there is not exactly one known bit (P-25, P-45).
func (d *Dispatcher) soleVerb(flags uint32) uint32 {
	const known = ks.PropertyTypeGet | ks.PropertyTypeSet | ks.PropertyTypeSetSupport | ks.PropertyTypeBasicSupport |
		ks.PropertyTypeRelations | ks.PropertyTypeSerializeSet | ks.PropertyTypeUnserializeSet | ks.PropertyTypeSerializeRaw |
		ks.PropertyTypeUnserializeRaw | ks.PropertyTypeSerializeSize | ks.PropertyTypeDefaultValues
	if d.compat.PayloadSizeModifier {
		flags &^= ks.PropertyTypeGetPayloadSize
	}
	if flags&^known != 0 {
		return 0
	}
	if flags&(flags-1) == 0 {
		return flags
	}
	if !d.compat.MixedVerbs {
		return 0
	}
	for _, first := range [...]uint32{ks.PropertyTypeSet, ks.PropertyTypeGet, ks.PropertyTypeBasicSupport} {
		if flags&first != 0 {
			return first
		}
	}
	return flags & -flags
}

// DispatchSpecificProperty calls handler for a request that a dispatcher has laid out before, usually one that its first
// handler left pending: KsDispatchSpecificProperty (P-50). There is no lookup and no new capture; PropertySet, PropertyItem
// and ItemStorage answer as they did in the first handler. P-20 and P-21 apply; STATUS_SOME_NOT_MAPPED, with no standard
// processing left to ask for, is STATUS_NOT_FOUND (P-51). A request that no dispatcher laid out, or whose lengths were
// changed since, is STATUS_INVALID_PARAMETER (S-7, S-15).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksdispatchspecificproperty
func DispatchSpecificProperty(irp *IRP, handler Handler) (status ks.Status) {
	if irp.SystemBuffer == nil || !irp.wasPrepared() || !irp.dispatched() {
		irp.IoStatus.Information = 0
		return irp.decide(ruleP50, ks.StatusInvalidParameter)
	}
	d, n, dir := irp.owner, irp.layout.out, irp.layout.dir
	returned := false
	defer d.guard(irp, &returned, &status)
	status = irp.checked(d.run(irp, handler, nil, nil, nil), n, dir)
	returned = true
	return status
}
