package lab

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/engine/manifest/drivers"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestDefaultWorkloads(t *testing.T) {
	workloads, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	keys := map[string]bool{}
	for _, w := range workloads {
		names = append(names, w.Name)
		keys[w.key] = true
		if w.Description == "" {
			t.Errorf("%s has no description", w.Name)
		}
	}
	want := append([]string{"1x8", "1x8-miss", "20x12", "20x12-miss", "200x20", "200x20-miss", "2000x20", "2000x20-miss"}, drivers.Names()...)
	if got := strings.Join(names, " "); got != strings.Join(want, " ") {
		t.Errorf("workloads %s, want %s", got, want)
	}
	if len(keys) != len(workloads) {
		t.Errorf("%d benchmark names for %d workloads", len(keys), len(workloads))
	}
	if !keys["sets=20/items=12"] || !keys["driver=wds-sysvad"] {
		t.Errorf("benchmark names %v", keys)
	}
}

// A prepared hit is answered with success, and about half of a miss mix is not.
func TestRequestsAreWhatTheyAreCalled(t *testing.T) {
	seed := testkit.Seed(t)
	for _, w := range []Workload{synthetic(20, 12, false), synthetic(20, 12, true), driver(t, "wds-sysvad")} {
		b, err := w.prepare(seed)
		if err != nil {
			t.Fatal(err)
		}
		statuses := map[ks.Status]int{}
		objects := map[uint32]bool{}
		for _, r := range b.requests {
			_, status := b.handles[r.object].IoControl(ks.IoctlProperty, r.in, b.out[:r.out])
			statuses[status]++
			objects[r.object] = true
		}
		hits := float64(statuses[ks.StatusSuccess]) / Requests
		switch {
		case !w.misses && hits != 1:
			t.Errorf("%s: not all requests are hits: %v", w.Name, statuses)
		case w.misses && (hits < 0.48 || hits > 0.52):
			t.Errorf("%s: %.3f of the requests are hits, want one half: %v", w.Name, hits, statuses)
		}
		for _, s := range []ks.Status{ks.StatusPropsetNotFound, ks.StatusNotFound, ks.StatusBufferOverflow, ks.StatusBufferTooSmall} {
			if w.misses && statuses[s] < Requests/20 {
				t.Errorf("%s: %v is the answer to only %d requests", w.Name, s, statuses[s])
			}
		}
		if len(objects) != len(b.objects) {
			t.Errorf("%s: %d of %d objects get requests", w.Name, len(objects), len(b.objects))
		}
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}
}

