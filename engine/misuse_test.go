package engine_test

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What a build with the tag invariants panics on, while others have a defined answer, or none.

// TestS15_TwoGoroutines sends from two goroutines on one handle, on each way that a request takes, until they meet.
func TestS15_TwoGoroutines(t *testing.T) {
	if !invariants.Strict {
		t.Skip("needs a build with -tags invariants: others are not in a position to notice")
	}
	linger := func(*engine.IRP, []byte, []byte) ks.Status { runtime.Gosched(); return ks.StatusSuccess }
	fast := func(*engine.FileObject, engine.Mode, []byte, []byte, *engine.IoStatus) bool {
		runtime.Gosched()
		return true
	}
	in := request{set: setA, id: 1, flags: get}.bytes()
	var s *served
	var ref engine.Ref
	for name, send := range map[string]func(){
		"IoControl":           func() { s.d.IoControl(s.irp, ks.IoctlProperty, in, nil) },
		"a method":            func() { s.d.IoControl(s.irp, ks.IoctlMethod, in, nil) },
		"a reference":         func() { ref.IoControl(s.irp, in, nil) },
		"a batch":             func() { s.d.PropertyBatch(s.irp, []engine.BatchRequest{{In: in}, {In: in}}) },
		"a batch of methods":  func() { s.d.MethodBatch(s.irp, []engine.BatchRequest{{In: in}, {In: in}}) },
		"FastProperty":        func() { s.d.FastProperty(s.irp.FileObject, engine.UserMode, in, nil, new(engine.IoStatus)) },
		"FastMethod":          func() { s.d.FastMethod(s.irp.FileObject, engine.UserMode, in, nil, new(engine.IoStatus)) },
		"a reference, fast":   func() { ref.FastProperty(s.irp.FileObject, engine.UserMode, in, nil, new(engine.IoStatus)) },
		"IoControl and batch": nil,
	} {
		s = serveConfig(t, engine.Config{
			PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: linger}, nines},
				FastIO: []engine.FastPropertyItem{{ID: 1, Get: fast}}}},
			MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: linger}},
				FastIO: []engine.FastMethodItem{{ID: 1, Handler: fast}}}}})
		ref, _ = s.d.Resolve(setA, 1)
		sends := [2]func(){send, send}
		if send == nil {
			sends = [2]func(){func() { s.d.IoControl(s.irp, ks.IoctlProperty, in, nil) },
				func() { s.d.PropertyBatch(s.irp, []engine.BatchRequest{{In: in}, {In: in}}) }}
		}
		var met atomic.Bool
		var wg sync.WaitGroup
		for _, send := range sends {
			wg.Go(func() {
				for !met.Load() {
					v := string(invariants.Catch(send))
					if v != "" {
						met.Store(true)
					}
					if v != "" && (!strings.Contains(v, "two goroutines") || !strings.Contains(v, "(S-15)")) {
						t.Errorf("%s: %s", name, v)
					}
				}
			})
		}
		wg.Wait()
		s.idle()
	}
}

