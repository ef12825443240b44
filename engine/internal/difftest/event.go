package difftest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// EventCase is events, objects to be signalled, and requests.
type EventCase struct {
	Events   model.Events
	Requests []model.EventRequest
	Seed     uint64 // of the choices that must make no difference
}

// GenerateEvents draws a case from r.
func GenerateEvents(r *rand.Rand) EventCase {
	c := EventCase{Seed: r.Uint64(), Events: model.Events{MaxPerFile: 1 + r.IntN(6), MaxQueued: 1 + r.IntN(3)}}
	if r.IntN(3) == 0 {
		x := &c.Events.Compat
		for _, s := range []*ks.Status{&x.E2, &x.E5, &x.E13, &x.E24} {
			if r.IntN(2) == 0 {
				*s = []ks.Status{ks.StatusNotSupported, 0xC000FFFF, ks.StatusUnsuccessful}[r.IntN(3)]
			}
		}
		x.E25 = r.IntN(2) == 0
	}
	programs := []model.Program{{}, {}, {}, {Kind: model.Accept}, {Kind: model.Accept}, {Kind: model.Return, Status: ks.StatusSomeNotMapped},
		{Kind: model.Return, Status: ks.StatusUnsuccessful}, {Kind: model.Return, Status: ks.StatusNoMoreEntries}, {Kind: model.Panic},
		{Kind: model.Panic, Status: ks.StatusNoMemory}}
	sets := []ks.GUID{{1}, {2}, {3}}
	for i := range 1 + r.IntN(3) {
		set := model.EventSet{GUID: sets[i]}
		for id := range uint32(r.IntN(5)) {
			set.Items = append(set.Items, model.EventItem{ID: id, DataInput: []uint32{0, 31, 32, 40}[r.IntN(4)],
				Add: programs[r.IntN(len(programs))], Support: programs[r.IntN(len(programs))], Remove: r.IntN(2) == 0})
		}
		c.Events.Sets = append(c.Events.Sets, set)
	}
	if r.IntN(4) == 0 {
		c.Events.Sets = append(c.Events.Sets, model.EventSet{}) // GUID_NULL
	}
	for range 1 + r.IntN(8) {
		c.Events.Targets = append(c.Events.Targets,
			model.Target{Kind: model.TargetKind(r.IntN(3)), Modify: r.IntN(6) != 0, Kernels: r.IntN(6) == 0,
				Limit: int64(1 + r.IntN(20))})
	}
	for range 10 + r.IntN(60) {
		c.Requests = append(c.Requests, eventRequest(r, &c.Events, sets))
	}
	return c
}

