package device_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/arena"
	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/internal/invariants"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/resident"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestSoak sends on handles, in every way there is, while other goroutines close them, complete what is pended, once and too often,
// and generate events, and handlers send on their own handle, panic, meddle with their IRP and close it. Each request is answered
// once: by its handler, by the one completion that counted, or as cancelled. Each buffer is freed and each event ends.
// KSDISPATCH_SOAK=31m makes it last; then the memory that is resident after a minute is what is at the end, within 2 %.
func TestSoak(t *testing.T) {
	length, long := time.Second, false
	if text := os.Getenv("KSDISPATCH_SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		if long = length >= 5*time.Minute; long {
			defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
			runtime.MemProfileRate = 0 // what it notes only grows
		}
	}
	leak, _ := strconv.ParseInt(os.Getenv("KSDISPATCH_SOAK_LEAK"), 10, 64)
	total, early, late := soak(t, leak, func(*tally) { time.Sleep(min(length/2, time.Minute)) },
		func(*tally) { time.Sleep(length - min(length/2, time.Minute)) })
	if long && grew(early, late) {
		t.Errorf("%d bytes are resident, after a minute %d", late, early)
	}
	total.check(t, long)
	t.Logf("%d requests and %d fast ones, on %d handles: %d pended, of which %d were completed and %d cancelled; %d completions too many; "+
		"%d panics; %d events, signalled %d times; %d buffers used, %d freed; resident at first %d, at the end %d bytes",
		total.requests.Load(), total.fast.Load(), total.handles.Load(), total.pended.Load(), total.completed.Load(), total.cancelled.Load(),
		total.surplus.Load(), total.panics.Load(), total.objects.Load(), total.signals.Load(), total.used.Load(), total.freed.Load(), early, late)
}

// grew reports that more is resident than at first.
func grew(early, late int) bool { return late-early > early/50 }

// soak runs the senders and tells what is resident after each of two waits. If leak is not 0, 64 bytes for every so many requests stay.
func soak(t *testing.T, leak int64, first, second func(*tally)) (total *tally, early, late int) {
	const senders = 4
	seed := testkit.Seed(t)
	total = &tally{leak: leak}
	completions := make(chan completion, 2*senders)
	var completers, wg sync.WaitGroup
	for g := range uint64(senders) {
		completers.Go(func() {
			r := rand.New(rand.NewPCG(seed, g))
			for c := range completions {
				if r.IntN(4) == 0 {
					runtime.Gosched()
				}
				if c.sender.complete(c.irp, c.information) {
					c.sender.counted.Add(1)
					c.sender.by.Store(c.information)
				}
				c.sender.racing.Done()
			}
		})
	}
	var round sync.RWMutex // held to read by who has a handle open
	var stop atomic.Bool
	for g := range uint64(senders) {
		s := newSoaker(t, rand.New(rand.NewPCG(seed, senders+g)), total, completions)
		if g%2 == 0 {
			s.dev.SetArena(arena.Config{OffHeap: offHeap()})
		}
		wg.Go(func() {
			c := newCrowd(s)
			defer c.leave()
			for !stop.Load() {
				round.RLock()
				s.round()
				c.round()
				round.RUnlock()
			}
		})
	}
	look := func() int {
		least := resident.Least(20, time.Millisecond, &round)
		logMemory(t, least)
		return least
	}
	first(total)
	early = look()
	second(total)
	late = look()
	stop.Store(true)
	wg.Wait()
	close(completions)
	completers.Wait()
	return total, early, late
}

// tally counts what all senders did.
type tally struct {
	requests, fast, handles, pended, completed, cancelled, surplus, panics, told, objects, gone, signals, used, freed atomic.Int64

	leak int64 // for how many requests one is left
	left atomic.Pointer[left]
}

// left is 64 bytes that nobody needs.
type left struct {
	older *left
	_     [56]byte
}

// request counts one.
func (x *tally) request() {
	if n := x.requests.Add(1); x.leak != 0 && n%x.leak == 0 {
		l := new(left)
		for l.older = x.left.Load(); !x.left.CompareAndSwap(l.older, l); l.older = x.left.Load() {
		}
	}
}

