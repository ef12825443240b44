package engine_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// pending is a request that a handler left pending on a goroutine of its own.
type pending struct {
	*served
	irp    *engine.IRP
	out    []byte
	answer chan result
}

type result struct {
	n      uint32
	status ks.Status
}

// pend sends a request whose handler does prepare, which may add it to a queue, and then leaves it pending. It returns when the sender
// waits, or has its answer: before that a sender who sees that the request was cancelled calls the cancel routine itself (AS-9).
func pend(t *testing.T, flags uint32, prepare func(irp *engine.IRP)) *pending {
	t.Helper()
	handed, sender := make(chan *engine.IRP, 1), make(chan string, 1)
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "filled")
		prepare(irp)
		handed <- irp
		return ks.StatusPending
	}
	p := &pending{out: full(56), answer: make(chan result, 1)}
	p.served = serve(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 4}, nines)
	go func() {
		sender <- goroutine()
		n, status := p.send(1, flags, p.out)
		p.answer <- result{n, status}
	}()
	p.irp = <-handed
	waits(<-sender)
	return p
}

// goroutine names the goroutine that calls it as stacks do: "goroutine 7 [".
func goroutine() string {
	var b [64]byte
	stack := string(b[:runtime.Stack(b[:], false)])
	return stack[:strings.IndexByte(stack, '[')+1]
}

// waits waits until a goroutine waits for a channel, or has ended.
func waits(name string) {
	b := make([]byte, 1<<20)
	for {
		stacks := string(b[:runtime.Stack(b, true)])
		if _, state, lives := strings.Cut(stacks, name); !lives || strings.HasPrefix(state, "chan receive") {
			return
		}
		runtime.Gosched()
	}
}

// wants waits for the end of the request. One that failed leaves the caller's output as it was (S-35).
func (p *pending) wants(n uint32, status ks.Status) {
	p.Helper()
	got := <-p.answer
	if got != (result{n, status}) {
		p.Errorf("%d bytes, %v; want %d, %v", got.n, got.status, n, status)
	}
	if status.IsError() && !bytes.Equal(p.out, full(56)) {
		p.Errorf("the output of a request that failed: % x", p.out)
	}
	if status == ks.StatusCancelled { // no completion that lost to a cancel is a mistake
		if p.irp.Complete(ks.StatusSuccess, 1) {
			p.Error("a completion counts that lost to a cancel")
		}
	} else {
		surplus(p.T, p.irp, ks.StatusSuccess, 1)
	}
	if p.irp.Cancel() || p.irp.Cancelled() || p.irp.SetCancelRoutine(completes(0)) != nil {
		p.Error("the request has ended, and is cancelled or armed")
	}
	p.served.idle()
}

func completes(status ks.Status) func(*engine.IRP) {
	return func(irp *engine.IRP) { irp.Complete(status, 0) }
}

// The ways of a request to its handler: the short one, two long ones, and inside a serialization.
var ways = []uint32{get, set, get | ks.PropertyTypeHighPriority, basicSupport, serializeSet}

func TestAS6_Cancel(t *testing.T) {
	for _, flags := range ways {
		called := 0
		p := pend(t, flags, func(irp *engine.IRP) {
			if irp.Cancelled() {
				t.Error("cancelled before Cancel")
			}
			irp.SetCancelRoutine(func(got *engine.IRP) {
				called++
				if got != irp || !got.Cancelled() || got.Cancel() || got.SetCancelRoutine(nil) != nil {
					t.Error("a cancel routine is called with another IRP, or one that is not cancelled, or twice")
				}
				got.Complete(ks.StatusCancelled, 8)
			})
		})
		if !p.served.irp.Cancel() || p.served.irp.Cancel() || called != 1 {
			t.Errorf("%s: the routine was called %d times", ks.FormatPropertyFlags(flags), called)
		}
		p.wants(0, ks.StatusCancelled)

		p = pend(t, flags, func(*engine.IRP) {})
		if p.served.irp.Cancel() || !p.irp.Cancelled() {
			t.Errorf("%s: without a routine there is nothing to call, and the request is marked all the same", ks.FormatPropertyFlags(flags))
		}
		p.irp.Complete(ks.StatusNotFound, 0)
		p.wants(0, ks.StatusNotFound)
	}
	var idle engine.IRP
	if idle.Cancel() || idle.CancelIo() || idle.Cancelled() ||
		idle.SetCancelRoutine(completes(0)) != nil || idle.SetCancelRoutine(nil) != nil {
		t.Error("an IRP without a request is cancelled or armed")
	}
}

