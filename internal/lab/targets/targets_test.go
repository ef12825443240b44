package targets

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// slow takes far longer than fast on any machine.
var (
	fast = subject{Per: 1, Run: func(int) {}}
	slow = subject{Per: 1, Run: func(int) { time.Sleep(2 * time.Millisecond) }}
)

func fake(rows ...row) group {
	return group{name: "fake", rows: rows, open: func(*config) (*subjects, error) {
		return &subjects{run: map[string]subject{"fast": fast, "slow": slow}}, nil
	}}
}

// What is slower than it may be fails, in both directions; what is not passes.
func TestASlowRowFails(t *testing.T) {
	rep, err := run(context.Background(), []group{fake(
		most("planted/slow", "too slow", 10, "slow", "fast"),
		most("planted/fast", "fast enough", 10, "fast", "slow"),
		least("planted/little", "too little gained", 10, "fast", "slow"),
		least("planted/much", "much gained", 10, "slow", "fast"),
	)}, Options{Rounds: report.MinRounds, Quick: true, Seed: testkit.Seed(t)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]report.Verdict{"planted/slow": report.Fail, "planted/fast": report.Pass, "planted/little": report.Fail,
		"planted/much": report.Pass}
	for _, target := range rep.Targets {
		if target.Verdict != want[target.Name] || len(target.Samples) != report.MinRounds || target.Interval == nil || len(target.Parts) != 2 {
			t.Errorf("%+v: want %s", target, want[target.Name])
		}
	}
	if missed := strings.Join(rep.Missed(), " "); missed != "planted/slow planted/little" {
		t.Errorf("missed: %s", missed)
	}
}

// The value is a ratio within each round: 2 and 8 in turn, where the medians' ratio would be another.
func TestAValueIsComputedWithinItsRound(t *testing.T) {
	r := row{bound: report.AtMost, limit: 1, over: []string{"a", "b"}, under: []string{"c"}}
	got := r.summarize(map[string][]float64{"a": {1, 2, 1}, "b": {2, 4, 2}, "c": {1, 1, 1}})
	if got.Value != 2 || got.Samples[1] != 8 {
		t.Errorf("value %v of %v", got.Value, got.Samples)
	}
}

func TestOnlyWhatIsSelectedRuns(t *testing.T) {
	g := fake(most("a/b", "", 1, "fast", "fast"), most("c/d", "", 1, "slow", "fast"))
	opened := 0
	open := g.open
	g.open = func(c *config) (*subjects, error) {
		opened++
		s, err := open(c)
		s.run["slow"] = subject{Per: 1, Run: func(int) { t.Error("what was not selected runs") }}
		return s, err
	}
	rep, err := run(context.Background(), []group{g}, Options{Rounds: 1, Match: regexp.MustCompile("^a/")})
	if err != nil || len(rep.Targets) != 1 || rep.Targets[0].Name != "a/b" || opened != 1 {
		t.Errorf("%+v, %v, opened %d times", rep, err, opened)
	}
	if _, err := run(context.Background(), []group{g}, Options{Rounds: 1, Match: regexp.MustCompile("nothing")}); !errors.Is(err,
		lab.ErrNoMatch) {
		t.Errorf("no match: %v", err)
	}
}

func TestRunEndsWithItsContextAndClosesWhatItOpened(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	closed := errors.New("closed")
	g := group{name: "fake", rows: []row{most("a", "", 1, "x", "x")}, open: func(*config) (*subjects, error) {
		return &subjects{run: map[string]subject{"x": {Per: 1, Run: func(int) { cancel() }}}, close: func() error { return closed }}, nil
	}}
	_, err := run(ctx, []group{g}, Options{Rounds: 100})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, closed) {
		t.Errorf("%v", err)
	}
}

var leaked []byte

// One allocation in a cycle of requests is noticed.
func TestAnAllocationFails(t *testing.T) {
	ctx := context.Background()
	none, cycles, err := least3(ctx, 3*lab.Requests, []func(int){func(int) {}})
	if none != 0 || cycles != 0 || err != nil {
		t.Errorf("nothing: %v allocations, %v collections, %v", none, cycles, err)
	}
	planted := func(ctx context.Context, c *config) (map[string]float64, error) {
		n, cycles, err := least3(ctx, 3*lab.Requests, []func(int){func(int) { leaked = make([]byte, 100) }})
		return map[string]float64{"allocations": n, "cycles": cycles}, err
	}
	rep, err := run(ctx, []group{{name: "planted",
		rows: []row{{name: "allocations", bound: report.AtMost}, {name: "cycles", bound: report.AtMost}}, count: planted}},
		Options{Rounds: 1})
	if err != nil || rep.Targets[0].Value < 3 || rep.Targets[0].Verdict != report.Fail || rep.Targets[1].Verdict != report.Pass {
		t.Errorf("%+v, %v", rep, err)
	}
}

// Each target names subjects that its group has, and each group can be measured: the small ones as they are, the large ones
// with fewer keys.
func TestEveryTargetCanBeMeasured(t *testing.T) {
	groups, err := all(true)
	if err != nil {
		t.Fatal(err)
	}
	names, smaller := map[string]bool{}, map[string]func(*config) (*subjects, error){
		"random": random(1000), "build/2000000": build(1000), "build on two cores": twoCores(1000),
		"lookup 400000": lookupStand(lab.Synthetic(1, 8)), "lookup 2000000": lookupStand(lab.Synthetic(1, 8)),
		"20000x20": stand(lab.Synthetic(1, 8), 1), "batch 2000000": batches(lab.Synthetic(1, 8)),
	}
	c := &config{Options: Options{Seed: testkit.Seed(t), Rounds: 1, Quick: true}}
	for _, g := range groups {
		for _, r := range g.rows {
			if names[r.name] || r.what == "" {
				t.Errorf("%s: twice, or without a description", r.name)
			}
			names[r.name] = true
		}
		if g.open == nil {
			continue
		}
		if raceEnabled && g.name != "cores" {
			continue // one goroutine, and minutes of it
		}
		if open := smaller[g.name]; open != nil {
			g.open = open
		}
		s, err := g.open(c)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		for _, r := range g.rows {
			for _, name := range append(append([]string{}, r.over...), r.under...) {
				if s.run[name].Run == nil || s.run[name].Per == 0 {
					t.Errorf("%s: no %s", r.name, name)
				}
			}
		}
		if s.close != nil {
			if err := s.close(); err != nil {
				t.Error(err)
			}
		}
	}
	if len(names) < 40 {
		t.Errorf("%d targets", len(names))
	}
}

// A loop that leaves keys out is not timed.
func TestATourFindsEveryKey(t *testing.T) {
	list := entries(1000, testkit.Seed(t))
	built, err := table.Build(list[:999], table.Config{})
	if err != nil {
		t.Fatal(err)
	}
	keys := prefixes(list)
	w := &tour{table: built, flat: filled(keys, list)}
	for _, k := range keys {
		w.requests = append(w.requests, [24]byte(append(k[:], make([]byte, 4)...)))
	}
	if _, err := w.subjects(); err == nil || !strings.Contains(err.Error(), "999 of 1000") {
		t.Errorf("%v", err)
	}
	w.requests = w.requests[:999]
	if _, err := w.subjects(); err != nil {
		t.Error(err)
	}
}

func TestMemoryIsCounted(t *testing.T) {
	c := &config{Options: Options{Seed: testkit.Seed(t)}}
	values, err := memory("m", 40_000)(context.Background(), c)
	if err != nil || values["m/load"] <= 0 || values["m/load"] > 1 || values["m/index"] < 1 {
		t.Errorf("%v, %v", values, err)
	}
}
