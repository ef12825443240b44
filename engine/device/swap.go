package device

import (
	"errors"
	"slices"
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Change says what a swap changed.
type Change struct {
	Items                      // of the device, and of a filter those that are its own
	Pins, Nodes []ObjectChange // of which something changed, by their ids
}

// Items are items as engine.Dispatcher.Items describes them, without their Context.
type Items struct {
	Added, Removed []engine.ItemInfo
	Changed        []engine.ItemInfo // as they are now
}

// ObjectChange says what a swap changed of the pins of a factory or of a node.
type ObjectChange struct {
	ID    uint32 // PinId or NodeId
	Is    bool   // it is there now
	Was   bool   // it was there before
	Items        // of one that is not, or was not, there: all of them
}

// swap is what belongs to the swaps of a device.
type swap struct {
	mu       sync.Mutex // held while the listener is told
	listener func(Change)
	change   sync.Mutex // of whoever changes what answers requests
}

// OnSwap has listener called with the changes of each later swap, one call at a time, on the goroutine that swaps, after it took
// effect; nil removes the listener. An item whose handler is another function and that is otherwise equal does not count as
// changed.
func (dev *Device) OnSwap(listener func(Change)) {
	dev.swap.mu.Lock()
	defer dev.swap.mu.Unlock()
	dev.swap.listener = listener
}

// Swap has d answer the requests of the device, on all its handles, and returns the dispatcher that answered them before. One of
// the two answers a request: the old one finishes the requests in flight, and handles use the new one from their next request on.
// Events stay enabled, and items that both dispatchers have, by set and id, share their storage. On a filter Swap replaces the sets
// of the filter itself, and not those of its pins and nodes. A Ref belongs to the dispatcher that resolved it, and has to be
// resolved anew. Swap waits for no request, and may be called from anywhere except the listener of OnSwap. If d took the place of that
// dispatcher before, and without a listener, Swap allocates nothing and takes tens of nanoseconds, however many items there are.
func (dev *Device) Swap(d *engine.Dispatcher) (old *engine.Dispatcher) {
	s := &dev.swap
	s.mu.Lock()
	defer s.mu.Unlock()
	old = dev.replace(d)
	if s.listener != nil {
		s.listener(Change{Items: itemsChanged(old, d)})
	}
	return old
}

// replace publishes a dispatcher.
func (dev *Device) replace(d *engine.Dispatcher) (old *engine.Dispatcher) {
	dev.swap.change.Lock()
	defer dev.swap.change.Unlock()
	t := &dev.table
	if f := dev.filter.Load(); f != nil {
		t = &f.table
	}
	d.ShareStorage(t.Load())
	return t.Swap(d)
}

// SwapFilter is Swap for all of a filter: its sets, topology, nodes and pin factories, with their hooks, change at one moment, whatever
// handles requests come through. Pins and nodes are the same by their ids. Each shares the storage of its items with what was there
// before, and open pins keep their state, format and priority. What the Create hook of a filter or a pin was told of is ended by the
// Cleanup and Close that were declared with it.
//
// An open pin or node that decl does not have is gone, as if it had been unplugged (AS-34): what is pended or held on its handle ends with
// STATUS_CANCELLED, later requests are STATUS_DEVICE_REMOVED, also if a later swap brings its id back, and the handle is still to be
// closed. So do not leave one out that others follow; a pin that is to be created no more has no InstancesPossible. What AddPin and
// AddNode added is left out like anything else.
//
// The error is that of NewFilter, and then nothing has changed, or that the device is no filter.
func (dev *Device) SwapFilter(decl Filter) error {
	next, err := compileFilter(decl)
	if err != nil {
		return err
	}
	s := &dev.swap
	var gone []*Handle
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		each(gone, (*Handle).abort) // which calls cancel routines, and they may swap
	}()
	old := dev.replaceFilter(next)
	if old == nil {
		return errors.New("device: it is no filter, so that its dispatcher is swapped; call Swap")
	}
	for _, h := range dev.life.handles() {
		if dev.isGone(h) {
			dev.life.strand(h)
			gone = append(gone, h)
		}
	}
	if s.listener != nil {
		s.listener(next.changes(old))
	}
	return nil
}

