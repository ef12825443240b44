package engine_test

import (
	"bytes"
	"math"
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestS3_NestedEnable: a driver that forwards a user's enable, with the user's mode, gets no kernel object signalled by it. The
// mode is the request's and nothing in it changes that.
func TestS3_NestedEnable(t *testing.T) {
	var inner *eventHost
	spied := &spiedHandles{}
	outer := newEventHost(t, engine.EventItem{ID: 1, Add: func(irp *engine.IRP, data []byte, _ *engine.EventEntry) ks.Status {
		again := inner.irp(1, enable, irp.EventData, bytes.Clone(data))
		again.RequestorMode, again.FileObject = irp.RequestorMode, irp.FileObject
		status := inner.EnableEvent(again, inner.list)
		if again.RequestorMode != engine.UserMode || irp.RequestorMode != engine.UserMode {
			t.Error("the mode changed")
		}
		again.Finish(status, nil)
		if status == ks.StatusSuccess {
			status = ks.StatusUnsuccessful // the outer entry is not needed
		}
		return status
	}})
	inner = newEventHost(t, engine.EventItem{ID: 1})
	spied.Handles = &outer.handles
	outer.file.Handles = spied
	_, data := outer.event()
	outer.enable(1, enable, 1, data, ks.StatusUnsuccessful)
	inner.count(1)
	if spied.mode != engine.UserMode || spied.access != engine.ModifyState || spied.asked != 2 {
		t.Errorf("resolved %d times, with mode %v and access %#x", spied.asked, spied.mode, spied.access)
	}
	inner.list.Free(&outer.file)
	for kind := uint32(4); kind < 256; kind *= 2 {
		outer.enable(1, enable, 1, eventData(kind, 4), ks.StatusInvalidParameter)
	}
	inner.count(0)
}

// TestS4_KernelTypes: what a user may not name touches no object; TestE7_NotificationType has all values.
func TestS4_KernelTypes(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	spied := &spiedHandles{Handles: &h.handles}
	h.file.Handles = spied
	for kind := range uint32(256) {
		if kind == 1 || kind == 2 {
			continue
		}
		h.enable(1, enable, 1, eventData(kind, 4), ks.StatusInvalidParameter)
	}
	for _, kind := range []uint32{1 << 31, 0x101, math.MaxUint32} {
		h.enable(1, enable, 1, eventData(kind, 4), ks.StatusInvalidParameter)
	}
	if spied.asked != 0 {
		t.Errorf("%d handles were looked up", spied.asked)
	}
}

// TestS5_Lengths: al8(Out) + In beyond 32 bits is refused before anything is obtained.
func TestS5_Lengths(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	for out := uint32(math.MaxUint32 - 7); out != 0; out++ {
		irp := h.irp(1, enable, 1, nil)
		irp.OutputBufferLength = out
		h.send(irp, h.list, ks.StatusInvalidBufferSize, 0)
		irp.InputBufferLength = 0
		irp.Type3InputBuffer = nil
		if out > math.MaxUint32-7 {
			h.send(irp, h.list, ks.StatusInvalidBufferSize, 0)
		}
	}
	if n := h.pool.Stats().Allocs; n > 1 { // one poisons the pool
		t.Errorf("%d buffers were obtained", n)
	}
}

// TestE6_Faults: a KSEVENTDATA or KSEVENT that is not there is the status of the fault, and nothing stays.
func TestE6_Faults(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	_, data := h.event()
	for limit := range 32 {
		irp := h.irp(1, enable, 1, data)
		m := newMemory(irp.Type3InputBuffer, data)
		m.outLimit = limit
		irp.Memory = m
		h.send(irp, h.list, ks.StatusAccessViolation, 0)
		if limit < 24 {
			m = newMemory(irp.Type3InputBuffer, data)
			m.inLimit = limit
			irp.Memory = m
			h.send(irp, h.list, ks.StatusAccessViolation, 0)
		}
		irp = h.irp(1, enable, 1, data[:limit]) // a slice that ends early
		irp.OutputBufferLength = 32
		h.send(irp, h.list, ks.StatusAccessViolation, 0)
	}
	h.count(0)
}

// TestS9_Prepared: a buffer that an earlier pass laid out is taken as it is, also by the listing of sets without an input (P-15);
// one that somebody else set is refused and left alone (S-15).
func TestS9_Prepared(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	first := newEventHost(t, engine.EventItem{ID: 1,
		Add: func(*engine.IRP, []byte, *engine.EventEntry) ks.Status { return ks.StatusNotFound }})
	_, data := h.event()
	irp := h.irp(1, enable, 1, data)
	if status := first.EnableEvent(irp, nil); status != ks.StatusNotFound {
		t.Fatal(status)
	}
	before := h.pool.Stats().Allocs
	clear(irp.Type3InputBuffer) // nothing is read again (S-2)
	clear(data)
	h.send(irp, h.list, ks.StatusSuccess, 0)
	h.count(1)
	if n := h.pool.Stats().Allocs - before; n != 0 {
		t.Errorf("%d more buffers", n)
	}

	for _, in := range []uint32{0, 24} {
		for _, out := range []int{0, 16, 32} {
			irp := h.irp(1, eventSetSupport, 1, full(out))
			irp.InputBufferLength, irp.SystemBuffer = in, make([]byte, 128)
			if status := h.EnableEvent(irp, h.list); status != ks.StatusInvalidParameter || len(irp.SystemBuffer) != 128 || irp.Flags != 0 {
				t.Errorf("in %d out %d: a forged buffer is %v, Flags %#x", in, out, status, irp.Flags)
			}
		}
	}
	irp = h.irp(0, 0, 0, full(16))
	irp.Type3InputBuffer, irp.InputBufferLength = nil, 0
	if status := h.EnableEvent(irp, h.list); status != ks.StatusSuccess {
		t.Fatal(status)
	}
	h.send(irp, h.list, ks.StatusSuccess, 16)
}

// TestS13_Everything: each callback of an event panics, fails, pends or ends its goroutine. Locks are released, entries and buffers
// freed once.
func TestS13_Everything(t *testing.T) {
	type callback func() ks.Status
	behaviours := map[string]callback{
		"panics":  func() ks.Status { panic("handler") },
		"throws":  func() ks.Status { panic(ks.StatusNoMemory) },
		"fails":   func() ks.Status { return ks.StatusUnsuccessful },
		"warns":   func() ks.Status { return ks.StatusNoMoreEntries },
		"exits":   func() ks.Status { runtime.Goexit(); return 0 },
		"is fine": func() ks.Status { return ks.StatusSuccess },
	}
	for name, do := range behaviours {
		for _, config := range []engine.EventListConfig{{}, {LockType: engine.EventLockMutex, Lock: new(counted)},
			{LockType: engine.EventLockInterrupt, Lock: new(interrupt)}} {
			var on string
			act := func(where string) ks.Status {
				if on != where {
					return ks.StatusSuccess
				}
				return do()
			}
			var h *eventHost
			h = newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, ExtraEntryData: 24,
				Add: func(_ *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
					if status := act("add"); status != ks.StatusSuccess {
						return status
					}
					return h.list.Add(e)
				},
				Remove:  func(_ *engine.FileObject, e *engine.EventEntry) { act("remove") },
				Support: func(*engine.IRP, []byte, []byte) ks.Status { return act("support") },
			}}}}}, config)
			e, data := h.event()
			for _, on = range []string{"add", "remove", "support", "match"} {
				// On a goroutine of its own, as one of them ends it.
				done := make(chan struct{})
				go func() {
					defer close(done)
					irp := h.irp(1, enable, 1, data)
					if status := h.EnableEvent(irp, h.list); status != ks.StatusPending {
						h.finish(irp, status)
					}
				}()
				<-done
				done = make(chan struct{})
				go func() {
					defer close(done)
					irp := h.irp(1, eventBasic, 1, full(8))
					h.finish(irp, h.EnableEvent(irp, nil))
				}()
				<-done
				done = make(chan struct{})
				go func() {
					defer close(done)
					h.list.GenerateData(nil, 1, nil, func(*engine.EventEntry) bool { return act("match") == ks.StatusSuccess })
				}()
				<-done
				done = make(chan struct{})
				go func() {
					defer close(done)
					h.list.Free(&h.file)
				}()
				<-done
				if h.balanced(); t.Failed() {
					t.Fatalf("%s %s, lock type %d", on, name, config.LockType)
				}
				h.references(e, 1)
				e.TryWait()
				if n := h.pool.Stats().Live; n != 0 {
					t.Fatalf("%s %s: %d buffers live", on, name, n)
				}
			}
		}
	}
}

