package device

import (
	"sync"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Change says what a Swap changed: items as engine.Dispatcher.Items describes them, without their Context.
type Change struct {
	Added, Removed []engine.ItemInfo
	Changed        []engine.ItemInfo // as they are now
}

// swap is what belongs to the swaps of a device.
type swap struct {
	mu       sync.Mutex
	listener func(Change)
}

// OnSwap has listener told of what each later Swap changed, one at a time, on the goroutine of Swap after it took effect; nil tells nobody.
// A handler that got another function and nothing else is no change that can be seen.
func (dev *Device) OnSwap(listener func(Change)) {
	dev.swap.mu.Lock()
	defer dev.swap.mu.Unlock()
	dev.swap.listener = listener
}

// Swap has d answer the requests of the device, whatever handles they come through, and returns what answered them before. A request is
// answered by one of the two: those that are in flight are finished by that which has them, and handles follow with their
// next request. Events stay enabled, and items that both have, by set and id, share their storage. On a filter it is the sets of the
// filter itself that are replaced, and not those of its pins and nodes. Swap may be called from anywhere but the listener.
func (dev *Device) Swap(d *engine.Dispatcher) (old *engine.Dispatcher) {
	s := &dev.swap
	s.mu.Lock()
	defer s.mu.Unlock()
	d.ShareStorage(dev.table.Load())
	old = dev.table.Swap(d)
	if s.listener != nil {
		s.listener(changes(old, d))
	}
	return old
}

// changes compares the items of two dispatchers.
func changes(old, now *engine.Dispatcher) (c Change) {
	type name struct {
		code uint32
		set  ks.GUID
		id   uint32
	}
	before := make(map[name]engine.ItemInfo)
	for it := range old.Items() {
		it.Context = nil
		before[name{it.Code, it.Set, it.ID}] = it
	}
	for it := range now.Items() {
		it.Context = nil
		key := name{it.Code, it.Set, it.ID}
		switch was, ok := before[key]; {
		case !ok:
			c.Added = append(c.Added, it)
		case was != it:
			c.Changed = append(c.Changed, it)
		}
		delete(before, key)
	}
	for it := range old.Items() {
		it.Context = nil
		if _, gone := before[name{it.Code, it.Set, it.ID}]; gone {
			c.Removed = append(c.Removed, it)
		}
	}
	return c
}
