package device_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// TestAS24_HooksClose: a hook of a pin or a filter may close the handle that it is told of, from its goroutine or another. Each that was
// created has one Cleanup and then one Close, and nobody waits for himself.
func TestAS24_HooksClose(t *testing.T) {
	for _, where := range []string{"Create", "Cleanup", "Close"} {
		for _, beside := range []bool{false, true} {
			var told []string
			hook := func(of, name string, h *device.Handle) ks.Status {
				told = append(told, of+" "+name)
				if name != where {
					return ks.StatusSuccess
				}
				if !beside {
					_ = h.Close()
					return ks.StatusSuccess
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = h.Close()
				}()
				<-done
				return ks.StatusSuccess
			}
			pin := factory(1)
			pin.Create = func(p *device.Pin, _ engine.ConnectRequest) ks.Status { return hook("pin", "Create", p.Handle()) }
			pin.Cleanup = func(p *device.Pin) { hook("pin", "Cleanup", p.Handle()) }
			pin.Close = func(p *device.Pin) { hook("pin", "Close", p.Handle()) }
			dev, err := device.NewFilter(device.Filter{Pins: []device.PinFactory{pin},
				Create:  func(h *device.Handle) ks.Status { return hook("filter", "Create", h) },
				Cleanup: func(h *device.Handle) { hook("filter", "Cleanup", h) },
				Close:   func(h *device.Handle) { hook("filter", "Close", h) }})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"filter Create", "pin Create", "pin Cleanup", "pin Close", "filter Cleanup", "filter Close"}
			if where == "Create" {
				want = slices.DeleteFunc(want, func(s string) bool { return s[0] == 'p' })
			}
			for range 2 { // the one instance of the pin is given back
				told = nil
				h, err := dev.Open()
				if err != nil {
					t.Fatal(err)
				}
				p, status := h.CreatePin(connect(0, format(1)))
				if where == "Create" != (status == ks.StatusInvalidHandle) {
					t.Fatal(status)
				}
				for _, h := range []*device.Handle{p, h} {
					if h == nil {
						continue
					}
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				}
				if !slices.Equal(told, want) {
					t.Errorf("%s closes, beside: %t: %q, want %q", where, beside, told, want)
				}
			}
		}
	}
}

// TestAS24_PinClosedInCreate: a pin that its Create hook has closed is there, closed, and told of all the same.
func TestAS24_PinClosedInCreate(t *testing.T) {
	var told []string
	pin := factory(1)
	pin.Create = func(p *device.Pin, _ engine.ConnectRequest) ks.Status {
		_ = p.Handle().Close()
		return ks.StatusSuccess
	}
	pin.Cleanup = func(*device.Pin) { told = append(told, "Cleanup") }
	pin.Close = func(*device.Pin) { told = append(told, "Close") }
	_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
	for range 2 {
		told = nil
		p, status := h.CreatePin(connect(0, format(1)))
		if status != ks.StatusSuccess || !slices.Equal(told, []string{"Cleanup", "Close"}) {
			t.Fatalf("%v, told %q", status, told)
		}
		if _, status := ask(p, setConnection, 0, ks.PropertyTypeGet, nil, make([]byte, 4)); status != ks.StatusInvalidHandle {
			t.Error(status)
		}
	}
}

// TestP21_CleanupBesideRequest: a Cleanup hook that panics, or ends its goroutine, leaves a request alone that is in flight meanwhile.
func TestP21_CleanupBesideRequest(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { panic("planted") }, "Goexit": runtime.Goexit} {
		inside, goOn := make(chan struct{}), make(chan struct{})
		pin := factory(1)
		pin.Config = engine.Config{OnPanic: func(any, []byte) {}, PropertySets: []engine.PropertySet{{Set: testSet,
			Items: []engine.PropertyItem{{ID: 1, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
				irp.IoStatus.Information = uint64(copy(data, "four"))
				close(inside)
				<-goOn
				return ks.StatusSuccess
			}}}}}}
		pin.Cleanup = func(*device.Pin) {
			defer close(goOn)
			leave()
		}
		_, h := openFilter(t, device.Filter{Pins: []device.PinFactory{pin}})
		p := createPin(t, h, connect(0, format(1)))
		answer := make(chan string)
		go func() {
			got, status := ask(p, testSet, 1, ks.PropertyTypeGet, nil, make([]byte, 4))
			answer <- fmt.Sprintf("%s, %v", got, status)
		}()
		<-inside
		go func() { _ = p.Close() }()
		if got := <-answer; got != "four, "+ks.StatusSuccess.String() {
			t.Errorf("%s: %s", name, got)
		}
		_ = p.Close()
	}
}

