package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// draw makes a report with random samples for each of the rows, and latencies for some, as one machine would.
func draw(t testing.TB, rng *rand.Rand, rounds int, shard string) *Report {
	r := sample(rounds)
	r.Settings.Shard, r.Settings.Latency = shard, true
	r.Environment.Time = time.Unix(rng.Int64N(1<<32), 0).UTC().Format(time.RFC3339) // of so many that no two are the same run
	for i := range r.Workloads {
		r.Workloads[i].Digest = fmt.Sprintf("%016x", i)
	}
	for i := range r.Results {
		res := &r.Results[i]
		for k := range res.Samples {
			res.Samples[k] = Sample{Operations: 1 + rng.IntN(1000), NsPerOp: 10 + rng.ExpFloat64(), BytesPerOp: float64(rng.IntN(3)),
				GCCycles: rng.IntN(2)}
		}
		*res = NewResult(res.Workload, res.Path, res.Impl, res.Samples)
		res.WarmUp = &WarmUp{Ns: int64(rng.IntN(1e9)), Batches: rng.IntN(9), Stable: rng.IntN(2) == 0}
		if i%4 != 2 {
			continue
		}
		res.Latency = &Latency{Every: 64, Behind: int64(rng.IntN(5)), Service: drawDistribution(t, rng), Clock: drawDistribution(t, rng)}
	}
	r.Compare()
	return r
}

func drawDistribution(t testing.TB, rng *rand.Rand) Distribution {
	h := NewHistogram()
	for range 1 + rng.IntN(500) {
		require.NoError(t, h.RecordValue(20+rng.Int64N(1<<rng.IntN(30))))
	}
	d, err := NewDistribution(h)
	require.NoError(t, err)
	return d
}

// union is what one run with the rounds of all would have said, put together from the samples alone.
func union(t testing.TB, runs []*Report) *Report {
	u := sample(1)
	u.Environment, u.Settings, u.Workloads = runs[0].Environment, runs[0].Settings, runs[0].Workloads
	u.Settings.Rounds, u.Settings.Shard = 0, ""
	for _, r := range runs {
		u.Settings.Rounds += r.Settings.Rounds
		u.Shards = append(u.Shards, Shard{Shard: r.Settings.Shard, Rounds: r.Settings.Rounds, Commit: "unknown", Time: r.Environment.Time})
	}
	for i := range u.Results {
		var samples []Sample
		warm, latency := WarmUp{Stable: true}, Latency{Every: 64}
		service, clock := NewHistogram(), NewHistogram()
		for _, r := range runs {
			res := &r.Results[i]
			samples = append(samples, res.Samples...)
			warm = WarmUp{warm.Ns + res.WarmUp.Ns, warm.Batches + res.WarmUp.Batches, warm.Stable && res.WarmUp.Stable}
			if res.Latency == nil {
				continue
			}
			latency.Behind += res.Latency.Behind
			for _, h := range []struct {
				to   interface{ RecordValues(v, n int64) error }
				from Histogram
			}{{service, res.Latency.Service.Histogram}, {clock, res.Latency.Clock.Histogram}} {
				from, err := h.from.Decode()
				require.NoError(t, err)
				for _, bar := range from.Distribution() {
					if bar.Count > 0 {
						require.NoError(t, h.to.RecordValues(bar.From, bar.Count))
					}
				}
			}
		}
		res := NewResult(u.Results[i].Workload, u.Results[i].Path, u.Results[i].Impl, samples)
		res.WarmUp = &warm
		if service.TotalCount() > 0 {
			var err error
			latency.Service, err = NewDistribution(service)
			require.NoError(t, err)
			latency.Clock, err = NewDistribution(clock)
			require.NoError(t, err)
			res.Latency = &latency
		}
		u.Results[i] = res
	}
	u.Compare()
	return u
}

func sources(runs ...*Report) (list []Source) {
	for i, r := range runs {
		list = append(list, Source{fmt.Sprint("run", i), r})
	}
	return list
}

func TestAMergedReportEqualsOneOverTheUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 5))
	a, b, c := draw(t, rng, 4, "1/3"), draw(t, rng, 2, "2/3"), draw(t, rng, 3, "3/3")
	merged, err := Merge(sources(a, b, c))
	require.NoError(t, err)
	want := union(t, []*Report{a, b, c})
	require.Equal(t, render(t, want.WriteJSON), render(t, merged.WriteJSON))
	require.Equal(t, 9, merged.Settings.Rounds)

	// In two steps it comes to the same, and a single run is its own union.
	ab, err := Merge(sources(a, b))
	require.NoError(t, err)
	twice, err := Merge(sources(ab, c))
	require.NoError(t, err)
	require.Equal(t, render(t, want.WriteJSON), render(t, twice.WriteJSON))
	one, err := Merge(sources(a))
	require.NoError(t, err)
	require.Equal(t, a.Results, one.Results)

	// The control: without one sample it is another report.
	b.Results[3].Samples[1].NsPerOp++
	other, err := Merge(sources(a, b, c))
	require.NoError(t, err)
	require.NotEqual(t, render(t, want.WriteJSON), render(t, other.WriteJSON))
}

