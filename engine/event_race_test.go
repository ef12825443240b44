package engine_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestS10_LifetimeRaces: generate, disable, the freeing of a file's events and the close of another run against each other, on
// one-shot and normal entries, with every kind of target and with Remove handlers. Each entry is freed once, a one-shot event is
// signalled once or disabled, and nothing is signalled after the disable returned.
func TestS10_LifetimeRaces(t *testing.T) {
	rounds := 100_000
	if testing.Short() {
		rounds = 2_000
	}
	r := testkit.Rand(t)
	var list *engine.EventList
	var removed atomic.Int64
	h := newEventHost(t, engine.EventItem{ID: 1, ExtraEntryData: 16},
		engine.EventItem{ID: 2, Remove: func(_ *engine.FileObject, e *engine.EventEntry) {
			removed.Add(1)
			list.Remove(e)
		}})
	list = h.list
	w := engine.NewWorker()
	defer w.Close()
	var delivered atomic.Int64
	item := w.NewWorkItem(func(e *engine.EventEntry) {
		if e.EventData() == 0 || e.FileObject() == nil {
			t.Error("a work item got an entry that was freed")
		}
		delivered.Add(1)
	})
	normal, normalData := h.event()
	once, onceData := h.event()
	queuedData := eventData(ks.NotificationEventHandle, h.open(normal))
	s := engine.NewSemaphore(1 << 30)
	semaphore := semaphoreData(h.open(s), 1)
	work := eventData(ks.NotificationDPC, h.open(item))
	other := engine.FileObject{Handles: &h.handles}

	// Each of these runs on a goroutine of its own for all rounds.
	start := make([]chan struct{}, 4)
	var done sync.WaitGroup
	var disabledNormal, disabledOnce ks.Status
	var late, tookOnce atomic.Bool
	body := []func(){
		func() {
			list.Generate(&setA, 1)
			list.GenerateData(&setA, 2, []byte("data"), nil)
		},
		func() {
			irp := engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: &h.file, EventData: 1}
			if disabledNormal = h.DisableEvent(&irp, list); disabledNormal == ks.StatusSuccess {
				normal.TryWait() // a signal from before
			}
			irp.EventData = 2
			disabledOnce = h.DisableEvent(&irp, list)
		},
		func() { list.Free(&other) },
		func() {
			list.Generate(nil, 1)
			list.Generate(nil, 2)
		},
	}
	for i, f := range body {
		start[i] = make(chan struct{})
		go func() {
			for range start[i] {
				f()
				done.Done()
			}
		}()
		defer close(start[i])
	}
	irp := h.irp(1, enable, 0, nil)
	on := func(file *engine.FileObject, id, flags uint32, address uint64, data []byte, mode engine.Mode) {
		ks.Identifier{Set: setA, ID: id, Flags: flags}.Put(irp.Type3InputBuffer)
		irp.UserBuffer, irp.OutputBufferLength, irp.FileObject, irp.EventData, irp.RequestorMode = data, uint32(len(data)), file, address, mode
		h.send(irp, list, ks.StatusSuccess, 0)
	}
	for round := range rounds {
		id := func() uint32 { return 1 + uint32(r.IntN(2)) }
		on(&h.file, id(), enable, 1, normalData, engine.UserMode)
		on(&h.file, id(), oneShot, 2, onceData, engine.UserMode)
		on(&other, id(), []uint32{enable, oneShot}[r.IntN(2)], 1, semaphore, engine.UserMode)
		on(&other, id(), []uint32{enable, oneShot}[r.IntN(2)], 2, work, engine.KernelMode)
		on(&other, id(), buffered, 3, queuedData, engine.UserMode)
		done.Add(len(body))
		for _, i := range r.Perm(len(body)) {
			start[i] <- struct{}{}
		}
		done.Wait()
		late.Store(normal.TryWait())
		tookOnce.Store(once.TryWait())
		if disabledNormal != ks.StatusSuccess || late.Load() {
			t.Fatalf("round %d: disable %v, signalled after it %v", round, disabledNormal, late.Load())
		}
		if tookOnce.Load() == (disabledOnce == ks.StatusSuccess) {
			t.Fatalf("round %d: one-shot signalled %v, disable %v", round, tookOnce.Load(), disabledOnce)
		}
		if round%64 == 0 || round == rounds-1 {
			w.Flush()
			entries, buffers := list.LivePool()
			if n := list.Len(); n+entries+buffers != 0 || engine.EventsOf(&h.file) != 0 || engine.EventsOf(&other) != 0 {
				t.Fatalf("round %d: %d entries on the list, %d live, %d buffers", round, n, entries, buffers)
			}
			for _, o := range []engine.Object{normal, once, s, item} {
				if n := engine.ReferencesOf(o); n > 2 || n < 1 {
					t.Fatalf("round %d: %T has %d references", round, o, n)
				}
			}
			s.Drain()
		}
	}
	if removed.Load() == 0 || delivered.Load() == 0 {
		t.Errorf("%d Remove calls, %d work items: the races were not run", removed.Load(), delivered.Load())
	}
}

// TestS10_WorkerClosing: a worker that is closed while events are generated delivers or refuses each signal, and no entry is lost.
func TestS10_WorkerClosing(t *testing.T) {
	rounds := 2_000
	if testing.Short() {
		rounds = 100
	}
	h := newEventHost(t, engine.EventItem{ID: 1})
	for range rounds {
		w := engine.NewWorker()
		var delivered, accepted atomic.Int64
		handle := h.open(w.NewWorkItem(func(*engine.EventEntry) { delivered.Add(1) }))
		for i := range uint64(3) {
			irp := h.irp(1, enable, i, eventData(ks.NotificationWorkItem, handle))
			irp.RequestorMode = engine.KernelMode
			h.send(irp, h.list, ks.StatusSuccess, 0)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 3 {
					for i := range uint64(3) {
						if h.list.GenerateData(nil, 1, nil, func(e *engine.EventEntry) bool { return e.EventData() == i }) == ks.StatusSuccess {
							accepted.Add(1)
						}
					}
				}
			})
		}
		wg.Go(w.Close)
		wg.Wait()
		if delivered.Load() != accepted.Load() {
			t.Fatalf("%d signals were accepted, %d delivered", accepted.Load(), delivered.Load())
		}
		h.handles.Close(handle)
		h.balanced()
	}
}

// TestS10_AddFails: an Add handler that fails after it put the entry on a list, of its own or the one of the request, while that
// list ends the entry: it is discarded once, and what was on the list is gone.
func TestS10_AddFails(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	var h *eventHost
	var target *engine.EventList
	var ended sync.WaitGroup
	h = newEventHost(t, engine.EventItem{ID: 1, Add: func(_ *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
		target.Add(e)
		ended.Go(func() { target.Generate(&setA, 1) })
		return ks.StatusUnsuccessful
	}})
	own, err := engine.NewEventList(engine.EventListConfig{LockType: engine.EventLockSpin, Lock: new(sync.Mutex)})
	if err != nil {
		t.Fatal(err)
	}
	e, data := h.event()
	for round := range rounds {
		target = []*engine.EventList{own, h.list}[round%2]
		h.send(h.irp(1, oneShot, 1, data), []*engine.EventList{h.list, nil}[round/2%2], ks.StatusUnsuccessful, 0)
		ended.Wait()
		if n := own.Len() + h.list.Len(); n != 0 || engine.EventsOf(&h.file) != 0 {
			t.Fatalf("round %d: %d entries on the lists, %d of the file object", round, n, engine.EventsOf(&h.file))
		}
	}
	h.references(e, 1)
	h.balanced()
}