// TestS13_WorkItem: a panic in a work item is reported, and the worker goes on.
func TestS13_WorkItem(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	w := engine.NewWorker()
	calls := 0
	handle := h.open(w.NewWorkItem(func(*engine.EventEntry) {
		if calls++; calls == 1 {
			panic("work")
		}
	}))
	irp := h.irp(1, enable, 1, eventData(ks.NotificationKsWorkItem, handle))
	irp.RequestorMode = engine.KernelMode
	h.send(irp, h.list, ks.StatusSuccess, 0)
	h.generate(1, ks.StatusSuccess)
	h.generate(1, ks.StatusSuccess)
	if w.Close(); calls != 2 || h.panics != 1 {
		t.Errorf("%d calls, OnPanic was told %d times", calls, h.panics)
	}
}

// TestS13_WorkItemGoexit: a work item that ends its goroutine ends no more than its own call. What was signalled before and
// after it is delivered, and nothing is left over.
func TestS13_WorkItemGoexit(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2})
	w := engine.NewWorker()
	held := make(chan struct{})
	var calls []uint32
	item := w.NewWorkItem(func(e *engine.EventEntry) {
		<-held
		if calls = append(calls, e.Item().ID); e.Item().ID == 1 {
			runtime.Goexit()
		}
	})
	data := eventData(ks.NotificationKsWorkItem, h.open(item))
	for id := range uint32(2) {
		irp := h.irp(id+1, enable, uint64(id), data)
		irp.RequestorMode = engine.KernelMode
		h.send(irp, h.list, ks.StatusSuccess, 0)
	}
	for _, id := range []uint32{2, 1, 1, 2} { // the second pair finds the entries on their way
		h.generate(id, ks.StatusSuccess)
	}
	close(held)
	w.Flush()
	for _, id := range []uint32{1, 2, 1} {
		h.generate(id, ks.StatusSuccess)
	}
	w.Close()
	if len(calls) != 7 || h.panics != 0 {
		t.Errorf("7 signals were accepted, the calls were %d; OnPanic was told %d times", calls, h.panics)
	}
	h.generate(1, ks.StatusUnsuccessful)
	h.balanced()
	h.references(item, 1)
}

// TestS14_Strides is in TestE2_ItemSize; here are the sizes of S-14 that need a set.
func TestS14_Strides(t *testing.T) {
	for _, size := range []uint32{32, 39, 44, 0x80000000, math.MaxUint32, math.MaxUint32 - 7} {
		if _, err := engine.Compile(engine.Config{EventItemSize: size,
			EventSets: []engine.EventSet{{Set: setA, Items: make([]engine.EventItem, 2)}}}); err == nil {
			t.Errorf("EventItemSize %d compiles", size)
		}
	}
	for name, config := range map[string]engine.Config{
		"twice": {EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}, {ID: 1}}}}},
		"twice in two sets": {EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}}},
			{Set: setA, Items: []engine.EventItem{{ID: 1}}}}},
	} {
		_, err := engine.Compile(config)
		if e, ok := err.(*engine.CompileError); !ok || e.Sets != "EventSets" || e.ID != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestS19_OtherClients is in TestE17_Disable and TestE19_Free; here a client tries the names of another, one by one.
func TestS19_OtherClients(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	_, data := h.event()
	for i := range uint64(100) {
		h.enable(1, enable, i, data, ks.StatusSuccess)
	}
	for i := range uint64(200) {
		if status := h.DisableEvent(&engine.IRP{InputBufferLength: 32, FileObject: new(engine.FileObject), EventData: i},
			h.list); status != ks.StatusUnsuccessful {
			t.Errorf("%d: %v", i, status)
		}
	}
	h.list.Free(new(engine.FileObject))
	h.count(100)
}

// TestS23_Handles: an event keeps the object, not the handle; it is dereferenced once.
func TestS23_Handles(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	e := engine.NewSyncEvent()
	handle := h.open(e)
	for range 2 {
		h.enable(1, enable, 1, eventData(ks.NotificationEventHandle, handle), ks.StatusSuccess)
	}
	h.references(e, 3)
	if status := h.handles.Close(handle); status != ks.StatusSuccess {
		t.Error(status)
	}
	if status := h.handles.Close(handle); status != ks.StatusInvalidHandle {
		t.Error(status)
	}
	if again := h.open(engine.NewSemaphore(1)); again != handle {
		t.Errorf("the number %d was not used again: %d", handle, again)
	}
	h.references(e, 2)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, true)
	h.disable(1, ks.StatusSuccess)
	h.references(e, 1)
	h.disable(1, ks.StatusSuccess)
	h.references(e, 0)
}

