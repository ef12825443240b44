package device

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// ObserveConfig says what to observe. Its zero value is ready.
type ObserveConfig struct {
	// SampleEvery is how many requests of an item and verb through one handle there are to one whose time is taken: 0 is 1,024, so that
	// what that costs is lost in the rest, and 1 is all, for tests and programs with few requests. It is rounded up to a power of two.
	SampleEvery int
	// Name names an item in Log and in the JSON: kssets.PropertyName, for instance. nil, and "", is its GUID and its id.
	Name func(set ks.GUID, id uint32) string
	// Log is told of each request that no handler had. nil is nobody.
	Log *slog.Logger
	// Events is how many of the latest requests that were timed or refused are kept for Observation.Events; 0 is none.
	Events int
	// Labels has handlers run under the pprof labels "ks.set" and "ks.verb", so that a CPU profile says how long each property set takes.
	// They take the place of those that the goroutine has, which has none afterwards.
	Labels bool
}

// sampleEvery is the default of ObserveConfig.SampleEvery.
const sampleEvery = 1024

// Observation is what was seen of the requests of a device. It is safe for concurrent use, and an expvar.Var.
type Observation struct {
	config   ObserveConfig
	meters   []*meter
	requests *engine.Counts // of each meter

	mu       sync.Mutex
	refusals map[refusal]uint64
	lost     uint64 // refusals that are not told apart

	ring    events
	samples [sampleShards]samples
}

// Observe wraps the handlers of a declaration to count and time their requests, and counts the requests that the dispatcher
// refuses. Call it when the declaration is complete and before the device is made: it changes config alone, and a device made
// without it runs no other code than before. Fast handlers and handlers of events stay as they are.
//
// A request costs an addition to a counter that its handle has for itself (engine.Counts), and for one request in SampleEvery two
// readings of the clock, with Events three.
func Observe(config *engine.Config, what ObserveConfig) *Observation {
	if what.SampleEvery <= 0 {
		what.SampleEvery = sampleEvery
	}
	o := &Observation{config: what, refusals: make(map[refusal]uint64)}
	o.ring.room = max(what.Events, 0)
	if what.Labels {
		config.WrapEach(o.labelled)
	}
	o.requests = config.Count(uint64(what.SampleEvery), o.meter)
	before := config.OnRefuse
	config.OnRefuse = func(r engine.Refusal) {
		o.refuse(&r)
		if before != nil {
			before(r)
		}
	}
	return o
}

// meter counts the requests of one handler.
type meter struct {
	o       *Observation
	samples *samples // where its times go first
	times   *times   // nil before the first sample; under samples.mu

	mu       sync.Mutex
	statuses map[ks.Status]uint64 // other than STATUS_SUCCESS

	engine.HandlerOf
}

// meter returns what counts the requests of a handler; nil for those of events.
func (o *Observation) meter(of engine.HandlerOf) engine.Meter {
	if of.Code == ks.IoctlEnableEvent {
		return nil
	}
	m := &meter{HandlerOf: of, o: o, samples: &o.samples[len(o.meters)%sampleShards], statuses: make(map[ks.Status]uint64)}
	o.meters = append(o.meters, m)
	return m
}

// begun is what durations are read from: time.Since reads one clock, time.Now two.
var begun = time.Now()

// Time calls the handler of a request whose time is taken.
func (m *meter) Time(next engine.Handler, irp *engine.IRP, request, data []byte) ks.Status {
	start := time.Since(begun)
	status := next(irp, request, data)
	took := time.Since(begun) - start
	if ring := &m.o.ring; ring.room != 0 {
		ring.add(ObservedEvent{Time: time.Now().Add(-took), Took: took, Set: m.Set, ID: m.ID, Verb: m.Verb, Status: status})
	}
	if status != ks.StatusSuccess {
		m.Returned(status)
	}
	m.samples.add(m, took)
	return status
}

// samples are times that are on their way to the histograms of some handlers. When the next sample of a handler comes its histogram has
// left the caches, and a request would wait for that; for those of many samples the processor waits together.
type samples struct {
	mu  sync.Mutex
	n   int
	all [128]sample
}

