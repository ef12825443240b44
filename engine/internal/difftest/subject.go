package difftest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// subject is a case's object behind the real dispatcher.
type subject struct {
	c          *Case
	dispatcher *engine.Dispatcher
	values     map[*model.Item]*model.Value
	arena      *arena.Arena // nil: the heap
	irp        *engine.IRP
	files      map[int]*engine.FileObject
	handles    map[int]*device.Handle
	pended     map[string]*pended
	turn       int // decides which of the equal ways a request takes
	lost       int // buffers of pended requests whose tag was used again: nobody can complete them

	now *exchange
}

// pended is a request that waits for its owner.
type pended struct {
	irp    *engine.IRP
	caller *caller
	user   []byte
	custom []byte
	q      model.Request
	data   []byte // what the handler of a method was given
}

// exchange is what happens in the course of one request.
type exchange struct {
	q           *model.Request
	calls       []model.Call
	allocations []model.Allocation
	custom      []byte         // the allocator's buffer
	data        []byte         // what the handler of a method was given that left it pending
	panics      int            // thrown
	reported    int            // to Config.OnPanic
	ending      *model.Request // how a request that pends is completed before the handler returns; nil leaves it pending
	complaints  []string
	waits       bool // a request that pends is waited for
}

func (x *exchange) complain(format string, args ...any) {
	x.complaints = append(x.complaints, fmt.Sprintf(format, args...))
}

// newSubject compiles the object. refused says that the table is one that every request fails on (P-3).
func newSubject(c *Case) (s *subject, refused bool, err error) {
	s = &subject{c: c, values: map[*model.Item]*model.Value{}, irp: new(engine.IRP), files: map[int]*engine.FileObject{},
		handles: map[int]*device.Handle{}, pended: map[string]*pended{}}
	config := engine.Config{PropertyItemSize: c.Object.ItemSize, Compat: config(c.Compat), OnPanic: s.panicked}
	for i := range c.Object.Sets {
		config.PropertySets = append(config.PropertySets, s.declare(&c.Object.Sets[i]))
	}
	s.dispatcher, err = engine.Compile(config)
	bad := model.New(c.Object, c.Compat).Do(model.Request{}).Rule == "P-3"
	var mistake *engine.CompileError
	switch {
	case errors.As(err, &mistake) && bad && mistake.Status == ks.StatusInvalidParameter:
		return nil, true, nil
	case err != nil:
		return nil, false, err
	case bad:
		return nil, false, errors.New("P-3: Compile accepts the table")
	}
	if c.Seed%8 != 0 {
		if s.arena, err = arena.New(arena.Config{Limit: limit}); err != nil { // a dispatcher that is wrong about lengths asks for GiBs
			return nil, false, err
		}
		dirty, err := s.arena.AllocUninit(4 * 1024)
		if err != nil {
			return nil, false, err
		}
		fill(dirty)
		s.arena.Free(dirty)
	}
	return s, false, nil
}

// limit is room for every request of a case to pend.
const limit = 16 << 20

func fill(b []byte) {
	for i := range b {
		b[i] = 0xCC
	}
}

func (s *subject) declare(decl *model.Set) engine.PropertySet {
	set := engine.PropertySet{Set: decl.GUID}
	for i := range decl.Items {
		it := &decl.Items[i]
		s.values[it] = model.NewValue(it.MinData)
		item := engine.PropertyItem{ID: it.ID, MinProperty: it.MinProperty, MinData: it.MinData, SerializedSize: it.SerializedSize,
			Relations: it.Relations, Context: it,
			Get: s.handler(it, "get", it.Get), Set: s.handler(it, "set", it.Set), Support: s.handler(it, "support", it.Support)}
		if v := it.Values; v != nil {
			item.Values = &engine.PropertyValues{PropTypeSet: ks.Identifier{Set: v.TypeSet, ID: v.TypeID, Flags: 0xFFFFFFFF}}
			for _, l := range v.Lists {
				item.Values.MembersList = append(item.Values.MembersList, engine.MembersList{Members: l.Data, MembersHeader: ks.MembersHeader{
					MembersFlags: l.MembersFlags, MembersSize: l.Size, MembersCount: l.Count, Flags: l.Flags}})
			}
		}
		set.Items = append(set.Items, item)
		for _, f := range decl.Fast {
			if f.ID == it.ID {
				fast := engine.FastPropertyItem{ID: f.ID}
				if f.Get {
					fast.Get = s.fastHandler(it, "get", it.Get)
				}
				if f.Set {
					fast.Set = s.fastHandler(it, "set", it.Set)
				}
				set.FastIO = append(set.FastIO, fast)
			}
		}
	}
	for _, it := range decl.Items { // an id that FastIO lists and no item has is as unknown to an IRP as any other (F-2)
		if id := it.ID + 1; s.c.Seed%4 != 1 && !s.c.declares(decl.GUID, id) {
			set.FastIO = append(set.FastIO, engine.FastPropertyItem{ID: id})
		}
	}
	return set
}

