package difftest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// MethodCase is the methods of an object and requests for them.
type MethodCase struct {
	Methods  model.Methods
	Requests []model.Request
	Seed     uint64 // of the choices that must make no difference
}

// GenerateMethods draws a case from r.
func GenerateMethods(r *rand.Rand) MethodCase {
	c := MethodCase{Seed: r.Uint64()}
	c.Methods, c.Requests = model.GenerateMethods(r)
	return c
}

// Run answers the requests on both sides. It returns how many were compared, and the first difference.
func (c MethodCase) Run() (compared int, d *Difference) {
	at := -1
	defer func() {
		if v := recover(); v != nil {
			d = &Difference{Index: at, What: []string{fmt.Sprintf("panic: %v", v)}}
		}
	}()
	s, err := newMethodSubject(&c)
	if err != nil {
		return 0, &Difference{Index: -1, What: []string{err.Error()}}
	}
	m := model.NewMethods(c.Methods)
	for i := range c.Requests {
		at = i
		q := c.Requests[i]
		if d := s.compare(m, &q); d != nil {
			d.Index = i
			return i, d
		}
	}
	if what := s.close(); what != nil {
		return len(c.Requests), &Difference{Index: len(c.Requests) - 1, What: what}
	}
	return len(c.Requests), nil
}

// Minimize returns a case with fewer requests and methods that still differs.
func (c MethodCase) Minimize(differs func(MethodCase) bool) MethodCase {
	for i := len(c.Requests) - 1; i >= 0; i-- {
		try := c
		if try.Requests = slices.Delete(slices.Clone(c.Requests), i, i+1); differs(try) {
			c = try
		}
	}
	for i := range c.Methods.Sets {
		for j := len(c.Methods.Sets[i].Items) - 1; j >= 0; j-- {
			try := c
			try.Methods.Sets = slices.Clone(c.Methods.Sets)
			try.Methods.Sets[i].Items = slices.Delete(slices.Clone(c.Methods.Sets[i].Items), j, j+1)
			if differs(try) {
				c = try
			}
		}
	}
	return c
}

// String is the case as text.
func (c MethodCase) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "MethodItemSize %d, seed %d, Compat %+v\n", c.Methods.ItemSize, c.Seed, c.Methods.Compat)
	for _, s := range c.Methods.Sets {
		fmt.Fprintf(&b, "  set %v, fast %v\n", s.GUID, s.Fast)
		for _, it := range s.Items {
			fmt.Fprintf(&b, "    method %d: %v, support %v, MinMethod %d, MinData %d, flags %d\n", it.ID, it.Handler, it.Support, it.MinMethod,
				it.MinData, it.Flags)
		}
	}
	for i := range c.Requests {
		fmt.Fprintf(&b, "request %d: %s\n", i, describe(&c.Requests[i]))
	}
	return b.String()
}

// methodSubject is the methods of a case behind the real dispatcher.
type methodSubject struct {
	subject
	object model.Methods
	values map[*model.Method]*model.Value
}

func newMethodSubject(c *MethodCase) (*methodSubject, error) {
	s := &methodSubject{object: c.Methods, values: map[*model.Method]*model.Value{}}
	s.subject = subject{c: &Case{Seed: c.Seed, Compat: c.Methods.Compat}, irp: new(engine.IRP), files: map[int]*engine.FileObject{},
		handles: map[int]*device.Handle{}, pended: map[string]*pended{}}
	object := engine.Config{MethodItemSize: c.Methods.ItemSize, Compat: config(c.Methods.Compat), OnPanic: s.panicked}
	for i := range c.Methods.Sets {
		decl := &c.Methods.Sets[i]
		set := engine.MethodSet{Set: decl.GUID}
		for j := range decl.Items {
			it := &decl.Items[j]
			s.values[it] = model.NewValue(it.MinData)
			set.Items = append(set.Items, engine.MethodItem{ID: it.ID, Handler: s.handler(it, "method", it.Handler),
				Support: s.handler(it, "support", it.Support), MinMethod: it.MinMethod, MinData: it.MinData, Flags: it.Flags, Context: it})
			if slices.Contains(decl.Fast, it.ID) {
				set.FastIO = append(set.FastIO, engine.FastMethodItem{ID: it.ID, Handler: s.fastHandler(it)})
			}
		}
		object.MethodSets = append(object.MethodSets, set)
	}
	var err error
	if s.dispatcher, err = engine.Compile(object); err == nil && c.Seed%8 != 0 {
		s.arena, err = arena.New(arena.Config{Limit: limit})
	}
	return s, err
}

