package typed

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Event is an event that clients enable with parameters, a structure behind their KSEVENTDATA: the position in a stream that
// they want to be told of, for instance. Each enabled entry keeps its own.
type Event[T interface{ Put([]byte) }] struct {
	set    ks.GUID
	id     uint32
	size   int
	decode func([]byte) (T, bool)
	list   *engine.EventList
}

// NewEvent declares the event of that set and id, whose entries go on list. decode reads a structure from exactly size bytes,
// which it must not keep; false refuses an enable with ks.StatusInvalidParameter, and less than size bytes do not get that far
// (E-5). Put writes exactly size bytes.
func NewEvent[T interface{ Put([]byte) }](set ks.GUID, id uint32, size int, decode func([]byte) (T, bool),
	list *engine.EventList) (*Event[T], error) {
	switch {
	case size < 0 || size > maxParameters:
		return nil, fmt.Errorf("typed: event %d of %v: parameters of %d bytes; 0 to %d are kept", id, set, size, maxParameters)
	case decode == nil || list == nil:
		return nil, fmt.Errorf("typed: event %d of %v: it needs a decoder and a list", id, set)
	}
	if reason := putFails[T](size); reason != nil {
		return nil, fmt.Errorf("typed: event %d of %v: Put does not write a zero structure to %d bytes: %v; is the size right?", id, set, size,
			reason)
	}
	return &Event[T]{set: set, id: id, size: size, decode: decode, list: list}, nil
}

// maxParameters is the longest structure in bytes that an entry keeps.
const maxParameters = 64 << 10

// Item returns the declaration for engine.EventSet.
func (e *Event[T]) Item() engine.EventItem {
	return engine.EventItem{ID: e.id, DataInput: uint32(ks.SizeEventData + e.size), ExtraEntryData: uint32(e.size), Add: e.add}
}

func (e *Event[T]) add(_ *engine.IRP, data []byte, entry *engine.EventEntry) ks.Status {
	v, ok := e.decode(data[ks.SizeEventData:][:e.size:e.size])
	if !ok {
		return ks.StatusInvalidParameter
	}
	v.Put(entry.Extra()[:e.size:e.size])
	return e.list.Add(entry)
}

// Generate signals the entries whose parameters match lets through; nil is all. match runs with the lock of the list held. The
// status is that of engine.EventList.GenerateData.
func (e *Event[T]) Generate(match func(parameters T) bool) ks.Status {
	if match == nil {
		return e.list.Generate(&e.set, e.id)
	}
	return e.list.GenerateData(&e.set, e.id, nil, func(entry *engine.EventEntry) bool {
		v, ok := e.decode(entry.Extra()[:e.size:e.size])
		return ok && match(v)
	})
}