type sample struct {
	of   *meter
	took time.Duration
}

// sampleShards is how many samples an observation has, so that different handlers seldom wait for each other.
const sampleShards = 8

func (s *samples) add(of *meter, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[s.n] = sample{of, took}
	if s.n++; s.n == len(s.all) {
		s.settle()
	}
}

// settle puts the samples into their histograms. s.mu is locked.
func (s *samples) settle() {
	for i := range s.all[:s.n] {
		x := &s.all[i]
		if x.of.times == nil {
			x.of.times = new(times)
		}
		x.of.times.add(x.took)
	}
	s.n = 0
}

// Returned counts a status that is not STATUS_SUCCESS.
func (m *meter) Returned(status ks.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.statuses[status]; !ok && len(m.statuses) == mostStatuses {
		status = ks.StatusUnsuccessful
	}
	m.statuses[status]++
}

// mostStatuses is how many statuses of a handler are told apart, but for STATUS_UNSUCCESSFUL, which then stands for the others.
const mostStatuses = 64

// times is a histogram of durations. Its steps are 1/16 of what they measure, or 1 ns.
type times struct {
	longest time.Duration
	sum     time.Duration
	buckets [timeBuckets]uint64
}

const (
	timeSteps   = 16
	timeBits    = 40 // 18 minutes; what is longer counts as that
	timeBuckets = (timeBits - 3) * timeSteps
)

// bucketOf is the bucket of a duration.
func bucketOf(ns uint64) int {
	ns = min(ns, 1<<timeBits-1)
	shift := max(bits.Len64(ns)-5, 0)
	return shift*timeSteps + int(ns>>shift)
}

// longestOf is the longest duration of a bucket.
func longestOf(bucket int) uint64 {
	shift := max(bucket/timeSteps-1, 0)
	return uint64(bucket-shift*timeSteps+1)<<shift - 1
}

func (t *times) add(d time.Duration) {
	t.buckets[bucketOf(uint64(max(d, 0)))]++
	t.sum += d
	t.longest = max(t.longest, d)
}

// ObservedItem is what was seen of one handler.
type ObservedItem struct {
	Code     uint32 // ks.IoctlProperty or ks.IoctlMethod
	Set      ks.GUID
	ID       uint32
	Verb     string // "get", "set", "support" or "method"
	Requests uint64 // that the handler had, also those that it has now
	Statuses map[ks.Status]uint64
	Latency  Latency
}

// Latency is the distribution of the times that were taken.
type Latency struct {
	Samples uint64
	Max     time.Duration
	Sum     time.Duration // of all samples
	buckets []uint64
}

// Quantile returns the time within which a share of the samples, from 0 to 1, ended. It is at most 1/16 more than the measured
// time, and 0 without samples.
func (l *Latency) Quantile(share float64) time.Duration {
	rank := uint64(share*float64(l.Samples-min(l.Samples, 1))) + 1
	for i, n := range l.buckets {
		if rank <= n {
			return min(time.Duration(longestOf(i)), l.Max)
		}
		rank -= n
	}
	return l.Max
}

// latency returns the times that were taken of a handler.
func (m *meter) latency() (l Latency) {
	m.samples.mu.Lock()
	defer m.samples.mu.Unlock()
	m.samples.settle()
	if t := m.times; t != nil {
		l.Max, l.Sum, l.buckets = t.longest, t.sum, slices.Clone(t.buckets[:])
		for _, n := range l.buckets {
			l.Samples += n
		}
	}
	return l
}

// Items returns the observations of each handler that had a request, in the order of declaration.
func (o *Observation) Items() (items []ObservedItem) {
	for i, m := range o.meters {
		it := ObservedItem{Code: m.Code, Set: m.Set, ID: m.ID, Verb: m.Verb, Statuses: make(map[ks.Status]uint64)}
		others := uint64(0)
		m.mu.Lock()
		for status, n := range m.statuses {
			it.Statuses[status] = n
			others += n
		}
		m.mu.Unlock()
		if it.Requests = o.requests.Requests(i); it.Requests == 0 {
			continue
		}
		if n := it.Requests - min(others, it.Requests); n > 0 {
			it.Statuses[ks.StatusSuccess] = n
		}
		it.Latency = m.latency()
		items = append(items, it)
	}
	return items
}