// declares says whether the object has an item with that id in a set with that GUID.
func (c *Case) declares(guid ks.GUID, id uint32) bool {
	for _, s := range c.Object.Sets {
		if s.GUID == guid && slices.ContainsFunc(s.Items, func(it model.Item) bool { return it.ID == id }) {
			return true
		}
	}
	return false
}

func (s *subject) panicked(value any, stack []byte) {
	s.now.reported++
	if len(stack) == 0 {
		s.now.complain("P-21: a panic is reported without a stack")
	}
}

// handler runs a program behind the dispatcher and records what it was given.
func (s *subject) handler(it *model.Item, verb string, p model.Program) engine.Handler {
	if p.Kind == model.None {
		return nil
	}
	return func(irp *engine.IRP, request, data []byte) (status ks.Status) {
		x := s.now
		c := model.Call{Verb: verb, ID: it.ID, In: irp.InputBufferLength, Out: irp.OutputBufferLength,
			Kernel: irp.RequestorMode == engine.KernelMode,
			File:   fileOf(irp.FileObject), RequestOffset: offset(irp.SystemBuffer, request), DataOffset: -1}
		if data != nil {
			c.DataOffset = int(offset(irp.SystemBuffer, data))
		}
		if set := irp.PropertySet(); set != nil {
			c.Set, c.SetSlot = set.Set, true
		}
		if item := irp.PropertyItem(); item != nil {
			c.ItemSlot = true
			if item.ID != it.ID {
				x.complain("P-22: DriverContext has item %d in a handler of item %d", item.ID, it.ID)
			}
		}
		if irp.ItemContext() != any(it) {
			x.complain("P-22: the context is not that of item %d", it.ID)
		}
		if got, want := len(irp.ItemStorage()), max(int(s.c.Object.ItemSize), engine.SizePropertyItem)-engine.SizePropertyItem; got != want {
			x.complain("P-3: %d bytes of private storage, want %d", got, want)
		}
		if cap(request) != len(request) || cap(data) != len(data) {
			x.complain("P-6: a handler's slices reach beyond what it was given")
		}
		for i := len(data); i < len(irp.SystemBuffer) && i < (len(data)+7)&^7; i++ {
			if irp.SystemBuffer[i] != 0 {
				x.complain("S-11: the padding is not zero")
			}
		}
		q, _ := ks.DecodeIdentifier(request)
		c.Request, c.Data = clone(request), clone(data)
		status = x.run(c, s.values[it], p, data, &irp.IoStatus.Information)
		switch {
		case status != ks.StatusPending || x.q.Op != model.Property:
		case q.Flags != x.q.Flags: // an inner request
			irp.Complete(ks.StatusUnsuccessful, 0)
		case x.ending != nil:
			copy(data, x.ending.Data)
			irp.Complete(x.ending.Status, x.ending.Information)
		}
		return status
	}
}

// run runs the program and records the call with what came of it.
func (x *exchange) run(c model.Call, v *model.Value, p model.Program, data []byte, information *uint64) ks.Status {
	return x.record(c, func() ks.Status { return p.Run(v, c.Verb == "set", data, information) })
}

// record calls a handler and notes the call with what came of it.
func (x *exchange) record(c model.Call, handler func() ks.Status) (status ks.Status) {
	defer func() {
		value := recover()
		if value != nil {
			status = ks.StatusAccessViolation
			if thrown, ok := value.(ks.Status); ok {
				status = thrown
			}
			x.panics++
		}
		c.Status = status
		x.calls = append(x.calls, c)
		if value != nil {
			panic(value)
		}
	}()
	return handler()
}

