package engine_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// detached is served with an IRP that IoControl does not wait for.
type detached struct {
	*served
	out    []byte
	pended int
	ended  chan ks.Status
	n      uint32
}

func detach(t *testing.T, items ...engine.PropertyItem) *detached {
	x := &detached{served: serve(t, append(items, nines)...), ended: make(chan ks.Status, 2)}
	x.irp.UserEvent = nil
	x.irp.Detach(func(*engine.IRP) { x.pended++ }, func(irp *engine.IRP) {
		x.n = irp.Finish(irp.IoStatus.Status, x.out)
		x.ended <- irp.IoStatus.Status
	})
	return x
}

// TestAS1_DetachedIsPended completes a detached request before, while and after its handler leaves it: it is pended whatever the
// handler returns, ends once, and leaves no buffer.
func TestAS1_DetachedIsPended(t *testing.T) {
	handed := make(chan *engine.IRP, 1)
	complete := func(result ks.Status) engine.Handler {
		return func(irp *engine.IRP, _, data []byte) ks.Status {
			copy(data, "abcd")
			if !irp.Complete(ks.StatusSuccess, 3) {
				t.Error("the completion does not count")
			}
			irp.SystemBuffer = nil // a handler that should not
			return result
		}
	}
	later := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "abcd")
		handed <- irp
		return ks.StatusPending
	}
	x := detach(t, engine.PropertyItem{ID: 1, Get: complete(ks.StatusPending)},
		engine.PropertyItem{ID: 2, Get: complete(ks.StatusSuccess), Support: complete(ks.StatusSuccess)},
		engine.PropertyItem{ID: 3, Get: complete(ks.StatusNotFound)},
		engine.PropertyItem{ID: 4, Get: later, Support: later})
	for _, c := range []struct{ id, flags uint32 }{
		{1, get},
		{2, get},
		{2, ks.PropertyTypeBasicSupport},
		{3, get},
		{4, get},
		{4, ks.PropertyTypeBasicSupport},
		{4, get | ks.PropertyTypeHighPriority},
	} {
		for range 3 {
			x.out, x.pended = full(40), 0
			n, status := x.send(c.id, c.flags, x.out)
			if n != 0 || status != ks.StatusPending || x.pended != 1 {
				t.Fatalf("item %d: %d bytes, %v, pended %d times", c.id, n, status, x.pended)
			}
			if c.id == 4 {
				if _, busy := x.send(99, get, full(4)); busy != ks.StatusDeviceBusy || len(x.ended) != 0 {
					t.Errorf("meanwhile %v", busy)
				}
				irp := <-handed
				if !irp.Complete(ks.StatusSuccess, 3) {
					t.Error("the first completion does not count")
				}
				surplus(t, irp, ks.StatusSuccess, 3)
			}
			want := append([]byte("abc"), full(37)...)
			if status := <-x.ended; status != ks.StatusSuccess || x.n != 3 || !bytes.Equal(x.out, want) || len(x.ended) != 0 {
				t.Errorf("item %d: %d bytes, %v, % x", c.id, x.n, status, x.out)
			}
			x.idle()
		}
	}
	x.pended = 0
	if x.idle(); x.pended != 0 || len(x.ended) != 0 {
		t.Error("a request that is answered at once is pended")
	}
}

// TestAS25_Abort ends what is pended, alone or within a serialization, and what pends afterwards; nothing else.
func TestAS25_Abort(t *testing.T) {
	handed := make(chan *engine.IRP, 1)
	var x *detached
	abort := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "abcd")
		x.irp.Abort()
		return ks.StatusPending
	}
	later := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "abcd")
		handed <- irp
		return ks.StatusPending
	}
	for _, handler := range []engine.Handler{abort, later} {
		x = detach(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler})
		for _, flags := range []uint32{get, ks.PropertyTypeBasicSupport, get} { // the last when it is aborted
			x.out = full(40)
			if _, status := x.send(1, flags, x.out); status != ks.StatusPending {
				t.Fatal(status)
			}
			x.irp.Abort()
			if status := <-x.ended; status != ks.StatusCancelled || x.n != 0 || !bytes.Equal(x.out, full(40)) {
				t.Errorf("%d bytes, %v, % x", x.n, status, x.out)
			}
			if len(handed) != 0 && (<-handed).Complete(ks.StatusSuccess, 4) {
				t.Error("a later completion counts")
			}
			x.idle()
		}
	}
	s := serve(t, nines, engine.PropertyItem{ID: 1, Get: later, SerializedSize: 4})
	go func() { <-handed; s.irp.Abort() }()
	if n, status := s.send(1, ks.PropertyTypeSerializeSet, full(80)); n != 0 || status != ks.StatusCancelled {
		t.Errorf("serialization: %d bytes, %v", n, status)
	}
	s.idle()
}

// TestAS19_DetachedThroughTheGate: a request that came through the gate, and whose handler ends its goroutine, ends once.
func TestAS19_DetachedThroughTheGate(t *testing.T) {
	x := detach(t, engine.PropertyItem{ID: 1, Get: func(*engine.IRP, []byte, []byte) ks.Status { runtime.Goexit(); return 0 }})
	x.irp.SetGate(func() (*engine.Dispatcher, ks.Status) {
		x.irp.Gate(false)
		return x.d, ks.StatusSuccess
	})
	for _, flags := range []uint32{get, get | ks.PropertyTypeHighPriority} {
		x.out = full(4)
		x.irp.Gate(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			x.send(1, flags, x.out)
		}()
		<-done
		if status := <-x.ended; status != ks.StatusCancelled || x.n != 0 || len(x.ended) != 0 {
			t.Errorf("ended with %v, %d bytes, and %d times more", status, x.n, len(x.ended))
		}
		x.idle()
	}
}
