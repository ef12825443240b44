package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestE20_Discard: an entry that a worker still has to deliver lives until it did, then its memory is freed, once.
func TestE20_Discard(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1, ExtraEntryData: 8})
	w := engine.NewWorker()
	defer w.Close()
	held, running := make(chan struct{}), make(chan struct{}, 10)
	var seen []uint64
	item := w.NewWorkItem(func(e *engine.EventEntry) {
		running <- struct{}{}
		<-held
		seen = append(seen, e.EventData()+uint64(len(e.Extra())))
	})
	data := eventData(ks.NotificationDPC, h.open(item))
	irp := h.irp(1, enable, 100, data)
	irp.RequestorMode = engine.KernelMode
	h.send(irp, h.list, ks.StatusSuccess, 0)
	h.references(item, 2)
	for range 3 {
		h.generate(1, ks.StatusSuccess)
	}
	<-running
	h.disable(100, ks.StatusSuccess)
	h.count(0)
	h.references(item, 1)
	if entries, buffers := h.list.LivePool(); entries != 1 || buffers != 1 {
		t.Errorf("%d entries and %d buffers live while signals are on their way", entries, buffers)
	}
	if n := engine.EventsOf(&h.file); n != 0 {
		t.Errorf("the file object has %d events", n)
	}
	close(held)
	w.Flush()
	if !slices.Equal(seen, []uint64{108, 108, 108}) {
		t.Errorf("the work item saw %v", seen)
	}
	if entries, buffers := h.list.LivePool(); entries != 0 || buffers != 0 {
		t.Errorf("%d entries and %d buffers live after the last signal", entries, buffers)
	}
}

func TestE21_Signals(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	w := engine.NewWorker()
	e, s := engine.NewSyncEvent(), engine.NewSemaphore(10)
	var calls atomic.Int32
	item := w.NewWorkItem(func(*engine.EventEntry) { calls.Add(1) })
	for i, kind := range []uint32{ks.NotificationEventHandle, ks.NotificationEventObject, ks.NotificationSemaphoreHandle,
		ks.NotificationSemaphoreObject, ks.NotificationDPC, ks.NotificationWorkItem, ks.NotificationKsWorkItem} {
		var o engine.Object = item
		x := ks.EventData{NotificationType: kind}
		switch kind {
		case ks.NotificationEventHandle, ks.NotificationEventObject:
			o = e
		case ks.NotificationSemaphoreHandle, ks.NotificationSemaphoreObject:
			o, x.Adjustment = s, 4
		}
		x.Object = h.open(o)
		data := make([]byte, 32)
		x.Put(data)
		irp := h.irp(1, enable, 1, data)
		irp.RequestorMode = engine.KernelMode
		h.send(irp, h.list, ks.StatusSuccess, 0)
		h.generate(1, ks.StatusSuccess)
		w.Flush()
		if e.TryWait() != (i < 2) || s.Count() != []int{0, 0, 4, 4, 0, 0, 0}[i] || (calls.Load() == 1) != (i >= 4) {
			t.Errorf("type %#x: count %d, %d calls", kind, s.Count(), calls.Load())
		}
		calls.Store(0)
		if i < 2 || i > 3 {
			h.disable(1, ks.StatusSuccess)
			continue
		}
		// The limit of 10 is a status, and the entry stays.
		h.generate(1, ks.StatusSuccess)
		h.generate(1, ks.StatusSemaphoreLimitExceeded)
		if n := s.Drain(); n != 8 {
			t.Errorf("count %d, want 8", n)
		}
		h.generate(1, ks.StatusSuccess)
		s.Drain()
		h.disable(1, ks.StatusSuccess)
	}
	// A worker that is closed takes no more.
	irp := h.irp(1, enable, 1, eventData(ks.NotificationWorkItem, h.open(item)))
	irp.RequestorMode = engine.KernelMode
	h.send(irp, h.list, ks.StatusSuccess, 0)
	w.Close()
	w.Close()
	w.Flush()
	h.generate(1, ks.StatusUnsuccessful)
	h.disable(1, ks.StatusSuccess)
	// What was discarded cannot be signalled.
	if status := engine.GenerateEvent(new(engine.EventEntry)); status != ks.StatusInvalidParameter {
		t.Errorf("an entry of nothing: %v", status)
	}
}

