package engine

// Callback is an object whose signal is a function, for objects that are not Go's: an eventfd, a HANDLE of Windows, a message to a
// peer. A Handles of one's own resolves to it. It is safe for concurrent use if its functions are.
type Callback struct {
	references
	kind   ObjectType
	signal func(count int32)
	gone   func()
}

// NewCallback returns an object of a kind that a client can expect behind a handle, ObjectTypeEvent or ObjectTypeSemaphore. signal
// is called each time the object is signalled, with the adjustment of a semaphore's client, or 1. It is called concurrently and
// under locks of the event's list, as GenerateEvent's callers run: it must not block, panic, or enable, disable or generate events.
//
// gone, which may be nil, is called when the last enabled event lets go of the object, which may be used again then. It runs under
// the same conditions.
func NewCallback(kind ObjectType, signal func(count int32), gone func()) *Callback {
	if kind != ObjectTypeEvent && kind != ObjectTypeSemaphore {
		panic("engine: NewCallback wants ObjectTypeEvent or ObjectTypeSemaphore")
	}
	return &Callback{kind: kind, signal: signal, gone: gone}
}

func (c *Callback) reference(n int32) {
	if c.add(n) == 0 && c.gone != nil { // whoever lets go last, of several at once
		c.gone()
	}
}
