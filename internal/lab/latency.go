package lab

import (
	"context"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/latency"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// In a closed loop one request in timedEvery is timed, so that most run as in a batch, and at least leastTimed are: below
// that a p99 says nothing.
const (
	timedEvery   = 16
	leastTimed   = 1000
	shortestPass = 20 * time.Millisecond
)

// latencies times single requests of each row, one row after the other, each for as long as its rounds were meant to take.
// If the context ends it returns the rows that were done, and the context's error.
func (b *bed) latencies(ctx context.Context, rows []row, opt Options, turn func()) ([]*report.Latency, error) {
	// The loops begin with the first of their requests. Twice the list, seen through a window, begins with any.
	list := append(b.requests[:len(b.requests):len(b.requests)], b.requests[:]...)
	defer func(whole requests) { b.requests = whole }(b.requests)
	length := max(time.Duration(opt.Shard.Rounds(opt.Rounds))*opt.Batch, shortestPass)
	var passes []*report.Latency
	for _, r := range rows {
		loop := r.loop()
		send := func(at, n int) {
			b.requests = (*[Requests]request)(list[at:])
			sink.Add(loop(b, n))
		}
		b.requests = (*[Requests]request)(list)
		loop(b, Requests/8) // warm again: other rows ran since
		result, err := latency.Measure(ctx, send, latency.Config{
			Cycle: Requests, Every: timedEvery, Rate: opt.Rate, Duration: length, Least: leastTimed,
		})
		if err != nil {
			return passes, err
		}
		pass, err := report.NewLatency(result.Every, result.Behind, result.Clock, result.Service, result.Response)
		if err != nil {
			return passes, err
		}
		passes = append(passes, pass)
		turn()
	}
	return passes, nil
}
