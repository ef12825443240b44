package soak

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/device"
	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/resident"
)

// Source is the name by which a trace says that it is of a soak, and what its devices are called.
const Source = "ksbench soak"

// DefaultPatience is after how long a request is lost that nobody completed.
const DefaultPatience = 10 * time.Second

// Options say how to soak.
type Options struct {
	Duration time.Duration
	Seed     uint64
	Plant    string        // a fault that the driver makes, "" for none
	Patience time.Duration // after which a request is lost; 0 is DefaultPatience
	// Progress is called about once a second; nil for none.
	Progress func(elapsed time.Duration, requests int64)

	minute time.Duration // for tests; 0 is defaultMinute
}

// Result is what was done.
type Result struct {
	Seed       uint64        `json:"seed"`
	Elapsed    time.Duration `json:"elapsed_ns"`
	Sessions   int64         `json:"sessions"`
	Requests   int64         `json:"requests"`
	Overlapped int64         `json:"overlapped"` // of these left pending on an overlapped handle
	Pended     int64         `json:"pended"`
	Completed  int64         `json:"completed"`
	Cancelled  int64         `json:"cancelled"`
	Panics     int64         `json:"panics"`
	Exhausted  int64         `json:"exhausted"`
	Swaps      int64         `json:"swaps"`
	Removals   int64         `json:"removals"`
	Events     int64         `json:"events"`
	Pauses     int           `json:"pauses"`   // in which goroutines and memory were looked at
	Resident   [2]int        `json:"resident"` // bytes, after a minute and at the end; 0 if the soak was too short to judge
	Fault      string        `json:"fault"`    // "" if there was none
	Trace      []byte        `json:"-"`        // of the sessions in which it was; nil if it was in none
}

// run is a soak.
type run struct {
	Options
	soakers []*soaker
	pause   sync.RWMutex  // held to read by those who have sessions
	failed  chan struct{} // closed with the first fault
	once    sync.Once
	blaming sync.Mutex
	fault   *Fault // that is in no session; under blaming until all soakers have ended

	sessions, requests, overlapped, exhausted, events, eventsEnded atomic.Int64
}

func (r *run) onFault() { r.once.Do(func() { close(r.failed) }) }

// blame notes a fault that is in no session.
func (r *run) blame(kind, format string, args ...any) {
	r.blaming.Lock()
	defer r.blaming.Unlock()
	if r.fault == nil {
		r.fault = &Fault{kind, fmt.Sprintf(format, args...)}
		r.onFault()
	}
}

// soakers have sessions at the same time.
const soakers = 4

// batchSize is how many sessions a trace has: those that are over and were in order are forgotten.
const batchSize = 16

// Run soaks until the time is over, ctx ends, or there is a fault: that is no error but in the result. The error is that of ctx.
func Run(ctx context.Context, opt Options) (*Result, error) {
	if opt.Patience == 0 {
		opt.Patience = DefaultPatience
	}
	opt.minute = cmp.Or(opt.minute, defaultMinute)
	before := runtime.NumGoroutine()
	r := &run{Options: opt, failed: make(chan struct{})}
	var stop atomic.Bool
	var wg sync.WaitGroup
	begin := time.Now()
	for g := range uint64(soakers) {
		s := newSoaker(r, g)
		r.soakers = append(r.soakers, s)
		wg.Go(func() { s.batches(opt.Plant != "" && g == 0, &stop) })
	}
	early, late, pauses := r.watch(ctx, begin)
	stop.Store(true)
	wg.Wait()
	for _, s := range r.soakers {
		s.driver.Close()
	}
	elapsed := time.Since(begin)
	r.settle(before)
	t := r.total()
	res := &Result{Seed: opt.Seed, Elapsed: elapsed, Sessions: r.sessions.Load(), Requests: r.requests.Load(), Overlapped: r.overlapped.Load(),
		Pended: t.pended.Load(), Completed: t.completed.Load(), Cancelled: t.cancelled.Load(), Panics: t.panics.Load(),
		Exhausted: r.exhausted.Load(), Swaps: t.swaps.Load(), Removals: t.removals.Load(), Events: r.events.Load(), Pauses: pauses,
		Resident: [2]int{early, late}}
	for _, s := range r.soakers {
		if f := s.driver.Fault(); f != nil {
			res.Fault, res.Trace = f.Error(), s.trace
			return res, ctx.Err()
		}
	}
	if r.fault != nil {
		res.Fault = r.fault.Error()
	}
	return res, ctx.Err()
}

// batches has batches of sessions until there is a fault or no more time.
func (s *soaker) batches(plant bool, stop *atomic.Bool) {
	crowd, err := s.gather()
	if err != nil {
		s.blame("open", "a client that stays: %v", err)
		return
	}
	defer crowd.leave()
	crowd.ask(crowd.handles)
	defer func() { crowd.ask(crowd.handles) }()
	for n := 0; !stop.Load() && s.driver.Fault() == nil; n++ {
		s.pause.RLock()
		crowd.ask(crowd.handles[n%standing:][:1])
		s.batch(plant)
		s.pause.RUnlock()
	}
}