// TestAS1_DetachedHandedOver is TestAS1_HandedOverAndNotPended for a request that nobody waits for, and for each way in which its handler
// ends: the request ends once, with the completion, whether or not the build names the mistake. A handler that ends its goroutine makes
// none, as nothing but the completion counts.
func TestAS1_DetachedHandedOver(t *testing.T) {
	for name, c := range map[string]struct {
		end     func() ks.Status
		misuse  bool
		deserts bool
	}{
		"pending":       {end: func() ks.Status { return ks.StatusPending }},
		"success":       {end: func() ks.Status { return ks.StatusSuccess }, misuse: true},
		"error":         {end: func() ks.Status { return ks.StatusNotFound }, misuse: true},
		"some":          {end: func() ks.Status { return ks.StatusSomeNotMapped }, misuse: true},
		"panic":         {end: func() ks.Status { panic("planted") }, misuse: true},
		"thrown":        {end: func() ks.Status { panic(ks.StatusNotFound) }, misuse: true},
		"the goroutine": {end: func() ks.Status { runtime.Goexit(); return 0 }, deserts: true},
	} {
		handler := func(irp *engine.IRP, _, data []byte) ks.Status {
			copy(data, "abcd")
			done := make(chan bool)
			go func() { done <- irp.Complete(ks.StatusBufferOverflow, 3) }()
			if !<-done {
				t.Error("the completion does not count")
			}
			return c.end()
		}
		x := detach(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler})
		for _, flags := range []uint32{get, get | ks.PropertyTypeHighPriority, basicSupport} {
			x.out, x.pended = full(40), 0
			status, returned, sent := ks.Status(0), false, make(chan string)
			go func() {
				v := ""
				defer func() { sent <- v }()
				v = string(invariants.Catch(func() {
					_, status = x.send(1, flags, x.out)
					returned = true
				}))
			}()
			v := <-sent
			if want := c.misuse && invariants.Strict; want != strings.Contains(v, "handed its request over") {
				t.Errorf("%s: %q", name, v)
			}
			if returned != (v == "" && !c.deserts) || returned && (status != ks.StatusPending || x.pended != 1) {
				t.Errorf("%s: returned: %t, %v, pended %d times", name, returned, status, x.pended)
			}
			want := append([]byte("abc"), full(37)...)
			if status := <-x.ended; status != ks.StatusBufferOverflow || x.n != 3 || !bytes.Equal(x.out, want) || len(x.ended) != 0 {
				t.Errorf("%s: ended with %v, %d bytes, % x, and %d times more", name, status, x.n, x.out, len(x.ended))
			}
			x.idle()
		}
	}
}

// TestAS1_HandedOverAndNotPended hands requests to another goroutine, which completes them, and returns something else than
// STATUS_PENDING: the request is answered with that completion, and a build with the tag invariants names the handler's mistake.
func TestAS1_HandedOverAndNotPended(t *testing.T) {
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		done := make(chan bool)
		go func() { done <- irp.Complete(ks.StatusBufferOverflow, 4) }()
		if !<-done {
			t.Error("the completion does not count")
		}
		return ks.StatusNotFound
	}
	s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler, SerializedSize: 4}, nines)
	ref, _ := s.d.Resolve(setA, 1)
	single := func(flags uint32) func() ks.Status {
		return func() ks.Status { _, status := s.send(1, flags, full(56)); return status }
	}
	for name, send := range map[string]func() ks.Status{
		"IoControl":         single(get),
		"with modifiers":    single(get | ks.PropertyTypeHighPriority),
		"a support handler": single(basicSupport),
		"an inner request":  single(serializeSet),
		"a reference": func() ks.Status {
			_, status := ref.IoControl(s.irp, request{set: setA, id: 1, flags: get}.bytes(), full(4))
			return status
		},
		"without IoControl": nil,
		"a batch": func() ks.Status {
			b := []engine.BatchRequest{{In: request{set: setA, id: 1, flags: get}.bytes(), Out: full(4)}}
			s.d.PropertyBatch(s.irp, b)
			return b[0].Status
		},
	} {
		want := ks.StatusBufferOverflow
		own := &engine.IRP{Type3InputBuffer: request{set: setA, id: 1, flags: get}.bytes(), InputBufferLength: ks.SizeIdentifier,
			UserBuffer: full(4), OutputBufferLength: 4}
		if send == nil {
			send, want = func() ks.Status { return s.d.Property(own) }, ks.StatusPending
		}
		var status ks.Status
		v := string(invariants.Catch(func() { status = send() }))
		if invariants.Strict != strings.Contains(v, "handed its request over") || invariants.Strict != strings.Contains(v, "(AS-1)") {
			t.Errorf("%s: %q", name, v)
		}
		if !invariants.Strict && status != want {
			t.Errorf("%s: %v, want %v", name, status, want)
		}
		s.idle()
	}
}