func TestAS7_OneTakesTheRoutine(t *testing.T) {
	for range 200 {
		var taken, cancels atomic.Int32
		p := pend(t, get, func(irp *engine.IRP) {
			if irp.SetCancelRoutine(completes(ks.StatusNotFound)) != nil {
				t.Error("a routine was set before")
			}
			if irp.SetCancelRoutine(func(irp *engine.IRP) {
				cancels.Add(1)
				irp.Complete(ks.StatusCancelled, 0)
			}) == nil {
				t.Error("the exchange does not return what was set")
			}
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { p.irp.Cancel() })
			all.Go(func() {
				if p.irp.SetCancelRoutine(nil) != nil {
					taken.Add(1)
					p.irp.Complete(ks.StatusNotSupported, 0)
				}
			})
		}
		all.Wait()
		want := ks.StatusCancelled
		if taken.Load() == 1 {
			want = ks.StatusNotSupported
		}
		p.wants(0, want)
		if taken.Load()+cancels.Load() != 1 {
			t.Fatalf("taken %d times, cancelled %d times", taken.Load(), cancels.Load())
		}
	}
}

// TestAS7_CompleteTakesWhatIsLeft completes requests without taking the cancel routine, or their place in a queue, first.
func TestAS7_CompleteTakesWhatIsLeft(t *testing.T) {
	for _, flags := range ways {
		p := pend(t, flags, func(irp *engine.IRP) {
			irp.SetCancelRoutine(func(*engine.IRP) { t.Error("the routine of a completed request is called") })
		})
		p.irp.Complete(ks.StatusNotFound, 0)
		p.wants(0, ks.StatusNotFound)
		var q engine.CancelQueue
		p = pend(t, flags, func(irp *engine.IRP) { q.Add(irp) })
		p.irp.Complete(ks.StatusNotFound, 0)
		p.wants(0, ks.StatusNotFound)
		if q.Len() != 0 || q.Remove() != nil {
			t.Error("a completed request is in the queue")
		}
	}
	// A handler that arms its request and then does not pend it.
	var q engine.CancelQueue
	for _, end := range []func() ks.Status{func() ks.Status { return ks.StatusNotFound }, func() ks.Status { return ks.StatusSuccess },
		func() ks.Status { panic("planted") }} {
		for _, flags := range ways {
			handler := func(irp *engine.IRP, _, _ []byte) ks.Status {
				q.Add(irp)
				return end()
			}
			s := serve(t, engine.PropertyItem{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 4}, nines)
			s.send(1, flags, full(56))
			if q.Len() != 0 || s.irp.Cancel() {
				t.Error("a request that was not pended is in the queue")
			}
			s.idle()
		}
	}
}

// TestAS8_WorkedOn: a request that somebody has taken off its queue is only marked by Cancel, and ends as its owner says.
func TestAS8_WorkedOn(t *testing.T) {
	var q engine.CancelQueue
	p := pend(t, get, func(irp *engine.IRP) { q.Add(irp) })
	irp := q.Remove()
	if irp != p.irp || irp.Cancel() || !irp.Cancelled() {
		t.Error("a request that is worked on is cancelled, or not marked")
	}
	irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), "samples")))
	if p.wants(7, ks.StatusSuccess); string(p.out[:7]) != "samples" {
		t.Errorf("% x", p.out)
	}
	p = pend(t, get, func(irp *engine.IRP) { q.Add(irp) })
	p.irp.Cancel()
	p.wants(0, ks.StatusCancelled)
}

