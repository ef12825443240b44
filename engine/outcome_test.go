package engine_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// rounds is how often the races of this file are run: KSDISPATCH_ROUNDS, or as many as a test may take.
func rounds(t *testing.T) int {
	if s := os.Getenv("KSDISPATCH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal("KSDISPATCH_ROUNDS is how often to run: ", err)
		}
		return n
	}
	if invariants.Enabled || testing.Short() {
		return 1_000
	}
	return 8_000
}

// contest is one request that several want to end.
type contest struct {
	irp       *engine.IRP
	queue     engine.CancelQueue
	all       sync.WaitGroup
	completed atomic.Int32 // completions that counted, of the owner
	cancelled atomic.Int32 // and of the cancel routine
	released  atomic.Int32
	told      atomic.Int32 // of the completion
}

// take completes the request if its caller may.
func (c *contest) take(irp *engine.IRP, mine bool) {
	if mine && irp.Complete(ks.StatusSuccess, 2) {
		c.completed.Add(1)
	}
}

func (c *contest) cancel(irp *engine.IRP) {
	if irp.Complete(ks.StatusCancelled, 0) {
		c.cancelled.Add(1)
	}
}

// start lets all loose on a request that its handler is about to leave pending, in one of the ways that it may be cancelable.
func (c *contest) start(irp *engine.IRP, way int, closing bool) {
	switch way {
	case 0:
		c.queue.Insert(irp, engine.Tail, c.cancel)
		c.all.Go(func() {
			got := c.queue.Remove()
			c.take(irp, got != nil)
		})
	case 1:
		irp.SetCancelRoutine(c.cancel)
		c.all.Go(func() { c.take(irp, irp.SetCancelRoutine(nil) != nil) })
	case 2: // never cancelable
		c.all.Go(func() { c.take(irp, true) })
	case 3: // acquired, and released
		c.queue.Insert(irp, engine.Tail, c.cancel)
		c.all.Go(func() {
			if got := c.queue.Take(engine.Head, engine.AcquireOnly); got != nil {
				c.queue.Release(got, c.cancel)
			}
			c.take(irp, c.queue.RemoveIRP(irp))
		})
	}
	c.all.Go(func() { c.irp.Cancel() })
	c.all.Go(func() { c.queue.CancelFile(c.irp.FileObject) })
	if closing {
		c.all.Go(func() { c.irp.Close(func() { c.released.Add(1) }) })
	}
}

// TestS32_OneOutcome: the owner's completion, cancellation from two sides and Close race for one request while its handler leaves it
// pending. One of them ends it: the caller sees that outcome, the buffer is freed once, and whoever waits is told once. The ways are
// a request that IoControl waits for, alone or inside a serialization, and one that it does not wait for.
func TestS32_OneOutcome(t *testing.T) {
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var c *contest
	way, closing := 0, false
	handler := func(irp *engine.IRP, _, data []byte) ks.Status {
		copy(data, "data")
		c.start(irp, way, closing)
		return ks.StatusPending
	}
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: handler, Set: handler, Support: handler, SerializedSize: 2}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var outcomes [3]int
	waits, detached := &engine.IRP{}, &engine.IRP{}
	for round := range rounds(t) {
		way, closing = round%4, round%32 >= 28
		flags := ways[round/64%len(ways)]
		x := &waits
		if round/32%2 == 1 && flags != serializeSet {
			x = &detached
		}
		if closing || (*x).Pool == nil {
			*x = &engine.IRP{Pool: pool, FileObject: new(engine.FileObject), UserEvent: make(chan struct{}, 1)}
		}
		c = &contest{irp: *x}
		out, ended := full(60), make(chan result, 2)
		if x == &detached {
			(*x).Detach(func(*engine.IRP) {}, func(irp *engine.IRP) { c.told.Add(1); ended <- result{0, irp.IoStatus.Status} })
		}
		n, status := d.IoControl(*x, ks.IoctlProperty, request{set: setA, id: 1, flags: flags}.bytes(), out)
		if x == &detached && status == ks.StatusPending {
			status = (<-ended).status
			n = (*x).Finish(status, out) // here, as the pool is this goroutine's
		}
		c.all.Wait()
		if closing {
			*x = &engine.IRP{}
		}
		wrote := string(out[:2]) == "da"
		switch {
		case status == ks.StatusCancelled && c.completed.Load() == 0 && n == 0 && !wrote:
			outcomes[1]++
		case status == ks.StatusSuccess && c.cancelled.Load() == 0 && c.completed.Load() == 1 && (n == 2 && wrote != (flags == set) ||
			flags == serializeSet):
			outcomes[0]++
		default:
			t.Fatalf("round %d, way %d, %s: %d bytes, %v, completed %d times, cancelled %d times, % x", round, way,
				ks.FormatPropertyFlags(flags), n, status, c.completed.Load(), c.cancelled.Load(), out[:4])
		}
		if closing {
			outcomes[2]++
		}
		if told := c.told.Load(); told > 1 || c.cancelled.Load() > 1 || c.queue.Len() != 0 || closing && c.released.Load() != 1 ||
			len(ended) != 0 {
			t.Fatalf("round %d: told %d times, cancelled %d times, %d queued, released %d times", round, told, c.cancelled.Load(), c.queue.Len(),
				c.released.Load())
		}
		if st := pool.Stats(); st.Live != 0 || st.Strays != 0 {
			t.Fatalf("round %d: %+v", round, st)
		}
	}
	t.Logf("%d completed, %d cancelled; %d closed", outcomes[0], outcomes[1], outcomes[2])
	if outcomes[0] == 0 || outcomes[1] == 0 {
		t.Error("one side always wins: that is no race")
	}
}

