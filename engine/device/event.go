package device

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Events returns the list of events that applications enabled, through whatever handle: where the driver generates them.
func (dev *Device) Events() *engine.EventList { return dev.events }

// Handles returns the table of objects that applications name by numbers. An application puts an object that an event is to signal there
// with Open, and the number that it gets into a KSEVENTDATA; or Handle.File of a pin, and the number into the KSPIN_CONNECT of a pin
// that is to be connected to it.
func (dev *Device) Handles() *engine.HandleTable { return &dev.handles }

// NewEventData returns a KSEVENTDATA that enables and disables an event, with extra bytes behind it for the parameters of the
// event. The address of the result is the name of the enabled event, so that the same slice disables it (E-17). It is allocated
// on the heap, where an address stays; an array on a stack, which may move, names nothing for long.
//
//go:noinline
func NewEventData(data ks.EventData, extra int) []byte {
	b := make([]byte, ks.SizeEventData+extra)
	data.Put(b)
	return b
}

// newEvents returns an empty list, guarded by a mutex.
func newEvents() *engine.EventList {
	l, err := engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockSpin, Lock: new(sync.Mutex)})
	if err != nil {
		panic(err) // a mutex is a lock
	}
	return l
}
