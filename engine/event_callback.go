package engine

// Callback is an object whose signal is a function, for objects that are not Go's: an eventfd, a HANDLE of Windows, a message to a
// peer. A Handles of one's own resolves to it. It is safe for concurrent use if its functions are.
type Callback struct {
	references
	kind   ObjectType
	signal func(count int32)
	gone   func()
}

// NewCallback returns an object of the kind that a client expects behind a handle, ObjectTypeEvent or ObjectTypeSemaphore. signal
// is called each time the object is signalled, with the adjustment that the client of a semaphore asked for, or 1. It is called
// concurrently and under locks of the event's list, like the callers of GenerateEvent: it must not block, panic, or enable, disable
// or generate events.
//
// gone, which may be nil, is called under the same conditions when the last enabled event releases the object, which may then be
// used again.
func NewCallback(kind ObjectType, signal func(count int32), gone func()) *Callback {
	if kind != ObjectTypeEvent && kind != ObjectTypeSemaphore {
		panic("engine: NewCallback wants ObjectTypeEvent or ObjectTypeSemaphore")
	}
	required(signal != nil, "NewCallback: signal")
	return &Callback{kind: kind, signal: signal, gone: gone}
}

func (c *Callback) reference(n int32) {
	if c.add(n) == 0 && c.gone != nil { // whoever lets go last, of several at once
		c.gone()
	}
}
