package difftest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// untouched is a status that nobody returns.
const untouched = ks.Status(0x2BADF00D)

// compare answers q on both sides.
func (s *subject) compare(m *model.Model, q *model.Request) *Difference {
	s.now = &exchange{q: q}
	var want, got model.Outcome
	switch q.Op {
	case model.FastProperty:
		if q.Fault == model.FaultOut {
			q.Fault = model.FaultNone
		}
		want = m.Do(*q)
		got = s.fast(q)
	case model.Complete:
		want = m.Do(*q)
		got = s.complete(q)
	case model.DispatchSpecific:
		want = m.Do(*q)
		got = s.specific(q)
	default:
		want, got = s.property(m, q)
	}
	x := s.now
	got.Calls = x.calls
	if x.panics != x.reported {
		x.complain("P-21: %d panics, %d reported", x.panics, x.reported)
	}
	if s.arena != nil {
		if live := s.arena.Stats().Live; live != len(s.pended)+s.lost {
			x.complain("S-9: %d live buffers, %d pended requests", live, len(s.pended)+s.lost)
		}
	}
	what := append(differences(q, &want, &got), x.complaints...)
	if what == nil {
		return nil
	}
	return &Difference{What: what, Want: want, Got: got}
}

// property sends a request to the dispatcher, on one of the ways that must not differ.
func (s *subject) property(m *model.Model, q *model.Request) (want, got model.Outcome) {
	r := s.choices(q.Tag)
	if large := (uint64(q.Out)+7)&^7+uint64(q.In) > longest; large && (!m.Refuses(q) || s.arena == nil) {
		q.In, q.Out = min(q.In, 64), min(q.Out, 300) // the generator knows neither Compat nor a smaller case
		q.Data = q.Data[:min(len(q.Data), int(q.Out))]
	}
	caller, irp := newCaller(q, s.irp), s.irp
	irp.Pool, irp.FileObject, irp.RequestorMode = s.arena, s.file(q.File), engine.UserMode
	if q.Kernel {
		irp.RequestorMode = engine.KernelMode
	}
	irp.InputBufferLength, irp.OutputBufferLength = q.In, q.Out
	irp.Completion = nil

	if q.Prepared == model.PreparedByUs && !s.earlier(irp, q, caller) {
		q.Prepared = model.Fresh
	}
	want = m.Do(*q)
	if r.IntN(4) == 0 && q.Prepared == model.Fresh && q.Fault == model.FaultNone &&
		(q.Plain || q.Allocator <= model.AllocGood) && q.In < longest && q.Out < longest {
		if want.Pended {
			s.now.ending = &model.Request{Op: model.Complete, Tag: q.Tag, Status: []ks.Status{ks.StatusSuccess, ks.StatusBufferOverflow,
				ks.StatusNotSupported}[r.IntN(3)], Information: uint64(q.Out), Data: []byte{1, 2, 3}}
			pended := want
			want = m.Do(*s.now.ending)
			want.Calls = pended.Calls
		}
		return want, s.device(q, &want, caller)
	}
	if q.Prepared == model.PreparedForge {
		irp.SystemBuffer = clone(caller.in)
		if n := uint64(q.Out+7)&^7 + uint64(q.In); n < longest { // as if laid out by a dispatcher, but by nobody
			irp.SystemBuffer = append(make([]byte, (q.Out+7)&^7), caller.in...)
		}
	}

	irp.IoStatus = engine.IoStatus{Status: untouched, Information: q.Info0}
	caller.fault, caller.captured = q.Fault, q.Prepared == model.PreparedByUs
	user := s.lend(r, irp, q, caller)
	before := s.allocs()
	var status ks.Status
	if q.Plain {
		status = s.dispatcher.Property(irp)
	} else if q.Allocator == model.AllocNone {
		status = s.dispatcher.PropertyWithAllocator(irp, nil)
	} else {
		status = s.dispatcher.PropertyWithAllocator(irp, s.allocate)
	}

	x := s.now
	got = model.Outcome{Status: status, Information: irp.IoStatus.Information, Pended: status == ks.StatusPending, Flags: uint32(irp.Flags),
		Win32: status.Win32()}
	if irp.IoStatus.Status != untouched {
		x.complain("P-1: IoStatus.Status is written")
	}
	got.Allocations = x.allocations
	switch {
	case q.Prepared != model.Fresh:
	case irp.Flags&engine.DeallocateBuffer != 0:
		got.Allocations = append(got.Allocations, model.Allocation{By: "pool", Size: uint32(len(irp.SystemBuffer))})
	case irp.Memory != nil && caller.obtained >= 0 && x.custom == nil: // freed since (S-9)
		got.Allocations = append(got.Allocations, model.Allocation{By: "pool", Size: uint32(caller.obtained)})
	case irp.Memory == nil && x.custom == nil && s.allocs() > before: // its size is not to be seen any more
		got.Allocations = append(got.Allocations, model.Allocation{By: "pool", Size: (q.Out+7)&^7 + q.In})
	}
	x.complaints = append(x.complaints, caller.complaints...)
	caller.complaints = nil

	got.Rule = irp.Rule()

	if got.Pended {
		if s.pended[q.Tag] != nil {
			s.lost++
		}
		s.pended[q.Tag] = &pended{irp: irp, caller: caller, user: user, custom: x.custom, q: *q}
		s.irp = new(engine.IRP)
		return want, got
	}
	s.finish(irp, q, caller, user, x.custom, &got)
	return want, got
}

