package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// MaxClients is how many clients there may be.
const MaxClients = 100_000

// Handle is what a client sends through: a device.Handle, or a trace.Handle.
type Handle interface {
	IoControl(code uint32, in, out []byte) (n uint32, status ks.Status)
	// CreatePin creates a pin on the handle of a filter. A pin that is refused is nil.
	CreatePin(connect []byte) (Handle, ks.Status)
	Close() error
}

// Options say what load to make.
type Options struct {
	Manifest *manifest.Manifest
	Clients  int
	Duration time.Duration
	Rate     float64 // requests a second, of all clients together; 0 is a closed loop
	Seed     uint64  // of the random sessions, and of the order in which each client has its sessions
	Mix      *Mix    // nil weighs all alike

	// Device makes the device of an object. The result opens it, and is called by all clients.
	Device func(object string) (open func() (Handle, error), err error)
	// Progress is called some times a second; nil for none.
	Progress func(Live)
}

// Live is what a load is doing at the moment.
type Live struct {
	Elapsed   time.Duration
	Requests  int64
	PerSecond float64 // since the last
	Errors    int64   // requests with the status of an error
	P50, P99  int64   // of the response time so far, in nanoseconds
}

// load is one run.
type load struct {
	Options
	sessions []*session
	picks    []weighed[*session]
	open     []func() (Handle, error)
	longest  int // output buffer, in bytes
	slots    int // the most of a session

	begin  time.Time
	stop   atomic.Bool
	ended  chan struct{} // closed with stop, for those who wait
	shards []shard
}

// Run makes the load, and returns the report of it. If the context ends early, the error is the context's, and the report has what ran; it
// is nil if nothing did. Any other error comes before the first request.
func Run(ctx context.Context, opt Options) (*report.Report, error) {
	l := &load{Options: opt, ended: make(chan struct{})}
	offers, objects, err := l.prepare()
	if err != nil {
		return nil, err
	}
	clients := make([]*client, opt.Clients)
	l.shards = make([]shard, 4*runtime.GOMAXPROCS(0))
	for i := range l.shards {
		l.shards[i].init()
	}
	ready, start := sync.WaitGroup{}, make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		clients[i] = l.client(i)
		ready.Add(1)
		wg.Go(func() {
			ready.Done()
			<-start
			clients[i].run()
		})
	}
	ready.Wait()
	l.begin = time.Now()
	close(start)
	s := l.sampler()
	s.watch(ctx)
	l.stop.Store(true)
	close(l.ended)
	elapsed := time.Since(l.begin)
	wg.Wait()
	if len(s.samples) == 0 { // the time passed while others had the processors
		s.sample()
	}
	if len(s.samples) == 0 {
		return nil, errors.Join(ctx.Err(), errors.New("no request was answered in that time; give it a longer --duration"))
	}
	rep, err := l.report(clients, s.samples, elapsed, offers, objects)
	if err != nil {
		return nil, err
	}
	rep.Incomplete = ctx.Err() != nil
	return rep, ctx.Err()
}

// prepare makes the devices and the sessions. It returns how many items and objects there are.
func (l *load) prepare() (items, objects int, err error) {
	var offers [][]declared
	var names []string
	for i := range l.Manifest.Objects {
		o := &l.Manifest.Objects[i]
		if o.Role != manifest.RoleTable && o.Role != manifest.RoleFilter {
			continue // is created on a filter
		}
		open, err := l.Device(o.Name)
		if err != nil {
			return 0, 0, err
		}
		l.open, names = append(l.open, open), append(names, o.Name)
		offers = append(offers, declaredSteps(l.Manifest, o))
	}
	if len(l.open) == 0 {
		return 0, 0, errors.New("the manifest has no object that can be opened: all are pins and nodes")
	}
	all, err := recordedSessions(names)
	if err != nil {
		return 0, 0, err
	}
	known := map[string]bool{Random: true}
	for _, s := range all {
		known[s.name] = true
		if w := l.Mix.session(s.name); w > 0 {
			l.sessions = append(l.sessions, s)
			// Random sessions are many of one name, and each has its weight.
			l.picks = accumulate(l.picks, s, w*randomSessions)
		}
	}
	if name, is := l.Mix.unknown(known); is {
		return 0, 0, fmt.Errorf("the mix has a session %q; there are %s", name, listed(known))
	}
	if w := l.Mix.session(Random); w > 0 {
		random, err := drawSessions(l.Seed, offers, l.Mix)
		if err != nil {
			return 0, 0, err
		}
		for _, s := range random {
			l.sessions = append(l.sessions, s)
			l.picks = accumulate(l.picks, s, w)
		}
	}
	if len(l.picks) == 0 {
		return 0, 0, errors.New("the mix leaves no session")
	}
	for _, s := range l.sessions {
		l.slots = max(l.slots, s.slots)
		for i := range s.steps {
			l.longest = max(l.longest, s.steps[i].out)
		}
	}
	seen := map[string]bool{}
	for d, offer := range offers {
		for i := range offer {
			seen[fmt.Sprint(d, offer[i].set, offer[i].id)] = true
		}
	}
	return len(seen), len(l.open), nil
}

