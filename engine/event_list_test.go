package engine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// interrupt runs what is synchronized with it one after the other, and counts.
type interrupt struct {
	mu   sync.Mutex
	n    int
	held bool
}

func (i *interrupt) Synchronize(routine func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n++
	i.held = true
	defer func() { i.held = false }()
	routine()
}

// counted is a lock that knows whether it is held and how often it was.
type counted struct {
	sync.Mutex
	n    int
	held bool
}

func (l *counted) Lock()   { l.Mutex.Lock(); l.n++; l.held = true }
func (l *counted) Unlock() { l.held = false; l.Mutex.Unlock() }

func TestE15_LockTypes(t *testing.T) {
	for kind := range engine.EventLockType(9) {
		for name, lock := range map[string]any{"nil": nil, "mutex": new(sync.Mutex), "interrupt": new(interrupt), "rwmutex": new(sync.RWMutex),
			"int": 5} {
			want := false
			switch kind {
			case engine.EventLockNone:
				want = lock == nil
			case engine.EventLockInterrupt:
				want = name == "interrupt"
			case engine.EventLockSpin, engine.EventLockMutex, engine.EventLockFastMutex, engine.EventLockFastMutexUnsafe, engine.EventLockResource:
				want = name == "mutex" || name == "rwmutex"
			}
			l, err := engine.NewEventList(engine.EventListConfig{LockType: kind, Lock: lock})
			if e, ok := err.(*engine.EventListError); want != (l != nil) || !want &&
				(!ok || e.Status != ks.StatusInvalidParameter || e.Error() == "") {
				t.Errorf("type %d with %s: %v", kind, name, err)
			}
		}
	}
}

// TestE15_Held: all work on a list, and the drivers' code in it, runs with the lock held, and it is released whatever happens.
func TestE15_Held(t *testing.T) {
	lock, irq := new(counted), new(interrupt)
	for _, c := range []struct {
		config engine.EventListConfig
		held   func() bool
		times  func() int
	}{
		{engine.EventListConfig{LockType: engine.EventLockMutex, Lock: lock}, func() bool { return lock.held }, func() int { return lock.n }},
		{engine.EventListConfig{LockType: engine.EventLockInterrupt, Lock: irq}, func() bool { return irq.held }, func() int { return irq.n }},
	} {
		var h *eventHost
		fail := false
		h = newEventHostWith(t, engine.Config{EventSets: []engine.EventSet{{Set: setA,
			Items: []engine.EventItem{{ID: 1, Remove: func(_ *engine.FileObject, e *engine.EventEntry) {
				if !c.held() {
					t.Error("a Remove handler runs without the lock")
				}
				if fail {
					panic("remove")
				}
				h.list.Remove(e)
			}}, {ID: 2, Add: func(_ *engine.IRP, _ []byte, e *engine.EventEntry) ks.Status {
				if c.held() {
					t.Error("an Add handler runs with the lock")
				}
				return h.list.Add(e)
			}}}}}}, c.config)
		e, data := h.event()
		step := func(what string, f func()) {
			before := c.times()
			f()
			if c.times() != before+1 || c.held() {
				t.Errorf("%s: the lock was taken %d times, held %v", what, c.times()-before, c.held())
			}
		}
		for _, fail = range []bool{false, true} {
			status := ks.StatusSuccess
			if fail {
				status = ks.StatusAccessViolation
			}
			step("enable", func() { h.enable(1, enable, 1, data, ks.StatusSuccess) })
			step("add", func() { h.enable(2, enable, 2, data, ks.StatusSuccess) })
			step("generate", func() { h.generate(1, ks.StatusSuccess) })
			step("callback", func() {
				h.list.GenerateData(nil, 1, nil, func(*engine.EventEntry) bool {
					if !c.held() {
						t.Error("a callback runs without the lock")
					}
					return false
				})
			})
			step("callback panics", func() {
				if s := h.list.GenerateData(nil, 1, nil, func(*engine.EventEntry) bool { panic(ks.StatusNoMemory) }); s != ks.StatusNoMemory {
					t.Error(s)
				}
			})
			step("do", func() {
				h.list.Do(func() {
					if !c.held() {
						t.Error("Do without the lock")
					}
				})
			})
			step("do panics", func() {
				defer func() {
					if recover() != "do" {
						t.Error("the panic of Do is lost")
					}
				}()
				h.list.Do(func() { panic("do") })
			})
			step("disable", func() { h.disable(1, status) })
			h.enable(1, oneShot, 1, data, ks.StatusSuccess)
			step("one shot", func() { h.generate(1, status) })
			h.enable(1, enable, 1, data, ks.StatusSuccess)
			step("free", func() {
				if s := h.list.Free(&h.file); s != status {
					t.Errorf("free: %v, want %v", s, status)
				}
			})
			h.count(0)
			h.references(e, 1)
		}
		if h.panics != 1+3+1 {
			t.Errorf("OnPanic was told %d times", h.panics)
		}
		e.TryWait()
	}
}

