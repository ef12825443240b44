package load

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// shard is what some of the clients saw: a histogram has a quarter of a megabyte, too much for each client to have its own.
type shard struct {
	sync.Mutex
	service, response *hdrhistogram.Histogram
	sum, behind       int64 // of the response times; requests that began after the intended start of their client's next
	statuses          map[ks.Status]int64
	sessions          map[string]int64 // that went to their end
	failures          map[string]int64 // opens, creates and closes, by error
}

func (s *shard) init() {
	s.service, s.response = report.NewHistogram(), report.NewHistogram()
	s.statuses, s.sessions, s.failures = map[ks.Status]int64{}, map[string]int64{}, map[string]int64{}
}

func (s *shard) add(t *turn) {
	s.Lock()
	defer s.Unlock()
	s.behind += t.behind
	for i := range t.n {
		report.Record(s.service, t.service[i])
		report.Record(s.response, t.response[i])
		s.sum += t.response[i]
		s.statuses[t.status[i]]++
	}
}

func (s *shard) failed(what string) {
	s.Lock()
	defer s.Unlock()
	s.failures[what]++
}

func (s *shard) finished(name string) {
	s.Lock()
	defer s.Unlock()
	s.sessions[name]++
}

// reset makes it what init does, with the memory that it has.
func (s *shard) reset() {
	s.service.Reset()
	s.response.Reset()
	s.sum, s.behind = 0, 0
	clear(s.statuses)
	clear(s.sessions)
	clear(s.failures)
}

// total makes sum what all clients saw. It hardly allocates: what it does is counted with the requests.
func (l *load) total(sum *shard) {
	sum.reset()
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		sum.service.Merge(s.service)
		sum.response.Merge(s.response)
		sum.sum += s.sum
		sum.behind += s.behind
		for status, n := range s.statuses {
			sum.statuses[status] += n
		}
		for name, n := range s.sessions {
			sum.sessions[name] += n
		}
		for text, n := range s.failures {
			sum.failures[text] += n
		}
		s.Unlock()
	}
}

func (s *shard) requests() (n int64) {
	for _, of := range s.statuses {
		n += of
	}
	return n
}

func (s *shard) errors() (n int64) {
	for status, of := range s.statuses {
		if status.IsError() {
			n += of
		}
	}
	return n
}

// intervals is how many samples a load has: what a report calls rounds.
const intervals = 20

// livePeriod is how long progress stands.
const livePeriod = 250 * time.Millisecond

// watch takes a sample of each interval, and tells of the progress, until the time is over or ctx ends. An interval in which nothing
// was answered is part of the next.
func (l *load) watch(ctx context.Context) (samples []report.Sample) {
	interval := max(l.Duration/intervals, time.Millisecond)
	ctx, cancel := context.WithDeadline(ctx, l.begin.Add(l.Duration))
	defer cancel()
	ticks := time.NewTicker(min(interval, livePeriod))
	defer ticks.Stop()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var total shard
	total.init()
	at, told := l.begin, l.begin
	var requests, sum, toldOf int64 // in total at that time
	next := 1
	sample := func() {
		end := time.Now()
		l.total(&total)
		n := total.requests() - requests
		if n == 0 {
			return
		}
		runtime.ReadMemStats(&now)
		each := float64(end.Sub(at)) / float64(n)
		if l.Rate > 0 {
			each = float64(total.sum-sum) / float64(n)
		}
		samples = append(samples, report.Sample{Operations: int(n), NsPerOp: each,
			AllocsPerOp: float64(now.Mallocs-before.Mallocs) / float64(n), BytesPerOp: float64(now.TotalAlloc-before.TotalAlloc) / float64(n),
			GCCycles: int(now.NumGC - before.NumGC)})
		at, requests, sum, before = end, requests+n, total.sum, now
	}
	for {
		select {
		case <-ctx.Done():
			if time.Since(at) > interval/2 || len(samples) == 0 {
				sample()
			}
			return samples
		case <-ticks.C:
		}
		if time.Since(l.begin) >= interval*time.Duration(next) && next < intervals {
			sample()
			next++
		}
		if elapsed := time.Since(told); l.Progress != nil && elapsed >= livePeriod {
			l.total(&total)
			n := total.requests()
			l.Progress(Live{Elapsed: time.Since(l.begin), Requests: n, PerSecond: float64(n-toldOf) / elapsed.Seconds(),
				Errors: total.errors(), P50: total.response.ValueAtQuantile(50), P99: total.response.ValueAtQuantile(99)})
			told, toldOf = time.Now(), n
		}
	}
}

func listed(names map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(names)), ", ") }
