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

// sampler takes a sample of each interval. One in which nothing was answered is part of the next.
type sampler struct {
	*load
	samples []report.Sample

	total         shard // at the last look
	requests, sum int64 // in total at the last sample
	at            time.Time
	before, now   runtime.MemStats
}

func (l *load) sampler() *sampler {
	s := &sampler{load: l, at: l.begin}
	s.total.init()
	runtime.ReadMemStats(&s.before)
	return s
}

func (s *sampler) sample() {
	end := time.Now()
	s.load.total(&s.total)
	n := s.total.requests() - s.requests
	if n == 0 {
		return
	}
	runtime.ReadMemStats(&s.now)
	each := float64(end.Sub(s.at)) / float64(n)
	if s.Rate > 0 {
		each = float64(s.total.sum-s.sum) / float64(n)
	}
	s.samples = append(s.samples, report.Sample{Operations: int(n), NsPerOp: each,
		AllocsPerOp: float64(s.now.Mallocs-s.before.Mallocs) / float64(n), BytesPerOp: float64(s.now.TotalAlloc-s.before.TotalAlloc) / float64(n),
		GCCycles: int(s.now.NumGC - s.before.NumGC)})
	s.at, s.requests, s.sum, s.before = end, s.requests+n, s.total.sum, s.now
}

// watch takes the samples, and tells of the progress, until the time is over or ctx ends.
func (s *sampler) watch(ctx context.Context) {
	interval := max(s.Duration/intervals, time.Millisecond)
	ctx, cancel := context.WithDeadline(ctx, s.begin.Add(s.Duration))
	defer cancel()
	ticks := time.NewTicker(min(interval, livePeriod))
	defer ticks.Stop()
	told, toldOf := s.begin, int64(0)
	next := 1
	for {
		select {
		case <-ctx.Done():
			if time.Since(s.at) > interval/2 {
				s.sample()
			}
			return
		case <-ticks.C:
		}
		if time.Since(s.begin) >= interval*time.Duration(next) && next < intervals {
			s.sample()
			next++
		}
		if elapsed := time.Since(told); s.Progress != nil && elapsed >= livePeriod {
			s.load.total(&s.total)
			n := s.total.requests()
			s.Progress(Live{Elapsed: time.Since(s.begin), Requests: n, PerSecond: float64(n-toldOf) / elapsed.Seconds(),
				Errors: s.total.errors(), P50: s.total.response.ValueAtQuantile(50), P99: s.total.response.ValueAtQuantile(99)})
			told, toldOf = time.Now(), n
		}
	}
}

func listed(names map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(names)), ", ") }
