package exec

import (
	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// preface makes the dispatchers of earlier passes (P-15).
type preface struct {
	compat      engine.Compat
	dispatchers map[prefaceKey]*engine.Dispatcher
}

type prefaceKey struct {
	set ks.GUID
	id  uint32
	how uint32 // KSMETHOD_ITEM.Flags: a method is laid out as its item says
}

// maxPrefaces bounds the dispatchers that are kept.
const maxPrefaces = 1024

// prepare sends a request through a dispatcher that knows its property and declines it, and reports whether that laid the
// request out.
func (s *Session) prepare(irp *engine.IRP, o *object, allocator engine.Allocator) bool {
	behaviour := s.behaviour
	s.behaviour = allocArena
	d := s.preface.dispatcher(prefaceKey{s.q.set, s.q.id, o.methods[methodKey{s.q.set, s.q.id}]})
	switch {
	case s.q.op == opMethod && s.q.plain:
		d.Method(irp)
	case s.q.op == opMethod:
		d.MethodWithAllocator(irp, allocator)
	case s.q.op == opDisableEvent:
	case s.q.op == opEnableEvent:
		d.EnableEventWithAllocator(irp, nil, allocator)
	case s.q.plain:
		d.Property(irp)
	default:
		d.PropertyWithAllocator(irp, allocator)
	}
	s.behaviour = behaviour
	s.allocations = s.allocations[:0]
	return irp.SystemBuffer != nil
}

// dispatcher returns a table of one property, method and event without minimal sizes. Its handlers, and with them the inner requests of
// SERIALIZESET, which begin with asking for the size, decline before anything is written to the buffer. GUID_NULL has a
// table without sets, which has nothing to list.
func (p *preface) dispatcher(key prefaceKey) *engine.Dispatcher {
	set, id := key.set, key.id
	if d := p.dispatchers[key]; d != nil {
		return d
	}
	config := engine.Config{Compat: p.compat}
	if set != (ks.GUID{}) {
		const sizeUnknown = 1 // P-40
		config.MethodSets = []engine.MethodSet{{Set: set,
			Items: []engine.MethodItem{{ID: id, Handler: decline, Support: decline, Flags: key.how}}}}
		config.EventSets = []engine.EventSet{{Set: set, Items: []engine.EventItem{{ID: id, Add: declineEvent, Support: decline}}}}
		config.PropertySets = []engine.PropertySet{{Set: set, Items: []engine.PropertyItem{
			{ID: id, Get: decline, Set: decline, Support: decline, SerializedSize: sizeUnknown},
		}}}
	}
	d, err := engine.Compile(config)
	if err != nil {
		panic(err) // one item cannot contradict another
	}
	if p.dispatchers == nil || len(p.dispatchers) == maxPrefaces {
		p.dispatchers = make(map[prefaceKey]*engine.Dispatcher)
	}
	p.dispatchers[key] = d
	return d
}

func declineEvent(*engine.IRP, []byte, *engine.EventEntry) ks.Status { return ks.StatusNotFound }

func decline(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusNotFound }
