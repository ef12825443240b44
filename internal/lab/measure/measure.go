// Package measure times alternatives against each other in one process.
//
// Two programs timed one after the other also differ by what the machine did meanwhile: frequency, neighbours, page
// placement. So the alternatives take turns. One round runs one batch of each, in a seeded random order; the next round
// runs them in the opposite order (A B, then B A), so that a drift within a round cancels. Reports compare the ratio
// within a round, whose two batches lie milliseconds apart.
//
// A batch is a plain loop over a task's prepared requests, long enough for the clock. It covers whole cycles, so every
// batch does the same work and its allocations divide exactly. Where one cycle would take as long as 32 batches, as
// scans of thousands of sets do, a batch is the first eighth of the cycle, the same eighth each time. testing.B.Loop
// costs about 1.5 ns per turn and keeps arguments alive, which is as much as the smallest things measured here
// (golang/go#73137, #77339), so it is not used.
//
// A clock that moves in steps, such as Windows' steps of up to 16 ms, does not see a short batch. So a batch lasts at
// least ten steps of the clock, whatever Config.Batch says.
//
// Before the first round each task warms up with eighths of a cycle, until three in a row are at most 2 % faster than
// the fastest before, or until Config.WarmUp has passed. On a machine with neighbours times never stop varying, but
// they do stop improving; so the comparison is with the fastest, not the last.
//
// A batch starts with another task's memory in the caches, unlike a loop that has the machine to itself, such as
// package testing's. So a task can run some untimed cycles before each of its batches (Config.Prime). Where its memory
// fits into the second-level cache, one cycle is enough. Where it is a few times as large, times fall for longer: the
// first six cycles of lookups in 40,000 keys of 64 bytes took 49, 31, 26, 22, 20 and 17 ns each. A task whose warm-up
// allocated more than a stray object is not primed: that would only put garbage into its batch.
//
// Several machines can share the rounds of one measurement (Config.Shard). Each runs its pairs of mirrored rounds in
// the order in which one machine would have run them, so all of them together make that measurement.
//
// Heap figures are the process's counters before and after the batch (runtime.ReadMemStats, outside the timed part).
// The collector runs to its end before each round and after each batch that allocated: a task that allocates pays for
// its collections in its own batch, and its neighbour does not pay for its garbage.
package measure

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Primed is the Config.Prime of everything whose times are compared with those of other runs.
const Primed = 1

// Task is one alternative.
type Task struct {
	// Run performs n operations, the same in every call, and repeats itself after Config.Cycle of them.
	Run func(n int)
}

// Subject is a task that has a name among others, and whose units are several operations.
type Subject struct {
	Per int             // operations in a unit
	Run func(units int) // allows what Task.Run does
}

// Config says how to measure.
type Config struct {
	Rounds int           // batches per task
	Cycle  int           // operations after which a task's work repeats
	Batch  time.Duration // a batch takes at least about this long; 0 for one cycle
	Prime  int           // cycles, or parts of one if that is a batch, before each batch, untimed
	Seed   uint64        // of the order within the rounds
	Turn   func()        // called after every batch, for progress; may be nil
	Steady bool          // nothing allocates: the collector runs before the first round only, which a heap of gigabytes makes long

	WarmUp        time.Duration               // a task is warmed up for at most about this long, and with at least one batch
	Warmed        func(task int, took WarmUp) // called after each warm-up; may be nil
	Shard, Shards int                         // which of so many parts of the rounds, from 0; Shards 0 for all of them
}

// Share returns how many of the rounds a shard runs.
func Share(rounds, shard, shards int) (n int) {
	for round := range rounds {
		if shards == 0 || round/2%shards == shard {
			n++
		}
	}
	return n
}

// WarmUp is what a task needed to get steady.
type WarmUp struct {
	Elapsed time.Duration
	Batches int
	Stable  bool // false: the cap ended it
}

// Sample is one batch.
type Sample struct {
	Operations int
	Elapsed    time.Duration
	Allocs     uint64 // heap objects allocated meanwhile
	Bytes      uint64 // heap bytes allocated meanwhile
	Cycles     uint32 // collections that ended meanwhile
}

