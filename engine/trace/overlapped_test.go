package trace

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// waiter is a driver: item 1 pends until it is told to answer, item 2 answers at once, item 3 pends and nobody answers it.
type waiter struct {
	device *device.Device
	queue  engine.CancelQueue
}

func newWaiter(t testing.TB, pends *Pends) *waiter {
	t.Helper()
	w := new(waiter)
	pend := func(irp *engine.IRP, _, _ []byte) ks.Status {
		w.queue.Add(irp)
		return ks.StatusPending
	}
	config := engine.Config{PropertySets: []engine.PropertySet{{Set: setOf(1), Items: []engine.PropertyItem{
		{ID: 1, MinData: 4, Get: pend, Set: pend},
		{ID: 2, MinData: 4, Get: func(irp *engine.IRP, _, data []byte) ks.Status {
			binary.LittleEndian.PutUint32(data, 7)
			irp.IoStatus.Information = 4
			return ks.StatusSuccess
		}},
		{ID: 3, MinData: 4, Get: func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusPending }},
	}}}}
	if pends != nil {
		config.Wrap(pends.Wrap)
	}
	d, err := engine.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	w.device = device.New(d)
	return w
}

// answer completes the request that waits longest.
func (w *waiter) answer(v uint32) bool {
	irp := w.queue.Remove()
	if irp == nil {
		return false
	}
	n := uint64(0)
	if data := irp.Data(); irp.RequestorMode == engine.UserMode && len(data) >= 4 {
		binary.LittleEndian.PutUint32(data, v)
		n = 4
	}
	return irp.Complete(ks.StatusSuccess, n)
}

// Requests that are in flight together are in lanes; each ends in a replay as it did in the recording.
func TestOverlappedRequestsEndAsTheyDid(t *testing.T) {
	wait, at := identifier(setOf(1), 1, ks.PropertyTypeGet), identifier(setOf(1), 2, ks.PropertyTypeGet)
	never := identifier(setOf(1), 3, ks.PropertyTypeGet)
	w := newWaiter(t, nil)
	trace := record(t, Config{}, func(r *Recorder) {
		port := device.NewPort()
		h, err := r.OpenOverlapped(w.device, "one", port)
		if err != nil {
			t.Fatal(err)
		}
		var o [5]device.Overlapped
		o[1].Thread = 1
		var out [5][8]byte
		for i, in := range [][]byte{wait, wait, wait, never, at} {
			want := ks.StatusPending
			if i == 4 {
				want = ks.StatusSuccess
			}
			if _, status := h.IoControl(&o[i], ks.IoctlProperty, in, out[i][:4+i%2]); status != want {
				t.Fatalf("request %d: %v, want %v", i, status, want)
			}
		}
		if _, status := h.IoControl(&o[0], ks.IoctlProperty, at, out[4][:]); status != ks.StatusDeviceBusy {
			t.Errorf("an Overlapped in use: %v", status)
		}
		if n := h.CancelThread(1); n != 1 || h.CancelThread(2) != 0 || o[1].Status() != ks.StatusCancelled {
			t.Errorf("%d were cancelled, %v", n, o[1].Status())
		}
		if !w.answer(5) || o[0].Status() != ks.StatusSuccess {
			t.Errorf("%v", o[0].Status())
		}
		if n, status := h.IoControl(nil, ks.IoctlProperty, at, out[4][:]); n != 4 || status != ks.StatusSuccess {
			t.Errorf("%d, %v", n, status)
		}
		if n := h.Cancel(nil); n != 2 || o[2].Status() != ks.StatusCancelled || o[3].Status() != ks.StatusPending {
			t.Errorf("%d were cancelled, %v, %v", n, o[2].Status(), o[3].Status())
		}
		if n := h.Cancel(&o[0]); n != 0 {
			t.Errorf("a request that has ended was cancelled")
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if o[3].Status() != ks.StatusCancelled {
			t.Error(o[3].Status())
		}
	})
	r := read(t, trace)
	lanes := 0
	for _, o := range r.Opened() {
		if o.Lane {
			lanes++
			if o.Parent != 1 {
				t.Errorf("%+v", o)
			}
		}
	}
	if lanes != 5 {
		t.Errorf("%d lanes, want 5", lanes)
	}
	pended, cancels := 0, 0
	for _, rec := range all(t, r) {
		if rec.Flags&FlagPended != 0 {
			pended++
		}
		if rec.Kind == KindCancel {
			cancels++
		}
	}
	if pended != 4 || cancels != 2 {
		t.Errorf("%d were pended and %d cancels made, want 4 and 2", pended, cancels)
	}
	for _, goroutines := range []int{1, 2} {
		pends := new(Pends)
		res := again(t, r, ReplayOptions{Pends: pends, Goroutines: goroutines}, func() *device.Device { return newWaiter(t, pends).device })
		if res.Requests != 6 || res.Differences != 0 {
			t.Errorf("%d goroutines: %+v", goroutines, res)
		}
	}
	other := func() *device.Device { return items(t) } // a driver that answers otherwise
	if res := again(t, r, ReplayOptions{Pends: new(Pends)}, other); res.Differences == 0 {
		t.Error("another driver makes no difference")
	}
}

// Goroutines send, cancel and complete at random: whatever came first in the recording does in the replay.
func TestRacingCompletionsAndCancelsReplay(t *testing.T) {
	rng := testkit.Rand(t)
	w := newWaiter(t, nil)
	const senders, each = 4, 200
	seeds := make([]uint64, senders)
	for i := range seeds {
		seeds[i] = rng.Uint64()
	}
	trace := record(t, Config{}, func(r *Recorder) {
		h, err := r.OpenOverlapped(w.device, "one", nil)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var all, driver sync.WaitGroup
		driver.Go(func() {
			for v := uint32(0); ; v++ {
				w.answer(v)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		for _, seed := range seeds {
			all.Go(func() {
				var o device.Overlapped
				var out [4]byte
				for i := range each {
					flag := uint32(ks.PropertyTypeGet)
					if seed>>(i%50)&3 == 0 {
						flag = ks.PropertyTypeSet
					}
					in := identifier(setOf(1), 1+uint32(seed>>(i%60)&1), flag)
					_, status := h.IoControl(&o, ks.IoctlProperty, in, out[:])
					if seed>>(i%40)&7 == 1 {
						h.Cancel(&o)
					}
					if status == ks.StatusPending {
						_ = o.Wait(context.Background())
					}
				}
			})
		}
		all.Wait()
		close(stop)
		driver.Wait()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	r := read(t, trace)
	pends := new(Pends)
	res := again(t, r, ReplayOptions{Pends: pends}, func() *device.Device { return newWaiter(t, pends).device })
	if res.Requests != senders*each || res.Differences != 0 {
		t.Errorf("%d requests, %d differences, first %+v", res.Requests, res.Differences, res.First)
	}
}
