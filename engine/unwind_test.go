package engine_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// What callbacks leave behind that end their goroutine, or panic in a checked build: nothing. A request that nobody gives up keeps its IRP
// busy, and Close waiting.

// unwound runs f on a goroutine of its own and returns when that has ended, with the Violation that f panicked with.
func unwound(f func()) (v string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		v = string(invariants.Catch(f))
	}()
	<-done
	return v
}

// endings are how a callback ends other than by returning. A build that does not name misuse has but one that gets out of the engine.
func endings() map[string]func() {
	m := map[string]func(){"Goexit": runtime.Goexit}
	if invariants.Strict {
		m["a misuse"] = func() { panic(invariants.Violation("planted")) }
	}
	return m
}

// TestAS9_RoutineEndsTheSender: a request that was cancelled before it was pended is cancelled by its sender, whose goroutine the routine
// ends.
func TestAS9_RoutineEndsTheSender(t *testing.T) {
	for name, end := range endings() {
		handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
			irp.Cancel()
			irp.SetCancelRoutine(func(*engine.IRP) { end() })
			return ks.StatusPending
		}
		item := engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 4}
		s, x := serve(t, item, nines), detach(t, item)
		b := []engine.BatchRequest{{In: request{set: setA, id: 99, flags: get}.bytes(), Out: full(4)},
			{In: request{set: setA, id: 1, flags: get}.bytes(), Out: full(4)}}
		for _, flags := range ways {
			for _, length := range []int{56, 100_000} {
				unwound(func() { s.send(1, flags, full(length)) })
				s.idle()
				x.out = full(length)
				unwound(func() { x.send(1, flags, x.out) })
				if status := <-x.ended; status != ks.StatusCancelled || x.n != 0 || len(x.ended) != 0 || !bytes.Equal(x.out, full(length)) {
					t.Errorf("%s, %s: ended with %v, and %d times more", name, ks.FormatPropertyFlags(flags), status, len(x.ended))
				}
				x.idle()
			}
		}
		unwound(func() { s.d.PropertyBatch(s.irp, b) })
		s.idle()
	}
}

// TestAS24_RoutineEndsCloser: Close releases all the same if the cancel routine that it calls ends its goroutine.
func TestAS24_RoutineEndsCloser(t *testing.T) {
	for name, end := range endings() {
		for _, flags := range ways {
			p := pend(t, flags, func(irp *engine.IRP) { irp.SetCancelRoutine(func(*engine.IRP) { end() }) })
			released := make(chan struct{})
			unwound(func() { p.served.irp.Close(func() { close(released) }) })
			<-released
			if got := <-p.answer; got != (result{0, ks.StatusCancelled}) {
				t.Errorf("%s, %s: %v", name, ks.FormatPropertyFlags(flags), got)
			}
		}
	}
}

// TestAS1_EndedUnwinds: who is told that a detached request has ended is told once, though he panics or ends the goroutine, and on
// whichever goroutine. The IRP may serve another request by then.
func TestAS1_EndedUnwinds(t *testing.T) {
	ends := endings()
	ends["panic"] = func() { panic("planted") }
	for name, end := range ends {
		for _, flags := range []uint32{get, basicSupport, get | ks.PropertyTypeHighPriority} {
			told := 0
			handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
				irp.Complete(ks.StatusSuccess, 0)
				return ks.StatusPending
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Support: handler}, nines)
			s.irp.UserEvent = nil
			s.irp.Detach(func(*engine.IRP) {}, func(irp *engine.IRP) {
				told++
				irp.Finish(irp.IoStatus.Status, nil)
				end()
			})
			unwound(func() {
				defer func() {
					if value := recover(); value != nil && value != "planted" {
						panic(value)
					}
				}()
				s.send(1, flags, full(4))
			})
			if told != 1 {
				t.Errorf("%s, %s: told %d times", name, ks.FormatPropertyFlags(flags), told)
			}
			s.idle()
		}
	}
}