// TestAS9_ContextOutlivesSender: the context of a request whose goroutine ended cancels nothing of the next request.
func TestAS9_ContextOutlivesSender(t *testing.T) {
	s := newServer(t)
	_, h := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { runtime.Goexit(); return 0 }},
		engine.PropertyItem{ID: 2, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			copy(data, "data")
			irp.SetCancelRoutine(func(irp *engine.IRP) { irp.Complete(ks.StatusCancelled, 0) })
			s.handed <- irp
			return ks.StatusPending
		}})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.IoControlContext(ctx, ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4))
	}()
	<-gone
	cancel()
	answer := make(chan ks.Status)
	go func() {
		_, status := h.IoControl(ks.IoctlProperty, request(2, ks.PropertyTypeGet), make([]byte, 4))
		answer <- status
	}()
	irp := <-s.handed
	for range 1000 {
		runtime.Gosched()
	}
	complete(irp, ks.StatusSuccess, 4)
	if status := <-answer; status != ks.StatusSuccess {
		t.Error(status)
	}
}

// TestAS1_HandlerTakesUserEvent: a handler that clears the UserEvent of a handle's IRP does not keep the next request from being waited
// for, and ended by Close.
func TestAS1_HandlerTakesUserEvent(t *testing.T) {
	handed := make(chan *engine.IRP, 1)
	_, h := open(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.UserEvent = nil
		return ks.StatusSuccess
	}}, engine.PropertyItem{ID: 2, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		handed <- irp
		return ks.StatusPending
	}})
	for range 2 {
		if _, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusSuccess {
			t.Error(status)
		}
		go func() { (<-handed).Complete(ks.StatusSuccess, 4) }()
		if n, status := h.IoControl(ks.IoctlProperty, request(2, ks.PropertyTypeGet), make([]byte, 4)); n != 4 || status != ks.StatusSuccess {
			t.Errorf("%d bytes, %v", n, status)
		}
	}
}

// TestSwapFilter_FromCancelRoutine: a request of a pin that is gone may swap as it is cancelled, and be the last to know of the pin.
func TestSwapFilter_FromCancelRoutine(t *testing.T) {
	var dev *device.Device
	pin := factory(1)
	swapped := 0
	get := func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.SetCancelRoutine(func(irp *engine.IRP) {
			dev.Swap(compile(t, volume(2)))
			if err := dev.SwapFilter(device.Filter{Pins: []device.PinFactory{factory(1)}}); err != nil {
				t.Error(err)
			}
			swapped++
			irp.Complete(ks.StatusCancelled, 0)
		})
		return ks.StatusPending
	}
	pin.Config.PropertySets = []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{{ID: 1, Get: get}}}}
	dev, h := openFilter(t, device.Filter{Pins: []device.PinFactory{factory(1), pin}})
	many, err := createPin(t, h, connect(1, format(1))).Overlapped(nil)
	if err != nil {
		t.Fatal(err)
	}
	var o device.Overlapped
	if _, status := many.IoControl(&o, ks.IoctlProperty, request(1, ks.PropertyTypeGet), nil); status != ks.StatusPending {
		t.Fatal(status)
	}
	swapFilter(t, dev, device.Filter{Pins: []device.PinFactory{factory(1)}})
	if swapped != 1 || o.Status() != ks.StatusCancelled {
		t.Errorf("swapped %d times, %v", swapped, o.Status())
	}
}
