package engine

// What the tests of events balance: entries and bytes of pools, references of objects, entries of file objects.

// LivePool returns how many entries and buffers of the list are not freed.
func (l *EventList) LivePool() (entries, buffers int) { return l.pool.counts() }

// LivePool does so for the entries that the dispatcher makes for requests without a list.
func (d *Dispatcher) LivePool() (entries, buffers int) { return d.entries.counts() }

func (p *eventPool) counts() (entries, buffers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes != nil {
		buffers = int(p.bytes.Stats().Live)
	}
	return p.live, buffers
}

func ReferencesOf(o Object) int32 {
	switch o := o.(type) {
	case *SyncEvent:
		return o.n.Load()
	case *Semaphore:
		return o.n.Load()
	case *WorkItem:
		return o.n.Load()
	}
	return -1
}

func EventsOf(file *FileObject) int32 { return file.events.Load() }

// MarkDeleted makes an entry one whose removal has begun.
func (e *EventEntry) MarkDeleted() { e.flags |= 1 }

// EachForTest walks the entries without the lock, and is done with an entry before it is yielded.
func (l *EventList) EachForTest() func(yield func(*EventEntry) bool) {
	return func(yield func(*EventEntry) bool) {
		for e := l.head; e != nil; {
			next := e.next
			if !yield(e) {
				return
			}
			e = next
		}
	}
}

// Tallies returns how many tallies there are, and how many of them are free.
func (c *Counts) Tallies() (all, free int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tallies), len(c.free)
}