// eventRequest draws one request, most of them good ones.
func eventRequest(r *rand.Rand, m *model.Events, sets []ks.GUID) model.EventRequest {
	q := model.EventRequest{EventData: uint64(r.IntN(6)), File: r.IntN(3), Kernel: r.IntN(4) == 0, Custom: r.IntN(2) == 0,
		AllocFail: r.IntN(12) == 0}
	set, id := sets[r.IntN(len(sets))], uint32(r.IntN(4))
	if known := m.Sets[r.IntN(len(m.Sets))]; r.IntN(8) != 0 && len(known.Items) != 0 {
		set, id = known.GUID, known.Items[r.IntN(len(known.Items))].ID
	}
	if r.IntN(20) == 0 {
		set = ks.GUID{}
	}
	switch r.IntN(10) {
	case 0, 1:
		q.Op, q.Set, q.ID, q.Data = model.GenerateEvents, set, id, make([]byte, r.IntN(9))
		for i := range q.Data {
			q.Data[i] = byte(r.Uint32())
		}
		return q
	case 2:
		q.Op, q.In = model.Disable, make([]byte, []int{32, 32, 32, 33, 31, 1, 0}[r.IntN(7)])
		return q
	case 3:
		if r.IntN(4) == 0 {
			q.Op = model.CloseFile
			return q
		}
	}
	const topology = ks.EventTypeTopology
	flags := []uint32{ks.EventTypeEnable, ks.EventTypeEnable, ks.EventTypeOneShot, ks.EventTypeEnableBuffered, ks.EventTypeEnableBuffered,
		ks.EventTypeQueryBuffer, ks.EventTypeQueryBuffer, ks.EventTypeSetSupport, ks.EventTypeBasicSupport,
		ks.EventTypeEnable | topology}[r.IntN(10)]
	if r.IntN(15) == 0 {
		flags |= 1 << r.IntN(32)
	}
	q.In = make([]byte, 24, 48)
	ks.Identifier{Set: set, ID: id, Flags: flags}.Put(q.In)
	if flags&(ks.EventTypeQueryBuffer|topology) != 0 {
		q.In = q.In[:[]int{40, 40, 40, 48, 39, 32, 31}[r.IntN(7)]]
		if len(q.In) >= 32 {
			binary.LittleEndian.PutUint64(q.In[24:], uint64(r.IntN(6)))
		}
	}
	if r.IntN(25) == 0 {
		q.In = q.In[:r.IntN(len(q.In))]
	}
	q.Out = make([]byte, []int{32, 40, 40, 48, 48, 31, 0, 8, 5}[r.IntN(9)])
	if len(q.Out) >= 32 {
		at := r.IntN(len(m.Targets))
		d := ks.EventData{NotificationType: [][]uint32{{1, 1, 1, 4}, {2, 2, 2, 8}, {16, 32, 128, 128}}[m.Targets[at].Kind][r.IntN(4)],
			Object: 4 * uint64(at+1)}
		q.Kernel = q.Kernel || d.NotificationType > 2 && r.IntN(4) != 0
		if d.NotificationType == 2 || d.NotificationType == 8 {
			d.Adjustment = int32(r.IntN(8) - 1)
		}
		switch r.IntN(10) {
		case 0:
			d.NotificationType = []uint32{1, 2, 4, 8, 16, 32, 128, 64, 0, 3}[r.IntN(10)]
		case 1:
			d.Object = 4 * uint64(r.IntN(len(m.Targets)+2))
		case 2:
			d.Object++
		}
		switch r.IntN(30) {
		case 0:
			d.Reserved = 1
		case 1:
			d.Increment = 1
		}
		d.Put(q.Out)
	}
	switch r.IntN(25) {
	case 0:
		q.Fault = model.FaultIn
	case 1:
		q.Fault = model.FaultOut
	}
	return q
}

// eventSubject is a case's events behind the real dispatcher.
type eventSubject struct {
	d       *engine.Dispatcher
	list    *engine.EventList
	handles engine.HandleTable
	targets []engine.Object
	calls   []int64 // of work items; read after Flush
	worker  *engine.Worker
	files   [3]engine.FileObject
	pool    *arena.Arena
	seen    []string
	r       *rand.Rand
}

func newEventSubject(c *EventCase) (*eventSubject, error) {
	s := &eventSubject{worker: engine.NewWorker(), r: rand.New(rand.NewPCG(c.Seed, 0)), calls: make([]int64, len(c.Events.Targets))}
	x := c.Events.Compat
	config := engine.Config{OnPanic: func(any, []byte) {},
		Compat: engine.Compat{ShortEventRequest: x.E2, ShortEventData: x.E5, SecondEnable: x.E13, QueueFull: x.E24, SignalBuffered: x.E25}}
	for _, set := range c.Events.Sets {
		to := engine.EventSet{Set: set.GUID}
		for _, it := range set.Items {
			to.Items = append(to.Items, s.item(it))
		}
		config.EventSets = append(config.EventSets, to)
	}
	var err error
	if s.d, err = engine.Compile(config); err != nil {
		return nil, err
	}
	locks := []engine.EventListConfig{{}, {LockType: engine.EventLockSpin, Lock: new(sync.Mutex)},
		{LockType: engine.EventLockInterrupt, Lock: direct{}}}
	lock := locks[s.r.IntN(len(locks))]
	lock.MaxPerFile, lock.MaxQueued = c.Events.MaxPerFile, c.Events.MaxQueued
	if s.list, err = engine.NewEventList(lock); err != nil {
		return nil, err
	}
	for i, t := range c.Events.Targets {
		var o engine.Object
		switch t.Kind {
		case model.EventTarget:
			o = engine.NewSyncEvent()
		case model.SemaphoreTarget:
			o = engine.NewSemaphore(int32(t.Limit))
		default:
			o = s.worker.NewWorkItem(func(*engine.EventEntry) { s.calls[i]++ })
		}
		access, mode := uint32(1), engine.UserMode
		if t.Modify {
			access = engine.ModifyState
		}
		if t.Kernels {
			mode = engine.KernelMode
		}
		s.targets = append(s.targets, o)
		s.handles.Open(o, access, mode)
	}
	for i := range s.files {
		s.files[i].Handles = &s.handles
	}
	s.pool, err = arena.New(arena.Config{})
	return s, err
}

