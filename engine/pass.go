package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// DoublePass answers requests from two tables that are not merged: the second may have what the first, that of a driver, does not
// (AT-8). Unlike after a merge, a verb that an item of the first has no handler for reaches the second, and SETSUPPORT of all sets and
// SERIALIZESET are about the first table that answers (AT-9).
//
// The second pass is taken if the dispatcher of the first says STATUS_NOT_FOUND or STATUS_PROPSET_NOT_FOUND; one that a handler
// returns is the answer. Both passes see the identifier that was read once (S-39), and a buffer that the first obtained serves the
// second (P-15). If neither has it, the status is STATUS_NOT_FOUND if either said so.
//
// A request with the bit TOPOLOGY is for a node, if the first has Config.Nodes or else the second, and both passes are left out: neither
// table has the sets of a node, which has one of its own (AT-11). That is what MergeSets makes of the two.
type DoublePass struct{ First, Second *Dispatcher }

// Property is Dispatcher.PropertyWithAllocator; allocator may be nil.
func (p DoublePass) Property(irp *IRP, allocator Allocator) ks.Status {
	in, out := irp.Type3InputBuffer, irp.UserBuffer
	irp.start()
	if status := irp.identify(in, ruleP4); status != ks.StatusSuccess {
		return status
	}
	return p.run(irp, func(d *Dispatcher) ks.Status { return d.identifiedProperty(irp, in, out, allocator) })
}

// Method is Dispatcher.MethodWithAllocator; allocator may be nil.
func (p DoublePass) Method(irp *IRP, allocator Allocator) ks.Status {
	in, out := irp.Type3InputBuffer, irp.UserBuffer
	irp.start()
	if status := irp.identify(in, ruleM1); status != ks.StatusSuccess {
		return status
	}
	return p.run(irp, func(d *Dispatcher) ks.Status { return d.identifiedMethod(irp, in, out, allocator) })
}

// EnableEvent is Dispatcher.EnableEventWithAllocator; allocator may be nil. One list serves both tables.
func (p DoublePass) EnableEvent(irp *IRP, list *EventList, allocator Allocator) ks.Status {
	in, out := irp.Type3InputBuffer, irp.UserBuffer
	if irp.InputBufferLength == 0 {
		return p.First.EnableEventWithBuffers(irp, in, out, list, allocator) // E-2: all sets
	}
	irp.start()
	irp.forgetEntry()
	if status := p.First.identifyEvent(irp, in); status != ks.StatusSuccess {
		return status
	}
	return p.run(irp, func(d *Dispatcher) ks.Status { return d.identifiedEvent(irp, in, out, list, allocator) })
}

// run is AT-11 and then AT-8 for a request that was identified.
func (p DoublePass) run(irp *IRP, pass func(*Dispatcher) ks.Status) ks.Status {
	filter := p.First
	if filter.nodes == nil {
		filter = p.Second
	}
	if to, status := filter.routed(irp); to == nil {
		return status
	} else if to != filter {
		return pass(to)
	}
	prepared := irp.SystemBuffer != nil
	first := pass(p.First)
	if !irp.missed(first, prepared) {
		return first
	}
	prepared = irp.SystemBuffer != nil
	irp.start()
	second := pass(p.Second)
	if irp.missed(second, prepared) && first == ks.StatusNotFound {
		return first
	}
	return second
}

// start is P-1.
func (irp *IRP) start() {
	irp.IoStatus.Information = 0
	irp.index = noItem
}

// missed reports that status says that a dispatcher has not what was asked for, and that it is the dispatcher who says so.
// prepared tells whether there was a buffer before it was asked.
func (irp *IRP) missed(status ks.Status, prepared bool) bool {
	if status != ks.StatusNotFound && status != ks.StatusPropsetNotFound {
		return false
	}
	switch irp.rule {
	case ruleP24, ruleP26, ruleP31, ruleM1, ruleE4: // found out before there is a buffer: if one came, a handler passed the request on
		return (irp.SystemBuffer != nil) == prepared
	case ruleP18, ruleP36, ruleP37, ruleP38, ruleP42, ruleM8:
		return true
	}
	return false
}

// identifiedProperty is PropertyWithBuffers for a request whose identifier was read.
func (d *Dispatcher) identifiedProperty(irp *IRP, in, out []byte, allocator Allocator) ks.Status {
	q := &irp.ident
	verb := d.soleVerb(q.flags() &^ modifiers)
	switch {
	case verb == 0:
		return irp.decide(ruleP25, ks.StatusInvalidParameter)
	case verb > ks.PropertyTypeSet:
		return d.query(irp, verb, in, out)
	}
	e := d.properties.table.Lookup(q.lo, q.hi, q.id())
	if e == nil {
		return d.missProperty(irp, q.lo, q.hi)
	}
	handler := e.Value.handlers[verb-1]
	if handler == nil || irp.InputBufferLength < e.Value.minProperty() || irp.OutputBufferLength < e.Value.minData {
		return d.rejectProperty(irp, e, handler)
	}
	irp.own(d)
	irp.index = e.Tag
	if !irp.hasBuffer() { // P-15, as in PropertyWithBuffers
		irp.layout.dir = direction(verb)
	}
	before := irp.loadState()
	return irp.settled(d.runGuarded(irp, handler, allocator, in, out), before)
}
