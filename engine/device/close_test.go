package device_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// pends returns a handler that hands its request over and leaves it pending.
func pends(to chan<- *engine.IRP) engine.Handler {
	return func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "data")
		to <- irp
		return ks.StatusPending
	}
}

// TestAS24_CloseCancelsWhatIsPended closes a handle from another goroutine while requests of each kind are pended on it: they end
// with STATUS_CANCELLED, their output is as it was, and a completion that comes later does not count.
func TestAS24_CloseCancelsWhatIsPended(t *testing.T) {
	for _, flags := range []uint32{ks.PropertyTypeGet, ks.PropertyTypeSet, ks.PropertyTypeBasicSupport, ks.PropertyTypeSerializeSet} {
		for range 20 {
			handed := make(chan *engine.IRP, 1)
			handler := pends(handed)
			_, h := open(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 4})
			ended := make(chan ks.Status)
			out := []byte{60: 0xEE}
			go func() {
				n, status := h.IoControl(ks.IoctlProperty, request(1, flags), out)
				if n != 0 {
					t.Errorf("%d bytes", n)
				}
				ended <- status
			}()
			irp := <-handed
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if status := <-ended; status != ks.StatusCancelled || out[0] != 0 || out[60] != 0xEE {
				t.Fatalf("%s: %v, % x", ks.FormatPropertyFlags(flags), status, out)
			}
			if irp.Complete(ks.StatusSuccess, 4) {
				t.Error("a completion counts after the request was cancelled")
			}
			if _, status := h.IoControl(ks.IoctlProperty, request(1, flags), out); status != ks.StatusInvalidHandle {
				t.Errorf("afterwards: %v", status)
			}
		}
	}
}

// TestAS25_PendedAfterClose: a handler that runs when its handle is closed is waited for, and if it leaves its request pending
// that is cancelled at once.
func TestAS25_PendedAfterClose(t *testing.T) {
	for _, result := range []ks.Status{ks.StatusSuccess, ks.StatusPending} {
		inside, leave := make(chan struct{}), make(chan struct{})
		var left atomic.Bool
		_, h := open(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status {
			close(inside)
			<-leave
			left.Store(true)
			return result
		}})
		ended := make(chan ks.Status, 1)
		go func() {
			_, status := h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeGet), make([]byte, 4))
			ended <- status
		}()
		<-inside
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			if err := h.Close(); err != nil || !left.Load() {
				t.Errorf("Close returns %v; the handler has returned: %v", err, left.Load())
			}
		}()
		close(leave)
		<-closed
		want := result
		if result == ks.StatusPending {
			want = ks.StatusCancelled
		}
		if status := <-ended; status != want {
			t.Errorf("%v, want %v", status, want)
		}
	}
}

