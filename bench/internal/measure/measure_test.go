package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// bench is a machine on which a task's operation takes as long and allocates as much as the test says.
type bench struct {
	clock         time.Time
	allocs, bytes uint64
	settled       int
	log           []string
}

func (b *bench) machine() machine {
	return machine{
		now:    func() time.Time { return b.clock },
		heap:   func() (uint64, uint64) { return b.allocs, b.bytes },
		settle: func() { b.settled++; b.log = append(b.log, "gc") },
	}
}

func (b *bench) task(name string, each time.Duration, bytes uint64) Task {
	return Task{Run: func(n int) {
		b.log = append(b.log, fmt.Sprintf("%s*%d", name, n))
		b.clock = b.clock.Add(time.Duration(n) * each)
		if bytes > 0 {
			b.allocs += uint64(n)
			b.bytes += uint64(n) * bytes
		}
	}}
}

func TestBatchesAreWholeCyclesOfTheAskedLength(t *testing.T) {
	var b bench
	tasks := []Task{b.task("quick", 3*time.Nanosecond, 0), b.task("slow", 4000*time.Nanosecond, 0), b.task("very slow", 4001*time.Nanosecond, 0)}
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
	if s := samples[1][0]; s.AllocsPerOp() != 1 || s.BytesPerOp() != unsettled+1 {
		t.Errorf("dirty: %v allocs, %v bytes per operation", s.AllocsPerOp(), s.BytesPerOp())
	}
	if s := samples[0][0]; s.Allocs != 0 || s.Bytes != 0 {
		t.Errorf("clean: %+v", s)
	}
}

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
	if !errors.Is(err, context.Canceled) || samples != nil || turns != 5 {
		t.Errorf("%v, %v after %d turns", samples, err, turns)
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
	if s := least(samples[0]); s.Allocs < 4096 || s.Allocs > 4096+64 || s.Bytes < 64*4096 {
		t.Errorf("4096 allocations of 64 bytes were counted as %+v", s)
	}
	if s := least(samples[1]); s.Allocs > 16 {
		t.Errorf("a loop without allocations was counted as %+v", s)
	}
}