// TestAS18_CancelIoFindsARequest: with a routine, without one, and while it is being completed.
func TestAS18_CancelIoFindsARequest(t *testing.T) {
	for _, flags := range ways {
		p := pend(t, flags, func(got *engine.IRP) {
			got.SetCancelRoutine(func(got *engine.IRP) {
				got.Complete(ks.StatusCancelled, 0)
				if !got.CancelIo() {
					t.Errorf("%s: a request that is being completed is not found", ks.FormatPropertyFlags(flags))
				}
			})
		})
		if !p.irp.CancelIo() {
			t.Errorf("%s: a request with a cancel routine is not found", ks.FormatPropertyFlags(flags))
		}
		p.wants(0, ks.StatusCancelled)

		p = pend(t, flags, func(*engine.IRP) {})
		if !p.irp.CancelIo() || !p.irp.Cancelled() {
			t.Errorf("%s: a request without a cancel routine is not found", ks.FormatPropertyFlags(flags))
		}
		p.irp.Complete(ks.StatusNotFound, 0)
		p.wants(0, ks.StatusNotFound)
	}
}

// TestAS9_CancelComesFirst cancels requests before they have a cancel routine, inside their handlers and from outside.
func TestAS9_CancelComesFirst(t *testing.T) {
	for _, flags := range ways {
		for _, arm := range []func(irp *engine.IRP){
			func(irp *engine.IRP) { irp.SetCancelRoutine(completes(ks.StatusCancelled)) },
			func(irp *engine.IRP) { new(engine.CancelQueue).Add(irp) },
		} {
			p := pend(t, flags, func(irp *engine.IRP) {
				done := make(chan bool)
				go func() { done <- irp.Cancel() }()
				if <-done {
					t.Error("nothing was there to cancel")
				}
				arm(irp)
			})
			p.wants(0, ks.StatusCancelled)
		}
	}
	// Released with the bit set, in a queue.
	var q engine.CancelQueue
	p := pend(t, get, func(irp *engine.IRP) { q.Add(irp) })
	irp := q.Take(engine.Head, engine.AcquireOnly)
	irp.Cancel()
	q.Release(irp, nil)
	p.wants(0, ks.StatusCancelled)
}

// TestAS24_CloseCancels: Close ends what is pended: through its cancel routine, or itself if it never had one. A request that its owner
// has taken to complete is waited for.
func TestAS24_CloseCancels(t *testing.T) {
	for _, flags := range ways {
		var q engine.CancelQueue
		for _, prepare := range []func(irp *engine.IRP){
			func(*engine.IRP) {},
			func(irp *engine.IRP) { q.Add(irp) },
			func(irp *engine.IRP) { irp.SetCancelRoutine(completes(ks.StatusCancelled)) },
		} {
			p := pend(t, flags, prepare)
			if !p.served.irp.Close(func() {}) {
				t.Error("not released")
			}
			if got := <-p.answer; got != (result{0, ks.StatusCancelled}) || !bytes.Equal(p.out, full(56)) || q.Len() != 0 {
				t.Errorf("%s: %v, % x", ks.FormatPropertyFlags(flags), got, p.out)
			}
		}
		for _, inside := range []bool{false, true} { // the owner has it before its handler returns, or afterwards
			var taken *engine.IRP
			p := pend(t, flags, func(irp *engine.IRP) {
				if q.Add(irp); inside {
					taken = q.Remove()
				}
			})
			if !inside {
				taken = q.Remove()
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				p.served.irp.Close(func() {})
			}()
			for !p.served.irp.Cancelled() {
				runtime.Gosched()
			}
			copy(taken.Data(), "memory is there")
			if len(closed) != 0 || !taken.Complete(ks.StatusNotSupported, 0) {
				t.Error("a request that is worked on has ended")
			}
			<-closed
			if got := <-p.answer; got != (result{0, ks.StatusNotSupported}) {
				t.Errorf("%s: %v", ks.FormatPropertyFlags(flags), got)
			}
		}
	}
}

