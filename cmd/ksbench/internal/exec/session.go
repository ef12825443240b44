package exec

import (
	"errors"
	"fmt"
	"math"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// Options says how a session answers. The zero value answers for the first object, by the project's reading of each rule.
type Options struct {
	Object  string        // the object of requests that name none; "" for the first
	Explain bool          // outcomes name the rule that decided
	Compat  engine.Compat // see engine.Compat

	// MaxOut is the longest input or output, in bytes, for which a buffer is made; 0 is DefaultMaxOut. A request with a
	// longer one that gets as far as needing it is answered with STATUS_INSUFFICIENT_RESOURCES; a fast one is not handled.
	MaxOut uint32
}

// DefaultMaxOut is 64 MiB.
const DefaultMaxOut = 64 << 20

// Session is the objects of one manifest with their state. New makes one; it belongs to one goroutine at a time.
type Session struct {
	options Options
	objects map[string]*object
	first   *object
	arena   *arena.Arena
	none    *arena.Arena // has room for nothing: the pool of requests whose buffer is too long
	files   map[uint64]*engine.FileObject
	pended  map[string]*slot
	idle    []*slot // ready for use
	preface preface
	notices notices

	decoder decoder
	q       request
	custom  engine.Allocator // s.allocate, bound once

	// What is seen of the current request.
	outer       *engine.IRP // its IRP, unlike those of P-43
	behaviour   allocator
	calls       []call
	data        []byte // of the latest
	allocations []allocation
}

// object is one object of the manifest.
type object struct {
	dispatcher *engine.Dispatcher
	refused    ks.Status // not 0: Compile refused PropertyItemSize, and this answers every property request (P-3)
	events     *engine.EventList
	methods    map[methodKey]uint32 // KSMETHOD_ITEM.Flags
}

type methodKey struct {
	set ks.GUID
	id  uint32
}

// slot is what one request needs from its line to its completion.
type slot struct {
	irp    engine.IRP
	memory callerMemory
	out    uint32
	pended bool
	tag    string // of a pended one
	last   call   // the handler that left it pending
	data   []byte // what that handler was given
}

// New compiles the objects of a manifest. An object whose property_item_size is refused is part of the session all the
// same (P-3); any other mistake is an error.
func New(m *manifest.Manifest, options Options) (*Session, error) {
	s := &Session{
		options: options,
		objects: make(map[string]*object),
		files:   make(map[uint64]*engine.FileObject),
		pended:  make(map[string]*slot),
	}
	for i := range m.Objects {
		decl := &m.Objects[i]
		config := decl.Config(manifest.Options{Wrap: s.observe, WrapFast: s.observeFast})
		config.Compat = options.Compat
		config.OnPanic = func(any, []byte) {} // a program that is to panic is no news
		o, err := compile(config)
		if err != nil {
			return nil, fmt.Errorf("object %q: %w", decl.Name, err)
		}
		if s.first == nil {
			s.first = o
		}
		if _, ok := s.objects[decl.Name]; !ok {
			s.objects[decl.Name] = o
		}
	}
	if options.Object != "" {
		if s.first = s.objects[options.Object]; s.first == nil {
			return nil, fmt.Errorf("there is no object %q", options.Object)
		}
	}
	if s.options.MaxOut == 0 {
		s.options.MaxOut = DefaultMaxOut
	}
	s.options.MaxOut = uint32(min(uint64(s.options.MaxOut), math.MaxInt/4)) // what a host of 32 bits can address
	var err error
	if s.arena, err = arena.New(arena.Config{}); err == nil {
		s.none, err = arena.New(arena.Config{Limit: 1})
	}
	if err != nil {
		return nil, err
	}
	s.custom = s.allocate
	s.preface.compat = options.Compat
	return s, nil
}

// compile is engine.Compile, with a refused item size as an object that answers so to property requests.
func compile(config engine.Config) (*object, error) {
	o := &object{methods: make(map[methodKey]uint32)}
	for _, set := range config.MethodSets {
		for _, it := range set.Items {
			o.methods[methodKey{set.Set, it.ID}] = it.Flags
		}
	}
	var err error
	o.dispatcher, err = engine.Compile(config)
	if e, ok := errors.AsType[*engine.CompileError](err); ok && e.Index < 0 {
		o.refused = e.Status
		config.PropertyItemSize, config.PropertySets, config.MethodItemSize = 0, nil, 0
		o.dispatcher, err = engine.Compile(config)
	}
	if err != nil {
		return nil, err
	}
	o.events, err = engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockNone}) // a session is one goroutine's
	return o, err
}

// Close releases the session's memory.
func (s *Session) Close() error {
	s.notices.close()
	return errors.Join(s.arena.Close(), s.none.Close())
}

// decode reads a line into s.q and returns the object that it is for.
func (s *Session) decode(line []byte) (*object, error) {
	if err := s.decoder.decode(line, &s.q); err != nil {
		return nil, err
	}
	o := s.first
	if name := s.q.object; name != nil {
		if o = s.objects[string(name)]; o == nil {
			return nil, fmt.Errorf("object: there is no object %s", quote(name))
		}
	}
	return o, nil
}

// answer appends the outcome of one line to buf. The error is that of a malformed line, of which nothing was done.
func (s *Session) answer(buf, line []byte) ([]byte, error) {
	o, err := s.decode(line)
	if err != nil {
		return buf, err
	}
	s.calls, s.allocations = s.calls[:0], s.allocations[:0]
	switch s.q.op {
	case opFastProperty, opFastMethod:
		return s.fast(buf, o), nil
	case opComplete:
		return s.complete(buf)
	case opDispatchSpecific:
		return s.dispatchSpecific(buf)
	case opGenerate:
		return s.generate(buf, o), nil
	case opClose:
		return s.close(buf), nil
	}
	return s.send(buf, o), nil
}

// close answers op close: the handle is closed, and with it go its events (E-19).
func (s *Session) close(buf []byte) []byte {
	if f := s.files[s.q.file]; f != nil {
		for _, o := range s.objects {
			o.events.Free(f)
		}
		delete(s.files, s.q.file)
	}
	return s.append(buf, &outcome{})
}

// file returns an open file object, opened by its first use.
func (s *Session) file(number uint64) *engine.FileObject {
	f := s.files[number]
	if f == nil {
		f = &engine.FileObject{Handles: &s.notices}
		s.files[number] = f
	}
	return f
}
