package engine_test

import (
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// eventCompat are the fields of Compat that TestCompatEvents tries.
var eventCompat = []string{"ShortEventRequest", "ShortEventData", "SecondEnable", "QueueFull", "SignalBuffered"}

func TestCompatEvents(t *testing.T) {
	host := func(t *testing.T, compat engine.Compat) *eventHost {
		return newEventHostWith(t, engine.Config{Compat: compat,
			EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, DataInput: 40}}}}},
			engine.EventListConfig{LockType: engine.EventLockMutex, Lock: new(sync.Mutex), MaxQueued: 1})
	}
	cases := map[string]struct {
		override engine.Compat
		was, is  ks.Status
		try      func(h *eventHost) ks.Status
	}{
		"ShortEventRequest": {engine.Compat{ShortEventRequest: other}, ks.StatusInvalidBufferSize, other, func(h *eventHost) ks.Status {
			irp := h.irp(1, enable, 1, nil)
			irp.InputBufferLength = 23
			return h.EnableEvent(irp, h.list)
		}},
		"ShortEventData": {engine.Compat{ShortEventData: other}, ks.StatusBufferTooSmall, other, func(h *eventHost) ks.Status {
			return h.EnableEvent(h.irp(1, enable, 1, make([]byte, 39)), h.list)
		}},
		"SecondEnable": {engine.Compat{SecondEnable: other}, ks.StatusSuccess, other, func(h *eventHost) ks.Status {
			_, data := h.event()
			irp := h.irp(1, enable, 1, append(data, make([]byte, 8)...))
			h.send(irp, h.list, ks.StatusSuccess, 0)
			status := h.EnableEvent(irp, h.list)
			h.finish(irp, status)
			return status
		}},
		"QueueFull": {engine.Compat{QueueFull: other}, ks.StatusInsufficientResources, other, func(h *eventHost) ks.Status {
			_, data := h.event()
			h.enable(1, buffered, 1, append(data, make([]byte, 8)...), ks.StatusSuccess)
			h.generate(1, ks.StatusSuccess)
			return h.list.Generate(&setA, 1)
		}},
		"SignalBuffered": {engine.Compat{SignalBuffered: true}, ks.StatusUnsuccessful, ks.StatusSuccess, func(h *eventHost) ks.Status {
			e, data := h.event()
			h.enable(1, buffered, 1, append(data, make([]byte, 8)...), ks.StatusSuccess)
			h.generate(1, ks.StatusSuccess)
			if e.TryWait() {
				return ks.StatusSuccess
			}
			return ks.StatusUnsuccessful
		}},
	}
	for _, name := range eventCompat {
		if _, ok := cases[name]; !ok {
			t.Errorf("Compat.%s has no test", name)
		}
	}
	for name, c := range cases {
		if got := c.try(host(t, engine.Compat{})); got != c.was {
			t.Errorf("%s by default: %v, want %v", name, got, c.was)
		}
		if got := c.try(host(t, c.override)); got != c.is {
			t.Errorf("%s overridden: %v, want %v", name, got, c.is)
		}
	}
}