// direct is an interrupt object of a machine with one processor.
type direct struct{}

func (direct) Synchronize(routine func()) { routine() }

func (s *eventSubject) note(verb string, id uint32) {
	s.seen = append(s.seen, fmt.Sprintf("%s %d", verb, id))
}

func (s *eventSubject) item(it model.EventItem) engine.EventItem {
	to := engine.EventItem{ID: it.ID, DataInput: it.DataInput, ExtraEntryData: uint32(s.r.IntN(40))}
	if it.Add.Kind != model.None {
		to.Add = func(irp *engine.IRP, data []byte, e *engine.EventEntry) ks.Status {
			s.note("add", it.ID)
			var info uint64
			status := it.Add.Run(nil, false, nil, &info)
			if status.IsSuccess() && status != ks.StatusSomeNotMapped {
				if refused := s.list.Add(e); refused != 0 {
					return refused
				}
			}
			return status
		}
	}
	if it.Support.Kind != model.None {
		to.Support = func(irp *engine.IRP, _, data []byte) ks.Status {
			s.note("support", it.ID)
			return it.Support.Run(nil, false, data, &irp.IoStatus.Information)
		}
	}
	if it.Remove {
		unlinks := s.r.IntN(2) == 0
		to.Remove = func(_ *engine.FileObject, e *engine.EventEntry) {
			s.note("remove", it.ID)
			if unlinks {
				s.list.Remove(e)
			}
		}
	}
	return to
}

// do answers one request through the engine.
func (s *eventSubject) do(q *model.EventRequest) (o model.EventOutcome, complaints []string) {
	s.seen = nil
	file := &s.files[q.File]
	switch q.Op {
	case model.GenerateEvents:
		set := &q.Set
		if q.Set == (ks.GUID{}) {
			set = nil
		}
		o.Status = s.list.GenerateData(set, q.ID, q.Data, nil)
	case model.CloseFile:
		o.Status = s.list.Free(file)
	default:
		o, complaints = s.send(q, file)
	}
	s.worker.Flush()
	o.Calls, o.Enabled = s.seen, s.list.Len()
	for i, t := range s.targets {
		n := s.calls[i]
		switch t := t.(type) {
		case *engine.SyncEvent:
			if t.TryWait() {
				t.Set()
				n = 1
			}
		case *engine.Semaphore:
			n = int64(t.Count())
		}
		o.Signals = append(o.Signals, n)
	}
	return o, complaints
}

