package device_test

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// openEvents opens a device with one event, id 1.
func openEvents(t testing.TB) (*device.Device, *device.Handle) {
	t.Helper()
	dev := device.New(compile(t, engine.Config{EventSets: []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}}))
	return dev, openAgain(t, dev)
}

// control sends a request that neither has nor produces data.
func control(t *testing.T, h *device.Handle, code uint32, in, out []byte, want ks.Status) {
	t.Helper()
	if n, status := h.IoControl(code, in, out); n != 0 || status != want {
		t.Errorf("code %#x: %d bytes, %v; want 0, %v", code, n, status, want)
	}
}

// newEvent returns an event and the KSEVENTDATA that a client of dev names it with.
func newEvent(dev *device.Device) (*engine.SyncEvent, []byte) {
	e := engine.NewSyncEvent()
	handle := dev.Handles().Open(e, engine.ModifyState, engine.UserMode)
	return e, device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle, Object: handle}, 0)
}

func TestEventThroughDevice(t *testing.T) {
	dev, h := openEvents(t)
	other := openAgain(t, dev)
	e, data := newEvent(dev)
	control(t, h, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusSuccess)
	for range 2 {
		dev.Events().Generate(&testSet, 1)
		if !e.TryWait() || e.TryWait() {
			t.Error("not one signal")
		}
	}
	control(t, other, ks.IoctlDisableEvent, data, nil, ks.StatusUnsuccessful) // another file object (S-19)
	control(t, h, ks.IoctlDisableEvent, data[:31], nil, ks.StatusInvalidBufferSize)
	control(t, h, ks.IoctlDisableEvent, append([]byte(nil), data...), nil, ks.StatusUnsuccessful) // another address (E-17)
	control(t, h, ks.IoctlDisableEvent, data, nil, ks.StatusSuccess)
	control(t, h, ks.IoctlDisableEvent, data, nil, ks.StatusUnsuccessful)
	dev.Events().Generate(&testSet, 1)
	if e.TryWait() {
		t.Error("signalled after it was disabled")
	}
	if n, status := h.IoControl(ks.IoctlEnableEvent, nil, make([]byte, 16)); n != 16 || status != ks.StatusSuccess {
		t.Errorf("the event sets: %d bytes, %v", n, status)
	}
}

// TestCloseRemovesEvents is E-19: those of the handle, and only those.
func TestCloseRemovesEvents(t *testing.T) {
	dev, h := openEvents(t)
	other := openAgain(t, dev)
	mine, data := newEvent(dev)
	theirs, theirData := newEvent(dev)
	for _, flags := range []uint32{ks.EventTypeEnable, ks.EventTypeOneShot, ks.EventTypeEnableBuffered} {
		control(t, h, ks.IoctlEnableEvent, request(1, flags), data, ks.StatusSuccess)
	}
	control(t, other, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), theirData, ks.StatusSuccess)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if n := dev.Events().Len(); n != 1 {
		t.Errorf("%d events are left, want 1", n)
	}
	dev.Events().Generate(nil, 1)
	if mine.TryWait() || !theirs.TryWait() {
		t.Error("the wrong event was signalled")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	control(t, h, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusInvalidHandle)
}

// TestEventDataStaysWhereItIs: a name is an address, and NewEventData's does not move when a stack does.
func TestEventDataStaysWhereItIs(t *testing.T) {
	dev, h := openEvents(t)
	_, data := newEvent(dev)
	control(t, h, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusSuccess)
	grow(1000)
	control(t, h, ks.IoctlDisableEvent, data, nil, ks.StatusSuccess)
}

func grow(n int) (sum byte) {
	var a [1024]byte
	if a[n%1024] = byte(n); n > 0 {
		sum = grow(n - 1)
	}
	return sum + a[n%1024]
}