// TestE22_OneShot: one signal, then the entry is removed through E-16, also from within an enumeration.
func TestE22_OneShot(t *testing.T) {
	var removed int
	var h *eventHost
	h = newEventHost(t, engine.EventItem{ID: 1, Remove: func(_ *engine.FileObject, e *engine.EventEntry) { removed++; h.list.Remove(e) }},
		engine.EventItem{ID: 2})
	var events []*engine.SyncEvent
	for i := range uint64(20) {
		e, data := h.event()
		events = append(events, e)
		h.enable(1+uint32(i%2), []uint32{oneShot, enable, oneShot, oneShot}[i%4], i, data, ks.StatusSuccess)
	}
	for range 2 {
		h.list.Generate(nil, 1)
		h.list.Generate(nil, 2)
	}
	for i, e := range events {
		h.signalled(e, true)
		h.references(e, []int32{1, 2, 1, 1}[i%4])
	}
	h.count(5)
	if removed != 10 {
		t.Errorf("Remove was called %d times", removed)
	}
	h.list.Generate(nil, 1)
	h.list.Generate(nil, 2)
	for i, e := range events {
		h.signalled(e, i%4 == 1)
	}
	// One entry, by a driver who holds the lock and advances first.
	e, data := h.event()
	h.enable(1, oneShot, 50, data, ks.StatusSuccess)
	h.list.Do(func() {
		for entry := range entries(h.list, 1) {
			if status := engine.GenerateEvent(entry); status != ks.StatusSuccess {
				t.Error(status)
			}
		}
	})
	h.signalled(e, true)
	h.references(e, 1)
	// One that cannot be signalled was not, and stays (E-21).
	s := engine.NewSemaphore(1)
	h.enable(2, oneShot, 60, semaphoreData(h.open(s), 2), ks.StatusSuccess)
	h.generate(2, ks.StatusSemaphoreLimitExceeded)
	h.references(s, 2)
}

// entries returns the entries of an event as a driver that keeps its own would have them. It holds no lock: the caller does.
func entries(l *engine.EventList, id uint32) map[*engine.EventEntry]bool {
	found := map[*engine.EventEntry]bool{}
	for e := range l.EachForTest() {
		if e.Item().ID == id {
			found[e] = true
		}
	}
	return found
}

func TestE23_List(t *testing.T) {
	h := newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}, {ID: 2}}},
		{Set: setB, Items: []engine.EventItem{{ID: 1}}}}}, engine.EventListConfig{})
	var events []*engine.SyncEvent
	for i, where := range []struct {
		set ks.GUID
		id  uint32
	}{{setA, 1}, {setA, 2}, {setB, 1}, {setA, 1}} {
		e, data := h.event()
		irp := h.irp(where.id, enable, uint64(i), data)
		copy(irp.Type3InputBuffer, where.set[:])
		h.send(irp, h.list, ks.StatusSuccess, 0)
		events = append(events, e)
	}
	for _, c := range []struct {
		set   *ks.GUID
		id    uint32
		match func(*engine.EventEntry) bool
		want  []bool
	}{
		{&setA, 1, nil, []bool{true, false, false, true}},
		{&setB, 1, nil, []bool{false, false, true, false}},
		{nil, 1, nil, []bool{true, false, true, true}},
		{nil, 2, nil, []bool{false, true, false, false}},
		{&setB, 2, nil, []bool{false, false, false, false}},
		{&stranger, 1, nil, []bool{false, false, false, false}},
		{nil, 1, func(e *engine.EventEntry) bool { return e.EventData() >= 2 }, []bool{false, false, true, true}},
		{nil, 1, func(e *engine.EventEntry) bool { return e.Set().Set == setA }, []bool{true, false, false, true}},
		{nil, 3, func(*engine.EventEntry) bool { panic("asked of an entry of another event") }, []bool{false, false, false, false}},
	} {
		if status := h.list.GenerateData(c.set, c.id, nil, c.match); status != ks.StatusSuccess {
			t.Error(status)
		}
		for i, e := range events {
			if got := e.TryWait(); got != c.want[i] {
				t.Errorf("set %v id %d: event %d signalled %v", c.set, c.id, i, got)
			}
		}
	}
	// The first failure is returned, and what comes after is signalled all the same.
	s := engine.NewSemaphore(1)
	h.enable(2, enable, 9, semaphoreData(h.open(s), 2), ks.StatusSuccess)
	e, data := h.event()
	h.enable(2, enable, 10, data, ks.StatusSuccess)
	h.generate(2, ks.StatusSemaphoreLimitExceeded)
	h.signalled(e, true)
}

// query sends a QUERYBUFFER and returns the output.
func (h *eventHost) query(id uint32, address uint64, out int, want ks.Status, information uint64) []byte {
	h.Helper()
	irp := h.irp(id, queryBuffer, 0xBAD, full(out))
	in := make([]byte, ks.SizeQueryBuffer)
	ks.QueryBuffer{Event: ks.Identifier{Set: setA, ID: id, Flags: queryBuffer}, EventData: address, Reserved: math.MaxUint64}.Put(in)
	irp.Type3InputBuffer, irp.InputBufferLength = in, ks.SizeQueryBuffer
	h.send(irp, h.list, want, information)
	return irp.UserBuffer
}