// batch has sessions, which are recorded. Nothing of them is kept between two batches, when memory is looked at, unless there is a fault.
func (s *soaker) batch(plant bool) {
	s.flights = new([flights]flight)
	defer func() { s.flights = nil }()
	var record bytes.Buffer
	r, err := trace.NewRecorder(&record, trace.Config{Wait: true, Buffer: 64 << 10, Sources: []trace.Source{{Name: Source, Digest: s.Plant}}})
	if err != nil {
		s.driver.fault("trace", "%v", err)
		return
	}
	for i := range batchSize {
		s.session(r, plant && i == batchSize/2)
		if s.driver.Fault() != nil {
			break
		}
	}
	if err := r.Close(); err != nil {
		s.driver.fault("trace", "%v", err)
	}
	if s.driver.Fault() != nil {
		s.trace = record.Bytes()
	}
}

// total adds what the drivers saw.
func (r *run) total() *tally {
	var sum tally
	for _, s := range r.soakers {
		of := &s.driver.tally
		for _, c := range [][2]*atomic.Int64{{&sum.panics, &of.panics}, {&sum.told, &of.told}, {&sum.pended, &of.pended},
			{&sum.completed, &of.completed}, {&sum.cancelled, &of.cancelled}, {&sum.swaps, &of.swaps}, {&sum.removals, &of.removals}} {
			c[0].Add(c[1].Load())
		}
	}
	return &sum
}

// defaultMinute is after how long memory is first looked at; what a soak of less than twice that has is not judged.
const defaultMinute = time.Minute

// watch waits for the end, and looks at what is only to be seen while all pause.
func (r *run) watch(ctx context.Context, begin time.Time) (early, late, pauses int) {
	ctx, cancel := context.WithDeadline(ctx, begin.Add(r.Duration))
	defer cancel()
	long := r.Duration >= 2*r.minute
	if long {
		runtime.MemProfileRate = 0 // what it notes only grows
		startThreads(4*runtime.GOMAXPROCS(0) + 16)
	}
	// How much memory lies between objects in use goes up and down by some percent from one second to the next: so the least is taken of a
	// while, and not of a moment.
	while := r.minute / 3
	least := func(before int) int {
		now := resident.Least(5, 10*time.Millisecond, &r.pause)
		if before != 0 {
			now = min(before, now)
		}
		return now
	}
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			if long && early != 0 {
				if late = least(late); (late-early)*50 > early {
					r.blame("memory", "%d bytes are resident, after a minute %d: more than 2 %% more", late, early)
				}
			}
			return early, late, pauses
		case <-r.failed:
			return early, late, pauses
		case <-ticks.C:
		}
		pauses++
		r.look()
		if since := time.Since(begin); long && since >= r.minute {
			if early == 0 || since < r.minute+while {
				early = least(early)
			} else if since >= r.Duration-while {
				late = least(late)
			}
		}
		if r.Progress != nil {
			r.Progress(time.Since(begin), r.requests.Load())
		}
	}
}

// startThreads has the scheduler start as many threads. It keeps them, and each has some memory; one that finds all others held up, as on a
// busy machine after minutes, would look like a leak.
func startThreads(n int) {
	var running, ended sync.WaitGroup
	running.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			running.Done()
			running.Wait()
		})
	}
	ended.Wait()
}

// look checks what is balanced when no session runs. A driver counts a completion when Complete has returned, and its client may know
// of it, and end its session, before: so the balance has some time.
func (r *run) look() {
	r.pause.Lock()
	defer r.pause.Unlock()
	fault := r.balance()
	for deadline := time.Now().Add(r.Patience); fault != nil && time.Now().Before(deadline); fault = r.balance() {
		time.Sleep(time.Millisecond)
	}
	if fault != nil {
		r.blame(fault.Kind, "%s", fault.What)
	}
}

// balance returns what does not balance, if anything.
func (r *run) balance() *Fault {
	t := r.total()
	for _, c := range []struct {
		kind, what string
		got, want  int64
	}{
		{"lost", "requests completed or cancelled, of those pended", t.completed.Load() + t.cancelled.Load(), t.pended.Load()},
		{"panic", "panics that OnPanic was told of", t.told.Load(), t.panics.Load()},
		{"entries", "events that ended", r.eventsEnded.Load(), r.events.Load()},
	} {
		if c.got != c.want {
			return &Fault{c.kind, fmt.Sprintf("%s: %d, want %d", c.what, c.got, c.want)}
		}
	}
	return nil
}

// settle waits until all goroutines have ended that the soak began.
func (r *run) settle(before int) {
	for deadline := time.Now().Add(r.Patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			all := make([]byte, 1<<20)
			all = all[:runtime.Stack(all, true)]
			r.blame("goroutines", "%d are left, %d were there before; the last: %s", runtime.NumGoroutine(), before,
				lastOf(string(all)))
			return
		}
	}
}

// lastOf is the newest goroutine of a dump, in a line.
func lastOf(dump string) string {
	all := strings.Split(strings.TrimSpace(dump), "\n\n")
	return strings.Join(strings.Fields(all[len(all)-1]), " ")
}

// Of reports whether a trace is of a soak, and which fault was planted.
func Of(h trace.Header) (plant string, ok bool) {
	for _, s := range h.Sources {
		if s.Name == Source && (s.Digest == "" || slices.Contains(plants, s.Digest)) {
			return s.Digest, true
		}
	}
	return "", false
}

// Opener opens devices that stand for those of a soak.
func (d *Driver) Opener(plant string) trace.Opener {
	return func(object string, _ uint32) (*device.Device, error) {
		if object != Source {
			return nil, fmt.Errorf("a soak has no object %q", object)
		}
		return d.Device(plant)
	}
}