// TestS32_ManyPended pends requests by the thousand, and others complete or cancel them in random order: each has one outcome, which
// is that of whoever ended it, and nothing is left.
func TestS32_ManyPended(t *testing.T) {
	const outstanding = 4096
	pool, err := arena.New(arena.Config{})
	if err != nil {
		t.Fatal(err)
	}
	type slot struct {
		engine.IRP
		out      [4]byte
		outcomes atomic.Int32
	}
	var queue engine.CancelQueue
	d, err := engine.Compile(engine.Config{PropertySets: []engine.PropertySet{{Set: setA, Items: []engine.PropertyItem{
		{ID: 1, Get: func(irp *engine.IRP, _, _ []byte) ks.Status { return queue.Add(irp) }}}}}})
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]*slot, outstanding)
	in := request{set: setA, id: 1, flags: get}.bytes()
	for i := range slots {
		s := &slot{}
		s.Pool, s.FileObject = pool, new(engine.FileObject)
		s.Detach(func(*engine.IRP) {}, func(*engine.IRP) { s.outcomes.Add(1) })
		slots[i] = s
	}
	var sums [2]atomic.Int64
	total := [2]int64{}
	for left := rounds(t); left > 0; left -= outstanding {
		for _, s := range slots {
			s.outcomes.Store(0)
			if _, status := d.IoControl(&s.IRP, ks.IoctlProperty, in, s.out[:]); status != ks.StatusPending {
				t.Fatal(status)
			}
		}
		shuffled := rand.Perm(outstanding)
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for i, n := range shuffled {
					switch {
					case (i+g)%3 == 0 && slots[n].Cancel():
						sums[1].Add(1)
					case (i+g)%5 == 0:
						if irp := queue.Take(engine.End(i%2), engine.AcquireAndRemove); irp != nil {
							irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), "done")))
							sums[0].Add(1)
						}
					}
				}
			})
		}
		all.Wait()
		for irp := queue.Remove(); irp != nil; irp = queue.Remove() {
			irp.Complete(ks.StatusSuccess, uint64(copy(irp.Data(), "done")))
			sums[0].Add(1)
		}
		for _, s := range slots {
			status := s.IoStatus.Status
			if n := s.outcomes.Load(); n != 1 || status != ks.StatusSuccess && status != ks.StatusCancelled {
				t.Fatalf("%d outcomes, %v", n, status)
			}
			if n := s.Finish(status, s.out[:]); (n == 4) != (status == ks.StatusSuccess) || (string(s.out[:]) == "done") != (n == 4) {
				t.Fatalf("%v: %d bytes, %q", status, n, s.out)
			}
			if total[0]++; status == ks.StatusCancelled {
				total[1]++
			}
			s.out = [4]byte{}
		}
		if st := pool.Stats(); st.Live != 0 || st.Strays != 0 || queue.Len() != 0 {
			t.Fatalf("%+v, %d queued", st, queue.Len())
		}
	}
	if sums[1].Load() != total[1] || sums[0].Load()+sums[1].Load() != total[0] || total[1] == 0 || total[1] == total[0] {
		t.Errorf("%d requests, %d cancelled; %d and %d were counted", total[0], total[1], sums[0].Load(), sums[1].Load())
	}
}