// TestCloseInsideCancelRoutine: Close does not wait for the routine that calls it.
func TestCloseInsideCancelRoutine(t *testing.T) {
	released := make(chan struct{})
	var p *pending
	p = pend(t, get, func(irp *engine.IRP) {
		irp.SetCancelRoutine(func(irp *engine.IRP) {
			if p.served.irp.Close(func() { close(released) }) {
				t.Error("closed inside a cancel routine")
			}
			irp.Complete(ks.StatusCancelled, 0)
		})
	})
	p.irp.Cancel()
	<-released
	if got := <-p.answer; got != (result{0, ks.StatusCancelled}) {
		t.Error(got)
	}
}

// TestAS10_EnableCancelled: the entry of an enable that is cancelled while its Add handler pends is discarded, and was on no list;
// events that are enabled stay. One that another has completed first is that one's.
func TestAS10_EnableCancelled(t *testing.T) {
	var q engine.CancelQueue
	h := newEventHost(t, engine.EventItem{ID: 1, Add: func(irp *engine.IRP, _ []byte, _ *engine.EventEntry) ks.Status { return q.Add(irp) }},
		engine.EventItem{ID: 2})
	enabled, other := h.event()
	h.send(h.irp(2, enable, 2, other), h.list, ks.StatusSuccess, 0)
	e, data := h.event()
	for _, cancelled := range []bool{true, false} {
		irp := h.irp(1, enable, 1, data)
		if status := h.EnableEvent(irp, h.list); status != ks.StatusPending {
			t.Fatal(status)
		}
		h.references(e, 2)
		status := ks.StatusCancelled
		if cancelled {
			if !irp.Cancel() {
				t.Error("not cancelled")
			}
		} else {
			status = ks.StatusSuccess
			h.list.Add(irp.EventEntry())
			irp.Complete(status, 0)
		}
		h.finish(irp, status)
		if irp.Cancel() || q.Len() != 0 {
			t.Error("the request has ended, and is cancelled or queued")
		}
		h.generate(1, ks.StatusSuccess)
		h.signalled(e, !cancelled)
		h.generate(2, ks.StatusSuccess)
		h.signalled(enabled, true)
	}
	h.list.Free(&h.file)
	h.references(e, 1)
}

// TestCancelRoutineEnds: a cancel routine may complete later, panic, or end its goroutine, and the IRP serves no other request while
// it runs.
func TestCancelRoutineEnds(t *testing.T) {
	later := make(chan *engine.IRP, 1)
	p := pend(t, get, func(irp *engine.IRP) { irp.SetCancelRoutine(func(irp *engine.IRP) { later <- irp }) })
	p.irp.Cancel()
	(<-later).Complete(ks.StatusNotSupported, 0)
	p.wants(0, ks.StatusNotSupported)

	for _, end := range []func(){func() { panic("planted") }, runtime.Goexit} {
		p := pend(t, get, func(irp *engine.IRP) { irp.SetCancelRoutine(func(*engine.IRP) { end() }) })
		go p.irp.Cancel()
		p.wants(0, ks.StatusCancelled)
	}

	inside, leave := make(chan struct{}), make(chan struct{})
	p = pend(t, get, func(irp *engine.IRP) {
		irp.SetCancelRoutine(func(irp *engine.IRP) {
			irp.Complete(ks.StatusCancelled, 0)
			close(inside)
			<-leave
		})
	})
	go p.irp.Cancel()
	<-inside
	if _, status := p.send(99, get, full(4)); status != ks.StatusDeviceBusy {
		t.Errorf("while the routine runs: %v", status)
	}
	close(leave)
	p.wants(0, ks.StatusCancelled)
}

// queued pends n requests in a queue.
func queued(t *testing.T, q *engine.CancelQueue, n int) (ps []*pending) {
	for range n {
		ps = append(ps, pend(t, get, func(irp *engine.IRP) { q.Add(irp) }))
	}
	return ps
}

