package stages

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/bench"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// few requests are enough where nothing is timed.
const few = 1000

// Each stage is a difference of loops that there are, and no name is there twice.
func TestDefinitions(t *testing.T) {
	p, err := newPipeline(testkit.Seed(t), few)
	if err != nil {
		t.Fatal(err)
	}
	subjects := p.subjects()
	seen := map[string]bool{}
	for _, d := range append(definitions(), limits()...) {
		if seen[d.path+"/"+d.name] || d.method == "" {
			t.Errorf("%s/%s: twice, or no word of how it is measured", d.path, d.name)
		}
		seen[d.path+"/"+d.name] = true
		for _, name := range append(append([]string{}, d.plus...), d.minus...) {
			if subjects[name].Run == nil {
				t.Errorf("%s/%s: no loop %s", d.path, d.name, name)
			}
		}
	}
	for _, step := range []string{"decode", "hash", "pilot", "entry", "checks", "allocate", "capture", "zero", "handler", "recover",
		"complete"} {
		if !seen["irp/"+step] {
			t.Errorf("no stage %s", step)
		}
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

// The parts of property and of fast add up to the whole, whatever the loops take.
func TestPrefixesAddUp(t *testing.T) {
	for _, path := range []string{"property", "fast"} {
		sum, whole := map[string]int{}, ""
		for _, d := range definitions() {
			switch {
			case d.path != path:
			case d.kind == report.StageWhole:
				whole = d.plus[0]
			default:
				for _, name := range d.plus {
					sum[name]++
				}
				for _, name := range d.minus {
					sum[name]--
				}
			}
		}
		maps.DeleteFunc(sum, func(_ string, n int) bool { return n == 0 })
		if len(sum) != 1 || sum[whole] != 1 {
			t.Errorf("%s: the parts add up to %v, not to %s", path, sum, whole)
		}
	}
}

// A loop whose requests are not answered as its name says is not timed, whichever it is.
func TestLoopsAreChecked(t *testing.T) {
	p, err := newPipeline(testkit.Seed(t), few)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(r *bench.Request){
		"the set is unknown": func(r *bench.Request) { r.In[0] ^= 1 },
		"the id is unknown":  func(r *bench.Request) { r.In[18] ^= 1 },
		"the verb is SET":    func(r *bench.Request) { r.In[20] = byte(ks.PropertyTypeSet) },
	} {
		r := &p.requests[testkit.Rand(t).IntN(len(p.requests))]
		old := slices.Clone(r.In)
		damage(r)
		if err := p.check(); err == nil || !strings.Contains(err.Error(), "999 of 1000") {
			t.Errorf("%s: %v", name, err)
		}
		copy(r.In, old)
	}
	if b := take(p.irp.Pool, 8); b == nil || p.check() == nil {
		t.Error("a buffer that is not given back goes unnoticed")
	}
}

func TestDifferencesAreWithinARound(t *testing.T) {
	got := difference(map[string][]float64{"a": {1, 5}, "b": {2, 2}, "c": {4, 1}}, []string{"a", "b"}, []string{"c"})
	if !slices.Equal(got, []float64{-1, 6}) {
		t.Errorf("%v", got)
	}
}

// A chase comes by every line before the first again.
func TestChaseVisitsEveryLine(t *testing.T) {
	c := &chase{bytes: 64 << 10}
	c.prepare(testkit.Seed(t))
	seen := map[uint32]bool{}
	for range c.lines {
		c.step(1)
		seen[c.at] = true
	}
	if len(seen) != 1024 || c.at != 0 {
		t.Errorf("%d of 1024 lines, back at %d", len(seen), c.at)
	}
}

func TestCacheLevelsAreMarked(t *testing.T) {
	caches := []report.Cache{{Name: "L1d", Bytes: 32 << 10}, {Name: "L2", Bytes: 512 << 10}, {Name: "L3", Bytes: 32 << 20}}
	var names []string
	for _, c := range chases(caches) {
		names = append(names, c.name)
	}
	for _, want := range []string{"load, 32 KiB, L1d", "load, 64 KiB, L2", "load, 512 KiB, L2", "load, 1 MiB, L3", "load, 32 MiB, L3",
		"load, 64 MiB, DRAM", "load, 128 MiB, DRAM"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %q in %q", want, names)
		}
	}
	if len(names) != 15 {
		t.Errorf("%d sizes", len(names))
	}
	if unknown := chases(nil); len(unknown) != 12 || unknown[0].name != "load, 8 KiB" {
		t.Errorf("without knowing the caches: %d sizes, first %q", len(unknown), unknown[0].name)
	}
}

func TestRun(t *testing.T) {
	seed := testkit.Seed(t)
	turns := 0
	rep, err := Run(context.Background(), Options{Seed: seed, Rounds: 6, Match: regexp.MustCompile("^(fast/|limit/load, 8 KiB)"),
		Progress: func(done, total int, _ string) { turns = total - done }})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Stages) != 4 || turns != 0 {
		t.Errorf("%d stages, %d turns left", len(rep.Stages), turns)
	}
	for _, s := range rep.Stages {
		if len(s.Samples) != 6 || s.Interval == nil || s.Kind != report.StagePart && s.NsPerOp <= 0 {
			t.Errorf("%+v", s)
		}
	}
	last := rep.Stages[3]
	if last.Kind != report.StageLimit || last.Bytes != 8<<10 {
		t.Errorf("%+v", last)
	}
	if _, err := Run(context.Background(), Options{Rounds: 1, Match: regexp.MustCompile("nothing")}); !errors.Is(err, lab.ErrNoMatch) {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, match := range []string{"^irp/", "^limit/load"} {
		if _, err := Run(ended, Options{Rounds: 1, Match: regexp.MustCompile(match)}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", match, err)
		}
	}
}