// handler runs a program behind the dispatcher and records what it was given.
func (s *methodSubject) handler(it *model.Method, verb string, p model.Program) engine.Handler {
	if p.Kind == model.None {
		return nil
	}
	return func(irp *engine.IRP, request, data []byte) (status ks.Status) {
		x := s.now
		c := model.Call{Verb: verb, ID: it.ID, In: irp.InputBufferLength, Out: irp.OutputBufferLength,
			Kernel: irp.RequestorMode == engine.KernelMode,
			File:   fileOf(irp.FileObject), RequestOffset: offset(irp.SystemBuffer, request), DataOffset: -1, ItemSlot: irp.MethodItem() != nil,
			Request: clone(request), Data: clone(data)}
		own := verb == "method" && it.Flags&ks.MethodTypeSource != 0
		switch {
		case data != nil && own:
			c.DataOffset = 0
		case data != nil:
			c.DataOffset = int(offset(irp.SystemBuffer, data))
		}
		if set := irp.MethodSet(); set != nil {
			c.Set, c.SetSlot = set.Set, true
		}
		if irp.MethodType() != it.Flags || irp.ItemContext() != any(it) || irp.PropertySet() != nil {
			x.complain("M-3: type %#x, context %v", irp.MethodType(), irp.ItemContext())
		}
		if got, want := len(irp.ItemStorage()), max(int(s.object.ItemSize), engine.SizeMethodItem)-engine.SizeMethodItem; got != want {
			x.complain("M-3: %d bytes of private storage, want %d", got, want)
		}
		if cap(request) != len(request) || cap(data) != len(data) {
			x.complain("P-6: a handler's slices reach beyond what it was given")
		}
		for i := len(data); !own && i < len(irp.SystemBuffer) && i < (len(data)+7)&^7; i++ {
			if irp.SystemBuffer[i] != 0 {
				x.complain("S-11: the padding is not zero")
			}
		}
		status = x.record(c, func() ks.Status { return p.RunMethod(s.values[it], it.Flags, data, &irp.IoStatus.Information) })
		if status == ks.StatusPending && x.ending != nil {
			copy(data, x.ending.Data)
			irp.Complete(x.ending.Status, x.ending.Information)
		} else if status == ks.StatusPending {
			if x.data = data; x.waits {
				x.complain("a request pends that should not")
				irp.Complete(ks.StatusUnsuccessful, 0)
			}
		}
		return status
	}
}

func (s *methodSubject) fastHandler(it *model.Method) engine.FastHandler {
	if it.Handler.Kind == model.None {
		return nil
	}
	return func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		c := model.Call{Verb: "method", ID: it.ID, In: uint32(len(request)), Out: uint32(len(data)), Kernel: mode == engine.KernelMode,
			File: fileOf(file), Request: clone(request), Data: clone(data)}
		if data == nil {
			c.Out = s.now.q.Out // there is no data to tell the length (M-4)
		}
		q, _ := ks.DecodeIdentifier(request)
		c.Set = q.Set
		io.Status = s.now.record(c, func() ks.Status { return it.Handler.RunMethod(s.values[it], it.Flags, data, &io.Information) })
		return io.Status != ks.StatusPending || len(request)%2 == 0
	}
}

