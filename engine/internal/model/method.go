package model

import (
	"bytes"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Methods is the method sets of an object. ItemSize is MethodItemSize.
type Methods struct {
	Compat   Compat
	ItemSize uint32
	Sets     []MethodSet
}

// MethodSet is KSMETHOD_SET. Fast lists the methods that have a fast handler too, which runs the same program.
type MethodSet struct {
	GUID  ks.GUID
	Items []Method
	Fast  []uint32
}

// Method is KSMETHOD_ITEM with programs for handlers; a program of kind None is a null handler.
type Method struct {
	ID                 uint32
	Handler, Support   Program
	MinMethod, MinData uint32
	Flags              uint32 // what the handler does with the data (M-4)
}

// The flags of an item.
const (
	reads  = 1
	writes = 2
	source = 4
)

// RunMethod is the handler of a method with those flags: Run, but that Store takes what a method reads, and then answers what
// it writes.
func (p Program) RunMethod(v *Value, flags uint32, data []byte, info *uint64) ks.Status {
	if p.Kind != Store {
		return p.Run(v, false, data, info)
	}
	*info = 0
	if flags&reads != 0 {
		p.Run(v, true, data, info)
	}
	if flags&writes != 0 {
		return p.Run(v, false, data, info)
	}
	return ks.StatusSuccess
}

// MethodModel answers the method requests of an object: a Request whose Op is Property is sent as a method, FastProperty is
// KsFastMethodHandler, and DispatchSpecific is KsDispatchSpecificMethod. It is not safe for concurrent use.
type MethodModel struct {
	object Methods
	values map[*Method]*Value
	pended map[string]*methodIRP
}

// NewMethods returns an object whose stored values are zero. The model reads obj for as long as it lives and never changes it.
func NewMethods(obj Methods) *MethodModel {
	m := &MethodModel{object: obj, values: map[*Method]*Value{}, pended: map[string]*methodIRP{}}
	for i := range obj.Sets {
		for j := range obj.Sets[i].Items {
			it := &obj.Sets[i].Items[j]
			m.values[it] = NewValue(it.MinData)
		}
	}
	return m
}

// Do answers one request.
func (m *MethodModel) Do(q Request) Outcome {
	switch q.Op {
	case FastProperty:
		return m.fast(&q)
	case Complete:
		return m.complete(&q)
	case DispatchSpecific:
		return m.dispatchSpecific(&q)
	}
	x := &methodIRP{m: m, q: &q}
	x.dispatch()
	if x.status == ks.StatusPending && q.Tag != "" {
		m.pended[q.Tag] = x
	}
	return x.outcome()
}

// Refuses says that a method request fails before it needs a buffer (P-23).
func (m *MethodModel) Refuses(q *Request) bool {
	return (&methodIRP{m: m, q: q}).check() != nil
}

// methodIRP is one method request on its way.
type methodIRP struct {
	m           *MethodModel
	q           *Request
	item        *Method // nil for SETSUPPORT
	send        bool
	request     []byte
	data        []byte // the handler's; of a SOURCE method the caller's own memory
	user        []byte // the caller's output
	flags       uint32
	calls       []Call
	allocations []Allocation
	answer
}

func (m *MethodModel) item(set ks.GUID, id uint32) (known bool, it *Method) {
	for i := range m.object.Sets {
		s := &m.object.Sets[i]
		if s.GUID != set || set == guidNull {
			continue
		}
		known = true
		for j := range s.Items {
			if s.Items[j].ID == id {
				it = &s.Items[j]
			}
		}
	}
	return known, it
}

// source, in and out are M-4: where the data are, and which ways they go. A query has data that go out.
func (x *methodIRP) source() bool { return x.send && x.item.Flags&source != 0 }
func (x *methodIRP) in() bool     { return x.send && x.item.Flags&reads != 0 }
func (x *methodIRP) out() bool    { return !x.send || x.item.Flags&writes != 0 }

// dispatch is KsMethodHandlerWithAllocator in the order of P-23.
func (x *methodIRP) dispatch() {
	if x.q.Out <= maxOutput { // a longer one is refused
		x.user = x.q.output()
	}
	failed := x.check()
	if x.q.Prepared == PreparedByUs && failed == nil {
		x.setFlags()
	}
	if failed == nil {
		failed = x.obtain()
	}
	if failed != nil {
		x.answer = *failed
		return
	}
	x.answer = finish(x.run(), x.out(), uint64(x.q.Out))
}

// check is what costs nothing: M-1, M-2, M-8, M-7.
func (x *methodIRP) check() *answer {
	q, compat := x.q, &x.m.object.Compat
	fail := func(rule string, status ks.Status) *answer { return &answer{rule: rule, status: status} }
	switch {
	case q.In < 24:
		return fail("M-1", ks.StatusInvalidBufferSize)
	case bufferSize(q) > maxULong:
		return fail("P-5", ks.StatusInvalidBufferSize)
	case q.Prepared != PreparedByUs && q.Fault == FaultIn:
		return fail("P-9", ks.StatusAccessViolation)
	case q.Flags&ks.MethodTypeTopology != 0 && q.In < 32:
		return fail("M-1", ks.StatusInvalidBufferSize)
	}
	known, it := x.m.item(q.Set, q.ID)
	switch verb := q.Flags &^ ks.MethodTypeTopology; {
	case verb == ks.MethodTypeSetSupport:
		if q.Set != guidNull && !known {
			return fail("M-8", ks.StatusPropsetNotFound)
		}
		return nil
	case verb == ks.MethodTypeBasicSupport:
	case verb <= 7:
		x.send = true
	default:
		return fail("M-2", or(compat.M2, ks.StatusInvalidParameter))
	}
	switch {
	case !known:
		return fail("M-1", ks.StatusPropsetNotFound)
	case it == nil:
		return fail("M-1", ks.StatusNotFound)
	case it.Handler.Kind == None && (x.send || it.Support.Kind == None):
		return fail("M-8", or(compat.M8, ks.StatusNotFound))
	}
	x.item = it
	switch {
	case !x.send:
		return nil
	case q.In < it.MinMethod:
		return fail("M-7", or(compat.P27, ks.StatusInvalidBufferSize))
	case q.Out == 0 && it.MinData > 0:
		return noOutput("M-7", compat.P28Zero, it.MinData)
	case q.Out < it.MinData:
		return fail("M-7", ks.StatusBufferTooSmall)
	}
	return nil
}

// custom says whether the caller's allocator serves this request (M-5).
func (x *methodIRP) custom() bool {
	return !x.q.Plain && x.q.Allocator != AllocNone && x.send && !x.source()
}

func (x *methodIRP) setFlags() {
	if x.custom() {
		return
	}
	x.flags = BufferedIO | DeallocateBuffer
	if x.q.Out > 0 && x.out() && !x.source() {
		x.flags |= InputOperation
	}
}

// obtain gets the one buffer of the request and fills it: M-4, M-5.
func (x *methodIRP) obtain() *answer {
	q := x.q
	size := uint32(bufferSize(q))
	if x.source() {
		size = q.In
	}
	switch {
	case q.Prepared == PreparedForge:
		return &answer{rule: "S-15", status: ks.StatusInvalidParameter}
	case q.Prepared == PreparedByUs:
	case x.custom():
		a := Allocation{By: "custom", Size: size, InputOperation: x.out()}
		switch q.Allocator {
		case AllocFail:
			a.Status = or(q.AllocStatus, ks.StatusInsufficientResources)
		case AllocPanic:
			a.Status = ks.StatusAccessViolation
		}
		x.allocations = append(x.allocations, a)
		switch {
		case q.Allocator == AllocPanic:
			return &answer{rule: "P-21", status: a.Status}
		case !a.Status.IsSuccess():
			return &answer{rule: "P-16", status: a.Status}
		case q.Allocator == AllocNoBuffer || q.Allocator == AllocShort:
			return &answer{rule: "P-16", status: ks.StatusInsufficientResources}
		}
	default:
		x.allocations = append(x.allocations, Allocation{By: "pool", Size: size})
		x.setFlags()
	}
	touched := x.in() || x.out() && (x.source() || !q.Kernel) // a lock is checked in either mode (S-8)
	if q.Prepared == Fresh && q.Fault == FaultOut && q.Out > 0 && touched {
		x.flags = 0
		return &answer{rule: "P-9", status: ks.StatusAccessViolation}
	}
	x.request = q.input(q.In)
	switch {
	case q.Out == 0 || x.source() && x.item.Flags&(reads|writes) == 0: // no MDL
	case x.source() && x.out():
		x.data = x.user
	case x.in():
		x.data = bytes.Clone(x.user)
	default:
		x.data = make([]byte, q.Out)
	}
	return nil
}

// run calls the handler, or answers a query (M-8).
func (x *methodIRP) run() answer {
	if x.item == nil {
		return x.setSupport()
	}
	verb, program := "method", x.item.Handler
	if !x.send {
		verb, program = "support", x.item.Support
	}
	if program.Kind != None {
		a := x.call(verb, program, 0)
		if a.status != ks.StatusSomeNotMapped {
			return a
		}
		if x.send {
			return answer{rule: "P-18", status: ks.StatusNotFound}
		}
	}
	switch {
	case x.item.Handler.Kind == None:
		return answer{rule: "M-8", status: or(x.m.object.Compat.M8, ks.StatusNotFound)}
	case x.q.Out == 0:
		return sizeAnswer("M-8", 4)
	case x.q.Out < 4:
		return tooSmall("M-8")
	}
	copy(x.data, appendU32(nil, x.item.Flags))
	return answer{rule: "M-8", status: ks.StatusSuccess, info: 4}
}

func (x *methodIRP) setSupport() answer {
	if x.q.Set != guidNull {
		return answer{rule: "M-8", status: ks.StatusSuccess}
	}
	var list []byte
	for _, s := range x.m.object.Sets {
		list = append(list, s.GUID[:]...)
	}
	switch need := uint64(len(list)); {
	case uint64(x.q.Out) >= need:
		copy(x.data, list)
		return answer{rule: "M-8", status: ks.StatusSuccess, info: need}
	case x.q.Out == 0:
		return sizeAnswer("M-8", need)
	}
	return tooSmall("M-8")
}

// call runs one handler, as the irp of a property does.
func (x *methodIRP) call(verb string, p Program, info uint64) answer {
	c := Call{Verb: verb, Set: x.q.Set, ID: x.item.ID, RequestOffset: uint32(al8(uint64(x.q.Out))), In: x.q.In, Out: x.q.Out,
		Kernel: x.q.Kernel, File: x.q.File, SetSlot: true, ItemSlot: x.m.object.ItemSize != 0, // M-3
		Request: bytes.Clone(x.request), Data: bytes.Clone(x.data)}
	if x.source() {
		c.RequestOffset = 0
	}
	if x.data == nil {
		c.DataOffset = -1
	}
	a := protectMethod(p, x.m.values[x.item], x.item.Flags, x.data, info)
	c.Status = a.status
	x.calls = append(x.calls, c)
	return a
}

func protectMethod(p Program, v *Value, flags uint32, data []byte, info uint64) (a answer) {
	defer func() {
		if value := recover(); value != nil {
			status, ok := value.(ks.Status)
			if !ok {
				status = ks.StatusAccessViolation
			}
			a = answer{rule: "P-21", status: status}
		}
	}()
	status := p.RunMethod(v, flags, data, &info)
	return answer{rule: "P-17", status: status, info: info}
}

// outcome completes the request, unless it pended.
func (x *methodIRP) outcome() Outcome {
	o := Outcome{Status: x.status, Information: x.info, Calls: x.calls, Allocations: x.allocations, Flags: x.flags, Rule: x.rule}
	if x.status == ks.StatusPending {
		o.Pended = true
		return o
	}
	o.Win32 = win32(x.status)
	if !x.status.IsError() {
		o.BytesReturned = x.info
	}
	if x.q.Out <= maxOutput {
		o.Output = bytes.Clone(x.user)
		if x.data != nil && x.out() && !x.status.IsError() && x.q.Fault != FaultOut {
			copy(o.Output[:min(x.info, uint64(x.q.Out))], x.data)
		}
	}
	return o
}

func (m *MethodModel) complete(q *Request) Outcome {
	x := m.pended[q.Tag]
	if x == nil {
		return Outcome{Unknown: true}
	}
	delete(m.pended, q.Tag)
	copy(x.data, q.Data)
	x.answer = ended(q, x.out(), x.q.Out)
	x.calls, x.allocations = nil, nil
	return x.outcome()
}

// dispatchSpecific is KsDispatchSpecificMethod (M-9) on a pended request, which stays pended.
func (m *MethodModel) dispatchSpecific(q *Request) Outcome {
	x := m.pended[q.Tag]
	if x == nil {
		return Outcome{Status: ks.StatusInvalidParameter, Win32: win32(ks.StatusInvalidParameter), Rule: "M-9"}
	}
	verb := "support"
	if x.send {
		verb = "method"
	}
	x.calls, x.allocations = nil, nil
	a := x.call(verb, q.Program, x.info)
	if a.status == ks.StatusSomeNotMapped {
		a = answer{rule: "M-9", status: ks.StatusNotFound}
	}
	x.answer = finish(a, x.out(), uint64(x.q.Out))
	o := x.outcome()
	o.Output = nil // not completed
	return o
}

// fast is KsFastMethodHandler (F-1..F-7).
func (m *MethodModel) fast(q *Request) Outcome {
	fall := Outcome{Information: q.Info0, Rule: "F-4"}
	if q.In < 24 || q.Fault == FaultIn || q.Fault == FaultOut && q.Out > 0 || q.Flags != ks.MethodTypeSend || bufferSize(q) > maxULong {
		return fall
	}
	listed := false
	for _, s := range m.object.Sets {
		for _, id := range s.Fast {
			listed = listed || s.GUID == q.Set && id == q.ID
		}
	}
	_, it := m.item(q.Set, q.ID)
	if !listed || it == nil || it.Handler.Kind == None || q.In < it.MinMethod || q.Out < it.MinData {
		return fall
	}
	data := q.output()
	seen := data
	if it.Flags&(source|reads|writes) == source { // M-4: no MDL
		seen = nil
	}
	c := Call{Verb: "method", Set: q.Set, ID: q.ID, In: q.In, Out: q.Out, Kernel: q.Kernel, File: q.File,
		Request: q.input(q.In), Data: bytes.Clone(seen)}
	a := protectMethod(it.Handler, m.values[it], it.Flags, seen, 0)
	c.Status = a.status
	calls := []Call{c}
	switch a.status {
	case ks.StatusPending:
		return Outcome{Information: q.Info0, Calls: calls, Rule: "F-6"}
	case ks.StatusSomeNotMapped:
		a = answer{rule: "F-6", status: ks.StatusNotFound}
	}
	a = finish(a, it.Flags&writes != 0, uint64(q.Out))
	o := Outcome{Handled: true, Status: a.status, Information: a.info, Calls: calls, Rule: "F-6", Win32: win32(a.status), Output: data}
	if !a.status.IsError() {
		o.BytesReturned = a.info
	}
	return o
}
