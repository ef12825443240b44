package engine

import (
	"sync"
	"weak"
)

// Dispatcher answers the property, method and event requests of one object. It is immutable and safe for concurrent use, but the
// IRP and the FileObject of a request belong to one goroutine at a time.
type Dispatcher struct {
	properties family[slot, setInfo, item]
	methods    family[methodSlot, MethodSet, methodItem]
	events     family[eventSlot, EventSet, eventItem]
	entries    eventPool // of enabled events that are on no list of the engine
	nodes      *NodeList // nil: TOPOLOGY selects no table
	other      ControlHandler
	compat     Compat
	onPanic    func(value any, stack []byte)
	onRefuse   func(Refusal)
	counts     *Counts   // of the tallies in which IoControl counts short requests; nil for none
	bare       [][2]bare // by property, of GET and SET

	sharing    sync.Mutex
	sharesWith weak.Pointer[Dispatcher] // whose storage it shares as far as it can; under sharing
}
