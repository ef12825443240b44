package engine_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestE12_NoAddHandler: an event without an Add handler is put at the end of the list, without which it cannot be enabled.
func TestE12_NoAddHandler(t *testing.T) {
	h := newEventHost(t, engine.EventItem{ID: 1})
	e, data := h.event()
	h.enable(1, enable, 0x1000, data, ks.StatusSuccess)
	h.count(1)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, true)
	h.send(h.irp(1, enable, 0x2000, data), nil, ks.StatusInvalidParameter, 0)
	h.disable(0x1000, ks.StatusSuccess)
	h.count(0)
	h.generate(1, ks.StatusSuccess)
	h.signalled(e, false)
	h.disable(0x1000, ks.StatusUnsuccessful)
}