// replaceFilter publishes a filter in the place of another, if there is one.
func (dev *Device) replaceFilter(next *filter) (old *filter) {
	dev.swap.change.Lock()
	defer dev.swap.change.Unlock()
	if old = dev.filter.Load(); old == nil {
		return nil
	}
	next.shareStorage(old)
	dev.filter.Store(next)
	return old
}

// settle ends the use of a handle whose pin or node the filter does not have.
func (dev *Device) settle(h *Handle) {
	if dev.isGone(h) {
		dev.life.strand(h)
		h.abort()
	}
}

func (dev *Device) isGone(h *Handle) bool { return h.object != nil && !h.object.in(dev.filter.Load()) }

// dispatchers are that of the filter itself, and those of its pins and its nodes, by their ids.
func (f *filter) dispatchers() (own, pins, nodes []*engine.Dispatcher) {
	for _, p := range f.now.Load().factories {
		pins = append(pins, p.dispatcher)
	}
	for id := range uint32(f.nodes.Len()) {
		nodes = append(nodes, f.nodes.Node(id))
	}
	return []*engine.Dispatcher{f.table.Load()}, pins, nodes
}

// shareStorage shares that of all that both filters have.
func (f *filter) shareStorage(old *filter) {
	share := func(list, old []*engine.Dispatcher) {
		for i := range min(len(list), len(old)) {
			list[i].ShareStorage(old[i])
		}
	}
	own, pins, nodes := f.dispatchers()
	oldOwn, oldPins, oldNodes := old.dispatchers()
	share(own, oldOwn)
	share(pins, oldPins)
	share(nodes, oldNodes)
}

// changes compares a filter with that before it.
func (f *filter) changes(old *filter) Change {
	own, pins, nodes := f.dispatchers()
	oldOwn, oldPins, oldNodes := old.dispatchers()
	return Change{Items: itemsChanged(oldOwn[0], own[0]), Pins: objectsChanged(oldPins, pins), Nodes: objectsChanged(oldNodes, nodes)}
}

func objectsChanged(old, now []*engine.Dispatcher) (list []ObjectChange) {
	for id := range max(len(old), len(now)) {
		c := ObjectChange{ID: uint32(id), Is: id < len(now), Was: id < len(old)}
		var before, after *engine.Dispatcher
		if c.Was {
			before = old[id]
		}
		if c.Is {
			after = now[id]
		}
		c.Items = itemsChanged(before, after)
		if c.Is != c.Was || len(c.Added)+len(c.Removed)+len(c.Changed) != 0 {
			list = append(list, c)
		}
	}
	return list
}

// itemsChanged compares the items of two dispatchers; nil has none.
func itemsChanged(old, now *engine.Dispatcher) (c Items) {
	type name struct {
		code uint32
		set  ks.GUID
		id   uint32
	}
	all := func(d *engine.Dispatcher) (items []engine.ItemInfo) {
		if d != nil {
			items = slices.Collect(d.Items())
		}
		for i := range items {
			items[i].Context = nil
		}
		return items
	}
	before, removed := make(map[name]engine.ItemInfo), all(old)
	for _, it := range removed {
		before[name{it.Code, it.Set, it.ID}] = it
	}
	for _, it := range all(now) {
		key := name{it.Code, it.Set, it.ID}
		switch was, ok := before[key]; {
		case !ok:
			c.Added = append(c.Added, it)
		case was != it:
			c.Changed = append(c.Changed, it)
		}
		delete(before, key)
	}
	for _, it := range removed {
		if _, gone := before[name{it.Code, it.Set, it.ID}]; gone {
			c.Removed = append(c.Removed, it)
		}
	}
	return c
}
