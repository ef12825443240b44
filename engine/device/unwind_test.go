package device_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// Whatever goes through the requests of a device goes through all of them, also if one of the callbacks on the way ends its goroutine.

// apart runs f on a goroutine of its own, returns when that has ended, and with what f panicked.
func apart(f func()) (value any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { value = recover() }()
		f()
	}()
	<-done
	return value
}

// leaves is a property whose requests are pended with a cancel routine that ends its goroutine.
var leaves = engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
	irp.SetCancelRoutine(func(*engine.IRP) { runtime.Goexit() })
	return ks.StatusPending
}}

// TestAS34_RoutinesEndTheGoroutine: removing a device, closing a handle, and cancelling by handle or by thread, end all requests whose
// cancel routines end the goroutine that does so, on overlapped handles and one that is waited on.
func TestAS34_RoutinesEndTheGoroutine(t *testing.T) {
	for name, do := range map[string]func(dev *device.Device, h *device.OverlappedHandle){
		"Remove":       func(dev *device.Device, _ *device.OverlappedHandle) { dev.Remove() },
		"Close":        func(_ *device.Device, h *device.OverlappedHandle) { _ = h.Close() },
		"Cancel":       func(_ *device.Device, h *device.OverlappedHandle) { h.Cancel(nil) },
		"CancelThread": func(_ *device.Device, h *device.OverlappedHandle) { h.CancelThread(0) },
	} {
		handed := make(chan struct{}, 4)
		item := leaves
		item.Get = func(irp *engine.IRP, request, data []byte) ks.Status {
			defer func() { handed <- struct{}{} }()
			return leaves.Get(irp, request, data)
		}
		dev, _ := open(t, item)
		lost := false
		dev.OnRemove(func() { lost = true })
		h := openOverlapped(t, dev, nil)
		all := make([]device.Overlapped, 3)
		for i := range all {
			if _, status := h.IoControl(&all[i], ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusPending {
				t.Fatal(status)
			}
			<-handed
		}
		waits := name == "Remove" || name == "Close" || name == "Cancel"
		answer := make(chan ks.Status, 1)
		if waits {
			go func() {
				_, status := h.Handle().IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4))
				answer <- status
			}()
			<-handed
		}
		apart(func() { do(dev, h) })
		for i := range all {
			if _ = all[i].Wait(t.Context()); all[i].Status() != ks.StatusCancelled {
				t.Errorf("%s: request %d: %v", name, i, all[i].Status())
			}
		}
		if waits {
			if status := <-answer; status != ks.StatusCancelled {
				t.Errorf("%s: %v", name, status)
			}
		}
		if lost != (name == "Remove") {
			t.Errorf("%s: the hook of OnRemove was told: %t", name, lost)
		}
	}
}

// TestAS24_CloseGoesOn: a handle is closed, and its filter's Close hook told, also if a cancel routine ends the goroutine of Close.
func TestAS24_CloseGoesOn(t *testing.T) {
	closed := make(chan struct{})
	dev, err := device.NewFilter(device.Filter{Close: func(*device.Handle) { close(closed) },
		Config: engine.Config{PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{leaves}}}}})
	if err != nil {
		t.Fatal(err)
	}
	h := openOverlapped(t, dev, nil)
	var o device.Overlapped
	if _, status := h.IoControl(&o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusPending {
		t.Fatal(status)
	}
	apart(func() { _ = h.Close() })
	<-closed
	if o.Status() != ks.StatusCancelled {
		t.Error(o.Status())
	}
}

// TestAS36_StartGoesOn: a handler that ends the goroutine of Start takes neither the held requests behind it along nor the start.
func TestAS36_StartGoesOn(t *testing.T) {
	n := 0
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		if n++; n == 1 {
			runtime.Goexit()
		}
		return ks.StatusSuccess
	}})
	h := openOverlapped(t, dev, nil)
	if err := dev.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := make([]device.Overlapped, 3)
	for i := range all {
		if _, status := h.IoControl(&all[i], ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusPending {
			t.Fatal(status)
		}
	}
	apart(dev.Start)
	for i, want := range []ks.Status{ks.StatusCancelled, ks.StatusSuccess, ks.StatusSuccess} {
		if all[i].Status() != want {
			t.Errorf("request %d: %v", i, all[i].Status())
		}
	}
	if _, status := h.IoControl(&all[0], ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusSuccess {
		t.Errorf("afterwards %v", status)
	}
}

// TestOnComplete_Panics: a request whose observer panics or ends the goroutine has ended all the same, however it was answered.
func TestOnComplete_Panics(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("planted") }, "Goexit": runtime.Goexit} {
		var irp *engine.IRP
		dev, _ := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSuccess }},
			engine.PropertyItem{ID: 2, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusNotFound }},
			engine.PropertyItem{ID: 3, Get: func(i *engine.IRP, _, _ []byte) ks.Status { irp = i; return ks.StatusPending }})
		h := openOverlapped(t, dev, nil)
		h.OnComplete(func(*device.Overlapped, uint32, ks.Status, bool) { end() })
		for id := range uint32(3) {
			var o device.Overlapped
			apart(func() { h.IoControl(&o, ks.IoctlProperty, request(id+1, ks.PropertyTypeGet), nil) })
			if irp != nil {
				apart(func() { irp.Complete(ks.StatusSuccess, 0) })
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := o.Wait(ctx); err != nil {
				t.Errorf("%s, property %d: the request is in flight", name, id+1)
			}
		}
	}
}

// TestAS1_MisuseFreesTheOverlapped: a misuse that a checked build names as a request ends leaves its Overlapped free, so that Close, which
// may be deferred, does not wait and hide the panic.
func TestAS1_MisuseFreesTheOverlapped(t *testing.T) {
	if !invariants.Strict {
		t.Skip("needs a build with -tags invariants: others do not name misuse")
	}
	free := func(irp *engine.IRP) { irp.Pool.Free(irp.SystemBuffer) }
	plain := func(irp *engine.IRP, _, _ []byte) ks.Status { free(irp); return ks.StatusSuccess }
	pended := func(irp *engine.IRP, _, _ []byte) ks.Status {
		free(irp)
		irp.Complete(ks.StatusSuccess, 0)
		return ks.StatusPending
	}
	over := func(irp *engine.IRP, _, _ []byte) ks.Status {
		done := make(chan struct{})
		go func() { defer close(done); irp.Complete(ks.StatusSuccess, 0) }()
		<-done
		return ks.StatusSuccess
	}
	dev, _ := open(t, engine.PropertyItem{ID: 1, Get: plain, Support: plain}, engine.PropertyItem{ID: 2, Get: pended, Support: pended},
		engine.PropertyItem{ID: 3, Get: over, Support: over})
	h := openOverlapped(t, dev, nil)
	for id := uint32(1); id <= 3; id++ {
		for _, flags := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeBasicSupport, ks.PropertyTypeGet | ks.PropertyTypeHighPriority} {
			var o device.Overlapped
			value := apart(func() { h.IoControl(&o, ks.IoctlProperty, request(id, flags), make([]byte, 40)) })
			text, want := "", "double free"
			if v, ok := value.(invariants.Violation); ok {
				text = string(v)
			}
			if id == 3 {
				want = "handed its request over"
			}
			if !strings.Contains(text, want) {
				t.Errorf("property %d, %s: %v", id, ks.FormatPropertyFlags(flags), value)
			}
			_ = o.Wait(t.Context())
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