// TestS24_QueuedBytes: what buffered entries have queued is bounded in bytes, for an entry and for a file object, and bytes that were
// fetched or dropped are free again.
func TestS24_QueuedBytes(t *testing.T) {
	for _, c := range []struct {
		config      engine.EventListConfig
		entry, file int
	}{
		{engine.EventListConfig{MaxQueued: 1 << 20, MaxQueuedBytes: 100, MaxQueuedBytesPerFile: 250}, 100, 250},
		{engine.EventListConfig{MaxQueued: 1 << 20}, 1 << 20, 16 << 20}, // by default
	} {
		h := newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}}}}}, c.config)
		fill := func(eventData uint64, n int, want ks.Status) {
			t.Helper()
			h.list.GenerateData(&setA, 1, nil, func(e *engine.EventEntry) bool {
				if e.EventData() == eventData {
					if status := engine.GenerateDataEvent(e, make([]byte, n)); status != want {
						t.Errorf("event %d, %d bytes: %v, want %v", eventData, n, status, want)
					}
				}
				return false
			})
		}
		_, data := h.event()
		entries := uint64(c.file/c.entry + 1)
		for i := range entries {
			h.enable(1, buffered, 1+i, data, ks.StatusSuccess)
		}
		fill(1, c.entry+1, ks.StatusInsufficientResources)
		fill(1, c.entry, ks.StatusSuccess)
		fill(1, 1, ks.StatusInsufficientResources)
		fill(1, 0, ks.StatusSuccess)
		left := c.file - c.entry
		for i := uint64(2); i <= entries; i++ {
			n := min(left, c.entry)
			fill(i, n, ks.StatusSuccess)
			left -= n
		}
		last := entries
		fill(last, 1, ks.StatusInsufficientResources)
		h.disable(1, ks.StatusSuccess)
		fill(last, min(c.entry, c.file-(int(entries)-2)*c.entry)/2, ks.StatusSuccess)
	}
}

// TestS24_Limits: entries of one file object, and what a buffered entry queues, are bounded.
func TestS24_Limits(t *testing.T) {
	h := newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA,
		Items: []engine.EventItem{{ID: 1}, {ID: 2, Add: func(*engine.IRP, []byte, *engine.EventEntry) ks.Status {
			return ks.StatusUnsuccessful
		}}}}}}, engine.EventListConfig{MaxPerFile: 5, MaxQueued: 2})
	_, data := h.event()
	for range 20 {
		h.enable(2, enable, 1, data, ks.StatusUnsuccessful) // what failed does not count
	}
	for range 5 {
		h.enable(1, buffered, 1, data, ks.StatusSuccess)
	}
	h.enable(1, enable, 1, data, ks.StatusInsufficientResources)
	irp := h.irp(1, enable, 1, data)
	irp.FileObject = &engine.FileObject{Handles: &h.handles}
	h.send(irp, h.list, ks.StatusSuccess, 0)
	h.generate(1, ks.StatusSuccess)
	h.generate(1, ks.StatusSuccess)
	h.generate(1, ks.StatusInsufficientResources)
	h.disable(1, ks.StatusSuccess)
	h.enable(1, enable, 1, data, ks.StatusSuccess)
	h.list.Free(irp.FileObject)
}