// TestE16_Removal: DELETED comes first, so that whoever comes second finds nothing; then the Remove handler, or the list, unlinks;
// the entry is discarded afterwards, once.
func TestE16_Removal(t *testing.T) {
	var h *eventHost
	var calls int
	var left *engine.SyncEvent // of the entry that stays
	for _, unlinks := range []bool{true, false} {
		h = newEventHost(t, engine.EventItem{ID: 1, Remove: func(file *engine.FileObject, e *engine.EventEntry) {
			calls++
			if file != &h.file || e.EventData() != 7 || engine.EventsOf(&h.file) != 2 {
				t.Errorf("Remove of %p, %#x, %d events", file, e.EventData(), engine.EventsOf(&h.file))
			}
			if status := engine.GenerateEvent(e); status != ks.StatusUnsuccessful { // it is marked already
				t.Errorf("GenerateEvent in a Remove handler: %v", status)
			}
			if unlinks {
				h.list.Remove(e)
				h.list.Remove(e) // twice is harmless
			}
		}}, engine.EventItem{ID: 2})
		e, data := h.event()
		left = e
		h.enable(1, enable, 7, data, ks.StatusSuccess)
		h.enable(2, enable, 8, data, ks.StatusSuccess)
		h.disable(7, ks.StatusSuccess)
		h.count(1)
		h.references(e, 2)
		h.disable(7, ks.StatusUnsuccessful)
		h.generate(1, ks.StatusSuccess)
		h.signalled(e, false)
	}
	if calls != 2 {
		t.Errorf("%d calls of Remove", calls)
	}
	// An entry that is being removed is not found by anybody (E-19, E-23).
	var entry *engine.EventEntry
	h.list.GenerateData(nil, 2, nil, func(e *engine.EventEntry) bool { entry = e; return false })
	entry.MarkDeleted()
	h.disable(8, ks.StatusUnsuccessful)
	h.list.Free(&h.file)
	h.count(1)
	h.generate(2, ks.StatusSuccess)
	h.signalled(left, false)
	h.list.Do(func() {
		if s := engine.GenerateEvent(entry); s != ks.StatusUnsuccessful {
			t.Errorf("GenerateEvent of it: %v", s)
		}
		h.list.Remove(entry)
	})
	engine.DiscardEvent(entry)
}

// TestE13_Twice: a client may enable with one address more than once, and disables the oldest first.
func TestE13_Twice(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	events := make([]*engine.SyncEvent, 3)
	for i := range events {
		var data []byte
		events[i], data = h.event()
		h.enable(1, enable, 5, data, ks.StatusSuccess)
	}
	for i := range events {
		h.generate(1, ks.StatusSuccess)
		for j, e := range events {
			h.signalled(e, j >= i)
		}
		h.disable(5, ks.StatusSuccess)
	}
	h.disable(5, ks.StatusUnsuccessful)
}

func TestE17_Disable(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	_, data := h.event()
	h.enable(1, enable, 0x1000, data, ks.StatusSuccess)
	for n := range uint32(40) {
		irp := engine.IRP{InputBufferLength: n, FileObject: &h.file, EventData: 0x2000, IoStatus: engine.IoStatus{Information: 9}}
		want := ks.StatusInvalidBufferSize
		if n == 0 {
			continue
		} else if n >= 32 {
			want = ks.StatusUnsuccessful
		}
		if status := h.DisableEvent(&irp, h.list); status != want || irp.IoStatus.Information != 0 || irp.IoStatus.Status != 0 {
			t.Errorf("in %d: %v, %+v", n, status, irp.IoStatus)
		}
	}
	// S-19: the address is a name. Nothing reads there, and a kernel's address or none is as good as any.
	for _, address := range []uint64{0, 1, 0xFFFF_8000_0000_0000, 1<<64 - 1} {
		h.disable(address, ks.StatusUnsuccessful)
		h.enable(1, enable, address, data, ks.StatusSuccess)
		irp, m := h.irp(0, 0, address, nil), newMemory(nil, nil)
		irp.Type3InputBuffer, irp.Memory, irp.InputBufferLength = nil, m, 32 // reading would be out of range
		if status := h.DisableEvent(irp, h.list); status != ks.StatusSuccess {
			t.Errorf("%#x: %v", address, status)
		}
	}
	h.disable(0x1000, ks.StatusSuccess)
	if s := h.DisableEvent(&engine.IRP{InputBufferLength: 32}, nil); s != ks.StatusUnsuccessful {
		t.Errorf("without a list: %v", s)
	}
	if s := h.DisableEvent(&engine.IRP{}, nil); s != ks.StatusSuccess {
		t.Errorf("all, without a list: %v", s)
	}
}