func (x *tally) check(t *testing.T, long bool) {
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"requests completed or cancelled, of those pended", x.completed.Load() + x.cancelled.Load(), x.pended.Load()},
		{"panics that OnPanic was told of", x.told.Load(), x.panics.Load()},
		{"objects of events that ended", x.gone.Load(), x.objects.Load()},
		{"buffers that were freed", x.freed.Load(), x.used.Load()},
	} {
		if c.got != c.want || long && c.want == 0 {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
	if long && (x.fast.Load() == 0 || x.cancelled.Load() == 0 || x.surplus.Load() == 0 || x.signals.Load() == 0) {
		t.Error("not everything happened")
	}
}

// completion is asked of another goroutine.
type completion struct {
	sender      *soaker
	irp         *engine.IRP
	information uint64
}

// injection is what a handler does beside giving its answer.
type injection int

const (
	nothing injection = iota
	panics
	reenters
	meddles
	finishes
	completes
	handsOver
	closes
	injections
)

// soaker is one goroutine that sends, with a device of its own and one handle after another.
type soaker struct {
	*testing.T
	*rand.Rand
	total       *tally
	completions chan<- completion
	dev         *device.Device
	ref         engine.Ref
	object      engine.Object // of its event
	event       []byte        // the KSEVENTDATA of that

	h       *device.Handle
	pool    *arena.Arena // of the handle
	closing atomic.Bool  // Close has been called, or is about to be
	closers sync.WaitGroup
	enabled bool

	script []injection // of the requests that are sent, in order
	calls  int         // of handlers since
	racers int         // how many complete a pended request

	waiting *engine.IRP // of the crowd's last request

	kept    *engine.IRP    // that was pended last
	racing  sync.WaitGroup // of its completers
	counted atomic.Int32   // how many of them counted
	by      atomic.Uint64  // what one did with
}

func newSoaker(t *testing.T, r *rand.Rand, total *tally, completions chan<- completion) *soaker {
	s := &soaker{T: t, Rand: r, total: total, completions: completions}
	d, err := engine.Compile(engine.Config{OnPanic: func(any, []byte) { total.told.Add(1) },
		PropertySets: []engine.PropertySet{{Set: testSet,
			Items: []engine.PropertyItem{{ID: 1, Get: s.handle, Set: s.handle, Support: s.handle, SerializedSize: 4},
				{ID: 2, Get: s.wait}},
			FastIO: []engine.FastPropertyItem{{ID: 1, Get: s.handleFast, Set: s.handleFast}}}},
		EventSets: []engine.EventSet{{Set: testSet, Items: []engine.EventItem{{ID: 1}}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.dev = device.New(d)
	s.ref, _ = d.Resolve(testSet, 1)
	s.object = engine.NewCallback(engine.ObjectTypeEvent, func(int32) { total.signals.Add(1) }, func() { total.gone.Add(1) })
	s.event = device.NewEventData(ks.EventData{}, 0)
	return s
}

// round opens a handle, sends on it and closes it.
func (s *soaker) round() {
	var err error
	if s.h, err = s.dev.Open(); err != nil {
		s.Error(err)
		return
	}
	s.total.handles.Add(1)
	s.pool, s.enabled = nil, false
	s.closing.Store(false)
	requests := s.IntN(200)
	closeAt := s.IntN(2 * (requests + 1))
	for i := range requests {
		if i == closeAt {
			s.closing.Store(true)
			s.closers.Go(s.close)
		}
		if s.IntN(20) == 0 {
			s.closers.Go(func() { s.dev.Events().Generate(&testSet, 1) })
		}
		s.one()
	}
	s.closers.Wait()
	if s.pool != nil && !s.closing.Load() {
		st := s.pool.Stats()
		s.total.used.Add(int64(st.Allocs))
		s.total.freed.Add(int64(st.Allocs) - int64(lost(st)))
	}
	s.closing.Store(true)
	s.close()
	if n := s.dev.Events().Len(); n != 0 {
		s.Errorf("%d events are enabled after Close", n)
	}
	if s.kept != nil {
		if s.complete(s.kept, 4) {
			s.Error("a completion counts after Close")
		}
	}
}

func (s *soaker) close() {
	if err := s.h.Close(); err != nil {
		s.Error(err)
	}
}

// one sends one request, or a batch, in one of the ways there are.
func (s *soaker) one() {
	plan := func(n, racers int) {
		s.script, s.calls, s.racers = s.script[:0], 0, racers
		for range n {
			what := injection(s.IntN(int(injections)))
			if what == closes && s.IntN(50) != 0 {
				what = nothing
			}
			s.script = append(s.script, what)
		}
	}
	const verbs = ks.PropertyTypeGet | ks.PropertyTypeSet | ks.PropertyTypeBasicSupport
	flags := []uint32{ks.PropertyTypeGet, ks.PropertyTypeSet, ks.PropertyTypeBasicSupport, ks.PropertyTypeGet | ks.PropertyTypeHighPriority,
		ks.PropertyTypeSet | ks.PropertyTypeHighPriority}[s.IntN(5)]
	in, out := request(1, flags), []byte("sent")
	switch way := s.IntN(10); way {
	case 0: // the set in one blob, and back
		blob := make([]byte, 56)
		plan(1, 2)
		n, status := s.h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeSerializeSet), blob)
		if !s.judge(0, 56, 56, n, status, blob[52:]) {
			break
		}
		s.settle()
		copy(blob[52:], "sent")
		plan(1, 2)
		n, status = s.h.IoControl(ks.IoctlProperty, request(1, ks.PropertyTypeUnserializeSet), blob)
		s.judge(0, 0, n, n, status, nil)
	case 1, 2: // a batch
		plan(s.IntN(40)+1, 1)
		batch := make([]engine.BatchRequest, len(s.script))
		for i := range batch {
			batch[i] = engine.BatchRequest{In: in, Out: []byte("sent")}
		}
		if n := s.h.PropertyBatch(batch); n != len(batch) {
			s.Errorf("%d of %d requests of a batch are answered", n, len(batch))
		}
		for i, b := range batch {
			s.judge(i, flags&verbs, 4, b.BytesReturned, b.Status, b.Out)
		}
	case 3:
		plan(1, 0)
		s.sendFast(request(1, flags&ks.PropertyTypeSet|^flags&ks.PropertyTypeSet>>1), out)
	case 4:
		plan(0, 0)
		s.sendEvent()
	case 5, 6:
		plan(1, 2)
		n, status := s.h.IoControlTo(&s.ref, in, out)
		s.judge(0, flags&verbs, 4, n, status, out)
	default:
		plan(1, 2)
		n, status := s.h.IoControl(ks.IoctlProperty, in, out)
		s.judge(0, flags&verbs, 4, n, status, out)
	}
	s.settle()
}

// settle waits for those who complete what was pended, and asks for the balance.
func (s *soaker) settle() {
	s.racing.Wait()
	if s.closing.Load() || s.pool == nil {
		return
	}
	if st := s.pool.Stats(); lost(st) != 0 || st.Strays != 0 {
		s.Errorf("after requests with %v: %+v", s.script, st)
	}
}

// lost is how many buffers are live but for the one that is kept.
func lost(st arena.Stats) int {
	const kept = 128 // engine.IRP.KeepBuffer
	if st.Live == 1 && st.Bytes == kept && !invariants.Enabled {
		return 0
	}
	return st.Live
}

// refused reports that a request came after Close.
func (s *soaker) refused(n uint32, status ks.Status) bool {
	return s.closing.Load() && n == 0 && status == ks.StatusInvalidHandle
}

// judge checks the answer to the i-th request of the script: full bytes if all goes well, of which out shows the value.
func (s *soaker) judge(i int, verb, full, n uint32, status ks.Status, out []byte) (ok bool) {
	s.total.request()
	if s.refused(n, status) {
		if s.calls > i {
			s.Errorf("a handler is called for a request that is refused")
		}
		return false
	}
	what, want, wantStatus := s.script[i], full, ks.StatusSuccess
	switch what {
	case panics:
		want, wantStatus = 0, ks.StatusAccessViolation
	case handsOver:
		s.racing.Wait()
		s.total.pended.Add(1)
		if status == ks.StatusCancelled {
			s.total.cancelled.Add(1)
			want, wantStatus = 0, ks.StatusCancelled
		} else {
			s.total.completed.Add(1)
		}
		if len(s.script) > 1 {
			break // those behind it in a batch have counted as well
		}
		if counted := s.counted.Load(); counted > 1 || (counted == 1) == (status == ks.StatusCancelled) ||
			status == ks.StatusCancelled && !s.closing.Load() {
			s.Errorf("%d completions count; %v", counted, status)
		}
		if full == 4 && wantStatus == ks.StatusSuccess {
			want = uint32(s.by.Load())
		}
	}
	value := []byte("soak")
	if verb&ks.PropertyTypeSet != 0 || wantStatus.IsError() {
		value = []byte("sent")
	}
	if full == 4 && want < 4 {
		value = append(value[:want:want], "sent"[want:]...)
	}
	wrong := len(out) != 0 && !bytes.Equal(out, value) && !(full > 4 && wantStatus.IsError())
	if n != want || status != wantStatus || wrong || s.calls <= i {
		s.Errorf("request %d of %v: %d bytes, %v, %q; want %d, %v, %q", i, s.script, n, status, out, want, wantStatus, value)
	}
	return status == ks.StatusSuccess
}

// handle is the handler of all verbs.
func (s *soaker) handle(irp *engine.IRP, request, data []byte) ks.Status {
	what := s.script[s.calls]
	s.calls++
	s.pool = irp.Pool
	if flags := request[20]; flags&byte(ks.PropertyTypeSet) == 0 {
		copy(data, "soak")
	} else if !bytes.Equal(data, []byte("sent")) {
		s.Errorf("the handler of a SET is given %q", data)
	}
	irp.IoStatus.Information = 4
	switch what {
	case panics:
		s.total.panics.Add(1)
		panic("injected")
	case reenters:
		in, out := request[:ks.SizeIdentifier:ks.SizeIdentifier], make([]byte, 4)
		batch := []engine.BatchRequest{{In: in, Out: out}}
		_, first := s.h.IoControl(ks.IoctlProperty, in, out)
		_, second := s.h.IoControlTo(&s.ref, in, out)
		s.h.PropertyBatch(batch)
		if first != ks.StatusDeviceBusy || second != ks.StatusDeviceBusy || batch[0].Status != ks.StatusDeviceBusy {
			s.Errorf("inside a handler: %v, %v, %v", first, second, batch[0].Status)
		}
	case meddles:
		irp.SystemBuffer, irp.Pool = nil, nil
	case finishes:
		irp.Finish(ks.StatusNotFound, nil)
	case completes:
		if first, second := s.complete(irp, 4), s.complete(irp, 3); !first || second {
			s.Errorf("completions inside a handler count: %t, %t", first, second)
		}
		if s.IntN(2) == 0 {
			return ks.StatusNotFound // it was pended all the same (AS-1)
		}
		return ks.StatusPending
	case handsOver:
		s.kept = irp
		s.counted.Store(0)
		s.racing.Add(s.racers)
		for i := range s.racers {
			information := uint64(4)
			if len(s.script) == 1 && irp.OutputBufferLength == 4 && irp.UserEvent != nil {
				information -= uint64(i)
			}
			s.completions <- completion{s, irp, information}
		}
		return ks.StatusPending
	case closes:
		s.closing.Store(true)
		s.close()
	}
	return ks.StatusSuccess
}

// complete completes a request, perhaps in vain.
func (s *soaker) complete(irp *engine.IRP, information uint64) (counted bool) {
	v := string(invariants.Catch(func() { counted = irp.Complete(ks.StatusSuccess, information) }))
	if !counted {
		s.total.surplus.Add(1)
	}
	if v != "" && !strings.Contains(v, "AS-2") {
		s.Error(v)
	}
	return counted
}

// sendFast sends a request that needs no IRP.
func (s *soaker) sendFast(in, out []byte) {
	s.total.fast.Add(1)
	var io engine.IoStatus
	handled := s.h.Dispatcher().FastProperty(s.h.File(), engine.UserMode, in, out, &io)
	want := engine.IoStatus{Status: ks.StatusSuccess, Information: 4}
	if s.script[0] == panics {
		want = engine.IoStatus{Status: ks.StatusAccessViolation}
	}
	if !handled || io != want || s.calls != 1 {
		s.Errorf("fast, %v: handled: %t, %+v", s.script, handled, io)
	}
}

// sendEvent enables the event, or disables it. The object ends with that, as its handle is closed.
func (s *soaker) sendEvent() {
	code, in, out := ks.IoctlDisableEvent, s.event, []byte(nil)
	if !s.enabled {
		s.total.objects.Add(1)
		object := s.dev.Handles().Open(s.object, engine.ModifyState, engine.UserMode)
		defer s.dev.Handles().Close(object)
		ks.EventData{NotificationType: ks.NotificationEventHandle, Object: object}.Put(s.event)
		code, in, out = ks.IoctlEnableEvent, request(1, ks.EventTypeEnable), s.event
	}
	n, status := s.h.IoControl(code, in, out)
	if s.refused(n, status) {
		return
	}
	if s.enabled = !s.enabled; n != 0 || status != ks.StatusSuccess {
		s.Errorf("event, enabled: %t: %d bytes, %v", s.enabled, n, status)
	}
}

func (s *soaker) handleFast(file *engine.FileObject, _ engine.Mode, request, _ []byte, io *engine.IoStatus) bool {
	what := s.script[s.calls]
	s.calls++
	io.Information = 4
	switch what {
	case panics:
		s.total.panics.Add(1)
		panic("injected")
	case reenters:
		var inner engine.IoStatus
		if !s.h.Dispatcher().FastProperty(file, engine.UserMode, request, nil, &inner) || inner.Status != ks.StatusDeviceBusy {
			s.Errorf("inside a fast handler: %+v", inner)
		}
	case closes:
		s.closing.Store(true)
		s.close()
	}
	return true
}
