package model

import (
	"bytes"
	"encoding/binary"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Events is an object's events, what its clients can name, and what is enabled: one slice, searched from its front.
type Events struct {
	Sets       []EventSet
	ItemSize   uint32 // EventItemSize
	Compat     EventCompat
	MaxPerFile int
	MaxQueued  int
	Targets    []Target // handles are 4, 8, 12, ... in this order

	entries []*enabled
}

// EventCompat is Compat for events.
type EventCompat struct {
	E2, E5, E13, E24 ks.Status
	E25              bool
}

// EventSet is KSEVENT_SET.
type EventSet struct {
	GUID  ks.GUID
	Items []EventItem
}

// EventItem is KSEVENT_ITEM. An Add program that returns a success puts the entry on the list; a Remove handler only reports.
type EventItem struct {
	ID, DataInput uint32
	Add, Support  Program
	Remove        bool
}

// Target is an object that a handle names. Signals is what it holds: 0 or 1 for an event, a count for a semaphore, calls for a
// work item.
type Target struct {
	Kind    TargetKind
	Modify  bool // the handle grants the access to modify
	Kernels bool // the handle is the kernel's
	Limit   int64
	Signals int64
}

// TargetKind says what a Target is.
type TargetKind uint8

const (
	EventTarget TargetKind = iota
	SemaphoreTarget
	WorkTarget
)

// EventOp says what an EventRequest asks for.
type EventOp uint8

const (
	Enable         EventOp = iota // KsEnableEvent or KsEnableEventWithAllocator
	Disable                       // KsDisableEvent
	GenerateEvents                // KsGenerateEvents
	CloseFile                     // KsFreeEventList
)

// EventRequest is one request for events. In and Out are the caller's buffers in full; faulting memory has none of a buffer.
type EventRequest struct {
	Op        EventOp
	In, Out   []byte
	EventData uint64
	File      int
	Kernel    bool
	Custom    bool // with an allocator
	AllocFail bool // that fails
	Fault     Fault
	Set       ks.GUID // GenerateEvents; zero for any
	ID        uint32  // GenerateEvents
	Data      []byte  // GenerateEvents
}

// EventOutcome is everything that can be seen of a request for events.
type EventOutcome struct {
	Status      ks.Status
	Information uint64
	Calls       []string // add, remove and support, with the id
	Allocations []Allocation
	Flags       uint32
	Output      []byte
	Enabled     int
	Signals     []int64 // of each target
}

// enabled is an entry.
type enabled struct {
	set              ks.GUID
	item             *EventItem
	file             int
	eventData        uint64
	target           *Target
	adjustment       int64
	oneShot, queuing bool
	queue            [][]byte
}

// eventRun is one request on its way.
type eventRun struct {
	*Events
	q *EventRequest
	o EventOutcome
}

// Do answers one request.
func (m *Events) Do(q EventRequest) EventOutcome {
	x := &eventRun{Events: m, q: &q}
	x.o.Output = bytes.Clone(q.Out)
	switch q.Op {
	case Enable:
		x.o.Status = x.enable()
		if x.o.Status.IsError() {
			x.o.Information = 0 // N-1
		}
	case Disable:
		x.o.Status = x.disable()
	case GenerateEvents:
		x.o.Status = x.generate()
	case CloseFile:
		x.free()
	}
	x.o.Enabled = len(m.entries)
	for _, t := range m.Targets {
		x.o.Signals = append(x.o.Signals, t.Signals)
	}
	return x.o
}

// enable is IOCTL_KS_ENABLE_EVENT, in the order of P-23.
func (x *eventRun) enable() ks.Status {
	q, in, out := x.q, uint64(len(x.q.In)), uint64(len(x.q.Out))
	if in == 0 { // E-2
		if out != 0 {
			if status := x.obtain(false, true); status != 0 {
				return status
			}
		}
		return x.listSets()
	}
	if in < 24 {
		return or(x.Compat.E2, ks.StatusInvalidBufferSize)
	}
	if q.Fault == FaultIn { // P-9, before anything of it is known
		return ks.StatusAccessViolation
	}
	flags := u32(q.In[20:])
	if flags&ks.EventTypeTopology != 0 && in < 32 {
		return or(x.Compat.E2, ks.StatusInvalidBufferSize)
	}
	verb := flags &^ ks.EventTypeTopology
	switch verb { // E-3
	case ks.EventTypeEnable, ks.EventTypeOneShot, ks.EventTypeEnableBuffered, ks.EventTypeSetSupport, ks.EventTypeBasicSupport,
		ks.EventTypeQueryBuffer:
	default:
		return ks.StatusInvalidParameter
	}
	set, id := ks.GUID(q.In[:16]), u32(q.In[16:])
	known, item := false, (*EventItem)(nil) // E-4
	for i := range x.Sets {
		if x.Sets[i].GUID != set || set == guidNull {
			continue
		}
		known = true
		for j := range x.Sets[i].Items {
			if x.Sets[i].Items[j].ID == id {
				item = &x.Sets[i].Items[j]
			}
		}
	}
	switch {
	case verb == ks.EventTypeSetSupport && (known || set == guidNull):
		if status := x.obtain(false, true); status != 0 || set != guidNull {
			return status
		}
		return x.listSets()
	case !known:
		return ks.StatusPropsetNotFound
	case item == nil:
		return ks.StatusNotFound
	case verb == ks.EventTypeBasicSupport:
		return x.basicSupport(item)
	case verb == ks.EventTypeQueryBuffer:
		return x.queryBuffer(set, id)
	}
	if out < 32 || out < uint64(item.DataInput) { // E-5
		return or(x.Compat.E5, ks.StatusBufferTooSmall)
	}
	if status := x.obtain(true, false); status != 0 {
		return status
	}
	target, adjustment, status := x.target()
	if status != 0 {
		return status
	}
	mine := 0
	for _, e := range x.entries {
		if e.file == q.File {
			mine++
		}
	}
	if mine >= x.MaxPerFile { // S-24
		return ks.StatusInsufficientResources
	}
	e := &enabled{set: set, item: item, file: q.File, eventData: q.EventData, target: target, adjustment: adjustment,
		oneShot: verb == ks.EventTypeOneShot, queuing: verb == ks.EventTypeEnableBuffered}
	if item.Add.Kind != None { // E-11
		x.o.Calls = append(x.o.Calls, call("add", id))
		a := protect(item.Add, nil, false, nil, 0)
		if a.status == ks.StatusSomeNotMapped { // P-18
			return ks.StatusNotFound
		}
		if !a.status.IsSuccess() {
			return a.status
		}
		if status := x.append(e); status != 0 {
			return status
		}
		return a.status
	}
	return x.append(e) // E-12
}

func call(verb string, id uint32) string { return verb + " " + string(rune('0'+id)) }

// append puts an entry at the end (E-12), unless a second of its name is to be refused (E-13).
func (x *eventRun) append(e *enabled) ks.Status {
	if x.Compat.E13 != 0 && x.find(e.eventData, nil) != nil {
		return x.Compat.E13
	}
	x.entries = append(x.entries, e)
	return ks.StatusSuccess
}

// find returns the first entry of the client with that name, and if one is asked for of that event.
func (x *eventRun) find(eventData uint64, event func(*enabled) bool) *enabled {
	for _, e := range x.entries {
		if e.eventData == eventData && e.file == x.q.File && (event == nil || event(e)) {
			return e
		}
	}
	return nil
}

// obtain is the buffer and the capture: P-9, P-10, P-13, P-16, E-14.
func (x *eventRun) obtain(in, pool bool) ks.Status {
	q := x.q
	a := Allocation{By: "pool", Size: uint32(al8(uint64(len(q.Out))) + uint64(len(q.In)))}
	if q.Custom && !pool {
		a.By, a.InputOperation = "custom", !in
		if q.AllocFail {
			a.Status = ks.StatusInsufficientResources
		}
	}
	x.o.Allocations = append(x.o.Allocations, a)
	if a.Status != 0 {
		return a.Status
	}
	if a.By == "pool" {
		x.o.Flags = BufferedIO | DeallocateBuffer
		if !in && len(q.Out) != 0 {
			x.o.Flags |= InputOperation
		}
	}
	if q.Fault == FaultOut && len(q.Out) != 0 && (in || !q.Kernel) {
		x.o.Flags = 0
		return ks.StatusAccessViolation
	}
	return ks.StatusSuccess
}

// write is what an out-verb produced.
func (x *eventRun) write(b []byte) ks.Status {
	x.o.Information = uint64(len(b))
	if x.q.Fault != FaultOut {
		copy(x.o.Output, b)
	}
	return ks.StatusSuccess
}

// listSets is P-32.
func (x *eventRun) listSets() ks.Status {
	var list []byte
	for _, s := range x.Sets {
		list = append(list, s.GUID[:]...)
	}
	switch out := len(x.q.Out); {
	case out >= len(list):
		return x.write(list)
	case out == 0:
		x.o.Information = uint64(len(list))
		return ks.StatusBufferOverflow
	}
	return ks.StatusBufferTooSmall
}

// basicSupport is E-3.
func (x *eventRun) basicSupport(item *EventItem) ks.Status {
	if status := x.obtain(false, true); status != 0 {
		return status
	}
	if item.Support.Kind == None {
		return ks.StatusSuccess
	}
	x.o.Calls = append(x.o.Calls, call("support", item.ID))
	data := make([]byte, len(x.q.Out))
	a := finish(protect(item.Support, nil, false, data, 0), true, uint64(len(data)))
	if a.status == ks.StatusSomeNotMapped {
		return ks.StatusSuccess
	}
	if !a.status.IsError() {
		x.write(data[:min(a.info, uint64(len(data)))])
		x.o.Information = a.info
	}
	return a.status
}

// target is E-7 and E-8.
func (x *eventRun) target() (*Target, int64, ks.Status) {
	d := x.q.Out
	kind, object := u32(d), binary.LittleEndian.Uint64(d[8:])
	want, adjustment, reserved := EventTarget, int64(1), binary.LittleEndian.Uint64(d[24:])
	bad := func(status ks.Status) (*Target, int64, ks.Status) { return nil, 0, status }
	switch kind {
	case ks.NotificationEventHandle:
		reserved |= binary.LittleEndian.Uint64(d[16:])
	case ks.NotificationSemaphoreHandle:
		want, adjustment, reserved = SemaphoreTarget, int64(int32(u32(d[20:]))), uint64(u32(d[16:]))
	case ks.NotificationEventObject:
	case ks.NotificationSemaphoreObject:
		want, adjustment, reserved = SemaphoreTarget, int64(int32(u32(d[20:]))), 0
	case ks.NotificationDPC, ks.NotificationWorkItem, ks.NotificationKsWorkItem:
		want = WorkTarget
	default:
		return bad(ks.StatusInvalidParameter)
	}
	if !x.q.Kernel && kind > ks.NotificationSemaphoreHandle || reserved != 0 || adjustment <= 0 {
		return bad(ks.StatusInvalidParameter)
	}
	if object == 0 || object%4 != 0 || object/4 > uint64(len(x.Targets)) {
		return bad(ks.StatusInvalidHandle)
	}
	t := &x.Targets[object/4-1]
	switch {
	case t.Kernels && !x.q.Kernel:
		return bad(ks.StatusInvalidHandle)
	case t.Kind != want:
		return bad(ks.StatusObjectTypeMismatch)
	case !t.Modify && !x.q.Kernel:
		return bad(ks.StatusAccessDenied)
	}
	return t, adjustment, ks.StatusSuccess
}

// queryBuffer is E-26.
func (x *eventRun) queryBuffer(set ks.GUID, id uint32) ks.Status {
	if len(x.q.In) < 40 {
		return ks.StatusInvalidBufferSize
	}
	if status := x.obtain(false, false); status != 0 {
		return status
	}
	e := x.find(binary.LittleEndian.Uint64(x.q.In[24:]), func(e *enabled) bool { return e.set == set && e.item.ID == id })
	switch {
	case e == nil:
		return ks.StatusNotFound
	case !e.queuing:
		return ks.StatusInvalidParameter
	case len(e.queue) == 0:
		return ks.StatusNoMoreEntries
	case len(x.q.Out) == 0:
		x.o.Information = uint64(len(e.queue[0]))
		return ks.StatusBufferOverflow
	case len(x.q.Out) < len(e.queue[0]):
		return ks.StatusBufferTooSmall
	}
	oldest := e.queue[0]
	e.queue = e.queue[1:]
	return x.write(oldest)
}

// disable is IOCTL_KS_DISABLE_EVENT: E-17, E-19.
func (x *eventRun) disable() ks.Status {
	switch n := len(x.q.In); {
	case n == 0:
		x.free()
		return ks.StatusSuccess
	case n < 32:
		return ks.StatusInvalidBufferSize
	}
	e := x.find(x.q.EventData, nil)
	if e == nil {
		return ks.StatusUnsuccessful
	}
	x.remove(e)
	return ks.StatusSuccess
}

// remove is E-16.
func (x *eventRun) remove(gone *enabled) {
	if gone.item.Remove {
		x.o.Calls = append(x.o.Calls, call("remove", gone.item.ID))
	}
	var left []*enabled
	for _, e := range x.entries {
		if e != gone {
			left = append(left, e)
		}
	}
	x.entries = left
}

// free is E-19.
func (x *eventRun) free() {
	for _, e := range x.entries {
		if e.file == x.q.File {
			x.remove(e)
		}
	}
}

// generate is E-21 to E-25. It returns the first failure.
func (x *eventRun) generate() (first ks.Status) {
	for _, e := range x.entries {
		if e.item.ID != x.q.ID || x.q.Set != guidNull && x.q.Set != e.set {
			continue
		}
		status := x.signal(e)
		if status != 0 && first == 0 {
			first = status
		}
		if status == 0 && e.oneShot { // E-22
			x.remove(e)
		}
	}
	return first
}

func (x *eventRun) signal(e *enabled) ks.Status {
	if e.queuing { // E-24
		if len(e.queue) >= x.MaxQueued {
			return or(x.Compat.E24, ks.StatusInsufficientResources)
		}
		e.queue = append(e.queue, bytes.Clone(x.q.Data))
		if !x.Compat.E25 {
			return ks.StatusSuccess
		}
	}
	switch t := e.target; t.Kind { // E-21
	case EventTarget:
		t.Signals = 1
	case SemaphoreTarget:
		if t.Signals+e.adjustment > t.Limit {
			return ks.StatusSemaphoreLimitExceeded
		}
		t.Signals += e.adjustment
	case WorkTarget:
		t.Signals++
	}
	return ks.StatusSuccess
}