// finish completes what takes requests off a queue, and the rest by hand, so that nothing waits.
func finish(ps []*pending) {
	for _, p := range ps {
		p.irp.Complete(ks.StatusSuccess, 0)
		<-p.answer
	}
}

func order(ps []*pending, irps ...*engine.IRP) (numbers []int) {
	for _, irp := range irps {
		numbers = append(numbers, slices.IndexFunc(ps, func(p *pending) bool { return p.irp == irp }))
	}
	return numbers
}

// A request is released once: who does it again is not its owner.
func TestAS13_ReleasedTwice(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 1)
	called := ""
	routine := func(name string) func(*engine.IRP) {
		return func(irp *engine.IRP) {
			called += name
			irp.Complete(ks.StatusCancelled, 0)
		}
	}
	irp := q.Take(engine.Head, engine.AcquireOnly)
	q.Release(irp, routine("first"))
	q.Release(irp, routine("second"))
	if irp.Cancel(); called != "first" {
		t.Errorf("the routines called are %q, want first", called)
	}
	finish(ps)
}

func TestAS11_Ends(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 3)
	ps = append(ps, pend(t, get, func(irp *engine.IRP) { q.Insert(irp, engine.Head, nil) }))
	got := order(ps, q.Take(engine.Tail, engine.AcquireAndRemove), q.Remove(), q.Remove(), q.Remove(), q.Remove())
	if !slices.Equal(got, []int{2, 3, 0, 1, -1}) || q.Len() != 0 {
		t.Error(got)
	}
	finish(ps)
	// A routine of one's own gets the request when it is out of the queue.
	p := pend(t, get, func(irp *engine.IRP) {
		if status := q.Insert(irp, engine.Tail, func(irp *engine.IRP) {
			if q.Len() != 0 {
				t.Error("the request is in the queue")
			}
			irp.Complete(ks.StatusCancelled, 0)
		}); status != ks.StatusPending {
			t.Error(status)
		}
	})
	p.irp.Cancel()
	p.wants(0, ks.StatusCancelled)
	// A request that is in a queue goes to the end of the other.
	var other engine.CancelQueue
	p = pend(t, get, func(irp *engine.IRP) { q.Add(irp); other.Add(irp); other.Add(irp) })
	if q.Len() != 0 || other.Len() != 1 || other.Remove() != p.irp {
		t.Error("a request is in two queues")
	}
	finish([]*pending{p})
}

func TestAS12_Take(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 4)
	first := q.Take(engine.Head, engine.AcquireOnly)
	if got := order(ps, first, q.Take(engine.Head, engine.AcquireOnlySingle), q.Take(engine.Head, engine.AcquireAndRemoveSingle),
		q.Take(engine.Head, engine.AcquireOnly), q.Take(engine.Tail, engine.AcquireAndRemoveSingle), q.Remove(), q.Remove()); !slices.Equal(got,
		[]int{0, -1, -1, 1, 3, 2, -1}) || q.Len() != 2 {
		t.Errorf("%v, %d left", got, q.Len())
	}
	if first.Cancel() || !first.Cancelled() {
		t.Error("an acquired request is cancelled")
	}
	finish(ps)
}

func TestAS13_ReleaseAndRemove(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 3)
	q.Release(ps[0].irp, nil) // nobody's: no effect
	irp := q.Take(engine.Head, engine.AcquireOnly)
	q.Release(irp, nil)
	if again := q.Take(engine.Head, engine.AcquireOnlySingle); again != irp {
		t.Error("a released request cannot be had")
	}
	if new(engine.CancelQueue).RemoveIRP(irp) || !q.RemoveIRP(irp) || q.RemoveIRP(irp) || q.Len() != 2 || !q.RemoveIRP(ps[1].irp) ||
		q.Remove() != ps[2].irp {
		t.Error("RemoveIRP")
	}
	finish(ps)
	if q.RemoveIRP(irp) {
		t.Error("a request that has ended is removed")
	}
}

