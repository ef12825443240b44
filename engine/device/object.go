package device

import (
	"sync"
	"sync/atomic"

	"github.com/ksdispatch/ksdispatch/engine"
)

// instance is one open of a filter, with the pins and nodes that were created on it.
type instance struct {
	device *Device

	// control is held while a pin changes its state or its format: the filter control mutex (OB-19).
	control sync.Mutex

	mu   sync.Mutex // of what follows, and of the objects' references; no hook runs under it
	pins counts     // open pins
	open uint32     // pins and nodes
}

// counts has a number for each pin, by PinId.
type counts []uint32

func (c counts) of(pin uint32) uint32 {
	if uint64(pin) < uint64(len(c)) {
		return c[pin]
	}
	return 0
}

// upTo makes the list long enough for a pin.
func (c counts) upTo(pin uint32) counts {
	for uint64(len(c)) <= uint64(pin) {
		c = append(c, 0)
	}
	return c
}

// census counts the open pins of all instances.
type census struct {
	mu   sync.Mutex
	pins counts
}

func (c *census) current(pin uint32) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pins.of(pin)
}

// enter counts one more pin or node, or reports that there are as many as are allowed (S-37).
func (i *instance) enter(allowed uint32) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.open >= allowed {
		return false
	}
	i.open++
	return true
}

// leave counts one less.
func (i *instance) leave() {
	i.mu.Lock()
	i.open--
	i.mu.Unlock()
}

// reserve takes a place for a pin of which there may be possible, or reports that there is none (OB-12, OB-13).
func (i *instance) reserve(pin, possible uint32) bool {
	all := &i.device.pins
	i.mu.Lock()
	defer i.mu.Unlock()
	all.mu.Lock()
	defer all.mu.Unlock()
	i.pins, all.pins = i.pins.upTo(pin), all.pins.upTo(pin)
	if i.pins[pin] >= possible {
		return false
	}
	i.pins[pin]++
	all.pins[pin]++
	return true
}

// giveBack gives back what reserve took.
func (i *instance) giveBack(pin uint32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := &i.device.pins
	all.mu.Lock()
	defer all.mu.Unlock()
	i.pins[pin]--
	all.pins[pin]--
}

func (i *instance) current(pin uint32) uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.pins.of(pin)
}

// object is what a handle of a filter, a node or a pin is open on.
type object struct {
	handle   *Handle
	instance *instance
	parent   *object   // nil for a filter
	pin      *Pin      // nil for all but pins
	node     *openNode // nil for all but nodes
	peer     *object   // the pin that a pin is connected to; nil for none

	refs   int  // its handle, and the objects that were created on it; under instance.mu
	closed bool // its handle; under instance.mu

	cleanup, end func()                 // nil for none; under instance.mu
	rule         atomic.Pointer[string] // of the last create on it
}

// openNode is a node as it was when it was opened.
type openNode struct {
	id         uint32
	dispatcher *engine.Dispatcher
}

// dispatcher answers the requests of the handle: what the present filter has there, or if it has nothing what there was.
func (o *object) dispatcher() *engine.Dispatcher {
	f := o.handle.device.filter.Load()
	switch {
	case o.pin != nil:
		return f.factory(o.pin).dispatcher
	case o.node != nil:
		if d := f.nodes.Node(o.node.id); d != nil {
			return d
		}
		return o.node.dispatcher
	}
	return f.table.Load()
}

// in reports that a filter has what the object is.
func (o *object) in(f *filter) bool {
	switch {
	case o.pin != nil:
		return uint64(o.pin.factory.id) < uint64(len(f.now.Load().factories))
	case o.node != nil:
		return f.nodes.Node(o.node.id) != nil
	}
	return true
}

// reference keeps an object for one that is created on it, unless its handle is closed.
func (o *object) reference() bool {
	o.instance.mu.Lock()
	defer o.instance.mu.Unlock()
	if o.closed {
		return false
	}
	o.refs++
	return true
}

// closing is told that the handle is being closed. The first call calls the hook, which may close the handle too, and for which no other
// waits: the object stays until it returns.
func (o *object) closing() {
	o.instance.mu.Lock()
	first := !o.closed
	o.closed = true
	if first {
		o.refs++
	}
	cleanup := o.cleanup
	o.instance.mu.Unlock()
	if o.pin != nil {
		o.pin.requests.CancelAll() // AS-24
	}
	if !first {
		return
	}
	defer o.release()
	if cleanup != nil {
		cleanup()
	}
}

// created sets what ends an object that its maker has kept with a reference of its own, and gives that up. A hook may have closed it.
func (o *object) created(cleanup, end func()) {
	defer o.release()
	o.instance.mu.Lock()
	o.cleanup, o.end = cleanup, end
	closed := o.closed
	o.instance.mu.Unlock()
	if closed && cleanup != nil {
		cleanup()
	}
}

func (o *object) isClosed() bool {
	o.instance.mu.Lock()
	defer o.instance.mu.Unlock()
	return o.closed
}

// release gives up one reference. The last one ends the object, and then keeps its parent no longer (OB-14, AS-27). Nil is none.
func (o *object) release() {
	if o == nil {
		return
	}
	o.instance.mu.Lock()
	o.refs--
	last := o.refs == 0
	o.instance.mu.Unlock()
	if !last {
		return
	}
	if o.end != nil {
		o.end()
	}
	if o.pin != nil {
		o.instance.giveBack(o.pin.factory.id)
	}
	o.peer.release()
	if o.parent != nil {
		o.instance.leave()
		o.parent.release()
	}
}

// HandleOf returns the handle of a device that a request came through, or nil: KsGetObjectFromFileObject. It goes by what the file
// object is, not by its Context (S-7).
func HandleOf(irp *engine.IRP) *Handle {
	if irp.FileObject == nil {
		return nil
	}
	h, _ := irp.FileObject.Object.(*Handle)
	return h
}

// PinOf returns the pin whose handle a request came through, or nil: KsGetPinFromIrp.
func PinOf(irp *engine.IRP) *Pin {
	if h := HandleOf(irp); h != nil {
		return h.Pin()
	}
	return nil
}

// FilterOf returns the handle of the filter instance that a request is for, through whichever of its objects it came, or nil:
// KsGetFilterFromIrp. The handle may be closed, if it is a pin that keeps the filter.
func FilterOf(irp *engine.IRP) *Handle {
	h := HandleOf(irp)
	if h == nil || h.object == nil {
		return nil
	}
	return h.object.filter()
}

func (o *object) filter() *Handle {
	for o.parent != nil {
		o = o.parent
	}
	return o.handle
}