// TestCloseInsideItsOwnHandler: the handle refuses requests at once, the request is answered, and the handle closes when it ends:
// its events are gone then.
func TestCloseInsideItsOwnHandler(t *testing.T) {
	var h *device.Handle
	var dev *device.Device
	closer := func(irp *engine.IRP, _, data []byte) ks.Status {
		for range 2 {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
		if dev.Events().Len() != 1 {
			t.Error("the handle is closed while its handler runs")
		}
		irp.IoStatus.Information = uint64(copy(data, "data"))
		return ks.StatusSuccess
	}
	single := func(in, out []byte) (uint32, ks.Status) { return h.IoControl(ks.IoctlProperty, in, out) }
	batch := func(in, out []byte) (uint32, ks.Status) {
		r := []engine.BatchRequest{{In: in, Out: out}}
		h.PropertyBatch(r)
		return r[0].BytesReturned, r[0].Status
	}
	var ref engine.Ref
	resolved := func(in, out []byte) (uint32, ks.Status) { return h.IoControlTo(&ref, in, out) }
	for _, c := range []struct {
		way   string
		flags uint32
		send  func(in, out []byte) (uint32, ks.Status)
	}{
		{"alone", ks.PropertyTypeGet, single},
		{"alone", ks.PropertyTypeBasicSupport, single},
		{"alone", ks.PropertyTypeSerializeSet, single},
		{"in a batch", ks.PropertyTypeGet, batch},
		{"in a batch", ks.PropertyTypeBasicSupport, batch},
		{"through a reference", ks.PropertyTypeGet, resolved},
	} {
		flags := c.flags
		d, err := engine.Compile(engine.Config{
			PropertySets: []engine.PropertySet{{Set: testSet, Items: []engine.PropertyItem{{ID: 1, Get: closer, Support: closer, SerializedSize: 4},
				{ID: 2, Get: produces(7)}}}},
			EventSets: []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}})
		if err != nil {
			t.Fatal(err)
		}
		dev = device.New(d)
		h = openAgain(t, dev)
		if _, status := h.IoControl(ks.IoctlProperty, request(2, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		event := device.NewEventData(ks.EventData{NotificationType: ks.NotificationEventHandle,
			Object: dev.Handles().Open(engine.NewSyncEvent(), engine.ModifyState, engine.UserMode)}, 0)
		if _, status := h.IoControl(ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), event); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		ref, _ = d.Resolve(testSet, 1)
		if n, status := c.send(request(1, flags), make([]byte, 56)); n < 4 || status != ks.StatusSuccess {
			t.Errorf("%s %s: %d bytes, %v", ks.FormatPropertyFlags(flags), c.way, n, status)
		}
		if dev.Events().Len() != 0 {
			t.Error("the handle is not closed when its request has ended")
		}
		if _, status := h.IoControl(ks.IoctlProperty, request(2, ks.PropertyTypeGet), make([]byte, 4)); status != ks.StatusInvalidHandle {
			t.Error(status)
		}
	}
}

// TestCloseWhileOthersSend closes handles at random moments of a goroutine that sends on them: each request is answered as if the
// handle were open, or with STATUS_INVALID_HANDLE or STATUS_CANCELLED and without a call of its handler; no handler runs when Close has
// returned.
func TestCloseWhileOthersSend(t *testing.T) {
	for round := range 300 {
		var running, calls atomic.Int32
		var closed atomic.Bool
		value := func(irp *engine.IRP, _, data []byte) ks.Status {
			running.Add(1)
			calls.Add(1)
			if closed.Load() {
				t.Error("a handler runs after Close has returned")
			}
			binary.LittleEndian.PutUint32(data, 42)
			irp.IoStatus.Information = 4
			running.Add(-1)
			return ks.StatusSuccess
		}
		dev, _ := open(t, engine.PropertyItem{ID: 1, Get: value})
		h, err := dev.Open()
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		started := make(chan struct{})
		answered := int32(0)
		wg.Go(func() {
			in := request(1, ks.PropertyTypeGet)
			if round%3 == 0 {
				in = request(1, ks.PropertyTypeGet|ks.PropertyTypeHighPriority) // the other way of a request
			}
			for i := 0; ; i++ {
				if i == round {
					close(started)
				}
				var out [4]byte
				n, status := h.IoControl(ks.IoctlProperty, in, out[:])
				if status == ks.StatusInvalidHandle && n == 0 && out == [4]byte{} {
					break
				}
				if status == ks.StatusCancelled && n == 0 && out == [4]byte{} {
					continue // it had begun when Close cancelled what there was, and its handler was not called
				}
				answered++
				if status != ks.StatusSuccess || n != 4 || out[0] != 42 {
					t.Errorf("%d bytes, %v", n, status)
				}
			}
			if answered < int32(round) {
				close(started)
			}
		})
		<-started
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		closed.Store(true)
		if n := running.Load(); n != 0 {
			t.Errorf("%d handlers run when Close returns", n)
		}
		wg.Wait()
		if calls.Load() != answered {
			t.Errorf("%d calls, %d answers", calls.Load(), answered)
		}
	}
}

// TestCloseWithinABatch closes a handle while a batch whose requests share a buffer is under way, in one of its handlers or on another
// goroutine: what is behind is STATUS_INVALID_HANDLE, and Close ends although the batch has more to send.
func TestCloseWithinABatch(t *testing.T) {
	const at = 10                       // the call that closes
	waits := func(stacks []byte) bool { // Close of this test, not that of another handle which still ends
		for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
			if bytes.Contains(stack, []byte(".closeIdle(")) && bytes.Contains(stack, []byte("TestCloseWithinABatch")) {
				return true
			}
		}
		return false
	}
	for _, elsewhere := range []bool{false, true} {
		var h *device.Handle
		var wg sync.WaitGroup
		calls := 0
		value := func(irp *engine.IRP, _, data []byte) ks.Status {
			if calls++; calls == at && !elsewhere {
				h.Close()
			} else if calls == at {
				wg.Go(func() { h.Close() })
				for stacks := make([]byte, 1<<20); !waits(stacks[:runtime.Stack(stacks, true)]); {
					runtime.Gosched()
				}
			}
			irp.IoStatus.Information = uint64(copy(data, "data"))
			return ks.StatusSuccess
		}
		dev, _ := open(t, engine.PropertyItem{ID: 1, Get: value})
		h = openAgain(t, dev)
		requests := make([]engine.BatchRequest, 200)
		for i := range requests {
			requests[i] = engine.BatchRequest{In: request(1, ks.PropertyTypeGet), Out: make([]byte, 4)}
		}
		if n := h.PropertyBatch(requests); n != len(requests) {
			t.Errorf("elsewhere %t: %d of %d requests are answered", elsewhere, n, len(requests))
		}
		wg.Wait()
		for i, r := range requests {
			n, status := uint32(4), ks.StatusSuccess
			if i >= at {
				n, status = 0, ks.StatusInvalidHandle
			}
			if r.Status != status || r.BytesReturned != n {
				t.Errorf("elsewhere %t: request %d: %v, %d bytes", elsewhere, i, r.Status, r.BytesReturned)
			}
		}
		if calls != at {
			t.Errorf("elsewhere %t: %d calls", elsewhere, calls)
		}
	}
}

// TestE16_CloseInACallback closes a handle in a callback that runs under the lock of the device's events, which Close wants as well:
// checked builds name the deadlock.
func TestE16_CloseInACallback(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("needs a build with -tags invariants or -race: others hang, as documented")
	}
	dev, h := openEvents(t)
	_, data := newEvent(dev)
	control(t, h, ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), data, ks.StatusSuccess)
	v := invariants.Catch(func() {
		dev.Events().Do(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	if !strings.Contains(string(v), "deadlock (E-16)") {
		t.Errorf("%q", v)
	}
}