// NsPerOp returns the mean time of one operation in nanoseconds.
func (s Sample) NsPerOp() float64 { return float64(s.Elapsed) / float64(s.Operations) }

// AllocsPerOp returns the mean number of heap objects that one operation allocates.
func (s Sample) AllocsPerOp() float64 { return float64(s.Allocs) / float64(s.Operations) }

// BytesPerOp returns the mean number of heap bytes that one operation allocates.
func (s Sample) BytesPerOp() float64 { return float64(s.Bytes) / float64(s.Operations) }

// Interleaved runs the rounds and returns for each task its samples, one per round. It stops between two batches when
// the context ends, with the context's error and the samples of the rounds that were complete.
func Interleaved(ctx context.Context, tasks []Task, cfg Config) ([][]Sample, error) {
	return machine{now: time.Now, tick: tick(), heap: readHeap, settle: runtime.GC}.interleaved(ctx, tasks, cfg)
}

// Rounds lets those of the subjects that are named take turns, each as one task however often it is named, and returns for each the time
// of one operation in ns, round by round. Turn is told how many of all batches are done; nil for none. It ends early with the
// context's error.
func Rounds(ctx context.Context, subjects map[string]Subject, names []string, cfg Config, turn func(done, total int)) (
	map[string][]float64, error) {
	var order []string
	var tasks []Task
	for _, name := range names {
		if !slices.Contains(order, name) {
			order, tasks = append(order, name), append(tasks, Task{Run: subjects[name].Run})
		}
	}
	done := 0
	cfg.Turn = func() {
		done++
		if turn != nil {
			turn(done, cfg.Rounds*len(tasks))
		}
	}
	samples, err := Interleaved(ctx, tasks, cfg)
	if err != nil {
		return nil, err
	}
	rounds := map[string][]float64{}
	for i, name := range order {
		for _, s := range samples[i] {
			rounds[name] = append(rounds[name], s.NsPerOp()/float64(subjects[name].Per))
		}
	}
	return rounds, nil
}

// tick is the step of the clock: some ten nanoseconds, but on Windows up to 16 ms.
var tick = sync.OnceValue(func() time.Duration { return step(time.Now) })

// step returns the median of some steps of a clock: the smallest would be that of a clock that catches up, the largest that of
// a process that did not run meanwhile.
func step(now func() time.Time) time.Duration {
	steps := make([]time.Duration, 9)
	for i := range steps {
		for begin := now(); steps[i] <= 0; {
			steps[i] = now().Sub(begin)
		}
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// machine is what tests replace: a clock, the heap counters and the collector.
type machine struct {
	now    func() time.Time
	tick   time.Duration // of that clock
	heap   func() heap
	settle func()
}

// heap are the counters of the process since it began.
type heap struct {
	allocs, bytes uint64
	cycles        uint32
}

func readHeap() heap {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heap{m.Mallocs, m.TotalAlloc, m.NumGC}
}

// unsettled is how many bytes a batch may allocate without a collection after it: a stray allocation of the runtime
// is no reason for one, and it is far below what starts one by itself.
const unsettled = 64 << 10

func (m machine) interleaved(ctx context.Context, tasks []Task, cfg Config) ([][]Sample, error) {
	plans := make([]plan, len(tasks))
	for i, t := range tasks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part, took := m.warmUp(t, cfg)
		if cfg.Warmed != nil {
			cfg.Warmed(i, took)
		}
		p := plan{Task: t, operations: m.calibrate(t, cfg, part)}
		if n := cfg.Prime * min(cfg.Cycle, p.operations); n > 0 && m.batch(t, n).Bytes <= unsettled {
			p.prime = n
		}
		plans[i] = p
	}
	if cfg.Steady {
		m.settle = sync.OnceFunc(m.settle)
	}
	samples := make([][]Sample, len(tasks))
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x6b736265_6e636821))
	var order []int
	for round := range cfg.Rounds {
		if round%2 == 0 {
			order = rng.Perm(len(tasks))
		} else {
			slices.Reverse(order)
		}
		if cfg.Shards > 0 && round/2%cfg.Shards != cfg.Shard {
			continue
		}
		if err := m.round(ctx, plans, order, samples, cfg.Turn); err != nil {
			return samples, err
		}
	}
	return samples, nil
}

