package engine_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

func TestCompatEvents(t *testing.T) {
	host := func(t *testing.T, compat engine.Compat) *eventHost {
		return newEventHostWith(t, engine.Config{Compat: compat, EventSets: []engine.EventSet{{Set: setA, Items: []engine.EventItem{{ID: 1, DataInput: 40}}}}},
			engine.EventListConfig{LockType: engine.EventsMutex, Lock: new(sync.Mutex), MaxQueued: 1})
	}
	cases := map[string]struct {
		override engine.Compat
		was, is  ks.Status
		try      func(h *eventHost) ks.Status
	}{
		"E2": {override: engine.Compat{E2: other}, was: ks.StatusInvalidBufferSize, is: other, try: func(h *eventHost) ks.Status {
			irp := h.irp(1, enable, 1, nil)
			irp.InputBufferLength = 23
			return h.EnableEvent(irp, h.list)
		}},
		"E5": {override: engine.Compat{E5: other}, was: ks.StatusBufferTooSmall, is: other, try: func(h *eventHost) ks.Status {
			return h.EnableEvent(h.irp(1, enable, 1, make([]byte, 39)), h.list)
		}},
		"E13": {override: engine.Compat{E13: other}, was: ks.StatusSuccess, is: other, try: func(h *eventHost) ks.Status {
			_, data := h.event()
			irp := h.irp(1, enable, 1, append(data, make([]byte, 8)...))
			h.send(irp, h.list, ks.StatusSuccess, 0)
			status := h.EnableEvent(irp, h.list)
			h.finish(irp, status)
			return status
		}},
		"E24": {override: engine.Compat{E24: other}, was: ks.StatusInsufficientResources, is: other, try: func(h *eventHost) ks.Status {
			_, data := h.event()
			h.enable(1, buffered, 1, append(data, make([]byte, 8)...), ks.StatusSuccess)
			h.generate(1, ks.StatusSuccess)
			return h.list.Generate(&setA, 1)
		}},
		"E25": {override: engine.Compat{E25: true}, was: ks.StatusUnsuccessful, is: ks.StatusSuccess, try: func(h *eventHost) ks.Status {
			e, data := h.event()
			h.enable(1, buffered, 1, append(data, make([]byte, 8)...), ks.StatusSuccess)
			h.generate(1, ks.StatusSuccess)
			if e.TryWait() {
				return ks.StatusSuccess
			}
			return ks.StatusUnsuccessful
		}},
	}
	for field := range reflect.TypeFor[engine.Compat]().Fields() {
		if _, ok := cases[field.Name]; !ok && strings.HasPrefix(field.Name, "E") {
			t.Errorf("Compat.%s has no test", field.Name)
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