// TestS34_DoubleFreeFreesTheIRP: a handler that frees the buffer of its request is named, and the request has ended on each way that it
// takes.
func TestS34_DoubleFreeFreesTheIRP(t *testing.T) {
	if !invariants.Strict {
		t.Skip("needs a build with -tags invariants: others cannot see it")
	}
	handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Pool.Free(irp.SystemBuffer)
		return ks.StatusSuccess
	}
	pended := func(irp *engine.IRP, _, _ []byte) ks.Status {
		irp.Complete(handler(irp, nil, nil), 0)
		return ks.StatusPending
	}
	items := []engine.PropertyItem{{ID: 1, Get: handler, Support: handler}, {ID: 2, Get: pended, Support: pended}, nines}
	s, x := serve(t, items...), detach(t, items[:2]...)
	for _, id := range []uint32{1, 2} {
		for _, flags := range []uint32{get, basicSupport, get | ks.PropertyTypeHighPriority} {
			for way, send := range map[string]func(){
				"waited for": func() { s.send(id, flags, full(40)) },
				"detached":   func() { x.send(id, flags, full(40)) },
				"a batch": func() {
					in := request{set: setA, id: id, flags: flags}.bytes()
					s.d.PropertyBatch(s.irp, []engine.BatchRequest{{In: in, Out: full(40)}, {In: in, Out: full(40)}})
				},
			} {
				if v := unwound(send); !strings.Contains(v, "double free") {
					t.Errorf("item %d, %s, %s: %q", id, ks.FormatPropertyFlags(flags), way, v)
				}
				if s.irp.Busy() || x.irp.Busy() {
					t.Fatalf("item %d, %s, %s: the IRP is busy", id, ks.FormatPropertyFlags(flags), way)
				}
			}
		}
	}
}

// fatal is memory whose access n of a request panics.
type fatal struct {
	n    int
	view []byte
	in   []byte
}

func (m *fatal) access() {
	if m.n--; m.n == 0 {
		panic("planted")
	}
}

func (m *fatal) ReadInput(dst []byte, off uint32) ks.Status {
	m.access()
	copy(dst, m.in[off:])
	return ks.StatusSuccess
}
func (m *fatal) ReadOutput([]byte) ks.Status  { m.access(); return ks.StatusSuccess }
func (m *fatal) ProbeOutput(uint32) ks.Status { m.access(); return ks.StatusSuccess }
func (m *fatal) WriteOutput([]byte) ks.Status { m.access(); return ks.StatusSuccess }

// lending is fatal memory that lends its output.
type lending struct{ fatal }

func (m *lending) LockOutput(uint32, engine.LockOperation, engine.Mode) ([]byte, ks.Status) {
	m.access()
	return m.view, ks.StatusSuccess
}
func (m *lending) UnlockOutput() { m.access() }

// TestS9_MemoryPanics: a request whose caller's memory panics, at each access to it, leaves neither its IRP busy nor a buffer.
func TestS9_MemoryPanics(t *testing.T) {
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		irp.IoStatus.Information = uint64(len(data))
		return ks.StatusSuccess
	}
	const modify = ks.MethodTypeSource | ks.MethodTypeModify
	s := serveConfig(t, engine.Config{
		PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
			{ID: 1, Get: handler, Set: handler, Support: handler}, nines}}},
		MethodSets: []engine.MethodSet{{Set: setA, Items: []engine.MethodItem{{ID: 1, Flags: ks.MethodTypeModify, Handler: handler},
			{ID: 2, Flags: modify, Handler: handler}, {ID: 3, Flags: ks.MethodTypeSource | ks.MethodTypeRead, Handler: handler}}}},
		Control: func(irp *engine.IRP, _ uint32, request, data []byte) ks.Status { return handler(irp, request, data) }})
	view := make([]byte, 40)
	direct := uint32(0x2f0000 | 0x800<<2 | ks.MethodOutDirect)
	for _, c := range []struct{ code, id, flags uint32 }{
		{ks.IoctlProperty, 1, get},
		{ks.IoctlProperty, 1, set},
		{ks.IoctlProperty, 1, basicSupport},
		{ks.IoctlMethod, 1, ks.MethodTypeSend},
		{ks.IoctlMethod, 2, ks.MethodTypeSend},
		{ks.IoctlMethod, 3, ks.MethodTypeSend},
		{direct, 0, 0},
		{direct | ks.MethodNeither, 0, 0},
	} {
		in := request{set: setA, id: c.id, flags: c.flags}.bytes()
		for _, lends := range []bool{false, true} {
			for n := 1; ; n++ {
				m := &lending{fatal{n: n, view: view, in: in}}
				if s.irp.Memory = m; !lends {
					s.irp.Memory = &m.fatal
				}
				func() {
					defer func() {
						if value := recover(); value != nil && value != "planted" {
							panic(value)
						}
					}()
					s.d.IoControl(s.irp, c.code, in, view)
				}()
				s.irp.Memory = nil
				if s.idle(); m.n > 0 {
					if n < 3 {
						t.Errorf("%+v: the memory is accessed %d times", c, n-1)
					}
					break // it was not accessed so often
				}
			}
		}
	}
}