// TestS34_KeptData writes to the data of requests that have ended: no later request sees it, no caller gets it, and a build with the
// tag invariants names it when the memory serves another request.
func TestS34_KeptData(t *testing.T) {
	var kept []byte
	keep := func(irp *engine.IRP, request, data []byte) ks.Status {
		kept = data[:len(data):cap(data)]
		irp.IoStatus.Information = uint64(copy(data, "kept"))
		return ks.StatusSuccess
	}
	see := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	for _, flags := range []uint32{get, set, get | ks.PropertyTypeHighPriority} {
		s := serve(t, engine.PropertyItem{ID: 1, Get: keep, Set: keep}, engine.PropertyItem{ID: 2, Get: see}, nines)
		first := full(4)
		if _, status := s.send(1, flags, first); status != ks.StatusSuccess {
			t.Fatal(status)
		}
		before := bytes.Clone(first)
		copy(kept, "late")
		second := full(4)
		v := string(invariants.Catch(func() { s.send(2, get, second) }))
		named := strings.Contains(v, "use after free") && strings.Contains(v, "(S-34)")
		if named != invariants.Enabled || !bytes.Equal(first, before) {
			t.Errorf("%s: %q; the first caller has %q", ks.FormatPropertyFlags(flags), v, first)
		}
		if !invariants.Enabled && !bytes.Equal(second, make([]byte, 4)) {
			t.Errorf("%s: the next caller gets %q", ks.FormatPropertyFlags(flags), second)
		}
		if n, status := s.send(2, get, second); n != 4 || status != ks.StatusSuccess {
			t.Errorf("%s: afterwards %d bytes, %v", ks.FormatPropertyFlags(flags), n, status)
		}
	}
}

// TestAS2_ViolationFreesTheHandle: a misuse that is named in a handler ends its request, on the short path and the others, so that a
// deferred Close does not wait for it.
func TestAS2_ViolationFreesTheHandle(t *testing.T) {
	if !invariants.Strict {
		t.Skip("needs a build with -tags invariants: others do not name misuse")
	}
	misuse := func(*engine.IRP, []byte, []byte) ks.Status { panic(invariants.Violation("planted")) }
	s := serve(t, engine.PropertyItem{ID: 1, Get: misuse, Set: misuse, Support: misuse}, nines)
	for _, flags := range []uint32{get, set, basicSupport} {
		for _, length := range []int{8, 100_000} {
			if v := invariants.Catch(func() { s.send(1, flags, full(length)) }); v != "planted" {
				t.Errorf("%s: %q got out of the handler", ks.FormatPropertyFlags(flags), v)
			}
			s.idle()
		}
	}
}