// compare answers q on both sides.
func (s *methodSubject) compare(m *model.MethodModel, q *model.Request) *Difference {
	s.now = &exchange{q: q}
	var want, got model.Outcome
	switch q.Op {
	case model.FastProperty:
		if q.Fault == model.FaultOut {
			q.Fault = model.FaultNone
		}
		want, got = m.Do(*q), s.fast(q)
	case model.Complete:
		p := s.pended[q.Tag]
		if want = m.Do(*q); p != nil {
			copy(p.data, q.Data)
			data := q.Data
			q.Data = nil // written already, where the handler was told to
			got = s.complete(q)
			q.Data = data
		} else {
			got = s.complete(q)
		}
	case model.DispatchSpecific:
		want, got = m.Do(*q), s.specific(q)
	default:
		want, got = s.send(m, q)
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
	if what := append(differences(q, &want, &got), x.complaints...); what != nil {
		return &Difference{What: what, Want: want, Got: got}
	}
	return nil
}

// send sends a request to the dispatcher, on one of the ways that must not differ.
func (s *methodSubject) send(m *model.MethodModel, q *model.Request) (want, got model.Outcome) {
	r := s.choices(q.Tag)
	if (uint64(q.Out)+7)&^7+uint64(q.In) > longest && (!m.Refuses(q) || s.arena == nil) {
		q.In, q.Out = min(q.In, 64), min(q.Out, 300)
		q.Data = q.Data[:min(len(q.Data), int(q.Out))]
	}
	irp := s.irp
	caller := &lender{caller: newCaller(q, irp)}
	irp.Pool, irp.FileObject, irp.RequestorMode = s.arena, s.file(q.File), engine.UserMode
	if q.Kernel {
		irp.RequestorMode = engine.KernelMode
	}
	irp.InputBufferLength, irp.OutputBufferLength = q.In, q.Out
	irp.Memory, irp.Type3InputBuffer, irp.UserBuffer, irp.Completion = nil, caller.in, caller.out, nil
	flags := s.flagsOf(q)
	if q.Prepared == model.PreparedByUs && (m.Refuses(q) || !s.earlier(irp, q, caller, flags)) {
		q.Prepared = model.Fresh
	}
	want = m.Do(*q)
	plain := (q.Plain || q.Allocator <= model.AllocGood) && q.Fault == model.FaultNone && q.Prepared == model.Fresh
	if plain && r.IntN(4) == 0 && q.In < longest && q.Out < longest {
		if want.Pended {
			s.now.ending = &model.Request{Op: model.Complete, Tag: q.Tag, Status: []ks.Status{ks.StatusSuccess, ks.StatusBufferOverflow,
				ks.StatusNotSupported}[r.IntN(3)], Information: uint64(q.Out)}
			calls := want.Calls
			want = m.Do(*s.now.ending)
			want.Calls = calls
		}
		return want, s.device(q, &want, caller.caller)
	}
	if q.Prepared == model.PreparedForge {
		irp.SystemBuffer = append(make([]byte, (min(q.Out, longest)+7)&^7), caller.in...)
	}
	switch {
	case q.Prepared == model.PreparedByUs:
		caller.fault, caller.captured = q.Fault, true
	case q.Fault != model.FaultNone || r.IntN(2) == 0 ||
		flags&(ks.MethodTypeSource|ks.MethodTypeModify) == ks.MethodTypeSource|ks.MethodTypeRead:
		caller.fault = q.Fault
		irp.Memory, irp.Type3InputBuffer, irp.UserBuffer = caller, nil, nil
	}
	irp.IoStatus = engine.IoStatus{Status: untouched, Information: q.Info0}
	before := s.allocs()
	var status ks.Status
	switch {
	case q.Plain:
		status = s.dispatcher.Method(irp)
	case q.Allocator == model.AllocNone:
		status = s.dispatcher.MethodWithAllocator(irp, nil)
	default:
		status = s.dispatcher.MethodWithAllocator(irp, s.allocate)
	}

	x := s.now
	got = model.Outcome{Status: status, Information: irp.IoStatus.Information, Pended: status == ks.StatusPending, Flags: uint32(irp.Flags),
		Win32: status.Win32(), Rule: irp.Rule(), Allocations: x.allocations}
	if irp.IoStatus.Status != untouched {
		x.complain("P-1: IoStatus.Status is written")
	}
	switch {
	case q.Prepared != model.Fresh:
	case irp.Flags&engine.DeallocateBuffer != 0:
		got.Allocations = append(got.Allocations, model.Allocation{By: "pool", Size: uint32(len(irp.SystemBuffer))})
	case x.custom == nil && caller.obtained >= 0: // freed since (S-9)
		got.Allocations = append(got.Allocations, model.Allocation{By: "pool", Size: uint32(caller.obtained)})
	case x.custom == nil && s.allocs() > before:
		x.complain("S-9: a buffer is gone that nobody saw")
	}
	x.complaints = append(x.complaints, caller.complaints...)
	caller.complaints = nil
	if got.Pended {
		s.pended[q.Tag] = &pended{irp: irp, caller: caller.caller, user: caller.out, custom: x.custom, q: *q, data: x.data}
		s.irp = new(engine.IRP)
		return want, got
	}
	s.finish(irp, q, caller.caller, caller.out, x.custom, &got)
	if caller.locks != caller.unlocks {
		x.complain("S-9: %d locks, %d unlocks", caller.locks, caller.unlocks)
	}
	return want, got
}

// earlier is a genuine earlier pass, of a table whose method has the same flags and is declined (P-15).
func (s *methodSubject) earlier(irp *engine.IRP, q *model.Request, c *lender, flags uint32) bool {
	decline := func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusNotFound }
	d, err := engine.Compile(engine.Config{Compat: config(s.c.Compat), MethodSets: []engine.MethodSet{{Set: q.Set, Items: []engine.MethodItem{
		{ID: q.ID, Handler: decline, Support: decline, Flags: flags}}}}})
	if err != nil || q.Set == (ks.GUID{}) {
		return false
	}
	irp.Memory = c // what a method locks is lent by it, in this pass as in the next
	if q.Plain || q.Allocator == model.AllocNone {
		d.Method(irp)
	} else {
		kind := q.Allocator
		q.Allocator = model.AllocGood
		d.MethodWithAllocator(irp, s.allocate)
		q.Allocator = kind
		s.now.allocations = nil
	}
	c.obtained = -1
	return irp.SystemBuffer != nil
}

