package exec

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
)

// call is one invocation of a handler, as the handler saw it.
type call struct {
	verb                      manifest.Verb
	set                       ks.GUID
	id                        uint32
	fast                      bool // no IRP: no offsets, no slots
	noData                    bool // data was nil
	setSlot, itemSlot         bool
	mode                      engine.Mode
	requestOffset, dataOffset int64
	in, out                   uint32
	status                    ks.Status
}

// allocation is one buffer that was asked for.
type allocation struct {
	custom         bool
	inputOperation bool // of a custom one
	size           uint64
	status         ks.Status
}

// observe wraps a handler so that its calls are noted.
//
// A request of P-43 that pends is completed at once, unsuccessfully: no line of the input could name it.
func (s *Session) observe(verb manifest.Verb, set ks.GUID, id uint32, h engine.Handler) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) (status ks.Status) {
		at := s.note(call{
			verb: verb, set: set, id: id, mode: irp.RequestorMode, in: irp.InputBufferLength, out: irp.OutputBufferLength,
			setSlot:       irp.PropertySet() != nil || irp.MethodSet() != nil,
			itemSlot:      irp.PropertyItem() != nil || irp.MethodItem() != nil,
			requestOffset: offset(irp.SystemBuffer, request), dataOffset: offset(irp.SystemBuffer, data), noData: data == nil,
		})
		if verb == manifest.VerbMethod && irp.MethodType()&ks.MethodTypeSource != 0 {
			s.calls[at].dataOffset = 0 // a buffer of its own (M-4)
		}
		s.data = data
		defer s.noteStatus(at, &status)
		status = h(irp, request, data)
		if status == ks.StatusPending && irp != s.outer {
			irp.Complete(ks.StatusUnsuccessful, 0)
		}
		return status
	}
}

// observeFast does so for a handler of the fast path.
func (s *Session) observeFast(verb manifest.Verb, set ks.GUID, id uint32, h engine.FastHandler) engine.FastHandler {
	return func(file *engine.FileObject, mode engine.Mode, request, data []byte, io *engine.IoStatus) bool {
		at := s.note(call{verb: verb, set: set, id: id, fast: true, mode: mode, in: uint32(len(request)), out: s.q.out})
		defer s.noteStatus(at, &io.Status)
		return h(file, mode, request, data, io)
	}
}

func (s *Session) note(c call) int {
	s.calls = append(s.calls, c)
	return len(s.calls) - 1
}

// noteStatus is deferred by a wrapper. A panic goes on to the dispatcher; its status is what the handler returned.
func (s *Session) noteStatus(at int, status *ks.Status) {
	if value := recover(); value != nil {
		s.calls[at].status = ks.StatusAccessViolation
		if thrown, ok := value.(ks.Status); ok {
			s.calls[at].status = thrown
		}
		panic(value)
	}
	s.calls[at].status = *status
}

// allocate is the caller's allocator (P-12), behaving as the request says.
func (s *Session) allocate(irp *engine.IRP, size uint32, inputOperation bool) ks.Status {
	a := allocation{custom: true, size: uint64(size), inputOperation: inputOperation}
	switch s.behaviour {
	case allocFail:
		a.status = ks.StatusInsufficientResources
	case allocArena:
		if irp.SystemBuffer = buffer(irp.Pool, size); irp.SystemBuffer == nil {
			a.status = ks.StatusInsufficientResources
		}
	}
	s.allocations = append(s.allocations, a)
	return a.status
}

// buffer returns size bytes of a pool, whatever they contain, or nil.
func buffer(pool *arena.Arena, size uint32) []byte {
	n := int(size)
	if n < 0 {
		return nil // more than this machine can address
	}
	b, err := pool.AllocUninit(n)
	if err != nil {
		return nil
	}
	return b
}
