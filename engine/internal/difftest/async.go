package difftest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// AsyncCase is a script about pended requests: they are armed, queued, taken, completed, cancelled and cleaned up, in any order, inside
// their handlers and on other goroutines too, and their handles are closed and opened again.
type AsyncCase struct{ Ops []model.AsyncOp }

const (
	asyncRequests = 6
	asyncQueues   = 2
)

var asyncItems = ks.GUID{0xA5}

// GenerateAsync draws a case from r.
func GenerateAsync(r *rand.Rand) (c AsyncCase) {
	results := []ks.Status{ks.StatusSuccess, ks.StatusSuccess, ks.StatusBufferOverflow, ks.StatusNotSupported, ks.StatusSomeNotMapped,
		ks.StatusPending}
	within := make([]model.AsyncVerb, 15, 20)
	for i := range within {
		within[i] = model.Take // nothing
	}
	within = append(within, model.Send, model.Finish, model.Cancel, model.Abort, model.Close)
	for range 60 {
		op := model.AsyncOp{Verb: model.AsyncVerb(r.IntN(model.AsyncVerbs)), Request: r.IntN(asyncRequests), Queue: r.IntN(asyncQueues),
			To: r.IntN(asyncQueues), File: r.IntN(3), Arm: model.Arm(r.IntN(3)), Queued: r.IntN(3) != 0, First: r.IntN(6) == 0,
			Tail: r.IntN(2) == 0, Only: r.IntN(2) == 0, Single: r.IntN(3) == 0, Status: pick(r, results), Information: r.Uint64N(11),
			Elsewhere: r.IntN(4) == 0, Within: pick(r, within)}
		switch {
		case (op.Verb == model.Abort || op.Verb == model.Close) && r.IntN(4) != 0, r.IntN(4) == 0:
			// or all would be cleaned up soon, and none pended
			op.Verb = model.Send
		}
		if op.Verb == model.Send && r.IntN(8) != 0 {
			op.Status = ks.StatusPending
		} else if op.Verb == model.Send {
			op.Status = pick(r, []ks.Status{ks.StatusSuccess, ks.StatusNotSupported})
		}
		for range asyncRequests + 1 {
			op.Moves = append(op.Moves, pick(r, []ks.Status{ks.StatusSuccess, ks.StatusSuccess, ks.StatusNoMatch, ks.StatusNoMatch,
				ks.StatusUnsuccessful}))
		}
		c.Ops = append(c.Ops, op)
	}
	return c
}

// asyncSubject is the engine's side: an IRP for each request that IoControl does not wait for.
type asyncSubject struct {
	d      *engine.Dispatcher
	pool   *arena.Arena
	irps   [asyncRequests]*engine.IRP
	files  [3]engine.FileObject
	queues [asyncQueues]engine.CancelQueue
	outs   [asyncRequests][]byte
	op     *model.AsyncOp
	inner  int64
	ended  []model.Ended
	closer *engine.IRP // of another handle, whose handler closes others
	closed bool        // what Close said there
	// freed is closed when Close has ended the use of an IRP. Nil is one that is open.
	freed [asyncRequests]chan struct{}
	// pending says which requests a handler has left and nobody has ended.
	pending [asyncRequests]bool
	wrong   []string
}

func newAsyncSubject() (*asyncSubject, error) {
	s := &asyncSubject{}
	var err error
	if s.d, err = engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: asyncItems, Items: []engine.PropertyItem{
		{ID: 1, Get: s.handler}, {ID: 2, Get: s.closes}}}}}); err != nil {
		return nil, err
	}
	if s.pool, err = arena.New(arena.Config{}); err != nil {
		return nil, err
	}
	s.closer = &engine.IRP{Pool: s.pool, FileObject: new(engine.FileObject), UserEvent: make(chan struct{}, 1)}
	for n := range s.irps {
		s.open(n)
	}
	return s, nil
}

// open makes a new IRP for a request.
func (s *asyncSubject) open(n int) {
	irp := &engine.IRP{Pool: s.pool, FileObject: &s.files[n%3]}
	irp.Detach(func(*engine.IRP) { s.pending[n] = true }, func(irp *engine.IRP) { s.finish(n, irp) })
	s.irps[n], s.freed[n] = irp, nil
}

// close closes the IRP of a request, and reports that nothing is in flight on it any more.
func (s *asyncSubject) close(n int) bool {
	freed := make(chan struct{})
	if s.freed[n] == nil {
		s.freed[n] = freed
	}
	return s.irps[n].Close(func() { close(freed) })
}

// closes is the handler of closer, which does not wait for the request that it closes.
func (s *asyncSubject) closes(*engine.IRP, []byte, []byte) ks.Status {
	s.closed = s.close(s.op.Request)
	return ks.StatusSuccess
}