// earlier is a genuine earlier pass over the request: a dispatcher whose table has the property answers STATUS_NOT_FOUND, as
// class drivers do for what they leave to another table (P-15, P-26). It says whether the request is prepared now; some
// fail what no table influences.
func (s *subject) earlier(irp *engine.IRP, q *model.Request, c *caller) bool {
	if (uint64(q.Out)+7)&^7+uint64(q.In) > longest {
		return false
	}
	config := engine.Config{Compat: config(s.c.Compat)}
	if q.Set != (ks.GUID{}) {
		decline := func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusNotFound }
		config.PropertySets = []engine.PropertySet{{Set: q.Set,
			Items: []engine.PropertyItem{{ID: q.ID, Get: decline, Set: decline, Support: decline}}}}
	}
	d, err := engine.Compile(config)
	if err != nil {
		s.now.complain("the table of the earlier pass: %v", err)
		return false
	}
	irp.Memory = nil
	irp.Type3InputBuffer, irp.UserBuffer = c.in, c.out
	if q.Plain || q.Allocator == model.AllocNone {
		d.Property(irp)
	} else {
		kind := q.Allocator
		q.Allocator = model.AllocGood
		d.PropertyWithAllocator(irp, s.allocate)
		q.Allocator = kind
		s.now.allocations = nil
	}
	irp.Type3InputBuffer, irp.UserBuffer = nil, nil
	return irp.SystemBuffer != nil
}

// lend gives the caller's memory to the IRP, as slices or as a Memory. It returns what Finish writes to.
func (s *subject) lend(r *rand.Rand, irp *engine.IRP, q *model.Request, c *caller) (user []byte) {
	irp.Memory, irp.Type3InputBuffer, irp.UserBuffer = nil, nil, nil
	if r.IntN(2) == 0 || s.arena == nil && q.Fault == model.FaultOut {
		irp.Memory = c
		return nil
	}
	in, out := c.in, c.out
	if q.Fault == model.FaultIn { // what lies beyond a slice is not mapped
		in = in[:min(len(in), r.IntN(ks.SizeIdentifier))]
	}
	if q.Fault == model.FaultOut && len(out) > 0 {
		if out = out[:len(out)-1]; q.Kernel || q.Prepared == model.PreparedByUs {
			out = nil // not even a part of what completion writes arrives
		}
	}
	if q.Prepared != model.PreparedByUs { // those were captured already
		irp.Type3InputBuffer, irp.UserBuffer = in, out
	}
	return out
}

func (s *subject) allocs() uint64 {
	if s.arena == nil {
		return 0
	}
	return s.arena.Stats().Allocs
}

// finish completes a request, and gives an allocator's buffer back as a filter does.
func (s *subject) finish(irp *engine.IRP, q *model.Request, c *caller, user, custom []byte, got *model.Outcome) {
	x := s.now
	if custom != nil && irp.SystemBuffer == nil {
		x.complain("P-13: the allocator's buffer is gone")
	}
	freed := irp.Flags&engine.DeallocateBuffer != 0
	c.completing = true
	got.BytesReturned = uint64(irp.Finish(got.Status, user))
	got.Output = c.out
	if irp.IoStatus.Status != got.Status {
		x.complain("N-1: the request ends with %v", irp.IoStatus.Status)
	}
	if freed && irp.SystemBuffer != nil {
		x.complain("S-9: flags 0x%X, and SystemBuffer has %d bytes after completion", got.Flags, len(irp.SystemBuffer))
	}
	if irp.Flags&(engine.BufferedIO|engine.DeallocateBuffer|engine.InputOperation) != 0 {
		x.complain("S-9: flags 0x%X after completion", irp.Flags)
	}
	s.free(custom)
	irp.SystemBuffer = nil
	x.complaints = append(x.complaints, c.complaints...)
	c.complaints = nil
}