func (s *eventSubject) send(q *model.EventRequest, file *engine.FileObject) (o model.EventOutcome, complaints []string) {
	out := append([]byte(nil), q.Out...)
	irp := &engine.IRP{Type3InputBuffer: q.In, UserBuffer: out, InputBufferLength: uint32(len(q.In)), OutputBufferLength: uint32(len(out)),
		FileObject: file, EventData: q.EventData, Pool: s.pool, IoStatus: engine.IoStatus{Status: 0x0BADF00D, Information: 77}}
	if q.Kernel {
		irp.RequestorMode = engine.KernelMode
	}
	var m *eventMemory
	if q.Fault != model.FaultNone || s.r.IntN(3) == 0 {
		m = &eventMemory{q: q, in: q.In, out: out, reads: map[int]int{}}
		irp.Memory, irp.Type3InputBuffer, irp.UserBuffer = m, nil, nil
	}
	if q.Op == model.Disable {
		o.Status = s.d.DisableEvent(irp, s.list)
	} else if q.Custom {
		o.Status = s.d.EnableEventWithAllocator(irp, s.list, func(irp *engine.IRP, size uint32, input bool) ks.Status {
			a := model.Allocation{By: "custom", Size: size, InputOperation: input}
			if q.AllocFail {
				a.Status = ks.StatusInsufficientResources
			} else {
				irp.SystemBuffer = make([]byte, size)
				fill(irp.SystemBuffer)
			}
			o.Allocations = append(o.Allocations, a)
			return a.Status
		})
	} else {
		o.Status = s.d.EnableEvent(irp, s.list)
	}
	o.Flags, o.Information = uint32(irp.Flags), irp.IoStatus.Information
	if irp.Flags&engine.BufferedIO != 0 {
		o.Allocations = append(o.Allocations, model.Allocation{By: "pool", Size: uint32(len(irp.SystemBuffer))})
	}
	if m != nil {
		for at, n := range m.reads {
			if n > 1 {
				complaints = append(complaints, fmt.Sprintf("S-2: byte %d was read %d times", at, n))
			}
		}
	}
	if irp.IoStatus.Status != 0x0BADF00D {
		complaints = append(complaints, "E-1: IoStatus.Status was written")
	}
	irp.Finish(o.Status, irp.UserBuffer)
	o.Output = out
	if s.pool.Stats().Live != 0 {
		complaints = append(complaints, "S-9: a buffer is left")
	}
	return o, complaints
}

// eventMemory is caller memory that faults, and counts who reads.
type eventMemory struct {
	q       *model.EventRequest
	in, out []byte
	reads   map[int]int // offsets; those of the output are negative
}

func (m *eventMemory) ReadInput(dst []byte, off uint32) ks.Status {
	if m.q.Fault == model.FaultIn {
		return ks.StatusAccessViolation
	}
	for i := range dst {
		m.reads[int(off)+i]++
	}
	copy(dst, m.in[off:])
	return ks.StatusSuccess
}

func (m *eventMemory) ReadOutput(dst []byte) ks.Status {
	if m.q.Fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	for i := range dst {
		m.reads[-1-i]++
	}
	copy(dst, m.out)
	return ks.StatusSuccess
}

func (m *eventMemory) ProbeOutput(uint32) ks.Status {
	if m.q.Fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	return ks.StatusSuccess
}

func (m *eventMemory) WriteOutput(src []byte) ks.Status {
	if m.q.Fault == model.FaultOut {
		return ks.StatusAccessViolation
	}
	copy(m.out, src)
	return ks.StatusSuccess
}

// Run answers the requests on both sides, and says how many were compared and what differs first.
func (c EventCase) Run() (compared int, difference string) {
	s, err := newEventSubject(&c)
	if err != nil {
		return 0, err.Error()
	}
	defer s.worker.Close()
	m := c.Events
	m.Targets = append([]model.Target(nil), c.Events.Targets...)
	for i := range c.Requests {
		q := &c.Requests[i]
		want := m.Do(*q)
		got, complaints := s.do(q)
		if q.Fault != model.FaultNone { // a pool buffer that a fault freed is gone before anybody sees it
			if len(got.Allocations) == 0 && len(want.Allocations) == 1 && want.Allocations[0].By == "pool" &&
				want.Status == ks.StatusAccessViolation {
				got.Allocations = want.Allocations
			}
		}
		if q.Op == model.GenerateEvents || q.Op == model.CloseFile {
			want.Output, got.Output = nil, nil
		}
		if len(want.Output) == 0 {
			want.Output, got.Output = nil, got.Output[:len(got.Output):len(got.Output)]
			if len(got.Output) == 0 {
				got.Output = nil
			}
		}
		if !reflect.DeepEqual(want, got) {
			complaints = append(complaints, "the outcomes differ")
		}
		if complaints != nil {
			return i, fmt.Sprintf("%v\nat request %d: %+v\nthe model:  %+v\nthe engine: %+v\nof %+v", complaints, i, *q, want, got, c.Events)
		}
	}
	for i := range s.files {
		s.list.Free(&s.files[i])
	}
	if n := s.list.Len(); n != 0 {
		return len(c.Requests), fmt.Sprintf("%d entries are left", n)
	}
	return len(c.Requests), ""
}
