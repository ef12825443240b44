package model

import (
	"bytes"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// irp is one request on its way.
type irp struct {
	m           *Model
	q           *Request
	verb        uint32
	item        *Item
	buffer      []byte // SystemBuffer (P-6); nil until obtained
	flags       uint32
	calls       []Call
	allocations []Allocation
	answer
}

func (x *irp) outVerb() bool { return x.verb&inVerbs == 0 }

// data is [0, Out) of the system buffer, request the copy behind the padding (P-6).
func (x *irp) data() []byte    { return x.buffer[:x.q.Out] }
func (x *irp) request() []byte { return x.buffer[al8(uint64(x.q.Out)):] }

// custom says whether the caller's allocator serves this request (P-14).
func (x *irp) custom() bool { return !x.q.Plain && x.q.Allocator != AllocNone && x.verb&getSet != 0 }

// property is KsPropertyHandlerWithAllocator in the order of P-23.
func (x *irp) property() {
	var failed *answer
	x.verb, x.item, failed = x.m.check(x.q) // P-3 to P-28
	if x.q.Prepared == PreparedByUs && x.verb != 0 && (x.q.Set != guidNull || x.verb == ks.PropertyTypeSetSupport) {
		x.setFlags() // by the earlier pass (P-15)
	}
	if failed == nil {
		failed = x.obtain() // P-8 to P-16
	}
	if failed != nil {
		x.answer = *failed // Info 0 (P-1), but for the size answer of P-28
		return
	}
	x.answer = x.finish(x.run())
	if x.status == ks.StatusPending && x.q.Tag != "" {
		x.m.pended[x.q.Tag] = x
	}
}

// setFlags is P-10 and, with an allocator, P-13: none of the three.
func (x *irp) setFlags() {
	if x.custom() {
		return
	}
	x.flags = BufferedIO | DeallocateBuffer
	if x.q.Out > 0 && x.outVerb() {
		x.flags |= InputOperation
	}
}

// obtain gets the one buffer of the request and fills it.
func (x *irp) obtain() *answer {
	q := x.q
	switch {
	case q.Prepared == PreparedForge: // S-15
		return &answer{rule: "S-15", status: ks.StatusInvalidParameter}
	case q.Prepared == PreparedByUs: // P-15: neither probe nor allocation nor copy
	case x.custom():
		a := Allocation{By: "custom", Size: uint32(bufferSize(q)), InputOperation: x.verb == ks.PropertyTypeGet} // P-12
		switch q.Allocator {
		case AllocFail:
			a.Status = or(q.AllocStatus, ks.StatusInsufficientResources)
		case AllocPanic:
			a.Status = ks.StatusAccessViolation
		}
		x.allocations = append(x.allocations, a)
		switch {
		case q.Allocator == AllocPanic: // S-13
			return &answer{rule: "P-21", status: a.Status}
		case !a.Status.IsSuccess(): // P-16
			return &answer{rule: "P-16", status: a.Status}
		case q.Allocator == AllocNoBuffer || q.Allocator == AllocShort: // P-16
			return &answer{rule: "P-16", status: ks.StatusInsufficientResources}
		}
	default: // P-10
		x.allocations = append(x.allocations, Allocation{By: "pool", Size: uint32(bufferSize(q))})
		x.setFlags()
	}
	if q.Prepared == Fresh && q.Fault == FaultOut && q.Out > 0 && (!x.outVerb() || !q.Kernel) { // P-8, P-9
		x.flags = 0 // S-9: freed, and the flags with it
		return &answer{rule: "P-9", status: ks.StatusAccessViolation}
	}
	x.buffer = make([]byte, bufferSize(q)) // S-11
	if !x.outVerb() {
		copy(x.data(), q.output())
	}
	copy(x.request(), q.input(q.In))
	return nil
}

// run calls the handler of the request, or processes it.
func (x *irp) run() answer {
	if x.verb&setVerbs != 0 {
		return x.standard()
	}
	verb, program := "support", x.item.Support // P-34
	switch x.verb {
	case ks.PropertyTypeGet: // P-30
		verb, program = "get", x.item.Get
	case ks.PropertyTypeSet:
		verb, program = "set", x.item.Set
	}
	if program.Kind == None {
		return x.standard()
	}
	a := x.call(verb, program, x.item, x.request(), x.data(), 0)
	if a.status != ks.StatusSomeNotMapped {
		return a
	}
	if x.verb&getSet != 0 { // P-18: there is no standard processing
		return answer{rule: "P-18", status: ks.StatusNotFound}
	}
	return x.standard() // P-18, and whatever Information the handler set is dropped (P-36)
}

// call runs one handler with Information info, records the call, and turns a panic into a status (P-21).
func (x *irp) call(verb string, p Program, it *Item, request, data []byte, info uint64) answer {
	c := Call{Verb: verb, Set: x.q.Set, ID: it.ID, RequestOffset: uint32(al8(uint64(len(data)))), In: x.q.In, Out: uint32(len(data)),
		Kernel: x.q.Kernel, File: x.q.File, SetSlot: true, ItemSlot: x.m.object.ItemSize != 0, // P-22
		Request: bytes.Clone(request), Data: bytes.Clone(data)}
	if len(data) == 0 {
		c.DataOffset, c.Data = -1, nil
	}
	a := protect(p, x.m.values[it], verb == "set", data, info)
	c.Status = a.status
	x.calls = append(x.calls, c)
	return a
}

func protect(p Program, v *Value, set bool, data []byte, info uint64) (a answer) {
	defer func() {
		if value := recover(); value != nil {
			status, ok := value.(ks.Status)
			if !ok {
				status = ks.StatusAccessViolation
			}
			a = answer{rule: "P-21", status: status}
		}
	}()
	status := p.Run(v, set, data, &info)
	return answer{rule: "P-17", status: status, info: info}
}

func (x *irp) finish(a answer) answer { return finish(a, x.outVerb(), uint64(x.q.Out)) }

// finish checks what a handler or the standard processing came to, before it is returned.
func finish(a answer, outVerb bool, out uint64) answer {
	switch {
	case a.status == ks.StatusPending: // P-17: hands off
	case a.status.IsError(): // P-17, P-19: verbatim, with nothing to copy
		a.info = 0
	case outVerb && out > 0 && a.info > out: // P-20
		return answer{rule: "P-20", status: ks.StatusBufferTooSmall}
	}
	return a
}
