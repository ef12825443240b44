package engine_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// eventful returns a dispatcher of n items, near or far as PropertyBatch sees it, whose handlers do all that is judged: by id modulo the
// length of the list.
func eventful(t *testing.T, n int, leave func()) (*engine.Dispatcher, *engine.IRP) {
	t.Helper()
	acts := []engine.Handler{
		func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = uint64(copy(data, "four"))
			return ks.StatusSuccess
		},
		func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusNotSupported) },
		func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.IoStatus.Information = 1 << 40
			return ks.StatusSuccess
		},
		func(*engine.IRP, []byte, []byte) ks.Status { panic(ks.StatusSuccess) },
		func(*engine.IRP, []byte, []byte) ks.Status { return ks.StatusSomeNotMapped },
		func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.IoStatus.Information = 7
			return ks.StatusBufferOverflow
		},
		func(*engine.IRP, []byte, []byte) ks.Status { var nothing []byte; return ks.Status(nothing[0]) },
		func(*engine.IRP, []byte, []byte) ks.Status { leave(); return ks.StatusSuccess },
	}
	set := engine.PropertySet{Set: setA}
	for id := range n {
		set.Items = append(set.Items, engine.PropertyItem{ID: uint32(id), Get: acts[id%len(acts)], Set: acts[id%len(acts)]})
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{set}, OnPanic: func(any, []byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return d, &engine.IRP{Pool: pool}
}

func eventfulRequests(n int) (requests []engine.BatchRequest) {
	for i := range n {
		r := engine.BatchRequest{In: getRequest(setA, uint32(i)), Out: slices.Repeat([]byte{9}, i%13)}
		if i%17 == 16 {
			r.In[20] = byte(ks.PropertyTypeSet)
		}
		if i%19 == 18 {
			r.In = append(r.In, make([]byte, 40<<10)...) // not for the short path
		}
		requests = append(requests, r)
	}
	return requests
}

// TestP21_ABatchGoesOnBehindAPanic: one guard serves many requests, and each is answered as it is alone.
func TestP21_ABatchGoesOnBehindAPanic(t *testing.T) {
	for _, items := range []int{64, 5000} {
		d, irp := eventful(t, items, func() {})
		requests := eventfulRequests(200)
		if n := d.PropertyBatch(irp, requests); n != len(requests) {
			t.Fatalf("%d items: %d of %d requests answered", items, n, len(requests))
		}
		for i, alone := range eventfulRequests(200) {
			n, status := d.IoControl(irp, ks.IoctlProperty, alone.In, alone.Out)
			if r := requests[i]; r.Status != status || r.BytesReturned != n || string(r.Out) != string(alone.Out) {
				t.Errorf("%d items: request %d: %v, %d bytes, % X; alone: %v, %d, % X",
					items, i, r.Status, r.BytesReturned, r.Out, status, n, alone.Out)
			}
		}
		if live := irp.Pool.Stats().Live; live != 0 {
			t.Errorf("%d items: %d buffers are left", items, live)
		}
	}
}

// TestP21_ABatchEndsWithItsGoroutine: runtime.Goexit leaves no buffer behind, and the requests behind it as they were.
func TestP21_ABatchEndsWithItsGoroutine(t *testing.T) {
	for _, items := range []int{64, 5000} {
		d, irp := eventful(t, items, runtime.Goexit)
		requests := eventfulRequests(20)
		for i := range requests {
			requests[i].Status = 77
		}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			d.PropertyBatch(irp, requests)
			t.Error("a batch returns after Goexit")
		}()
		<-ended
		for i, r := range requests {
			if (r.Status == 77) != (i >= 7) {
				t.Errorf("%d items: request %d: %v", items, i, r.Status)
			}
		}
		if live := irp.Pool.Stats().Live; live != 0 {
			t.Errorf("%d items: %d buffers are left", items, live)
		}
		if n, status := d.IoControl(irp, ks.IoctlProperty, getRequest(setA, 0), make([]byte, 4)); n != 4 || status != ks.StatusSuccess {
			t.Errorf("%d items: afterwards: %d, %v", items, n, status)
		}
	}
}