// fastHandler is handler for the fast path. A program that pends does so in one of the two ways of F-6: it claims to have
// answered, or it falls back.
func (s *subject) fastHandler(it *model.Item, verb string, p model.Program) engine.FastHandler {
	if p.Kind == model.None {
		return nil
	}
	return func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		x := s.now
		if io.Information != 0 {
			x.complain("F-6: Information is %d when a fast handler starts", io.Information)
		}
		c := model.Call{Verb: verb, ID: it.ID, In: uint32(len(request)), Out: uint32(len(data)), Kernel: mode == engine.KernelMode,
			File: fileOf(file), Request: clone(request), Data: clone(data)}
		q, _ := ks.DecodeIdentifier(request)
		c.Set = q.Set
		io.Status = x.run(c, s.values[it], p, data, &io.Information)
		return io.Status != ks.StatusPending || len(request)%2 == 0
	}
}

func fileOf(file *engine.FileObject) int {
	if file == nil {
		return -1
	}
	id, _ := file.Context.(int)
	return id
}

// offset is where part begins in whole.
func offset(whole, part []byte) uint32 {
	if len(part) == 0 {
		return 0
	}
	for i := (len(whole) - len(part)) &^ 7; i >= 0; i-- { // most likely at the end
		if &whole[i] == &part[0] {
			return uint32(i)
		}
	}
	return 0xFFFFFFFF
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }

// allocate is the caller's allocator of q (P-12 to P-16).
func (s *subject) allocate(irp *engine.IRP, size uint32, inputOperation bool) ks.Status {
	x := s.now
	a := model.Allocation{By: "custom", Size: size, InputOperation: inputOperation}
	if irp.SystemBuffer != nil {
		x.complain("P-15: the allocator is called although there is a buffer")
	}
	defer func() { x.allocations = append(x.allocations, a) }()
	switch x.q.Allocator {
	case model.AllocFail:
		if a.Status = x.q.AllocStatus; a.Status == 0 {
			a.Status = ks.StatusInsufficientResources
		}
		irp.IoStatus.Information = uint64(size) // which must not get out
		return a.Status
	case model.AllocNoBuffer:
		return ks.StatusSuccess
	case model.AllocShort:
		x.custom = s.alloc(int(size) - 1)
	case model.AllocPanic:
		a.Status = ks.StatusAccessViolation
		x.panics++
		panic("modelled allocator")
	default:
		x.custom = s.alloc(int(size) + int(size%3)) // at least as much as was asked for
	}
	irp.SystemBuffer = x.custom
	return ks.StatusSuccess
}

// alloc returns n bytes of 0xCC, of the arena if there is one.
func (s *subject) alloc(n int) []byte {
	b := make([]byte, n)
	if s.arena != nil {
		var err error
		if b, err = s.arena.AllocUninit(n); err != nil {
			panic(err)
		}
	}
	fill(b)
	return b
}

func (s *subject) free(b []byte) {
	if s.arena != nil {
		s.arena.Free(b)
	}
}

func (s *subject) file(id int) *engine.FileObject {
	if s.files[id] == nil {
		s.files[id] = &engine.FileObject{Context: id}
	}
	return s.files[id]
}

// choices returns the generator of what must make no difference to the request with that tag.
func (s *subject) choices(tag string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(tag))
	return rand.New(rand.NewPCG(s.c.Seed, h.Sum64()))
}

// close completes what still pends, and says what is left over.
func (s *subject) close() (what []string) {
	for _, p := range s.pended {
		p.irp.Finish(ks.StatusUnsuccessful, p.user)
		s.free(p.custom)
	}
	for _, h := range s.handles {
		if err := h.Close(); err != nil {
			what = append(what, err.Error())
		}
	}
	if s.arena == nil {
		return what
	}
	if st := s.arena.Stats(); st.Live != 0 || st.Strays != 0 || st.Failures != 0 {
		what = append(what, fmt.Sprintf("S-9: the arena ends as %+v", st))
	}
	if err := s.arena.Close(); err != nil {
		what = append(what, err.Error())
	}
	return what
}
