package engine_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
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

// batchIRPs are the kinds of IRP whose requests take other paths in a batch: without an event all go alone.
var batchIRPs = []struct {
	name string
	make func(*engine.IRP)
}{
	{"without an event", func(*engine.IRP) {}},
	{"with an event", func(irp *engine.IRP) { irp.UserEvent = make(chan struct{}, 1) }},
	{"with a buffer of its own", func(irp *engine.IRP) {
		irp.UserEvent = make(chan struct{}, 1)
		irp.KeepBuffer()
	}},
}

// left is an error if more buffers are left than one that may be kept.
func left(t *testing.T, irp *engine.IRP, kept bool) {
	t.Helper()
	most := 0
	if kept && !invariants.Enabled {
		most = 1
	}
	if live := irp.Pool.Stats().Live; live > most {
		t.Errorf("%d buffers are left, not %d", live, most)
	}
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
	const length = 1000 // more than there are pairs of an act and a length of output
	for _, way := range batchWays {
		for _, items := range []int{64, 5000} {
			for _, kind := range batchIRPs {
				t.Run(fmt.Sprintf("%s of %d items %s", way.name, items, kind.name), func(t *testing.T) {
					d, irp := eventful(t, items, func() {})
					kind.make(irp)
					requests := eventfulRequests(length)
					if n := way.send(d, irp, requests); n != len(requests) {
						t.Fatalf("%d of %d requests answered", n, len(requests))
					}
					statuses := map[ks.Status]int{}
					for i, alone := range eventfulRequests(length) {
						n, status := d.IoControl(irp, way.code, alone.In, alone.Out)
						if r := requests[i]; r.Status != status || r.BytesReturned != n || string(r.Out) != string(alone.Out) {
							t.Errorf("request %d: %v, %d bytes, % X; alone: %v, %d, % X", i, r.Status, r.BytesReturned, r.Out, status, n, alone.Out)
						}
						statuses[status]++
					}
					if len(statuses) < 6 {
						t.Errorf("the requests end in %v alone", statuses)
					}
					left(t, irp, kind.name == batchIRPs[2].name)
				})
			}
		}
	}
}

// TestABatchLooksAtTheIRP: what a handler has changed in the IRP holds for the request behind it in the batch, as for the next one alone.
func TestABatchLooksAtTheIRP(t *testing.T) {
	for name, change := range map[string]func(*engine.IRP){
		"nothing": func(*engine.IRP) {},
		"memory": func(irp *engine.IRP) {
			irp.Memory = newMemory(getRequest(setA, 3)[:20], full(4))
		},
		"no event":        func(irp *engine.IRP) { irp.UserEvent = nil },
		"closed":          func(irp *engine.IRP) { irp.Close(func() {}) },
		"another request": func(irp *engine.IRP) { irp.InputBufferLength, irp.OutputBufferLength = 1, 2 },
		"no pool":         func(irp *engine.IRP) { irp.Pool = nil },
		"a status":        func(irp *engine.IRP) { irp.IoStatus.Status = ks.StatusCancelled },
		"a panic":         func(irp *engine.IRP) { panic(ks.StatusNotSupported) },
		"a rule":          func(irp *engine.IRP) { irp.Cite("X-1", ks.StatusSuccess) },
	} {
		t.Run(name, func(t *testing.T) {
			var seen [2][]string
			way := 0
			plain := func(irp *engine.IRP, request, data []byte) ks.Status {
				seen[way] = append(seen[way], fmt.Sprint(irp.InputBufferLength, irp.OutputBufferLength, irp.Rule(), irp.IoStatus, request, data,
					irp.ItemContext(), irp.SystemBuffer, irp.Data()))
				irp.IoStatus.Information = uint64(copy(data, "four"))
				return ks.StatusSuccess
			}
			config := engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
				{ID: 1, Get: plain, Context: 1},
				{ID: 2, Context: 2, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
					change(irp)
					return plain(irp, request, data)
				}},
				{ID: 3, Context: 3, Get: func(irp *engine.IRP, request, data []byte) ks.Status {
					if irp.UserEvent == nil {
						return ks.StatusPending
					}
					return plain(irp, request, data)
				}},
				{ID: 4, Set: plain},
				{ID: 5, Get: plain, MinProperty: ks.SizeNode},
				{ID: 6, Get: plain, MinData: 8},
			}}}}
			var list [2][]engine.BatchRequest
			for ; way < 2; way++ {
				s := serveConfig(t, config)
				s.irp.KeepBuffer()
				for i, id := range []uint32{1, 1, 1, 2, 3, 1, 1, 4, 1, 1, 5, 1, 1, 6, 1, 1, 7, 1, 1} {
					list[way] = append(list[way], engine.BatchRequest{In: getRequest(setA, id), Out: full(4 + i%4), Status: 77})
				}
				if way == 0 {
					s.d.PropertyBatch(s.irp, list[0])
					continue
				}
				for i := range list[1] {
					r := &list[1][i]
					if r.BytesReturned, r.Status = s.d.IoControl(s.irp, ks.IoctlProperty, r.In, r.Out); r.Status == ks.StatusPending {
						break
					}
				}
			}
			if name == "nothing" && len(seen[1]) != 15 {
				t.Errorf("%d requests reach their handlers", len(seen[1]))
			}
			for i, alone := range list[1] {
				if r := list[0][i]; r.Status != alone.Status || r.BytesReturned != alone.BytesReturned || string(r.Out) != string(alone.Out) {
					t.Errorf("request %d: %v, %d bytes, %q; alone: %v, %d, %q",
						i, r.Status, r.BytesReturned, r.Out, alone.Status, alone.BytesReturned, alone.Out)
				}
			}
			if !slices.Equal(seen[0], seen[1]) {
				t.Errorf("handlers see\n%q\nand alone\n%q", seen[0], seen[1])
			}
		})
	}
}

// TestP21_ABatchEndsWithItsGoroutine: runtime.Goexit leaves no buffer behind, and the requests behind it as they were.
func TestP21_ABatchEndsWithItsGoroutine(t *testing.T) {
	for _, way := range batchWays {
		for _, items := range []int{64, 5000} {
			for _, kind := range batchIRPs {
				t.Run(fmt.Sprintf("%s of %d items %s", way.name, items, kind.name), func(t *testing.T) {
					d, irp := eventful(t, items, runtime.Goexit)
					kind.make(irp)
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
							t.Errorf("request %d: %v", i, r.Status)
						}
					}
					left(t, irp, false)
					in, out := append(getRequest(setA, 12), make([]byte, 8)...), make([]byte, 4)
					if n, status := d.IoControl(irp, ks.IoctlProperty, in, out); n != 4 || status != ks.StatusSuccess {
						t.Errorf("afterwards: %d, %v", n, status)
					}
				})
			}
		}
	}
}

// TestAS36_ABatchAsksTheGate: what a batch holds from one request to the next does not take the next past a gate that was shut meanwhile.
func TestAS36_ABatchAsksTheGate(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		calls := 0
		get := func(irp *engine.IRP, _, _ []byte) ks.Status {
			if calls++; calls == 10 {
				irp.Gate(true)
			}
			return ks.StatusSuccess
		}
		s := serveConfig(t, engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: get}}}}})
		if keeps {
			s.irp.KeepBuffer()
		}
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
		left(t, s.irp, keeps)
	}
}
