// Package measure times alternatives against each other in one process.
//
// Two programs timed one after the other differ by what the machine did meanwhile: frequency, neighbours, page
// placement. So the alternatives take turns. One round runs one batch of each, in a seeded random order; the next round
// runs them in the opposite order (A B, then B A), so that a drift within a round cancels; and what is compared is the
// ratio within a round, whose two batches lie milliseconds apart.
//
// A batch is a plain loop of whole cycles over a task's prepared requests, long enough for the clock: whole cycles, so
// that every batch does the same work and its allocations divide exactly. Where one cycle would take as long as 32
// batches, which happens to scans of thousands of sets, a batch is the first eighth of the cycle, the same eighth each
// time. testing.B.Loop is not used: it costs about 1.5 ns per turn and keeps arguments alive, which is as much as the
// smallest things measured here (golang/go#73137, #77339).
//
// Heap figures are the process's counters before and after the batch (runtime.ReadMemStats, outside of the timed
// part). The collector runs to its end before each round and after each batch that allocated: a task that allocates
// pays for the collections in its own batch, and its neighbour does not pay for its garbage.
package measure

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"
)

// Task is one alternative.
type Task struct {
	// Run performs n operations, the same in every call, and repeats itself after Config.Cycle of them.
	Run func(n int)
}

// Config says how to measure.
type Config struct {
	Rounds int           // batches per task
	Cycle  int           // operations after which a task's work repeats
	Batch  time.Duration // a batch takes at least about this long; 0 for one cycle
	Seed   uint64        // of the order within the rounds
	Turn   func()        // called after every batch, for progress; may be nil
}

// Sample is one batch.
type Sample struct {
	Operations int
	Elapsed    time.Duration
	Allocs     uint64 // heap objects allocated meanwhile
	Bytes      uint64 // heap bytes allocated meanwhile
}

// NsPerOp returns the mean time of one operation in nanoseconds.
func (s Sample) NsPerOp() float64 { return float64(s.Elapsed) / float64(s.Operations) }

// AllocsPerOp returns the mean number of heap objects that one operation allocates.
func (s Sample) AllocsPerOp() float64 { return float64(s.Allocs) / float64(s.Operations) }

// BytesPerOp returns the mean number of heap bytes that one operation allocates.
func (s Sample) BytesPerOp() float64 { return float64(s.Bytes) / float64(s.Operations) }

// Interleaved runs the rounds and returns for each task its samples, one per round. It stops between two batches when
// the context ends, with the context's error.
func Interleaved(ctx context.Context, tasks []Task, cfg Config) ([][]Sample, error) {
	return machine{now: time.Now, heap: readHeap, settle: runtime.GC}.interleaved(ctx, tasks, cfg)
}

// machine is what tests replace: a clock, the heap counters and the collector.
type machine struct {
	now    func() time.Time
	heap   func() (allocs, bytes uint64)
	settle func()
}

func readHeap() (allocs, bytes uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs, m.TotalAlloc
}

// unsettled is how many bytes a batch may allocate without a collection after it: a stray allocation of the runtime
// is no reason for one, and it is far below what starts one by itself.
const unsettled = 64 << 10

func (m machine) interleaved(ctx context.Context, tasks []Task, cfg Config) ([][]Sample, error) {
	operations := make([]int, len(tasks))
	for i, t := range tasks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		operations[i] = m.calibrate(t, cfg)
	}
	samples := make([][]Sample, len(tasks))
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x6b736265_6e636821))
	var order []int
	for round := range cfg.Rounds {
		if round%2 == 0 {
			order = rng.Perm(len(tasks))
		} else {
			for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
				order[i], order[j] = order[j], order[i]
			}
		}
		m.settle()
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s := m.batch(tasks[i], operations[i])
			samples[i] = append(samples[i], s)
			if s.Bytes > unsettled {
				m.settle()
			}
			if cfg.Turn != nil {
				cfg.Turn()
			}
		}
	}
	return samples, nil
}

// calibrate warms the task up with an eighth of a cycle and returns how many operations make a batch. Only where several
// cycles go into one is a whole cycle timed first, now that it is warm.
func (m machine) calibrate(t Task, cfg Config) int {
	eighth := max(cfg.Cycle/8, 1)
	cycle := m.batch(t, eighth).Elapsed * time.Duration(cfg.Cycle) / time.Duration(eighth)
	if cfg.Batch > 0 && cycle > 32*cfg.Batch {
		return eighth
	}
	if cycle >= cfg.Batch {
		return cfg.Cycle
	}
	if cycle = m.batch(t, cfg.Cycle).Elapsed; cycle <= 0 { // a clock that coarse
		return cfg.Cycle
	}
	return int((cfg.Batch+cycle-1)/cycle) * cfg.Cycle
}

func (m machine) batch(t Task, n int) Sample {
	allocs, bytes := m.heap()
	start := m.now()
	t.Run(n)
	elapsed := m.now().Sub(start)
	allocsAfter, bytesAfter := m.heap()
	return Sample{Operations: n, Elapsed: elapsed, Allocs: allocsAfter - allocs, Bytes: bytesAfter - bytes}
}
