package engine_test

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// surplus completes a request that is not pended any more, or never was: that does not count, and a build with the tag invariants
// panics.
func surplus(t *testing.T, irp *engine.IRP, status ks.Status, information uint64) {
	t.Helper()
	counted := false
	v := string(invariants.Catch(func() { counted = irp.Complete(status, information) }))
	if counted || strings.Contains(v, "(AS-2)") != invariants.Strict {
		t.Errorf("a completion too many: it counts: %t; %q", counted, v)
	}
}

// TestAS2_OneCompletionCounts completes requests too often and at the wrong time, from inside the handler and from outside: Complete
// says whether it counted, what did is the answer, nobody blocks, and the next request is answered with its own data.
func TestAS2_OneCompletionCounts(t *testing.T) {
	for name, c := range map[string]struct {
		handler engine.Handler
		status  ks.Status
		n       uint32
	}{
		"twice before it returns": {func(irp *engine.IRP, _, data []byte) ks.Status {
			copy(data, "abcd")
			if !irp.Complete(ks.StatusSuccess, 3) {
				t.Error("the first completion does not count")
			}
			surplus(t, irp, ks.StatusNotFound, 0)
			surplus(t, irp, ks.StatusSuccess, 1)
			return ks.StatusPending
		}, ks.StatusSuccess, 3},
		"completed, then success": {func(irp *engine.IRP, _, data []byte) ks.Status { // AS-1: it is pended
			copy(data, "abcd")
			if !irp.Complete(ks.StatusBufferOverflow, 2) {
				t.Error("a completion inside the handler does not count")
			}
			irp.IoStatus.Information = 4
			return ks.StatusSuccess
		}, ks.StatusBufferOverflow, 2},
		"completed, then an error": {func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.Complete(ks.StatusSuccess, 1)
			return ks.StatusNotFound
		}, ks.StatusSuccess, 1},
		"completed, then a panic": {func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.Complete(ks.StatusSuccess, 1)
			panic("planted")
		}, ks.StatusSuccess, 1},
		"an error clears Information": {func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.Complete(ks.StatusNotSupported, 4)
			return ks.StatusPending
		}, ks.StatusNotSupported, 0},
		"SOME_NOT_MAPPED never leaves": {func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.Complete(ks.StatusSomeNotMapped, 4)
			return ks.StatusPending
		}, ks.StatusNotFound, 0},
		"more than there is room for": {func(irp *engine.IRP, _, _ []byte) ks.Status { // AS-3
			irp.Complete(ks.StatusSuccess, 9)
			return ks.StatusPending
		}, ks.StatusBufferTooSmall, 0},
		"PENDING is no result": {func(irp *engine.IRP, _, _ []byte) ks.Status {
			if irp.Complete(ks.StatusPending, 4) {
				t.Error("STATUS_PENDING counts")
			}
			irp.Complete(ks.StatusSuccess, 4)
			return ks.StatusPending
		}, ks.StatusSuccess, 4},
	} {
		for _, verb := range []uint32{get, basicSupport, get | ks.PropertyTypeHighPriority} {
			var kept *engine.IRP
			handler := func(irp *engine.IRP, request, data []byte) ks.Status {
				kept = irp
				return c.handler(irp, request, data)
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler}, nines)
			for range 3 {
				out := full(8)
				if n, status := s.send(1, verb, out); n != c.n || status != c.status {
					t.Errorf("%s: %d bytes, %v; want %d, %v", name, n, status, c.n, c.status)
				}
				surplus(t, kept, ks.StatusSuccess, 4)
				s.idle()
			}
		}
	}
}

