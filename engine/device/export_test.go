package device

// Rounded is a duration in nanoseconds as a histogram has it.
func Rounded(ns uint64) uint64 { return longestOf(bucketOf(ns)) }

// Freeze stops requests on their way to be held or started, until thaw is called.
func (h *OverlappedHandle) Freeze() (thaw func()) {
	h.mu.Lock()
	return h.mu.Unlock
}

// Starting reports that the request of o, which was held, is being started.
func (o *Overlapped) Starting() bool {
	x := o.req.Load().holding.Load()
	return x != nil && x.over.Load()
}

// Pin keeps the request of o as one who is about to cancel it does, until unpin is called.
func (o *Overlapped) Pin() (unpin func()) {
	r := o.req.Load()
	r.pins.Add(1)
	return func() { r.pins.Add(-1) }
}