func driver(t *testing.T, name string) Workload {
	m, err := drivers.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := fromManifest(m, name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The same seed makes the same requests, another seed others: a report can be repeated.
func TestSeed(t *testing.T) {
	seed := testkit.Seed(t)
	content := func(seed uint64) string {
		var all strings.Builder
		list, _ := prepareRequests(synthetic(20, 12, true).generate(seed), true, seed)
		for _, r := range list[:1000] {
			all.Write(r.in)
		}
		return all.String()
	}
	once := content(seed)
	if again := content(seed); again != once {
		t.Error("the same seed made other requests")
	}
	if other := content(seed + 1); other == once {
		t.Error("another seed made the same requests")
	}
}

func TestRunReportsEveryRow(t *testing.T) {
	turns, last := 0, 0
	rep, err := Run(context.Background(), []Workload{synthetic(1, 8, false), synthetic(1, 8, false)}, Options{
		Seed: testkit.Seed(t), Rounds: 2,
		Progress: func(done, total int, _ string) { turns++; last = total - done },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 2 * len(loops); turns != want || last != 0 {
		t.Errorf("%d turns of progress, want %d; %d were left", turns, want, last)
	}
	seen := map[string]report.Result{}
	for _, r := range rep.Results {
		seen[r.Name()] = r
		if len(r.Samples) != 2 || r.NsPerOp <= 0 || r.Samples[0].Operations%Requests != 0 {
			t.Errorf("%s: %+v", r.Name(), r)
		}
		if others := len(Impls(r.Path)) - 1; r.Impl == "engine" && len(r.Ratios) != others {
			t.Errorf("%s: %d ratios", r.Name(), len(r.Ratios))
		}
	}
	for _, w := range []string{"1x8", "1x8#2"} {
		for _, p := range paths {
			for _, impl := range impls {
				_, ok := seen[w+"/"+p.Name+"/"+impl.Name]
				none := p.Name == "method" && impl.Kind == report.Peer || p.Name == "lookup" && impl.Name == "guarded" // peers have no methods
				if ok == none {
					t.Errorf("result for %s/%s/%s: %v", w, p.Name, impl.Name, ok)
				}
			}
		}
	}
	if raceEnabled {
		return // the detector allocates as it likes
	}
	for name, want := range map[string]float64{"1x8/irp/engine": 0, "1x8/irp/linear": 1, "1x8/irp/map": 0, "1x8/fast/engine": 0,
		"1x8/method/engine": 0} {
		if got := seen[name].AllocsPerOp; got < want || got > want+0.001 {
			t.Errorf("%s: %v allocations per request, want %v", name, got, want)
		}
	}
}

func TestRunMatches(t *testing.T) {
	opt := Options{Rounds: 1, Match: regexp.MustCompile("^20x12/irp/(engine|bare)$")}
	rep, err := Run(context.Background(), []Workload{synthetic(1, 8, false), synthetic(20, 12, false)}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Results) != 2 || rep.Results[0].Name() != "20x12/irp/engine" || rep.Results[1].Name() != "20x12/irp/bare" ||
		len(rep.Workloads) != 1 {
		t.Errorf("results %+v, workloads %+v", rep.Results, rep.Workloads)
	}
	opt.Match = regexp.MustCompile("nothing is called that")
	if _, err := Run(context.Background(), []Workload{synthetic(1, 8, false)}, opt); !errors.Is(err, ErrNoMatch) {
		t.Errorf("no match: %v", err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	opt := Options{Rounds: 1000, Progress: func(int, int, string) { cancel() }}
	if rep, err := Run(ctx, []Workload{synthetic(1, 8, false)}, opt); !errors.Is(err, context.Canceled) || rep != nil {
		t.Errorf("%v, %v", rep, err)
	}
}

// What was measured until then is reported, in whole rounds of whole workloads, and the report can be written.
func TestAnInterruptedRunReportsWhatItHas(t *testing.T) {
	const rows = 2
	for _, c := range []struct {
		turns, workloads, rounds int
		latencies                int
	}{
		{rows + 1, 1, 1, 0},
		{3*rows + 1, 1, 3, 1}, // in the latency pass of the first
		{5*rows + 1, 2, 3, rows},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		turns := 0
		rep, err := Run(ctx, []Workload{synthetic(1, 8, false), synthetic(1, 4, false)}, Options{
			Rounds: 3, Latency: true, Match: regexp.MustCompile("/lookup/(engine|bare)$"), Progress: func(int, int, string) {
				if turns++; turns == c.turns {
					cancel()
				}
			},
		})
		if !errors.Is(err, context.Canceled) || rep == nil || !rep.Incomplete {
			t.Fatalf("after %d turns: %v, %v", c.turns, rep, err)
		}
		latencies := 0
		for _, r := range rep.Results {
			if r.Latency != nil {
				latencies++
			}
		}
		if len(rep.Workloads) != c.workloads || len(rep.Results[0].Samples) != c.rounds || latencies != c.latencies {
			t.Errorf("after %d turns: %d workloads, %d rounds, %d latencies, want %+v", c.turns, len(rep.Workloads), len(rep.Results[0].Samples),
				latencies, c)
		}
		if err := rep.WriteJSON(io.Discard); err != nil {
			t.Errorf("after %d turns: %v", c.turns, err)
		}
	}
}

// Shards make the same requests, and together all the rounds.
func TestShardsMerge(t *testing.T) {
	var parts []report.Source
	for i := range 2 {
		rep, err := Run(context.Background(), []Workload{synthetic(1, 8, false)}, Options{
			Rounds: 5, Latency: true, Match: regexp.MustCompile("/lookup/(engine|map)$"), Shard: Shard{i + 1, 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, report.Source{Name: rep.Settings.Shard, Report: rep})
	}
	merged, err := report.Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(merged.Results[0].Samples); n != 5 || merged.Settings.Rounds != 5 || merged.Shards[1].Shard != "2/2" {
		t.Errorf("%d samples, %+v, %+v", n, merged.Settings, merged.Shards)
	}
	sum := int64(0)
	for _, p := range parts {
		sum += p.Report.Results[1].Latency.Service.Count
	}
	if got := merged.Results[1].Latency.Service.Count; got != sum {
		t.Errorf("%d latencies of %d", got, sum)
	}
}

// The open loop keeps its rate, where the machine can: as many requests as there is time for.
func TestRate(t *testing.T) {
	rep, err := Run(context.Background(), []Workload{synthetic(1, 8, false)}, Options{
		Rounds: 1, Latency: true, Rate: 10_000, Match: regexp.MustCompile("/irp/engine$"),
	})
	if err != nil {
		t.Fatal(err)
	}
	l := rep.Results[0].Latency
	if want := int64(10_000 * shortestPass.Seconds()); l.Every != 1 || l.Response == nil || l.Response.Count != want ||
		l.Service.Count != want {
		t.Errorf("want %d requests: %+v", want, l)
	}
	if l.Response.Mean < l.Service.Mean {
		t.Errorf("a response of %v ns is shorter than a service of %v", l.Response.Mean, l.Service.Mean)
	}
}

// The timed loops are checked too: one that skips work must not be timed.
func TestChecksumsNoticeALoopThatDoesLess(t *testing.T) {
	b, err := synthetic(20, 12, true).prepare(testkit.Seed(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	rows := synthetic(20, 12, true).rows(nil)
	if err := b.checksums(rows); err != nil {
		t.Fatal(err)
	}
	key := [2]string{"irp", "map"}
	whole := loops[key]
	defer func() { loops[key] = whole }()
	loops[key] = func(b *bed, n int) uint64 { return whole(b, n-1) }
	if err := b.checksums(rows); err == nil || !strings.Contains(err.Error(), "map") {
		t.Errorf("one request less: %v", err)
	}
}

func TestFromManifestErrors(t *testing.T) {
	for _, c := range []struct{ name, items, want string }{
		{"nothing to measure", `{"name":"a","id":1,"get":false,"set":false}`, "nothing to measure"},
		{"too long", `{"name":"a","id":1,"get":true,"set":false,"min_data":4000000000}`, "min_data 4000000000"},
		{"twice", `{"name":"a","id":1,"get":true,"set":false},{"name":"b","id":1,"get":true,"set":false}`, "id"},
	} {
		path := filepath.Join(t.TempDir(), "driver.json")
		text := `{"schema":"ksdispatch/manifest/v1","driver":"d","source":"s","arch":"x64","objects":[{"object":"filter","property_item_size":0,
			"property_sets":[{"set_name":"S","guid":"45ffaaa0-6e1b-11d0-bcf2-444553540000","items":[` + c.items + `],"fast_io":[]}],
			"method_sets":[],"event_sets":[]}]}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := FromManifest(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A manifest may want inputs longer than what is prepared in one piece.
func TestLongRequests(t *testing.T) {
	o := []object{{{Set: ks.GUID{1}, Items: []engine.PropertyItem{{ID: 1, Get: Answer, Set: Answer, MinProperty: 5000, MinData: 100}}}}}
	if err := verify(o, testkit.Seed(t), 500); err != nil {
		t.Error(err)
	}
	list, longest := prepareRequests(o, false, 1)
	if longest != 100 || len(list[0].in) != 5000 {
		t.Errorf("longest output %d, input %d", longest, len(list[0].in))
	}
	distinct := map[*byte]bool{}
	for _, r := range list {
		distinct[&r.in[0]] = true
	}
	if len(distinct) != 2 { // GET and SET
		t.Errorf("%d copies of two long inputs", len(distinct))
	}
}