// digest names the sessions: two loads with the same have asked the same, of the same manifest.
func (l *load) digest() string {
	sum := xxhash.New()
	fmt.Fprintln(sum, l.Manifest.Digest, l.Clients)
	for _, p := range l.picks {
		fmt.Fprintln(sum, p.what.name, p.upTo)
		for i := range p.what.steps {
			fmt.Fprintf(sum, "%+v\n", p.what.steps[i])
		}
	}
	return fmt.Sprintf("%016x", sum.Sum64())
}

// client is one of those who send.
type client struct {
	*load
	number   int
	rand     *rand.Rand
	shard    *shard
	out      []byte
	timer    *time.Timer
	requests int64 // answered
	turn     turn

	handles []Handle // to send through, by slot
	opened  []Handle // to close; nil where nothing is open
}

// turn is what a client remembers of its requests until it gives the processor away.
type turn struct {
	n                 int
	behind            int64
	service, response [turnRequests]int64
	status            [turnRequests]ks.Status
}

// turnRequests is how many requests a client sends before the others have their turn.
const turnRequests = 16

func (l *load) client(number int) *client {
	return &client{load: l, number: number, rand: rand.New(rand.NewPCG(l.Seed, uint64(number)+1)), out: make([]byte, l.longest),
		shard: &l.shards[number%len(l.shards)], handles: make([]Handle, l.slots), opened: make([]Handle, l.slots)}
}

// run has sessions until the load ends, and one at least.
func (c *client) run() {
	for {
		c.session(draw(c.rand, c.picks))
		if c.stop.Load() {
			break
		}
	}
	c.settle()
}

// over reports that the load has ended, if the client had a turn: the time may pass while others have the processors.
func (c *client) over() bool { return c.requests > 0 && c.stop.Load() }

// session takes the steps of a session, and closes what they leave open. It ends early with the load.
func (c *client) session(s *session) {
	for i := range s.steps {
		if !c.step(&s.steps[i]) {
			break
		}
		if i == len(s.steps)-1 {
			c.shard.finished(s.name)
		}
	}
	for slot := range s.slots {
		c.close(slot)
	}
}

// step takes a step. It reports false when the session cannot go on.
func (c *client) step(s *step) bool {
	switch s.op {
	case opOpen:
		h, err := c.open[s.from]()
		if err != nil {
			c.shard.failed(err.Error())
			runtime.Gosched()
			return false
		}
		c.handles[s.slot], c.opened[s.slot] = h, h
	case opCreatePin:
		if c.handles[s.slot] = c.handles[s.from]; c.over() { // the filter stands for a pin that it refuses
			return false
		}
		pin, status := c.handles[s.from].CreatePin(s.in)
		if pin == nil {
			c.shard.failed("a pin: " + status.String())
			return true
		}
		c.handles[s.slot], c.opened[s.slot] = pin, pin
	case opClose:
		c.close(s.slot)
	default:
		return c.send(s)
	}
	return true
}

// close closes the handle of a slot, if one is open.
func (c *client) close(slot int) {
	if h := c.opened[slot]; h != nil {
		c.opened[slot] = nil
		if err := h.Close(); err != nil {
			c.shard.failed(err.Error())
		}
	}
}

// send sends one request, when it is due. It reports false when the load has ended.
func (c *client) send(s *step) bool {
	var intended time.Duration
	if c.Rate > 0 {
		intended = time.Duration((float64(c.requests)*float64(c.Clients) + float64(c.number)) / c.Rate * float64(time.Second))
		if !c.wait(intended) {
			return false
		}
	} else if c.over() {
		return false
	}
	out := c.out[:s.out]
	clear(out[copy(out, s.data):])
	start := time.Since(c.begin)
	_, status := c.handles[s.slot].IoControl(s.code, s.in, out)
	end := time.Since(c.begin)
	if c.Rate == 0 {
		intended = start
	} else if (start-intended).Seconds()*c.Rate >= float64(c.Clients) {
		c.turn.behind++
	}
	c.requests++
	t := &c.turn
	t.service[t.n], t.response[t.n], t.status[t.n] = int64(end-start), int64(end-intended), status
	if t.n++; t.n == turnRequests {
		c.settle()
		runtime.Gosched()
	}
	return true
}

// wait waits for a time of the load. It reports false when the load has ended.
func (c *client) wait(until time.Duration) bool {
	left := until - time.Since(c.begin)
	if left <= 0 {
		return !c.over()
	}
	c.settle()
	if c.timer == nil {
		c.timer = time.NewTimer(left)
	} else {
		c.timer.Reset(left)
	}
	select {
	case <-c.timer.C:
		return !c.stop.Load()
	case <-c.ended:
		return false
	}
}

// settle hands on what the turn brought.
func (c *client) settle() {
	c.shard.add(&c.turn)
	c.turn.n, c.turn.behind = 0, 0
}

// Completing returns a handler that completes what another leaves pending, at once: no client is to wait for somebody who is not there.
func Completing(h engine.Handler) engine.Handler {
	return func(irp *engine.IRP, request, data []byte) ks.Status {
		status := h(irp, request, data)
		if status == ks.StatusPending {
			irp.Complete(ks.StatusSuccess, 0)
		}
		return status
	}
}