func TestAS14_CancelFile(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 4)
	acquired := q.Take(engine.Head, engine.AcquireOnly)
	if n := q.CancelFile(ps[1].served.irp.FileObject); n != 1 || q.Len() != 3 {
		t.Errorf("%d cancelled, %d left", n, q.Len())
	}
	ps[1].wants(0, ks.StatusCancelled)
	if n := q.CancelFile(nil); n != 0 || ps[2].irp.Cancelled() || acquired.Cancelled() {
		t.Error("another file's requests are cancelled")
	}
	if n := q.CancelAll(); n != 2 || !acquired.Cancelled() || q.Len() != 1 {
		t.Errorf("%d cancelled, %d left", n, q.Len())
	}
	ps[2].wants(0, ks.StatusCancelled)
	ps[3].wants(0, ks.StatusCancelled)
	acquired.Complete(ks.StatusSuccess, 0)
	ps[0].wants(0, ks.StatusSuccess)
}

// TestS33_Isolation: what cancels one client's requests leaves those of another.
func TestS33_Isolation(t *testing.T) {
	var q engine.CancelQueue
	ps := queued(t, &q, 3)
	q.CancelFile(ps[0].served.irp.FileObject)
	ps[1].served.irp.Close(func() {})
	<-ps[1].answer
	if ps[0].wants(0, ks.StatusCancelled); ps[2].irp.Cancelled() || q.Len() != 1 || q.Remove() != ps[2].irp {
		t.Error("another client's request is cancelled")
	}
	finish(ps[2:])
}

// TestS35_OutputStays: a request that was cancelled, or failed, leaves its caller's output as it was, though its handler has filled the
// buffer: wants looks at that.
func TestS35_OutputStays(t *testing.T) {
	for _, flags := range ways {
		for _, end := range []func(irp *engine.IRP){
			func(irp *engine.IRP) { irp.Cancel() },
			func(irp *engine.IRP) { irp.Complete(ks.StatusCancelled, 6) },
		} {
			p := pend(t, flags, func(irp *engine.IRP) { irp.SetCancelRoutine(completes(ks.StatusCancelled)) })
			end(p.irp)
			p.wants(0, ks.StatusCancelled)
		}
	}
}

// TestAS15_RoutineDoesTheRest: a routine of one's own may leave the completion to others.
func TestAS15_RoutineDoesTheRest(t *testing.T) {
	var q engine.CancelQueue
	var rest *engine.IRP
	p := pend(t, get, func(irp *engine.IRP) { q.Insert(irp, engine.Tail, func(irp *engine.IRP) { rest = irp }) })
	if !p.irp.Cancel() || q.Len() != 0 || len(p.answer) != 0 {
		t.Error("the request has ended, or is in the queue")
	}
	rest.Complete(ks.StatusCancelled, 0)
	p.wants(0, ks.StatusCancelled)
}

