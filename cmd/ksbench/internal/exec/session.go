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
	all     []*object // also those without a name
	handles map[string]*handle
	arena   *arena.Arena
	none    *arena.Arena // has room for nothing: the pool of requests whose buffer is too long
	files   map[uint64]*engine.FileObject
	pended  map[string]*slot // by tag
	number  uint64           // of requests that pended
	idle    []*slot          // ready for use
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

// slot is what one request needs from its line to its completion.
type slot struct {
	irp    engine.IRP
	memory callerMemory
	out    uint32
	pended bool
	last   call   // the handler that left it pending
	data   []byte // what that handler was given

	// Of a pended one.
	i, tag []byte  // as its line has them; nil for none
	handle *handle // that it was sent through; nil for none
	number uint64  // in the order of the lines
}

// New compiles the objects of a manifest. An object whose property_item_size is refused is part of the session all the
// same (P-3); any other mistake is an error.
func New(m *manifest.Manifest, options Options) (*Session, error) {
	s := &Session{
		options: options,
		objects: make(map[string]*object),
		handles: make(map[string]*handle),
		files:   make(map[uint64]*engine.FileObject),
		pended:  make(map[string]*slot),
	}
	if err := s.compileAll(m); err != nil {
		return nil, err
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

// Close releases the session's memory.
func (s *Session) Close() error {
	s.notices.close()
	var errs []error
	for _, h := range s.handles {
		errs = append(errs, h.device.Close())
	}
	return errors.Join(append(errs, s.arena.Close(), s.none.Close())...)
}

// decode reads a line into s.q and returns the object that it names, or the first.
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
	q := &s.q
	switch q.op {
	case opOpen:
		return s.open(buf, o)
	case opCreatePin:
		return s.createPin(buf)
	case opCancel:
		return s.cancel(buf)
	case opRemove:
		return s.remove(buf, o)
	case opComplete:
		return s.complete(buf)
	case opDispatchSpecific:
		return s.dispatchSpecific(buf)
	}
	to := recipient{object: o, dispatcher: o.dispatcher}
	if q.handle != nil {
		if to, err = s.through(q.handle); err != nil {
			return buf, err
		}
	}
	switch q.op {
	case opFastProperty, opFastMethod:
		return s.fast(buf, &to), nil
	case opGenerate:
		return s.generate(buf, to.object), nil
	case opClose:
		return s.close(buf, &to), nil
	}
	return s.send(buf, &to), nil
}

// recipient is what a request goes to.
type recipient struct {
	object     *object // whose sets it is for
	dispatcher *engine.Dispatcher
	handle     *handle   // nil: a line that names an object
	refused    ks.Status // not 0: this answers every request
	rule       string    // then
}

// file is the file object that the request comes through, opened by its first use if a line names an object.
func (s *Session) file(to *recipient) *engine.FileObject {
	if to.handle != nil {
		return to.handle.device.File()
	}
	f := s.files[s.q.file]
	if f == nil {
		f = &engine.FileObject{Handles: &s.notices}
		s.files[s.q.file] = f
	}
	return f
}

// close answers op close: the handle is closed, and with it go its events (E-19).
func (s *Session) close(buf []byte, to *recipient) []byte {
	if to.handle != nil {
		return s.closeHandle(buf, to)
	}
	if f := s.files[s.q.file]; f != nil {
		s.free(f)
		delete(s.files, s.q.file)
	}
	return s.append(buf, &outcome{})
}

// free removes the events of a file from every list.
func (s *Session) free(f *engine.FileObject) {
	for _, o := range s.all {
		o.events.Free(f)
	}
}
