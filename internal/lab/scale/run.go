package scale

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// MaxKeys is the largest size that is measured: about 1 GB while it is.
const MaxKeys = 4_000_000

// Options say how to measure.
type Options struct {
	Max    int // keys of the largest size, 8 to MaxKeys
	Rounds int
	Batch  time.Duration // least length of a batch of requests
	Seed   uint64        // of keys, requests and order

	// Progress is called between batches with how many of all there are; nil for none. It must not allocate much.
	Progress func(done, total int, what string)
}

// Sizes are the numbers of keys up to most: 8, then four times as many each, and most itself.
func Sizes(most int) (sizes []int) {
	for n := 8; n < most; n *= 4 {
		sizes = append(sizes, n)
	}
	return append(sizes, most)
}

var impls = []report.Impl{
	{Name: "engine", Kind: report.Engine, Description: "table.Lookup one by one, table.LookupBatch 256 keys a call; entries of 64 bytes"},
	{Name: "map", Kind: report.Peer, Description: "a Go map keyed by {GUID, id}, sized in advance; values of 8 bytes"},
}

// row is a way of asking; those of one kind of requests take turns.
type row struct {
	impl  string
	batch int
	send  func(*bed, int) uint64
}

var rows = []row{{"engine", 1, (*bed).single}, {"engine", batch, (*bed).batched}, {"map", 1, (*bed).mapped}}

var sink atomic.Uint64

// Run measures all sizes and returns a report with a Scale and no results. It ends early with the context's error.
func Run(ctx context.Context, opt Options) (*report.Report, error) {
	rep := report.New(machine.Describe(), report.Settings{Seed: opt.Seed, Rounds: opt.Rounds, Requests: leastStream,
		BatchNs: int64(opt.Batch), Prime: measure.Primed})
	rep.Paths, rep.Impls = []report.Path{{Name: "lookup", Description: "find the item of a (GUID, id)"}}, impls
	rep.Environment.Caches = machine.Caches()
	sizes := Sizes(opt.Max)
	done, total := 0, len(sizes)*len(kinds)*len(rows)*opt.Rounds
	for _, n := range sizes {
		points, err := size(ctx, n, opt, func() {
			done++
			if opt.Progress != nil {
				opt.Progress(done, total, fmt.Sprintf("%d keys", n))
			}
		})
		if err != nil {
			return nil, err
		}
		rep.Scale = append(rep.Scale, points...)
	}
	return rep, nil
}

func size(ctx context.Context, n int, opt Options, turn func()) ([]report.ScalePoint, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(opt.Seed, uint64(n)))
	entries := newEntries(n, rng)
	b := &bed{out: make([]*table.Entry[value], batch)}
	var err error
	engine := costOf(n, func() {
		if b.table, err = table.Build(entries, table.Config{Seed: opt.Seed}); err != nil {
			err = fmt.Errorf("%d keys: %w", n, err)
		}
	}, func() any { return b.table })
	if err != nil {
		return nil, err
	}
	flat := costOf(n, func() {
		b.flat = make(map[table.Key]uint64, n)
		for i := range entries {
			b.flat[keyOf(&entries[i])] = uint64(entries[i].Tag)
		}
	}, func() any { return b.flat })

	var points []report.ScalePoint
	for _, kind := range kinds {
		b.stream = newStream(kind, entries, rng)
		rounds, err := b.measure(ctx, opt, turn)
		if err != nil {
			return nil, fmt.Errorf("%d keys, %s: %w", n, kind, err)
		}
		for i, r := range rows {
			p := report.NewScalePoint(n, kind, r.impl, r.batch, rounds[i])
			c := engine
			if r.impl == "map" {
				c = flat
			}
			p.BytesPerKey, p.BuildNsPerKey = c.bytes, c.ns
			points = append(points, p)
		}
	}
	return points, nil
}

// measure times the rows on the requests of the bed, in nanoseconds per request, after they have come to the same checksum.
func (b *bed) measure(ctx context.Context, opt Options, turn func()) ([][]float64, error) {
	tasks := make([]measure.Task, len(rows))
	want := rows[0].send(b, len(b.stream))
	for i, r := range rows {
		if sum := r.send(b, len(b.stream)); sum != want {
			return nil, fmt.Errorf("the checksum of %s, %d a call, is %#x, of %s %#x", r.impl, r.batch, sum, rows[0].impl, want)
		}
		tasks[i].Run = func(n int) { sink.Add(r.send(b, n)) }
	}
	samples, err := measure.Interleaved(ctx, tasks, measure.Config{
		Rounds: opt.Rounds, Cycle: len(b.stream), Batch: opt.Batch, Prime: measure.Primed, Seed: opt.Seed, Turn: turn,
	})
	if err != nil {
		return nil, err
	}
	rounds := make([][]float64, len(rows))
	for i := range samples {
		for _, s := range samples[i] {
			rounds[i] = append(rounds[i], s.NsPerOp())
		}
	}
	return rounds, nil
}

// cost is per key.
type cost struct{ bytes, ns float64 }

// costOf builds as many copies as make 64 Ki keys, and a large one three times unless that takes long.
func costOf(n int, build func(), built func() any) cost {
	copies := max(1, 1<<16/n)
	held := make([]any, copies)
	var times []float64
	timed := func() {
		start := time.Now()
		build()
		times = append(times, float64(time.Since(start)))
	}
	before := liveHeap()
	for i := range held {
		timed()
		held[i] = built()
	}
	c := cost{bytes: (liveHeap() - before) / float64(copies*n)}
	runtime.KeepAlive(held)
	clear(held)
	for len(times) < 3 && times[0] < float64(400*time.Millisecond) {
		timed()
	}
	c.ns = stats.Median(times) / float64(n)
	return c
}

func liveHeap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