// refusal is a kind of request that no handler had.
type refusal struct {
	set    ks.GUID
	id     uint32
	status ks.Status
	rule   string
}

// mostRefusals is how many kinds of refusals are told apart: clients choose what they ask for.
const mostRefusals = 1024

func (o *Observation) refuse(r *engine.Refusal) {
	kind := refusal{r.Set, r.ID, r.Status, r.Rule}
	o.mu.Lock()
	if _, ok := o.refusals[kind]; ok || len(o.refusals) < mostRefusals {
		o.refusals[kind]++
	} else {
		o.lost++
	}
	o.mu.Unlock()
	if o.ring.room != 0 {
		o.ring.add(ObservedEvent{Time: time.Now(), Set: r.Set, ID: r.ID, Status: r.Status, Rule: r.Rule})
	}
	if o.config.Log != nil {
		o.config.Log.Warn("request refused", "item", o.ItemName(r.Set, r.ID), "set", r.Set.String(), "flags", r.Flags,
			"status", r.Status.String(), "rule", r.Rule, "in", r.In, "out", r.Out)
	}
}

// ObservedRefusal is a kind of request that no handler had, and how many there were.
type ObservedRefusal struct {
	Set      ks.GUID
	ID       uint32
	Status   ks.Status
	Rule     string
	Requests uint64
}

// Refusals returns the refusals of the dispatcher, the most frequent first. Beyond 1,024 kinds the others are counted together, as
// a refusal without a status.
func (o *Observation) Refusals() (list []ObservedRefusal) {
	o.mu.Lock()
	for kind, n := range o.refusals {
		list = append(list, ObservedRefusal{kind.set, kind.id, kind.status, kind.rule, n})
	}
	if o.lost > 0 {
		list = append(list, ObservedRefusal{Requests: o.lost})
	}
	o.mu.Unlock()
	slices.SortFunc(list, func(a, b ObservedRefusal) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), slices.Compare(a.Set[:], b.Set[:]), cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Status, b.Status), cmp.Compare(a.Rule, b.Rule))
	})
	return list
}

// ItemName returns what an item is called: ObserveConfig.Name's name, or its GUID and its id.
func (o *Observation) ItemName(set ks.GUID, id uint32) string {
	if o.config.Name != nil {
		if name := o.config.Name(set, id); name != "" {
			return name
		}
	}
	return set.String() + " " + strconv.FormatUint(uint64(id), 10)
}

// String is all of it as JSON: that of expvar.Var. Times are in nanoseconds, and one request in sample_every was timed.
func (o *Observation) String() string {
	type item struct {
		Item     string            `json:"item"`
		Verb     string            `json:"verb"`
		Requests uint64            `json:"requests"`
		Statuses map[string]uint64 `json:"statuses"`
		Samples  uint64            `json:"samples"`
		Median   time.Duration     `json:"p50"`
		P99      time.Duration     `json:"p99"`
		Max      time.Duration     `json:"max"`
	}
	type refused struct {
		Item     string `json:"item"`
		Status   string `json:"status"`
		Rule     string `json:"rule"`
		Requests uint64 `json:"requests"`
	}
	all := struct {
		SampleEvery uint64    `json:"sample_every"`
		Items       []item    `json:"items"`
		Refused     []refused `json:"refused"`
	}{o.requests.Every(), []item{}, []refused{}}
	for _, it := range o.Items() {
		x := item{o.ItemName(it.Set, it.ID), it.Verb, it.Requests, make(map[string]uint64), it.Latency.Samples,
			it.Latency.Quantile(0.5), it.Latency.Quantile(0.99), it.Latency.Max}
		for status, n := range it.Statuses {
			x.Statuses[status.String()] = n
		}
		all.Items = append(all.Items, x)
	}
	for _, r := range o.Refusals() {
		all.Refused = append(all.Refused, refused{o.ItemName(r.Set, r.ID), r.Status.String(), r.Rule, r.Requests})
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // numbers and strings have JSON
	}
	return string(text)
}