func TestAS16_Move(t *testing.T) {
	for _, c := range []struct {
		from engine.End
		want []int // what the other queue has in the end
		left []int
		stop ks.Status
	}{
		{engine.Head, []int{5, 0, 2, 3}, []int{1, 4}, 0},
		{engine.Tail, []int{0, 2, 3, 5}, []int{1, 4}, 0},
		{engine.Head, []int{5, 0}, []int{1, 2, 3, 4}, ks.StatusUnsuccessful},
	} {
		var q, to engine.CancelQueue
		ps := queued(t, &q, 5)
		ps = append(ps, pend(t, get, func(irp *engine.IRP) { to.Add(irp) }))
		acquired := q.Take(engine.Head, engine.AcquireOnly) // moved all the same
		var asked []int
		status := q.Move(&to, c.from, func(irp *engine.IRP) ks.Status {
			q.Len() // no lock is held
			to.Len()
			i := order(ps, irp)[0]
			if asked = append(asked, i); irp != nil && i == 2 && c.stop != 0 {
				return c.stop
			}
			if i == 1 || i == 4 {
				return ks.StatusNoMatch
			}
			return ks.StatusSuccess
		})
		wantAsked := []int{0, 1, 2, 3, 4, -1}
		if c.from == engine.Tail {
			wantAsked = []int{4, 3, 2, 1, 0, -1}
		}
		if c.stop != 0 {
			wantAsked = wantAsked[:3]
		}
		to.Release(acquired, nil)
		if got, left := drain(ps, &to), drain(ps, &q); status != c.stop || !slices.Equal(asked, wantAsked) || !slices.Equal(got, c.want) ||
			!slices.Equal(left, c.left) {
			t.Errorf("%v: asked for %v, moved %v, left %v, %v", c, asked, got, left, status)
		}
		finish(ps)
	}
	// A request that is moved is cancelled in its new queue, and one that was cancelled meanwhile is not moved. Within one queue too.
	var q, to engine.CancelQueue
	ps := queued(t, &q, 3)
	q.Move(&to, engine.Head, func(irp *engine.IRP) ks.Status {
		if irp == ps[1].irp && !irp.Cancel() {
			t.Error("not cancelled")
		}
		return ks.StatusSuccess
	})
	ps[1].wants(0, ks.StatusCancelled)
	if ps[0].irp.Cancel(); to.Len() != 1 || q.Len() != 0 {
		t.Error("a moved request is not in its new queue")
	}
	ps[0].wants(0, ks.StatusCancelled)
	to.Move(&to, engine.Head, func(*engine.IRP) ks.Status { return ks.StatusSuccess })
	if to.Remove() != ps[2].irp || to.Len() != 0 {
		t.Error("a queue that is moved to itself")
	}
	if status := to.Move(&q, engine.Head, func(*engine.IRP) ks.Status { return ks.StatusNotSupported }); status != ks.StatusNotSupported {
		t.Error("what the last call returns:", status)
	}
	finish(ps[2:])
}

func drain(ps []*pending, q *engine.CancelQueue) (numbers []int) {
	for irp := q.Remove(); irp != nil; irp = q.Remove() {
		numbers = append(numbers, order(ps, irp)[0])
	}
	return numbers
}

// TestAS14_RoutineEndsTheGoroutine: a cancel routine that ends its goroutine, as t.Fatal does, keeps none of the others that CancelAll
// cancels from ending.
func TestAS14_RoutineEndsTheGoroutine(t *testing.T) {
	var q engine.CancelQueue
	answers := make(chan ks.Status)
	const senders = 5
	for range senders {
		s := serve(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
			return q.Insert(irp, engine.Tail, func(*engine.IRP) { runtime.Goexit() })
		}})
		go func() {
			status := ks.StatusCancelled // of a sender that calls the routine itself, and is ended by it (AS-9)
			defer func() { answers <- status }()
			_, status = s.send(1, get, full(4))
		}()
	}
	for q.Len() < senders {
		runtime.Gosched()
	}
	go q.CancelAll()
	for range senders {
		if status := <-answers; status != ks.StatusCancelled {
			t.Error(status)
		}
	}
}

// TestS32_EndsBehindItsRoutine: a request that its cancel routine has completed before its sender waits does not end before the routine
// has returned.
func TestS32_EndsBehindItsRoutine(t *testing.T) {
	var returned atomic.Bool
	s := serve(t, engine.PropertyItem{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status {
		completed := make(chan struct{})
		irp.SetCancelRoutine(func(irp *engine.IRP) {
			irp.Complete(ks.StatusCancelled, 0)
			close(completed)
			time.Sleep(10 * time.Millisecond)
			returned.Store(true)
		})
		go irp.Cancel()
		<-completed
		return ks.StatusPending
	}})
	for _, flags := range []uint32{get, get | ks.PropertyTypeHighPriority} {
		returned.Store(false)
		if _, status := s.send(1, flags, full(4)); status != ks.StatusCancelled || !returned.Load() {
			t.Errorf("%s: %v, and the cancel routine has returned: %v", ks.FormatPropertyFlags(flags), status, returned.Load())
		}
	}
}