// Machines may also share the workloads.
func TestDifferentWorkloadsStandSideBySide(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 6))
	a, b := draw(t, rng, 6, ""), draw(t, rng, 6, "")
	all := draw(t, rng, 6, "")
	a.Workloads, a.Results = all.Workloads[:1], all.Results[:6]
	b.Workloads, b.Results = all.Workloads[1:], all.Results[6:]
	merged, err := Merge(sources(a, b))
	require.NoError(t, err)
	require.Equal(t, all.Workloads, merged.Workloads)
	require.Equal(t, all.Results, merged.Results)
}

func TestUnlikeReportsAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 7))
	pin := 1
	a, b := draw(t, rng, 3, ""), draw(t, rng, 3, "")
	_, err := Merge(sources(a, b))
	require.NoError(t, err)
	for _, c := range []struct {
		change func(r *Report)
		want   string
	}{
		{func(r *Report) { r.Environment.CPU = "Example 1" }, `run0 and run1: processor: "Example 9000" and "Example 1"`},
		{func(r *Report) { r.Environment.GOMAXPROCS = 1 }, `GOMAXPROCS: 2 and 1`},
		{func(r *Report) { r.Environment.Cores = 8 }, `cores: 2 and 8`},
		{func(r *Report) { r.Environment.Level = "GOAMD64=v3" }, `instruction set: "GOAMD64=v1" and "GOAMD64=v3"`},
		{func(r *Report) { r.Environment.GoVersion = "go1.27" }, `Go version`},
		{func(r *Report) { r.Environment.Commit = "0123456789ab" }, `commit: "unknown" and "0123456789ab"`},
		{func(r *Report) { r.Environment.OS = "darwin" }, `operating system`},
		{func(r *Report) { r.Settings.Seed = 2 }, `seed: 1 and 2`},
		{func(r *Report) { r.Settings.BatchNs = 2 }, `batch_ns: 1000000 and 2`},
		{func(r *Report) { r.Settings.Prime = 1 }, `untimed cycles before a batch: 0 and 1`},
		{func(r *Report) { r.Settings.Rate = 1e6 }, `rate: 0 and 1e+06`},
		{func(r *Report) { r.Settings.Pin = &pin }, `kept on one CPU: false and true`},
		{func(r *Report) { r.Workloads[1].Digest = "0f" }, `workload my|dri?[31mver: digest 0000000000000001 and digest 0f`},
		{func(r *Report) { r.Results = slices.Delete(r.Results, 3, 4) }, `workload 20x12: other rows were measured, so that rounds do not pair`},
		{func(r *Report) { r.Impls[1].Description = "another scan" }, `implementation linear: described in two ways`},
		{func(r *Report) { r.Stages = []Stage{{}} }, `do not add up`},
		{func(r *Report) { r.Results[2].Latency.Every = 32 }, `latencies were not taken in the same way`},
	} {
		other := *b
		other.Workloads, other.Impls, other.Results = slices.Clone(b.Workloads), slices.Clone(b.Impls), slices.Clone(b.Results)
		latency := *b.Results[2].Latency
		other.Results[2].Latency = &latency
		c.change(&other)
		_, err := Merge(sources(a, &other))
		require.ErrorContains(t, err, c.want)
	}
	_, err = Merge(sources(a, a))
	var unlike *Unlike
	require.ErrorAs(t, err, &unlike)
	require.ErrorContains(t, err, "the same run")
}

// A million samples merge within the memory that the promise allows.
func TestMergingAMillionSamples(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("takes seconds, and the race detector a minute")
	}
	a, b := large(t, 10, 50_000), large(t, 10, 50_000)
	var out counter
	peak := peakHeap(func() {
		m, err := Merge(sources(a, b))
		require.NoError(t, err)
		require.NoError(t, m.WriteJSON(&out))
	})
	t.Logf("%d MB, %d MB of text", peak>>20, out>>20)
	require.Less(t, peak, uint64(200<<20))
	require.Greater(t, int(out), 60_000_000)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestMergeKeepsWhatIsToBeKnown(t *testing.T) {
	rng := rand.New(rand.NewPCG(testkit.Seed(t), 8))
	a, b := draw(t, rng, 6, ""), draw(t, rng, 6, "")
	a.Warnings, b.Incomplete, b.Environment.Kernel = []string{"hot"}, true, "6.2"
	m, err := Merge(sources(a, b))
	require.NoError(t, err)
	require.True(t, m.Incomplete)
	require.Equal(t, []string{"hot", "the runs had different kernels or hypervisors"}, m.Warnings)
	var text bytes.Buffer
	require.NoError(t, doc.Write(&text, m, "text", 0))
	for _, want := range []string{"warning: interrupted", "warning: hot", "merged from 2 runs"} {
		require.Contains(t, text.String(), want)
	}
}
