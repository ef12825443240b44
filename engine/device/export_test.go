package device

import "github.com/ksdispatch/ksdispatch/engine/ks"

// Rounded is a duration in nanoseconds as a histogram has it.
func Rounded(ns uint64) uint64 { return longestOf(bucketOf(ns)) }

// Freeze stops requests on their way to become those of the handle, until thaw is called.
func (h *OverlappedHandle) Freeze() (thaw func()) {
	h.mu.Lock()
	return h.mu.Unlock
}

// Freeze stops requests on their way to be held, until thaw is called.
func (dev *Device) Freeze() (thaw func()) {
	dev.life.mu.Lock()
	return dev.life.mu.Unlock
}

// Start takes the request of o, which is held, as one who starts it, which start does.
func (o *Overlapped) Start() (start func()) {
	x := o.req.Load().holding.Load()
	if !x.over.CompareAndSwap(false, true) {
		panic("it is held no longer")
	}
	return func() { x.done(ks.StatusSuccess) }
}

// Pin keeps the request of o as one who is about to cancel it does, until unpin is called.
func (o *Overlapped) Pin() (unpin func()) {
	r := o.req.Load()
	r.pins.Add(1)
	return func() { r.pins.Add(-1) }
}

// Post posts the packet of o, which is idle, in two steps: after the first its request is seen to be complete.
func (p *Port) Post(o *Overlapped) (post func()) {
	o.become(stateQueued)
	return func() { p.post(o) }
}