func TestE18_FiredOneShot(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	e, data := h.event()
	h.enable(1, oneShot, 1, data, ks.StatusSuccess)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, true)
	h.disable(1, ks.StatusUnsuccessful)
	h.references(e, 1)
}

// TestE19_Free: a zero-length disable, KsFreeEventList and a close remove the entries of one file object (S-19).
func TestE19_Free(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2})
	other := engine.FileObject{Handles: &h.handles}
	_, data := h.event()
	for range 2 {
		for i := range uint32(10) {
			irp := h.irp(1+i%2, enable, 3, data)
			if i%3 == 0 {
				irp.FileObject = &other
			}
			h.send(irp, h.list, ks.StatusSuccess, 0)
		}
		irp := engine.IRP{FileObject: &other}
		if status := h.DisableEvent(&irp, h.list); status != ks.StatusSuccess || irp.Rule() != "E-19" {
			t.Errorf("disable of all: %v by %s", status, irp.Rule())
		}
		h.count(6)
		if status := h.DisableEvent(&irp, h.list); status != ks.StatusSuccess { // none matches
			t.Errorf("disable of none: %v", status)
		}
		irp.InputBufferLength, irp.EventData = 32, 3
		if status := h.DisableEvent(&irp, h.list); status != ks.StatusUnsuccessful { // S-19: the address is another client's
			t.Errorf("disable of another's event: %v", status)
		}
		h.count(6)
		h.list.Free(&h.file)
		h.count(0)
	}
}

// TestListAgainstSlice compares the list and its index with a slice, for random adds and removals.
func TestListAgainstSlice(t *testing.T) {
	r := testkit.Rand(t)
	h := newEventHost(t, engine.EventItem{ID: 1}, engine.EventItem{ID: 2})
	files := [3]engine.FileObject{}
	type mine struct {
		file *engine.FileObject
		data uint64
		id   uint32
	}
	var model []mine
	_, data := h.event()
	for i := range files {
		files[i].Handles = &h.handles
	}
	grow := 0
	for step := range 20_000 {
		if step%2000 == 0 {
			grow = r.IntN(3)
		}
		m := mine{&files[r.IntN(3)], uint64(r.IntN(1 + r.IntN(200))), 1 + uint32(r.IntN(2))}
		switch n := r.IntN(5 + grow); {
		case n >= 3:
			irp := h.irp(m.id, enable, m.data, data)
			irp.FileObject = m.file
			h.send(irp, h.list, ks.StatusSuccess, 0)
			model = append(model, m)
		case n >= 1 || r.IntN(300) != 0:
			at := slices.IndexFunc(model, func(x mine) bool { return x.file == m.file && x.data == m.data })
			want := ks.StatusUnsuccessful
			if at >= 0 {
				model, want = slices.Delete(model, at, at+1), ks.StatusSuccess
			}
			if s := h.DisableEvent(&engine.IRP{InputBufferLength: 32, FileObject: m.file, EventData: m.data}, h.list); s != want {
				t.Fatalf("step %d: disable: %v, want %v", step, s, want)
			}
		default:
			model = slices.DeleteFunc(model, func(x mine) bool { return x.file == m.file })
			h.list.Free(m.file)
		}
		if step%100 == 0 {
			var got []mine
			for id := range uint32(2) {
				h.list.GenerateData(nil, id+1, nil, func(e *engine.EventEntry) bool {
					got = append(got, mine{e.FileObject(), e.EventData(), id + 1})
					return false
				})
			}
			want := slices.DeleteFunc(slices.Clone(model), func(x mine) bool { return x.id != 1 })
			want = append(want, slices.DeleteFunc(slices.Clone(model), func(x mine) bool { return x.id != 2 })...)
			if !slices.Equal(got, want) {
				t.Fatalf("step %d: %d entries %s, want %d", step, len(got), fmt.Sprint(got[:min(9, len(got))]), len(want))
			}
		}
	}
	for i := range files {
		h.list.Free(&files[i])
	}
}
