package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// bench is a machine on which a task's operation takes as long and allocates as much as the test says.
type bench struct {
	clock   time.Time
	heap    heap
	settled int
	log     []string
}

func (b *bench) machine() machine {
	return machine{
		now:    func() time.Time { return b.clock },
		heap:   func() heap { return b.heap },
		settle: func() { b.settled++; b.log = append(b.log, "gc") },
	}
}

func (b *bench) task(name string, each time.Duration, bytes uint64) Task {
	return Task{Run: func(n int) {
		b.log = append(b.log, fmt.Sprintf("%s*%d", name, n))
		b.clock = b.clock.Add(time.Duration(n) * each)
		if bytes > 0 {
			b.heap.allocs += uint64(n)
			b.heap.bytes += uint64(n) * bytes
			b.heap.cycles++
		}
	}}
}

func TestBatchesAreWholeCyclesOfTheAskedLength(t *testing.T) {
	var b bench
	tasks := []Task{b.task("quick", 3*time.Nanosecond, 0), b.task("slow", 4000*time.Nanosecond, 0),
		b.task("very slow", 4001*time.Nanosecond, 0)}
	cfg := Config{Rounds: 4, Cycle: 80, Batch: 10 * time.Microsecond, Seed: 1}
	samples, err := b.machine().interleaved(context.Background(), tasks, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{3360, 80, 10} { // 42 cycles of 240 ns are the first to reach 10 µs; 32 batches are 320 µs
		for _, s := range samples[i] {
			if s.Operations != want {
				t.Errorf("task %d: %d operations in a batch, want %d", i, s.Operations, want)
			}
		}
		if len(samples[i]) != cfg.Rounds {
			t.Errorf("task %d: %d samples, want %d", i, len(samples[i]), cfg.Rounds)
		}
	}
	if ns := samples[0][0].NsPerOp(); ns != 3 {
		t.Errorf("quick: %v ns, want 3", ns)
	}
}

func TestRoundsMirrorEachOther(t *testing.T) {
	run := func(seed uint64) []string {
		var b bench
		var tasks []Task
		for i := range 6 {
			tasks = append(tasks, b.task(fmt.Sprint(i), time.Second, 0))
		}
		_, err := b.machine().interleaved(context.Background(), tasks, Config{Rounds: 6, Cycle: 1, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(b.log[6:], func(s string) bool { return s == "gc" }) // six calibrations first
	}
	log := run(7)
	if len(log) != 36 {
		t.Fatalf("%d batches, want 36", len(log))
	}
	for r := 0; r < 6; r += 2 {
		back := slices.Clone(log[6*(r+1) : 6*(r+2)])
		slices.Reverse(back)
		if !slices.Equal(log[6*r:6*(r+1)], back) {
			t.Errorf("rounds %d and %d are not mirror images: %v", r, r+1, log[6*r:6*(r+2)])
		}
	}
	if slices.Equal(log[:6], log[12:18]) && slices.Equal(log[12:18], log[24:30]) {
		t.Error("the order is the same in every pair of rounds")
	}
	if !slices.Equal(log, run(7)) {
		t.Error("the same seed gave another order")
	}
}

func TestGarbageIsCollectedBeforeTheNextBatch(t *testing.T) {
	var b bench
	tasks := []Task{b.task("clean", time.Second, 0), b.task("dirty", time.Second, unsettled+1)}
	samples, err := b.machine().interleaved(context.Background(), tasks, Config{Rounds: 3, Cycle: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range b.log[2:] {
		if entry == "dirty*2" && b.log[2+i+1] != "gc" {
			t.Errorf("no collection after %q: %v", entry, b.log)
		}
		if entry == "clean*2" && i > 0 && b.log[2+i-1] != "gc" {
			t.Errorf("garbage before %q: %v", entry, b.log)
		}
	}
	if b.settled != 6 {
		t.Errorf("%d collections, want one per round and one per dirty batch", b.settled)
	}
	if s := samples[1][0]; s.AllocsPerOp() != 1 || s.BytesPerOp() != unsettled+1 || s.Cycles != 1 {
		t.Errorf("dirty: %v allocs, %v bytes per operation", s.AllocsPerOp(), s.BytesPerOp())
	}
	if s := samples[0][0]; s.Allocs != 0 || s.Bytes != 0 {
		t.Errorf("clean: %+v", s)
	}
}

// What is cut off is the round that was not complete: samples of one index stay those of one round.
func TestCancelStopsBetweenBatches(t *testing.T) {
	var b bench
	ctx, cancel := context.WithCancel(context.Background())
	turns := 0
	cfg := Config{Rounds: 100, Cycle: 1, Turn: func() {
		if turns++; turns == 5 {
			cancel()
		}
	}}
	samples, err := b.machine().interleaved(ctx, []Task{b.task("a", 1, 0), b.task("b", 1, 0)}, cfg)
	if !errors.Is(err, context.Canceled) || turns != 5 || len(samples) != 2 || len(samples[0]) != 2 || len(samples[1]) != 2 {
		t.Errorf("%v, %v after %d turns", samples, err, turns)
	}
	if samples, err := b.machine().interleaved(ctx, []Task{b.task("a", 1, 0)}, cfg); !errors.Is(err, context.Canceled) || samples != nil {
		t.Errorf("before the first round: %v, %v", samples, err)
	}
}

// A primed task runs untimed before each batch, and one that allocates does not.
func TestPrimedBatches(t *testing.T) {
	var b bench
	tasks := []Task{
		b.task("quick", 3*time.Nanosecond, 0), b.task("very slow", 4001*time.Nanosecond, 0),
		b.task("wasteful", 3*time.Nanosecond, unsettled/100), // more than that in 160 operations, not in an eighth of 80
	}
	cfg := Config{Rounds: 4, Cycle: 80, Batch: 10 * time.Microsecond, Seed: 1, Prime: 2}
	samples, err := b.machine().interleaved(context.Background(), tasks, cfg)
	if err != nil {
		t.Fatal(err)
	}
	log := fmt.Sprint(b.log)
	for i, want := range []struct {
		batch string
		n, at int // how often, and in operations
	}{{"quick*160 quick*3360", 4, 3360}, {"very slow*20 very slow*10", 4, 10}, {"wasteful*160 wasteful*3360", 0, 3360}} {
		if got := strings.Count(log, want.batch); got != want.n {
			t.Errorf("task %d: %q occurs %d times, want %d, in %s", i, want.batch, got, want.n, log)
		}
		for _, s := range samples[i] {
			if s.Operations != want.at || s.Elapsed%time.Duration(want.at) != 0 {
				t.Errorf("task %d: %d operations in %v, want %d in a multiple of it", i, s.Operations, s.Elapsed, want.at)
			}
		}
	}
	if ns := samples[0][0].NsPerOp(); ns != 3 {
		t.Errorf("quick: %v ns, want 3: what primes is not timed", ns)
	}
}

// All shards together run what one machine would have run, each of them its part in the same order.
func TestShardsShareTheRounds(t *testing.T) {
	run := func(shard, shards int) (log []string) {
		var b bench
		tasks := []Task{b.task("a", time.Second, 0), b.task("b", time.Second, 0), b.task("c", time.Second, 0)}
		cfg := Config{Rounds: 11, Cycle: 1, Seed: 3, Shard: shard, Shards: shards}
		samples, err := b.machine().interleaved(context.Background(), tasks, cfg)
		if err != nil || len(samples[0]) != Share(11, shard, shards) {
			t.Fatalf("shard %d of %d: %d rounds, promised %d, %v", shard, shards, len(samples[0]), Share(11, shard, shards), err)
		}
		return b.log[3:]
	}
	whole := run(0, 0)
	const round = 4 // a collection and three batches
	for _, shards := range []int{1, 2, 3, 6} {
		parts := make([][]string, shards)
		for i := range parts {
			parts[i] = run(i, shards)
		}
		var all []string
		for pair := 0; len(all) < len(whole); pair++ {
			part := &parts[pair%shards]
			n := min(2*round, len(*part))
			all = append(all, (*part)[:n]...)
			*part = (*part)[n:]
		}
		if !slices.Equal(all, whole) {
			t.Errorf("%d shards: %v, want %v", shards, all, whole)
		}
	}
	if Share(11, 6, 7) != 0 {
		t.Error("a shard without rounds has some")
	}
}

func TestWarmUpEndsWhenTimesStopFalling(t *testing.T) {
	run := func(limit time.Duration, times ...time.Duration) (took WarmUp) {
		var b bench
		n := 0
		task := Task{Run: func(int) {
			b.clock = b.clock.Add(times[min(n, len(times)-1)])
			n++
		}}
		_, err := b.machine().interleaved(context.Background(), []Task{task},
			Config{Cycle: 8, WarmUp: limit, Warmed: func(_ int, w WarmUp) { took = w }})
		if err != nil {
			t.Fatal(err)
		}
		return took
	}
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		limit time.Duration
		times []time.Duration
		want  WarmUp
	}{
		{"steady", time.Second, []time.Duration{10 * ms}, WarmUp{40 * ms, 4, true}},
		{"falling", time.Second, []time.Duration{40 * ms, 30 * ms, 20 * ms, 10 * ms}, WarmUp{130 * ms, 7, true}},
		{"noisy but not falling", time.Second, []time.Duration{10 * ms, 30 * ms, 10 * ms, 90 * ms}, WarmUp{140 * ms, 4, true}},
		{"creeping", time.Second, []time.Duration{1000 * ms, 990 * ms}, WarmUp{1000 * ms, 1, false}},
		{"falling by less than counts", 9 * time.Second, []time.Duration{1000 * ms, 990 * ms, 985 * ms, 981 * ms}, WarmUp{3956 * ms, 4, true}},
		{"capped", 100 * ms, []time.Duration{40 * ms, 30 * ms, 20 * ms, 19 * ms, 10 * ms}, WarmUp{109 * ms, 4, false}},
		{"none asked for", 0, []time.Duration{40 * ms}, WarmUp{40 * ms, 1, false}},
	} {
		if got := run(c.limit, c.times...); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

var sink []byte

// The real counters must see a real allocation, and nothing where there is none.
func TestRealCounters(t *testing.T) {
	tasks := []Task{
		{Run: func(n int) {
			for range n {
				sink = make([]byte, 64)
			}
		}},
		{Run: func(n int) {
			for i := range n {
				sink[0] = byte(i)
			}
		}},
	}
	sink = make([]byte, 1)
	samples, err := Interleaved(context.Background(), tasks, Config{Rounds: 3, Cycle: 4096})
	if err != nil {
		t.Fatal(err)
	}
	least := func(samples []Sample) Sample { // other goroutines of the process count too: the least is the task's own
		return slices.MinFunc(samples, func(a, b Sample) int { return int(int64(a.Allocs) - int64(b.Allocs)) })
	}
	if s := least(samples[0]); s.Allocs < uint64(s.Operations) || s.Allocs > uint64(s.Operations)+64 || s.Bytes < 64*uint64(s.Operations) {
		t.Errorf("allocations of 64 bytes, one each, were counted as %+v", s)
	}
	forced := []Task{{Run: func(n int) {
		for range n {
			runtime.GC()
		}
	}}}
	collected, err := Interleaved(context.Background(), forced, Config{Rounds: 1, Cycle: 2})
	if err != nil || collected[0][0].Cycles < 2 {
		t.Errorf("two collections were counted as %+v, %v", collected, err)
	}
	if s := least(samples[1]); s.Allocs > 16 {
		t.Errorf("a loop without allocations was counted as %+v", s)
	}
}

// With tasks that allocate nothing there is one collection, before the first round.
func TestSteadyTasksAreCollectedForOnce(t *testing.T) {
	var b bench
	tasks := []Task{b.task("clean", time.Second, 0)}
	if _, err := b.machine().interleaved(context.Background(), tasks, Config{Rounds: 3, Cycle: 1, Steady: true}); err != nil {
		t.Fatal(err)
	}
	if b.settled != 1 {
		t.Errorf("%d collections, want 1", b.settled)
	}
}

// A clock that ticks coarsely sees every batch, and tells its time to a tenth: however short the batches that were asked for, and
// the task.
func TestCoarseClock(t *testing.T) {
	const tick = 15625 * time.Microsecond
	for _, each := range []time.Duration{time.Nanosecond, 3 * time.Microsecond, 400 * time.Microsecond, 20 * time.Millisecond} {
		for _, batch := range []time.Duration{0, 500 * time.Microsecond, 15 * time.Millisecond, time.Second} {
			var b bench
			m := b.machine()
			m.now = func() time.Time { return b.clock.Truncate(tick) }
			m.tick = tick
			samples, err := m.interleaved(t.Context(), []Task{b.task("", each, 0)}, Config{Rounds: 20, Cycle: 16, Batch: batch, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples[0] {
				if got := s.NsPerOp() / float64(each); got < 0.8 || got > 1.2 {
					t.Errorf("an operation of %v, batches of %v: %d take %v, %.2f of what they should", each, batch, s.Operations, s.Elapsed, got)
				}
			}
		}
	}
}

// A clock that once stands still for longer than its step leaves no batch without a time.
func TestClockThatStandsStill(t *testing.T) {
	var b bench
	m := b.machine()
	m.tick = time.Microsecond
	still, reads := b.clock, 0
	m.now = func() time.Time {
		if reads++; reads < 100 || reads > 110 {
			still = b.clock
		}
		return still
	}
	samples, err := m.interleaved(t.Context(), []Task{b.task("", time.Microsecond, 0)},
		Config{Rounds: 200, Cycle: 16, Batch: 16 * time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	if reads < 400 || len(samples[0]) != 200 {
		t.Fatalf("%d reads, %d samples", reads, len(samples[0]))
	}
	for _, s := range samples[0] {
		if s.Elapsed <= 0 {
			t.Errorf("%d operations take %v", s.Operations, s.Elapsed)
		}
	}
}

// The step of a clock is found by looking at it.
func TestStep(t *testing.T) {
	reads := 0
	now := func() time.Time {
		reads++
		return time.Unix(0, 0).Add(time.Duration(reads/100) * time.Millisecond)
	}
	if got := step(now); got != time.Millisecond {
		t.Errorf("%v, want a millisecond", got)
	}
	if got := step(time.Now); got <= 0 {
		t.Errorf("the clock steps by %v", got)
	}
}
