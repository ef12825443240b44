package engine_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// methodFlags are the kinds of method that differ in what is copied, and one that is not for the short path.
var methodFlags = []uint32{ks.MethodTypeNone, ks.MethodTypeRead, ks.MethodTypeWrite, ks.MethodTypeModify,
	ks.MethodTypeWrite | ks.MethodTypeSource}

// batchWays are the two kinds of batch, each with the code whose single requests it takes the place of.
var batchWays = []struct {
	name string
	code uint32
	send func(*engine.Dispatcher, *engine.IRP, []engine.BatchRequest) int
}{
	{"PropertyBatch", ks.IoctlProperty, (*engine.Dispatcher).PropertyBatch},
	{"MethodBatch", ks.IoctlMethod, (*engine.Dispatcher).MethodBatch},
}

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
		func(irp *engine.IRP, _, _ []byte) ks.Status { irp.SystemBuffer = nil; return ks.StatusSuccess },
		func(irp *engine.IRP, _, data []byte) ks.Status {
			irp.SystemBuffer = data[:len(data)/2]
			irp.IoStatus.Information = uint64(len(data))
			return ks.StatusSuccess
		},
		func(irp *engine.IRP, _, _ []byte) ks.Status { irp.Pool = nil; return ks.StatusSuccess },
		func(irp *engine.IRP, _, data []byte) ks.Status {
			b, err := irp.Pool.Alloc(20)
			if err != nil {
				return ks.StatusInsufficientResources
			}
			irp.IoStatus.Information = uint64(copy(data, b))
			irp.Pool.Free(b)
			return ks.StatusSuccess
		},
	}
	properties, methods := engine.PropertySet{Set: setA}, engine.MethodSet{Set: setA}
	for id := range n {
		act := acts[id%len(acts)]
		properties.Items = append(properties.Items, engine.PropertyItem{ID: uint32(id), Get: act, Set: act})
		methods.Items = append(methods.Items, engine.MethodItem{ID: uint32(id), Handler: act, Flags: methodFlags[id%len(methodFlags)],
			MinMethod: 24 + uint32(id%5), MinData: uint32(id % 3)})
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{properties}, MethodSets: []engine.MethodSet{methods},
		OnPanic: func(any, []byte) {}})
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
		r := engine.BatchRequest{In: getRequest(setA, uint32(i)), Out: slices.Repeat([]byte{9}, i/5%13)} // runs whose buffers are as long
		switch {
		case i%17 == 16:
			r.In[20] = byte(ks.PropertyTypeSet) // which no method knows
		case i%23 == 22:
			r.In[21] = 2 // BASICSUPPORT
		case i%29 == 28:
			r.In[0]++ // no such set
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
	for _, way := range batchWays {
		for _, items := range []int{64, 5000} {
			d, irp := eventful(t, items, func() {})
			requests := eventfulRequests(200)
			if n := way.send(d, irp, requests); n != len(requests) {
				t.Fatalf("%s of %d items: %d of %d requests answered", way.name, items, n, len(requests))
			}
			statuses := map[ks.Status]int{}
			for i, alone := range eventfulRequests(200) {
				n, status := d.IoControl(irp, way.code, alone.In, alone.Out)
				if r := requests[i]; r.Status != status || r.BytesReturned != n || string(r.Out) != string(alone.Out) {
					t.Errorf("%s of %d items: request %d: %v, %d bytes, % X; alone: %v, %d, % X",
						way.name, items, i, r.Status, r.BytesReturned, r.Out, status, n, alone.Out)
				}
				statuses[status]++
			}
			if len(statuses) < 6 {
				t.Errorf("%s of %d items: the requests end in %v alone", way.name, items, statuses)
			}
			if live := irp.Pool.Stats().Live; live != 0 {
				t.Errorf("%s of %d items: %d buffers are left", way.name, items, live)
			}
		}
	}
}

// TestP21_ABatchEndsWithItsGoroutine: runtime.Goexit leaves no buffer behind, and the requests behind it as they were.
func TestP21_ABatchEndsWithItsGoroutine(t *testing.T) {
	for _, way := range batchWays {
		for _, items := range []int{64, 5000} {
			d, irp := eventful(t, items, runtime.Goexit)
			requests := eventfulRequests(20)
			for i := range requests {
				requests[i].Status = 77
				requests[i].In, requests[i].Out = append(requests[i].In, make([]byte, 8)...), make([]byte, 8)
			}
			ended := make(chan bool)
			go func() {
				defer close(ended)
				way.send(d, irp, requests)
				t.Errorf("%s returns after Goexit", way.name)
			}()
			<-ended
			for i, r := range requests {
				if (r.Status == 77) != (i >= 7) {
					t.Errorf("%s of %d items: request %d: %v", way.name, items, i, r.Status)
				}
			}
			if live := irp.Pool.Stats().Live; live != 0 {
				t.Errorf("%s of %d items: %d buffers are left", way.name, items, live)
			}
			in, out := append(getRequest(setA, 12), make([]byte, 8)...), make([]byte, 4)
			if n, status := d.IoControl(irp, ks.IoctlProperty, in, out); n != 4 || status != ks.StatusSuccess {
				t.Errorf("%s of %d items: afterwards: %d, %v", way.name, items, n, status)
			}
		}
	}
}

// TestAS36_ABatchAsksTheGate: what a batch holds from one request to the next does not take the next past a gate that was shut meanwhile.
func TestAS36_ABatchAsksTheGate(t *testing.T) {
	calls := 0
	get := func(irp *engine.IRP, _, _ []byte) ks.Status {
		if calls++; calls == 10 {
			irp.Gate(true)
		}
		return ks.StatusSuccess
	}
	s := serveConfig(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: get}}}}})
	asked := 0
	s.irp.SetGate(func() (*engine.Dispatcher, ks.Status) {
		if asked++; s.irp.Busy() {
			t.Error("the gate is asked while a request is in flight")
		}
		return nil, ks.StatusDeviceNotReady
	})
	requests := slices.Repeat([]engine.BatchRequest{{In: getRequest(setA, 1), Out: make([]byte, 4)}}, 100)
	if n := s.d.PropertyBatch(s.irp, requests); n != len(requests) || calls != 10 || asked != 90 {
		t.Errorf("%d answers, %d calls, the gate is asked %d times", n, calls, asked)
	}
	if r := requests[10]; r.Status != ks.StatusDeviceNotReady {
		t.Errorf("behind the gate: %v", r.Status)
	}
	if live := s.irp.Pool.Stats().Live; live != 0 {
		t.Errorf("%d buffers are left", live)
	}
}
