package engine

import "github.com/ksdispatch/ksdispatch/engine/table"

// Dispatcher answers the property and method requests of one object. It is immutable and safe for concurrent use; what is
// not are the IRP and the FileObject of a request.
type Dispatcher struct {
	table    *table.Table[slot]     // (set, id): what GET, SET and the fast path need
	setTable *table.Table[struct{}] // (set, 0): asked on a miss and by the verbs that are about a set
	sets     []setInfo
	items    []item
	once     []itemOnce // beside items, as it must not be copied
	itemSize uint32
	compat   Compat
	onPanic  func(value any, stack []byte)
	methods  methods
	events   *eventFamily
}