// TestAS3_CompletionIsChecked: what a request is completed with is checked as a handler's result is, for verbs of both directions.
func TestAS3_CompletionIsChecked(t *testing.T) {
	for _, c := range []struct {
		verb        uint32
		status      ks.Status
		information uint64
		want        ks.Status
		n           uint32
	}{
		{get, ks.StatusSuccess, 8, ks.StatusSuccess, 8},
		{get, ks.StatusSuccess, 9, ks.StatusBufferTooSmall, 0},
		{get, ks.StatusBufferOverflow, 1 << 40, ks.StatusBufferTooSmall, 0},
		{get, ks.StatusNotSupported, 8, ks.StatusNotSupported, 0},
		{set, ks.StatusSuccess, 9, ks.StatusSuccess, 9},
		{set, ks.StatusNotSupported, 9, ks.StatusNotSupported, 0},
	} {
		for _, early := range []bool{false, true} {
			handler := func(irp *engine.IRP, _, data []byte) ks.Status {
				if early {
					irp.Complete(c.status, c.information)
				} else {
					go irp.Complete(c.status, c.information)
				}
				return ks.StatusPending
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler}, nines)
			if n, status := s.send(1, c.verb, full(8)); n != c.n || status != c.want {
				t.Errorf("%+v: %d bytes, %v", c, n, status)
			}
			s.idle()
		}
	}
}

// TestAS2_LateCompletions: requests whose handlers hand them over and then return something else than STATUS_PENDING, or end
// otherwise, are answered by that; what was handed over is completed in vain. Inner requests (P-43) too.
func TestAS2_LateCompletions(t *testing.T) {
	for name, c := range map[string]struct {
		end    func() ks.Status
		status ks.Status
	}{
		"success": {func() ks.Status { return ks.StatusSuccess }, ks.StatusSuccess},
		"error":   {func() ks.Status { return ks.StatusNotFound }, ks.StatusNotFound},
		"panic":   {func() ks.Status { panic("planted") }, ks.StatusAccessViolation},
	} {
		for _, flags := range []uint32{get, set, serializeSet} {
			var late *engine.IRP
			handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
				late = irp
				return c.end()
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, SerializedSize: 4}, nines)
			for range 3 {
				if _, status := s.send(1, flags, full(100)); status != c.status {
					t.Errorf("%s, %s: %v", name, ks.FormatPropertyFlags(flags), status)
				}
				var completers sync.WaitGroup
				for range 3 {
					completers.Go(func() { surplus(t, late, ks.StatusSuccess, 4) })
				}
				completers.Wait()
				s.idle()
			}
		}
	}
}

// TestAS2_CompletionPanics: what Completion panics with is the completer's, who may be the handler itself, and the request is complete.
func TestAS2_CompletionPanics(t *testing.T) {
	complete := func(irp *engine.IRP) {
		defer func() {
			if value := recover(); value != "in Completion" {
				t.Errorf("Complete panics with %v", value)
			}
		}()
		irp.Completion = func(*engine.IRP) { panic("in Completion") }
		irp.Complete(ks.StatusSuccess, 4)
	}
	for name, hand := range map[string]func(irp *engine.IRP){"inside": complete, "outside": func(irp *engine.IRP) { go complete(irp) }} {
		handler := func(irp *engine.IRP, _, _ []byte) ks.Status { hand(irp); return ks.StatusPending }
		s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler}, nines)
		for _, flags := range []uint32{get, basicSupport} {
			if n, status := s.send(1, flags, full(4)); n != 4 || status != ks.StatusSuccess {
				t.Errorf("%s: %d bytes, %v", name, n, status)
			}
			s.irp.Completion = nil
			s.idle()
		}
	}
}

// TestAS2_InnerRequests pends the requests that a serialization is broken up into, and completes each too often.
func TestAS2_InnerRequests(t *testing.T) {
	value := byte(0)
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		value++
		v := value
		go func() {
			for i := range data {
				data[i] = v
			}
			if !irp.Complete(ks.StatusSuccess, uint64(len(data))) {
				t.Error("the first completion does not count")
			}
		}()
		return ks.StatusPending
	}
	s := serve(t, engine.PropertyItem{ID: 1, Get: handler, SerializedSize: 4},
		engine.PropertyItem{ID: 2, Get: handler, SerializedSize: 4}, nines)
	for range 50 {
		first := value + 1
		out := full(92)
		if n, status := s.send(0, serializeSet, out); n != 92 || status != ks.StatusSuccess {
			t.Fatal(n, status)
		}
		if out[52] != first || out[88] != first+1 {
			t.Fatalf("the items are %d and %d, want %d and %d", out[52], out[88], first, first+1)
		}
		s.idle()
	}
}

