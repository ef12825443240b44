//go:build !race && !purego

package device_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestEventsAllocateNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("invariant builds allocate to check")
	}
	dev, h := openEvents(t)
	_, data := newEvent(dev)
	in := request(1, ks.EventTypeEnable)
	if n := testkit.Allocs(func() {
		h.IoControl(ks.IoctlEnableEvent, in, data)
		dev.Events().Generate(&testSet, 1)
		_, sinkStatus = h.IoControl(ks.IoctlDisableEvent, data, nil)
	}); n != 0 || sinkStatus != ks.StatusSuccess {
		t.Errorf("%v allocations, %v", n, sinkStatus)
	}
	if n := testkit.Allocs(func() {
		_, data := newEvent(dev)
		h.IoControl(ks.IoctlEnableEvent, in, data)
		_, sinkStatus = h.IoControl(ks.IoctlDisableEvent, data, nil)
	}); n < 1 {
		t.Errorf("control: a new event makes %v allocations", n)
	}
}
