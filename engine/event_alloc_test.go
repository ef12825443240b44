//go:build !race

package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// In steady state enabling, generating and disabling allocate nothing: entries, extra bytes and queued data are used again.
func TestEventsNoAllocations(t *testing.T) {
	needPlainBuild(t)
	h := newEventHost(t, engine.EventItem{ID: 1, ExtraEntryData: 40},
		engine.EventItem{ID: 2, Remove: func(*engine.FileObject, *engine.EventEntry) {}})
	w := engine.NewWorker()
	defer w.Close()
	e, data := h.event()
	s := engine.NewSemaphore(1 << 30)
	work := eventData(ks.NotificationDPC, h.open(w.NewWorkItem(func(*engine.EventEntry) {})))
	semaphore := semaphoreData(h.open(s), 1)
	value := make([]byte, 100)
	irp, off := h.irp(1, enable, 1, data), engine.IRP{InputBufferLength: ks.SizeEventData, FileObject: &h.file, EventData: 1}
	fetch := h.irp(1, queryBuffer, 1, make([]byte, 100))
	fetch.Type3InputBuffer = append(fetch.Type3InputBuffer, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	fetch.InputBufferLength = ks.SizeQueryBuffer
	on := func(id, flags uint32, data []byte) {
		ks.Identifier{Set: setA, ID: id, Flags: flags}.Put(irp.Type3InputBuffer)
		irp.UserBuffer, irp.OutputBufferLength = data, uint32(len(data))
		irp.Finish(h.EnableEvent(irp, h.list), nil)
	}
	match := func(*engine.EventEntry) bool { return true }
	for name, f := range map[string]func(){
		"enable, generate, disable": func() { on(1, enable, data); h.list.Generate(&setA, 1); h.DisableEvent(&off, h.list) },
		"Remove handler":            func() { on(2, enable, data); h.list.Generate(nil, 2); h.DisableEvent(&off, h.list) },
		"one-shot":                  func() { on(1, oneShot, data); h.list.Generate(&setA, 1) },
		"free":                      func() { on(1, enable, data); h.list.Free(&h.file) },
		"semaphore": func() {
			on(1, enable, semaphore)
			h.list.GenerateData(&setA, 1, value, match)
			s.Drain()
			h.DisableEvent(&off, h.list)
		},
		"work item": func() {
			irp.RequestorMode = engine.KernelMode
			on(1, enable, work)
			irp.RequestorMode = engine.UserMode
			h.list.Generate(&setA, 1)
			h.DisableEvent(&off, h.list)
		},
		"buffered": func() {
			on(1, buffered, data)
			h.list.GenerateData(&setA, 1, value, nil)
			h.list.GenerateData(&setA, 1, value[:7], nil)
			fetch.Finish(h.EnableEvent(fetch, h.list), fetch.UserBuffer)
			h.DisableEvent(&off, h.list)
		},
		"refused":    func() { on(1, enable, data[:31]); on(9, enable, data); on(1, 3, data); on(1, enable, value) },
		"sets":       func() { on(1, eventSetSupport, nil); on(1, eventBasic, value) },
		"event wait": func() { e.Set(); e.TryWait() },
	} {
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	h.count(0)
	// The controls: entries that are not given back, and a handler that allocates.
	if n := testkit.Allocs(func() {
		for range 64 {
			on(1, enable, data)
		}
	}); n < 1 {
		t.Errorf("control: 64 enables more make %v allocations", n)
	}
	h.list.Free(&h.file)
	on(1, enable, data)
	if n := testkit.Allocs(func() {
		h.list.GenerateData(&setA, 1, nil, func(*engine.EventEntry) bool { sinkBytes = make([]byte, 8); return false })
	}); n < 1 {
		t.Errorf("control: a callback that allocates makes %v allocations", n)
	}
}