// TestAS1_HandlersMeddle: what a handler may do to its IRP has an answer, and no effect on the next request.
func TestAS1_HandlersMeddle(t *testing.T) {
	var s *served
	for name, meddle := range map[string]func(irp *engine.IRP){
		"SystemBuffer nil":     func(irp *engine.IRP) { irp.SystemBuffer = nil },
		"SystemBuffer another": func(irp *engine.IRP) { irp.SystemBuffer = make([]byte, 1) },
		"SystemBuffer cut":     func(irp *engine.IRP) { irp.SystemBuffer = irp.SystemBuffer[:2] },
		"Pool nil":             func(irp *engine.IRP) { irp.Pool = nil },
		"Pool and buffer nil":  func(irp *engine.IRP) { irp.Pool, irp.SystemBuffer = nil, nil },
		"Finish":               func(irp *engine.IRP) { irp.Finish(ks.StatusSuccess, make([]byte, 8)) },
		"Finish with an error": func(irp *engine.IRP) { irp.Finish(ks.StatusNotFound, nil) },
		"Completion": func(irp *engine.IRP) {
			irp.Completion = func(irp *engine.IRP) { irp.Finish(irp.IoStatus.Status, make([]byte, 8)) }
		},
		"flags":   func(irp *engine.IRP) { irp.Flags = engine.BufferedIO | engine.InputOperation },
		"lengths": func(irp *engine.IRP) { irp.InputBufferLength, irp.OutputBufferLength = 1<<31, 1<<31 },
	} {
		for end, finish := range map[string]func(irp *engine.IRP) ks.Status{
			"success": func(irp *engine.IRP) ks.Status { irp.IoStatus.Information = 4; return ks.StatusSuccess },
			"warning": func(irp *engine.IRP) ks.Status { irp.IoStatus.Information = 4; return ks.StatusBufferOverflow },
			"error":   func(*engine.IRP) ks.Status { return ks.StatusNotFound },
			"panic":   func(*engine.IRP) ks.Status { panic("planted") },
			"pending": func(irp *engine.IRP) ks.Status {
				go irp.Complete(ks.StatusSuccess, 4)
				return ks.StatusPending
			},
		} {
			handler := func(irp *engine.IRP, _, data []byte) ks.Status {
				copy(data, "abcd")
				meddle(irp)
				return finish(irp)
			}
			for _, flags := range []uint32{get, basicSupport, get | ks.PropertyTypeHighPriority} {
				s = serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler}, nines)
				for range 3 {
					out := full(8)
					n, status := s.send(1, flags, out)
					ends := map[string]ks.Status{"warning": ks.StatusBufferOverflow, "error": ks.StatusNotFound, "panic": ks.StatusAccessViolation}
					want, bytesWant := ends[end], uint32(4)
					if want.IsError() {
						bytesWant = 0
					}
					if n != bytesWant || status != want || n == 4 && string(out[:4]) != "abcd" || !bytes.Equal(out[4:], full(4)) {
						t.Errorf("%s, %s, %s: %d bytes, %v, % x", name, end, ks.FormatPropertyFlags(flags), n, status, out)
					}
					s.irp.Completion = nil
					s.idle()
				}
			}
			// A serialization that the same handler reads for, and one of its events.
			s = serve(t, engine.PropertyItem{ID: 1, Get: handler, SerializedSize: 4}, nines)
			s.send(1, serializeSet, full(56))
			s.idle()
		}
	}
	runtime.KeepAlive(s)
}