func (s *asyncSubject) isFreed(n int) bool {
	select {
	case <-s.freed[n]:
		return true
	default:
		return false // or open
	}
}

// settle returns which IRPs have been closed, once nothing was in flight on them, since they were not in was.
func (s *asyncSubject) settle(was [asyncRequests]bool) (freed []int) {
	for n, irp := range s.irps {
		switch {
		case s.freed[n] == nil || was[n]:
		case !irp.Busy():
			<-s.freed[n]
			freed = append(freed, n)
		case s.isFreed(n):
			s.complain("AS-24: request %d is in flight on a handle that has closed", n)
		}
	}
	return freed
}

const asyncData = "12345678"

func (s *asyncSubject) handler(irp *engine.IRP, _, data []byte) ks.Status {
	op := s.op
	copy(data, asyncData)
	if op.First && irp.Cancel() {
		s.complain("AS-6: a request without a routine has one")
	}
	routine := s.routine(op.Arm)
	switch {
	case op.Arm == model.Unarmed:
	case op.Queued:
		s.queues[op.Queue].Insert(irp, end(op.Tail), routine)
	default:
		irp.SetCancelRoutine(routine)
	}
	s.inner = s.within(irp, op)
	return op.Status
}

// within is what a handler does with its own request.
func (s *asyncSubject) within(irp *engine.IRP, op *model.AsyncOp) (value int64) {
	done := false
	switch op.Within {
	case model.Send:
		in, out := ks.Identifier{Set: asyncItems, ID: 1, Flags: ks.PropertyTypeGet}.Bytes(), []byte{0xCC}
		_, status := s.d.IoControl(irp, ks.IoctlProperty, in, out)
		if out[0] != 0xCC {
			s.complain("S-15: a request that is refused has output")
		}
		return int64(status)
	case model.Cancel:
		done = irp.Cancel()
	case model.Finish:
		done = irp.Complete(op.Moves[0], op.Information)
	case model.Abort:
		irp.Abort()
	case model.Close:
		done = s.close(op.Request)
	}
	if done {
		value = 1
	}
	return value
}

func end(tail bool) engine.End {
	if tail {
		return engine.Tail
	}
	return engine.Head
}

// routine is the cancel routine of an Arm. What a routine was is told by what it does to an IRP that is nobody's.
func (s *asyncSubject) routine(arm model.Arm) func(*engine.IRP) {
	switch arm {
	case model.Completes:
		return func(irp *engine.IRP) { s.cancelled(irp, true) }
	case model.Keeps:
		return func(irp *engine.IRP) { s.cancelled(irp, false) }
	}
	return nil
}

func (s *asyncSubject) cancelled(irp *engine.IRP, complete bool) {
	switch {
	case irp == nil:
		s.ended = append(s.ended, model.Ended{Request: int(armOf(complete))})
	case !irp.Cancelled():
		s.complain("AS-6: a request that is not marked is cancelled")
	case complete:
		irp.Complete(ks.StatusCancelled, 5)
	}
}

func armOf(completes bool) model.Arm {
	if completes {
		return model.Completes
	}
	return model.Keeps
}