// TestE24_Data: buffered entries queue a copy, others are signalled and the data is dropped; the queue is bounded (S-24).
func TestE24_Data(t *testing.T) {
	h := newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1}}}}},
		engine.EventListConfig{LockType: engine.EventLockResource, Lock: new(sync.RWMutex), MaxQueued: 3})
	plain, plainData := h.event()
	queued, queuedData := h.event()
	h.enable(1, buffered, 1, queuedData, ks.StatusSuccess)
	h.enable(1, enable, 2, plainData, ks.StatusSuccess)
	value := []byte("one")
	h.list.GenerateData(&setA, 1, value, nil)
	copy(value, "xxx")
	h.generate(1, ks.StatusSuccess)
	var entry *engine.EventEntry
	h.list.GenerateData(&setA, 1, nil, func(e *engine.EventEntry) bool {
		if e.Flags() == ks.EventEntryBuffered {
			entry = e
		}
		return false
	})
	h.list.Do(func() {
		if status := engine.GenerateDataEvent(entry, []byte("three")); status != ks.StatusSuccess {
			t.Error(status)
		}
		if status := engine.GenerateDataEvent(entry, []byte("four")); status != ks.StatusInsufficientResources {
			t.Error(status)
		}
	})
	h.generate(1, ks.StatusInsufficientResources)
	h.signalled(plain, true)
	h.signalled(queued, false) // E-25
	if out := h.query(1, 1, 8, ks.StatusSuccess, 3); !bytes.Equal(out, append([]byte("one"), full(5)...)) {
		t.Errorf("%q", out)
	}
	h.query(1, 1, 8, ks.StatusSuccess, 0)
	if out := h.query(1, 1, 5, ks.StatusSuccess, 5); string(out) != "three" {
		t.Errorf("%q", out)
	}
	h.query(1, 1, 8, ks.StatusNoMoreEntries, 0)
}

// TestE25_Buffered: the KSEVENTDATA of a buffered event is validated like any other.
func TestE25_Buffered(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	h.enable(1, buffered, 1, eventData(ks.NotificationDPC, 4), ks.StatusInvalidParameter)
	h.enable(1, buffered, 1, eventData(ks.NotificationEventHandle, 4), ks.StatusInvalidHandle)
	h.enable(1, buffered, 1, full(31), ks.StatusBufferTooSmall)
}

func TestE26_QueryBuffer(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2})
	_, data := h.event()
	h.enable(1, buffered, 5, data, ks.StatusSuccess)
	h.enable(1, enable, 6, data, ks.StatusSuccess)
	for n := uint32(24); n < 40; n++ {
		irp := h.irp(1, queryBuffer, 5, full(8))
		irp.Type3InputBuffer, irp.InputBufferLength = append(irp.Type3InputBuffer, full(16)...), n
		h.send(irp, h.list, ks.StatusInvalidBufferSize, 0)
	}
	h.query(1, 5, 0, ks.StatusNoMoreEntries, 0)
	h.query(1, 5, 8, ks.StatusNoMoreEntries, 0)
	h.query(1, 6, 8, ks.StatusInvalidParameter, 0)
	h.query(1, 7, 8, ks.StatusNotFound, 0)
	h.query(2, 5, 8, ks.StatusNotFound, 0) // another event of the client
	h.query(3, 5, 8, ks.StatusNotFound, 0) // no event
	h.list.GenerateData(&setA, 1, []byte("hello"), nil)
	h.list.GenerateData(&setA, 1, []byte("you"), nil)
	for range 2 { // a peek takes nothing
		h.query(1, 5, 0, ks.StatusBufferOverflow, 5)
		h.query(1, 5, 4, ks.StatusBufferTooSmall, 0)
	}
	if out := h.query(1, 5, 6, ks.StatusSuccess, 5); string(out[:5]) != "hello" || out[5] != untouched {
		t.Errorf("%q", out)
	}
	other := engine.FileObject{}
	h.query(1, 5, 0, ks.StatusBufferOverflow, 3)
	irp := h.irp(1, queryBuffer, 5, full(8))
	irp.Type3InputBuffer, irp.InputBufferLength, irp.FileObject = append(irp.Type3InputBuffer, make([]byte, 16)...), 40, &other
	binary.LittleEndian.PutUint64(irp.Type3InputBuffer[24:], 5)
	h.send(irp, h.list, ks.StatusNotFound, 0)
	irp.FileObject = &h.file
	h.send(irp, nil, ks.StatusNotFound, 0)
	h.disable(5, ks.StatusSuccess) // with something queued, which is freed
}

func TestEventWaits(t *testing.T) {
	e, s := engine.NewSyncEvent(), engine.NewSemaphore(100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e.Wait(ctx) == nil || s.Wait(ctx) == nil || s.TryWait() || e.TryWait() {
		t.Error("waited for nothing")
	}
	for _, wait := range []func() bool{
		func() bool { return e.Wait(t.Context()) == nil },
		func() bool { <-e.C(); return true },
		e.TryWait,
	} {
		for range 2 {
			e.Set()
			e.Set()
			if !wait() || e.TryWait() {
				t.Error("two signals of an event are not one")
			}
		}
	}
	fresh := engine.NewSyncEvent()
	fresh.Set()
	<-fresh.C() // signalled before there was a channel
	const each = 1000
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range each {
				if err := s.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := 0; n < 4*each; {
		if s.Release(int32(1+n%3)) == ks.StatusSuccess {
			n += 1 + n%3
		}
	}
	s.Release(2)
	wg.Wait()
}