// TestS15_BufferTakenAway: a handler that takes SystemBuffer off its IRP and passes the request on, with other lengths, gets no second
// buffer, as the end of the request goes by the first. Else a build with package unsafe would return memory of others to the caller.
func TestS15_BufferTakenAway(t *testing.T) {
	produce := func(irp *engine.IRP, _, _ []byte) ks.Status { return ks.StatusSuccess }
	other, err := engine.Compile(engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{{ID: 1, Get: produce}}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Handler: produce},
			{ID: 2, Flags: ks.MethodTypeSource | ks.MethodTypeWrite, Handler: produce}}}}})
	if err != nil {
		t.Fatal(err)
	}
	heap := func(irp *engine.IRP, size uint32, _ bool) ks.Status {
		irp.SystemBuffer = make([]byte, size)
		return ks.StatusSuccess
	}
	nothing := func(*engine.IRP, uint32, bool) ks.Status { return ks.StatusInsufficientResources }
	short := func(irp *engine.IRP, _ uint32, _ bool) ks.Status {
		irp.SystemBuffer = make([]byte, 1)
		return ks.StatusSuccess
	}
	in := func(id, flags uint32) []byte { return request{set: setA, id: id, flags: flags}.bytes() }
	for name, pass := range map[string]func(irp *engine.IRP) ks.Status{
		"a property":     func(irp *engine.IRP) ks.Status { return other.PropertyWithBuffers(irp, in(1, get), nil, nil) },
		"its allocator":  func(irp *engine.IRP) ks.Status { return other.PropertyWithBuffers(irp, in(1, get), nil, heap) },
		"no memory":      func(irp *engine.IRP) ks.Status { return other.PropertyWithBuffers(irp, in(1, get), nil, nothing) },
		"a short buffer": func(irp *engine.IRP) ks.Status { return other.PropertyWithBuffers(irp, in(1, get), nil, short) },
		"a query":        func(irp *engine.IRP) ks.Status { return other.PropertyWithBuffers(irp, in(1, basicSupport), nil, heap) },
		"a method": func(irp *engine.IRP) ks.Status {
			return other.MethodWithBuffers(irp, in(1, ks.MethodTypeSend), nil, heap)
		},
		"a SOURCE method": func(irp *engine.IRP) ks.Status {
			return other.MethodWithBuffers(irp, in(2, ks.MethodTypeSend), nil, nil)
		},
		"no event": func(irp *engine.IRP) ks.Status {
			irp.InputBufferLength = 0
			return other.EnableEventWithBuffers(irp, nil, nil, nil, nil)
		},
	} {
		for _, lengths := range [][2]uint32{{ks.SizeIdentifier, 0}, {1 << 20, 0}, {ks.SizeIdentifier, 1 << 20}} {
			var passed ks.Status
			handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
				irp.SystemBuffer = nil
				irp.InputBufferLength, irp.OutputBufferLength = lengths[0], lengths[1]
				passed = pass(irp)
				irp.IoStatus.Information = 30_000
				return ks.StatusSuccess
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler}, nines)
			for _, flags := range []uint32{get, basicSupport, get | ks.PropertyTypeHighPriority} {
				for range 2 { // the first request of an arena takes another way than the second
					out := full(30_000)
					n, status := s.send(1, flags, out)
					if passed != ks.StatusInvalidParameter || n != 30_000 || status != ks.StatusSuccess || !bytes.Equal(out, make([]byte, 30_000)) {
						t.Errorf("%s, %v bytes, %s: passed on: %v; %d bytes, %v, %d of them not 0", name, lengths,
							ks.FormatPropertyFlags(flags), passed, n, status, len(out)-bytes.Count(out, []byte{0}))
					}
					s.idle()
				}
			}
		}
	}
}

// TestS16_OwnerTakesTheBuffer: an owner who takes the buffer of a request that has ended, and does not call Finish, uses his IRP again.
func TestS16_OwnerTakesTheBuffer(t *testing.T) {
	s := serve(t, nines)
	irp := &engine.IRP{}
	allocate := func(irp *engine.IRP, size uint32, _ bool) ks.Status {
		irp.SystemBuffer = make([]byte, size)
		return ks.StatusSuccess
	}
	for _, n := range []int{4, 400, 4} {
		irp.Type3InputBuffer, irp.InputBufferLength = request{set: setA, id: 99, flags: get}.bytes(), ks.SizeIdentifier
		irp.UserBuffer, irp.OutputBufferLength = full(n), uint32(n)
		status := s.d.PropertyWithAllocator(irp, allocate)
		if status != ks.StatusSuccess || !bytes.Equal(irp.SystemBuffer[:4], []byte{9, 9, 9, 9}) {
			t.Errorf("%d bytes: %v", n, status)
		}
		irp.SystemBuffer = nil
	}
}

// TestAS2_LosesToAbort: who completes a request that Abort has ended, which nobody tells him, makes no mistake, though the sender has
// sent another meanwhile that was refused.
func TestAS2_LosesToAbort(t *testing.T) {
	p := pend(t, get, func(*engine.IRP) {})
	p.irp.SetGate(func() (*engine.Dispatcher, ks.Status) { return nil, ks.StatusDeviceRemoved })
	p.irp.Abort()
	if got := <-p.answer; got != (result{0, ks.StatusCancelled}) {
		t.Error(got)
	}
	p.irp.Gate(true)
	for _, flags := range ways {
		if _, status := p.send(99, flags, full(4)); status != ks.StatusDeviceRemoved {
			t.Errorf("%s: %v", ks.FormatPropertyFlags(flags), status)
		}
	}
	if p.irp.Complete(ks.StatusSuccess, 0) {
		t.Error("a completion counts that lost to Abort")
	}
}