// device sends the request through a handle. What is internal to it is taken from want.
func (s *subject) device(q *model.Request, want *model.Outcome, c *caller) model.Outcome {
	h := s.handles[q.File]
	if h == nil {
		var err error
		if h, err = device.New(s.dispatcher).Open(); err != nil {
			s.now.complain("Open: %v", err)
			return model.Outcome{}
		}
		h.File().Context = q.File
		s.handles[q.File] = h
	}
	h.SetMode(engine.UserMode)
	if q.Kernel {
		h.SetMode(engine.KernelMode)
	}
	n, status := s.ways(h, c.in, c.out)
	return model.Outcome{Status: status, Information: want.Information, Flags: want.Flags, Allocations: want.Allocations,
		Win32: status.Win32(), BytesReturned: uint64(n), Output: c.out}
}

// ways sends a request through a handle in one of the ways that answer alike.
func (s *subject) ways(h *device.Handle, in, out []byte) (n uint32, status ks.Status) {
	s.turn++
	switch s.turn % 3 {
	case 0:
		if id, ok := ks.DecodeIdentifier(in); ok {
			if ref, ok := s.dispatcher.Resolve(id.Set, id.ID); ok {
				return h.IoControlTo(&ref, in, out)
			}
		}
	case 1:
		r := []engine.BatchRequest{{In: in, Out: out}}
		if h.PropertyBatch(r) != 1 {
			s.now.complain("PropertyBatch did not answer a request")
		}
		return r[0].BytesReturned, r[0].Status
	}
	return h.IoControl(ks.IoctlProperty, in, out)
}

// complete ends a pended request as its owner.
func (s *subject) complete(q *model.Request) (got model.Outcome) {
	p := s.pended[q.Tag]
	if p == nil {
		return model.Outcome{Unknown: true}
	}
	delete(s.pended, q.Tag)
	completed := 0
	p.irp.Completion = func(irp *engine.IRP) {
		if completed++; irp != p.irp {
			s.now.complain("another request is completed")
		}
	}
	copy(p.irp.SystemBuffer[:min(uint64(p.q.Out), uint64(len(p.irp.SystemBuffer)))], q.Data)
	p.irp.Complete(q.Status, q.Information)
	if completed != 1 {
		s.now.complain("Completion is called %d times", completed)
	}
	got = model.Outcome{Status: p.irp.IoStatus.Status, Information: p.irp.IoStatus.Information, Flags: uint32(p.irp.Flags),
		Win32: p.irp.IoStatus.Status.Win32()}
	s.finish(p.irp, &p.q, p.caller, p.user, p.custom, &got)
	return got
}

// specific is KsDispatchSpecificProperty: on a pended request, or on one that was completed long ago.
func (s *subject) specific(q *model.Request) (got model.Outcome) {
	irp, verb := s.irp, ""
	if p := s.pended[q.Tag]; p != nil {
		irp = p.irp
		request := irp.SystemBuffer[(uint64(irp.OutputBufferLength)+7)&^7:]
		switch h, _ := ks.DecodeIdentifier(request); verbOf(h.Flags, s.c.Compat.P25) {
		case ks.PropertyTypeGet:
			verb = "get"
		case ks.PropertyTypeSet:
			verb = "set"
		default:
			verb = "support"
		}
	} else {
		irp.IoStatus.Information = 44
	}
	irp.IoStatus.Status = untouched
	status := engine.DispatchSpecificProperty(irp, func(irp *engine.IRP, request, data []byte) ks.Status {
		it, ok := irp.ItemContext().(*model.Item)
		if !ok {
			s.now.complain("P-50: DriverContext has no item")
			return untouched
		}
		return s.handler(it, verb, q.Program)(irp, request, data)
	})
	if irp.IoStatus.Status != untouched {
		s.now.complain("P-1: IoStatus.Status is written")
	}
	return model.Outcome{Status: status, Information: irp.IoStatus.Information, Pended: status == ks.StatusPending, Flags: uint32(irp.Flags),
		Win32: status.Win32()}
}