// flagsOf returns KSMETHOD_ITEM.Flags of the method that is asked, for a request that is sent.
func (s *methodSubject) flagsOf(q *model.Request) uint32 {
	for _, set := range s.object.Sets {
		for _, it := range set.Items {
			if set.GUID == q.Set && it.ID == q.ID {
				return it.Flags
			}
		}
	}
	return 0
}

// device sends the request through a handle. What is internal to it is taken from want.
func (s *methodSubject) device(q *model.Request, want *model.Outcome, c *caller) model.Outcome {
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
	s.now.waits = true
	r := []engine.BatchRequest{{In: c.in, Out: c.out}}
	if s.turn++; s.turn%2 == 0 {
		r[0].BytesReturned, r[0].Status = h.IoControl(ks.IoctlMethod, c.in, c.out)
	} else if h.MethodBatch(r) != 1 {
		s.now.complain("MethodBatch did not answer a request")
	}
	return model.Outcome{Status: r[0].Status, Information: want.Information, Flags: want.Flags, Allocations: want.Allocations,
		Win32: r[0].Status.Win32(), BytesReturned: uint64(r[0].BytesReturned), Output: c.out}
}

// fast sends the request down the fast path.
func (s *methodSubject) fast(q *model.Request) model.Outcome {
	c := newCaller(q, nil)
	request, mode := c.in, engine.UserMode
	if q.Fault == model.FaultIn {
		request = request[:min(len(request), ks.SizeIdentifier-1)]
	}
	if q.Kernel {
		mode = engine.KernelMode
	}
	io := engine.IoStatus{Status: untouched, Information: q.Info0}
	if !s.dispatcher.FastMethod(s.file(q.File), mode, request, c.out, &io) {
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

// specific is KsDispatchSpecificMethod: on a pended request, or on one that was completed long ago.
func (s *methodSubject) specific(q *model.Request) model.Outcome {
	irp, verb := s.irp, ""
	if p := s.pended[q.Tag]; p != nil {
		irp, verb = p.irp, "method"
		if p.q.Flags&ks.MethodTypeBasicSupport != 0 {
			verb = "support"
		}
	}
	irp.IoStatus.Status = untouched
	status := engine.DispatchSpecificMethod(irp, func(irp *engine.IRP, request, data []byte) ks.Status {
		it, ok := irp.ItemContext().(*model.Method)
		if !ok {
			s.now.complain("M-9: DriverContext has no item")
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

// lender is a caller whose output can be locked: the memory itself for a method that writes, and a copy for one that reads.
type lender struct {
	*caller
	locks, unlocks int
}

func (c *lender) LockOutput(n uint32, access engine.LockOperation, mode engine.Mode) ([]byte, ks.Status) {
	c.obtained = len(c.irp.SystemBuffer)
	if c.captured {
		c.complain("P-15: the output is locked again")
	}
	if int(n) != len(c.out) || n == 0 || mode != c.irp.RequestorMode {
		c.complain("M-4: %d of %d bytes are locked for %v", n, len(c.out), mode)
	}
	if c.fault == model.FaultOut {
		return nil, ks.StatusAccessViolation
	}
	c.locks++
	if access == engine.ReadAccess {
		return bytes.Clone(c.out), ks.StatusSuccess
	}
	return c.out, ks.StatusSuccess
}

func (c *lender) UnlockOutput() { c.unlocks++ }