func (s *asyncSubject) complain(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// finish ends a request as an I/O manager does.
func (s *asyncSubject) finish(n int, irp *engine.IRP) {
	s.pending[n] = false
	status, info := irp.IoStatus.Status, irp.IoStatus.Information
	got, out := irp.Finish(status, s.outs[n]), s.outs[n]
	want := bytes.Repeat([]byte{0xCC}, len(out))
	if !status.IsError() {
		copy(want[:min(int(info), len(want))], asyncData)
	}
	if !bytes.Equal(out, want) || uint64(got) != info {
		s.complain("S-35: request %d ends with %v, %d bytes, %x", n, status, got, out)
	}
	s.ended = append(s.ended, model.Ended{Request: n, Status: status, Information: info})
}

// complete is Complete. Builds that panic on a completion of nothing are not tried with it.
func (s *asyncSubject) complete(n int, status ks.Status, information uint64) bool {
	return (s.pending[n] || !invariants.Strict) && s.irps[n].Complete(status, information)
}

// step does one step, on a goroutine of its own if it says so.
func (s *asyncSubject) step(op *model.AsyncOp) (o model.AsyncOutcome) {
	var was [asyncRequests]bool
	for n := range was {
		was[n] = s.isFreed(n)
	}
	if op.Elsewhere {
		done := make(chan struct{})
		go func() {
			defer close(done)
			o = s.do(op)
		}()
		<-done
	} else {
		o = s.do(op)
	}
	o.Freed = s.settle(was)
	return o
}

func (s *asyncSubject) do(op *model.AsyncOp) (o model.AsyncOutcome) {
	s.op, s.ended, s.inner = op, nil, 0
	irp, q := s.irps[op.Request], &s.queues[op.Queue]
	truth := func(b bool) {
		if b {
			o.Value = 1
		}
	}
	switch op.Verb {
	case model.Send:
		out := bytes.Repeat([]byte{0xCC}, int(model.AsyncOut(op.Request)))
		kept := s.outs[op.Request]
		s.outs[op.Request] = out
		in := ks.Identifier{Set: asyncItems, ID: 1, Flags: ks.PropertyTypeGet}
		if op.Information%2 == 1 { // the long path
			in.Flags |= ks.PropertyTypeHighPriority
		}
		_, status := s.d.IoControl(irp, ks.IoctlProperty, in.Bytes(), out)
		if status == ks.StatusDeviceBusy {
			s.outs[op.Request] = kept
		}
		o.Value, o.Inner = int64(status), s.inner
	case model.Finish:
		truth(s.complete(op.Request, op.Status, op.Information))
	case model.Cancel:
		truth(irp.Cancel())
	case model.SetRoutine:
		if previous := irp.SetCancelRoutine(s.routine(op.Arm)); previous != nil {
			previous(nil)
			o.Value = int64(s.ended[0].Request)
			s.ended = nil
		}
	case model.Take:
		how := engine.AcquireAndRemove
		if op.Only {
			how = engine.AcquireOnly
		}
		if op.Single {
			how += engine.AcquireAndRemoveSingle
		}
		o.Value = int64(slices.Index(s.irps[:], q.Take(end(op.Tail), how)))
	case model.Release:
		q.Release(irp, s.routine(max(op.Arm, model.Completes)))
	case model.RemoveOne:
		truth(q.RemoveIRP(irp))
	case model.CancelFile:
		o.Value = int64(q.CancelFile(&s.files[op.File]))
	case model.CancelAll:
		o.Value = int64(q.CancelAll())
	case model.Move:
		o.Value = int64(q.Move(&s.queues[op.To], end(op.Tail), func(irp *engine.IRP) ks.Status {
			n := slices.Index(s.irps[:], irp)
			o.Asked = append(o.Asked, n)
			if n < 0 {
				n = asyncRequests
			}
			return op.Moves[n]
		}))
	case model.Abort:
		irp.Abort()
	case model.Close:
		switch {
		case s.isFreed(op.Request):
			s.open(op.Request)
		case irp.Busy(): // it would wait
			in := ks.Identifier{Set: asyncItems, ID: 2, Flags: ks.PropertyTypeGet}
			s.d.IoControl(s.closer, ks.IoctlProperty, in.Bytes(), nil)
			truth(s.closed)
		default:
			truth(s.close(op.Request))
		}
	}
	o.Ended = s.ended
	return o
}

// Run does all steps on both sides. It returns how many were compared, and what differs first.
func (c AsyncCase) Run() (compared int, err error) {
	return c.compare(model.NewAsync(asyncRequests, asyncQueues))
}

func (c AsyncCase) compare(m interface {
	Do(model.AsyncOp) model.AsyncOutcome
	Len(int) int
}) (compared int, err error) {
	s, err := newAsyncSubject()
	if err != nil {
		return 0, err
	}
	defer s.pool.Close()
	for i := range c.Ops {
		op := c.Ops[i]
		want, got := m.Do(op), s.step(&op)
		for _, list := range [][]model.Ended{want.Ended, got.Ended} {
			slices.SortFunc(list, func(a, b model.Ended) int { return cmp.Compare(a.Request, b.Request) })
		}
		if want.Value != got.Value || want.Inner != got.Inner || !slices.Equal(want.Ended, got.Ended) ||
			!slices.Equal(want.Asked, got.Asked) || !slices.Equal(want.Freed, got.Freed) {
			return i, fmt.Errorf("step %d: %+v\ngot  %+v\nwant %+v\nafter %+v", i, op, got, want, c.Ops[:i])
		}
		for q := range s.queues {
			if got, want := s.queues[q].Len(), m.Len(q); got != want {
				s.complain("queue %d has %d requests, want %d", q, got, want)
			}
		}
		if s.wrong != nil {
			return i, fmt.Errorf("step %d: %+v\n%q\nafter %+v", i, op, s.wrong, c.Ops[:i])
		}
	}
	for n, irp := range s.irps {
		s.complete(n, ks.StatusSuccess, 0)
		if irp.Cancelled() || irp.Cancel() {
			return len(c.Ops), fmt.Errorf("request %d has ended, and is cancelled", n)
		}
	}
	for q := range s.queues {
		if n := s.queues[q].Len(); n != 0 {
			return len(c.Ops), fmt.Errorf("queue %d has %d requests that have ended", q, n)
		}
	}
	if st := s.pool.Stats(); st.Live != 0 || st.Strays != 0 {
		return len(c.Ops), fmt.Errorf("S-9: %+v", st)
	}
	return len(c.Ops), nil
}
