package exec

import (
	"runtime/debug"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// send answers an op that is an IRP: property, method, enable_event, disable_event.
func (s *Session) send(buf []byte, to *recipient) []byte {
	q, o := &s.q, to.object
	f := s.acquire()
	defer s.release(f)
	irp := &f.irp
	if f.memory.fill(q) && !q.faultIn && !q.faultOut && q.op != opMethod { // what a method locks is lent by memory
		irp.Memory, irp.Type3InputBuffer, irp.UserBuffer = nil, f.memory.in, f.memory.out
	} else {
		irp.Memory, irp.Type3InputBuffer, irp.UserBuffer = &f.memory, nil, nil
	}
	irp.InputBufferLength, irp.OutputBufferLength = q.in, q.out
	irp.RequestorMode = q.mode
	irp.FileObject = s.file(to)
	irp.Pool = s.pool(o)
	f.memory.limit = s.options.MaxOut
	irp.Flags = 0
	f.out = q.out

	out := outcome{hasOutput: true}
	out.status, out.rule = to.refused, to.rule
	if out.status == 0 && o.refused != 0 && q.op == opProperty {
		out.status, out.rule = o.refused, "P-3"
	}
	if out.status != 0 {
		out.bytes(&f.memory, q.out)
		return s.append(buf, &out)
	}

	s.outer = irp
	s.behaviour = q.allocator
	var allocator engine.Allocator
	if !q.plain && q.allocator != allocNone {
		allocator = s.custom
	}
	laidOut := false
	switch q.prepared {
	case earlier:
		laidOut = s.prepare(irp, o, allocator)
	case forged:
		irp.SystemBuffer = buffer(s.arena, forgedSize)
		clear(irp.SystemBuffer)
	}
	f.memory.faultIn, f.memory.faultOut = q.faultIn, q.faultOut
	irp.IoStatus.Information = q.info0
	out.status = s.dispatch(to, irp, allocator)
	if q.op == opEnableEvent && out.status == ks.StatusSuccess {
		s.notices.enabled(irp.EventEntry())
	}
	if !laidOut {
		s.notePool(f, out.status)
	}
	out.rule = irp.Rule()
	out.flags = irp.Flags
	out.information = irp.IoStatus.Information
	if out.status == ks.StatusPending {
		f.last, f.data = s.calls[len(s.calls)-1], s.data
		s.pend(f, to.handle)
		out.pended = true
		return s.append(buf, &out)
	}
	s.finish(f, out.status)
	out.bytes(&f.memory, q.out)
	return s.append(buf, &out)
}

// pool is where the current request's buffer comes from. A method with SOURCE has only its input there (M-5).
func (s *Session) pool(o *object) *arena.Arena {
	q := &s.q
	longest := max(q.in, q.out)
	if q.op == opMethod && o.methods[methodKey{q.set, q.id}]&ks.MethodTypeSource != 0 && q.flags&ks.MethodTypeBasicSupport == 0 {
		longest = q.in
	}
	if longest > s.options.MaxOut {
		return s.none
	}
	return s.arena
}

// dispatch calls the entry of the dispatcher that op and entry name.
func (s *Session) dispatch(to *recipient, irp *engine.IRP, allocator engine.Allocator) ks.Status {
	q, d, events := &s.q, to.dispatcher, to.object.events
	switch {
	case q.op == opDisableEvent:
		irp.EventData = q.eventData
		return s.disable(to, irp)
	case q.op == opEnableEvent:
		irp.EventData = q.eventData
		if q.plain {
			return d.EnableEvent(irp, events)
		}
		return d.EnableEventWithAllocator(irp, events, allocator)
	case q.op == opMethod && q.plain:
		return d.Method(irp)
	case q.op == opMethod:
		return d.MethodWithAllocator(irp, allocator)
	case q.plain:
		return d.Property(irp)
	}
	return d.PropertyWithAllocator(irp, allocator)
}

// notePool lists the pool buffer of a request, if it got as far as asking for one.
func (s *Session) notePool(f *slot, status ks.Status) {
	irp := &f.irp
	switch {
	case irp.Flags&engine.BufferedIO != 0:
		s.allocations = append(s.allocations, allocation{size: uint64(len(irp.SystemBuffer))})
	case f.memory.pool != 0:
		s.allocations = append(s.allocations, allocation{size: uint64(f.memory.pool)})
	case status == ks.StatusInsufficientResources && irp.Rule() == "P-10":
		// There is no buffer to measure. What was asked for is the layout of P-6, or of M-5.
		size := (uint64(irp.OutputBufferLength)+7)&^7 + uint64(irp.InputBufferLength)
		if irp.MethodType()&ks.MethodTypeSource != 0 && s.q.flags&ks.MethodTypeBasicSupport == 0 {
			size = uint64(irp.InputBufferLength)
		}
		s.allocations = append(s.allocations, allocation{size: size, status: status})
	}
}

// finish completes a request and frees its buffer.
func (s *Session) finish(f *slot, status ks.Status) {
	irp := &f.irp
	huge := max(len(irp.SystemBuffer), f.memory.pool) > hugeBuffer
	irp.Finish(status, irp.UserBuffer)
	if irp.SystemBuffer != nil { // of our allocator, or forged
		s.arena.Free(irp.SystemBuffer)
		irp.SystemBuffer = nil
	}
	irp.Flags = 0
	f.data, s.data = nil, nil
	if huge {
		*irp = engine.IRP{} // the slot waits for another request, and nothing in it is to keep the buffer alive till then
		debug.FreeOSMemory()
	}
}

// hugeBuffer is the length of a buffer in bytes whose memory is given back at once: a few of 4 GiB, dead but not collected
// yet, or held by a slot that is idle, would be more than there is.
const hugeBuffer = 64 << 20

// forgedSize is the length of a buffer that somebody else set, enough for a dispatcher that would believe in it (S-15).
const forgedSize = 128

// acquire returns a slot for a new request.
func (s *Session) acquire() *slot {
	if n := len(s.idle); n > 0 {
		f := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return f
	}
	f := new(slot)
	f.memory.irp = &f.irp
	return f
}

// release takes a slot back unless its request is pended.
func (s *Session) release(f *slot) {
	if f.pended {
		return
	}
	if cap(f.memory.block) > 4*maxPlain {
		f.memory.block = nil
	}
	s.idle = append(s.idle, f)
}