// verbOf is GET, SET or another verb: what a dispatcher that may accept mixtures takes flags for.
func verbOf(flags uint32, mixtures bool) uint32 {
	if verb := flags & (ks.PropertyTypeGet | ks.PropertyTypeSet); verb != ks.PropertyTypeGet|ks.PropertyTypeSet || !mixtures {
		return verb
	}
	return ks.PropertyTypeSet
}

// fast sends the request down the fast path.
func (s *subject) fast(q *model.Request) model.Outcome {
	c := newCaller(q, nil)
	request, mode := c.in, engine.UserMode
	if q.Fault == model.FaultIn {
		request = request[:min(len(request), ks.SizeIdentifier-1)]
	}
	if q.Kernel {
		mode = engine.KernelMode
	}
	io := engine.IoStatus{Status: untouched, Information: q.Info0}
	send := s.dispatcher.FastProperty
	if id, ok := ks.DecodeIdentifier(request); ok && s.turn%2 == 0 {
		if ref, ok := s.dispatcher.Resolve(id.Set, id.ID); ok {
			send = ref.FastProperty
		}
	}
	s.turn++
	handled := send(s.file(q.File), mode, request, c.out, &io)
	if !handled {
		if io.Status != untouched {
			s.now.complain("F-4: IoStatus.Status is written")
		}
		return model.Outcome{Information: io.Information}
	}
	o := model.Outcome{Handled: true, Status: io.Status, Information: io.Information, Win32: io.Status.Win32(), Output: c.out}
	if !io.Status.IsError() {
		o.BytesReturned = io.Information
	}
	return o
}

// alike are pairs of rules that decide together, of which the model names one and the dispatcher the other: the result of
// a support handler, an unknown set of SETSUPPORT, GUID_NULL with another verb, an inner request that pends, a forged buffer.
var alike = [][2]string{{"P-17", "P-34"}, {"P-24", "P-31"}, {"P-32", "P-24"}, {"P-43", "P-17"}, {"S-15", "P-15"},
	{"P-17", "M-8"}, {"P-18", "M-8"}}

// differences compares the fields that count for q.
func differences(q *model.Request, want, got *model.Outcome) (what []string) {
	differ := func(field string, w, g any) {
		if w != g {
			what = append(what, fmt.Sprintf("%s is %v, want %v", field, g, w))
		}
	}
	if !slices.EqualFunc(want.Calls, got.Calls, sameCall) {
		what = append(what, "the handler calls differ")
	}
	if q.Op == model.Complete {
		differ("unknown", want.Unknown, got.Unknown)
	}
	if q.Op == model.FastProperty {
		if differ("handled", want.Handled, got.Handled); !want.Handled {
			differ("Information", want.Information, got.Information)
			return what
		}
	} else {
		differ("flags", want.Flags, got.Flags)
		if q.Op == model.Property && !slices.Equal(want.Allocations, got.Allocations) {
			what = append(what, "the allocations differ")
		}
	}
	if got.Rule != "" && !want.Pended && got.Rule != want.Rule && !slices.Contains(alike, [2]string{want.Rule, got.Rule}) {
		differ("the rule", want.Rule, got.Rule)
	}
	differ("status", want.Status, got.Status)
	differ("pended", want.Pended, got.Pended)
	if want.Pended || want.Unknown {
		return what
	}
	differ("Information", want.Information, got.Information)
	differ("Win32", want.Win32, got.Win32)
	if q.Op == model.DispatchSpecific {
		return what
	}
	differ("BytesReturned", uint32(want.BytesReturned), uint32(got.BytesReturned))
	if want.Output != nil && !bytes.Equal(want.Output, got.Output) {
		what = append(what, "the output differs")
	}
	return what
}

func sameCall(a, b model.Call) bool {
	return a.Verb == b.Verb && a.Set == b.Set && a.ID == b.ID && a.RequestOffset == b.RequestOffset && a.DataOffset == b.DataOffset &&
		a.In == b.In && a.Out == b.Out && a.Kernel == b.Kernel && a.File == b.File && a.SetSlot == b.SetSlot && a.ItemSlot == b.ItemSlot &&
		a.Status == b.Status && bytes.Equal(a.Request, b.Request) && bytes.Equal(a.Data, b.Data)
}