// plan is a task with the operations of its batches, and those untimed before each.
type plan struct {
	Task
	operations, prime int
}

// round runs one batch of each task in the given order. It adds to samples only if it comes to its end.
func (m machine) round(ctx context.Context, plans []plan, order []int, samples [][]Sample, turn func()) error {
	m.settle()
	batches := make([]Sample, len(plans))
	for _, i := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := plans[i]
		if p.prime > 0 {
			p.Run(p.prime)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		batches[i] = m.batch(p.Task, p.operations)
		for batches[i].Elapsed <= 0 && m.tick > 0 { // the clock stood still for longer than it does
			plans[i].operations *= 2
			batches[i] = m.batch(p.Task, plans[i].operations)
		}
		if batches[i].Bytes > unsettled {
			m.settle()
		}
		if turn != nil {
			turn()
		}
	}
	for i, s := range batches {
		samples[i] = append(samples[i], s)
	}
	return nil
}

// A task is steady when so many batches in a row were no faster than the fastest before, by more than this.
const (
	steadyBatches = 3
	steadyGain    = 0.02
)

// warmUp runs eighths of a cycle until the task is steady or the time is over. It returns the fastest of them.
func (m machine) warmUp(t Task, cfg Config) (least Sample, took WarmUp) {
	eighth, steady := max(cfg.Cycle/8, 1), 0
	for steady < steadyBatches {
		s := m.batch(t, eighth)
		took.Batches++
		took.Elapsed += s.Elapsed
		if least.Operations > 0 && float64(s.Elapsed) >= (1-steadyGain)*float64(least.Elapsed) {
			steady++
		} else {
			steady = 0
		}
		if least.Operations == 0 || s.Elapsed < least.Elapsed {
			least = s
		}
		if took.Elapsed >= cfg.WarmUp {
			break
		}
	}
	took.Stable = steady == steadyBatches
	return least, took
}

// Visible returns the least time that the clock of this machine tells to a tenth. What is timed by other means than Interleaved
// should take as long.
func Visible() time.Duration { return visible * tick() }

// visible is how many steps of the clock a batch takes at least, so that it is timed to a tenth, however coarse the clock.
const visible = 10

// mostCycles is how many cycles make a batch at most: a task that does nothing takes no longer for more of them.
const mostCycles = 1 << 30

// calibrate returns how many operations make a batch, from the time of a part of the cycle. Only where several cycles go
// into one is a whole cycle timed first, or as many as the clock needs to see them.
func (m machine) calibrate(t Task, cfg Config, part Sample) int {
	seen := visible * m.tick
	batch := max(cfg.Batch, seen)
	cycle := part.Elapsed * time.Duration(cfg.Cycle) / time.Duration(part.Operations)
	if cfg.Batch > 0 && cycle > 32*batch {
		return part.Operations
	}
	if cycle >= batch {
		return cfg.Cycle
	}
	n := 1
	took := m.batch(t, cfg.Cycle).Elapsed
	for took < seen && n < mostCycles {
		n *= 2
		took = m.batch(t, n*cfg.Cycle).Elapsed
	}
	if took <= 0 { // nothing at all, by a clock without steps
		return cfg.Cycle
	}
	return min(int((batch*time.Duration(n)+took-1)/took), mostCycles) * cfg.Cycle
}

func (m machine) batch(t Task, n int) Sample {
	before := m.heap()
	start := m.now()
	t.Run(n)
	elapsed := m.now().Sub(start)
	after := m.heap()
	return Sample{Operations: n, Elapsed: elapsed, Allocs: after.allocs - before.allocs, Bytes: after.bytes - before.bytes,
		Cycles: after.cycles - before.cycles}
}
