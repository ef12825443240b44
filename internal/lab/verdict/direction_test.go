package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirectionOf(t *testing.T) {
	for direction, units := range map[Direction]string{
		Lower: "ns/op s/op sec/op ms µs B/op allocs/op bytes MB text-bytes bytes/op bits/key errors/op err% error-rate misses misses/op " +
			"cache-misses misses/s " +
			"miss-rate missRatio p99-ns p50-ns/op p99.9-ns p99 p99ns p95-latency latency-ms build-real-ns/op hit-ns/op ns/hit tries/key " +
			"gc-pause-ns GC/s " +
			"page-faults retries/op timeouts/s dropped/s instructions/op cycles/op heap-MB peak-RSS-bytes collisions/op nsPerOp J/op duration " +
			"objects/op",
		Higher: "MB/s GB/s B/s X/s things/s req/s items/sec ops/sec X/min events/hour opsPerSec ops-per-sec requests_per_second Mbps qps tps " +
			"rps IOPS fps GFLOPS throughput " +
			"read-throughput bandwidth hits hits/op hit-rate hit-ratio hitrate% hits% cacheHits/op success-rate speedup accuracy args-quality " +
			"MB/s/core op/ns objects/s",
		Unknown: "x items/op widgets ratio rate depth load-factor ns/s ops cpu% / % -",
	} {
		for _, unit := range strings.Fields(units) {
			require.Equal(t, direction, DirectionOf(unit), unit)
		}
	}
}

// metric is ten samples of a metric of one benchmark, around a value.
func metric(unit string, value float64, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&b, line)
	}
	for i := range 10 {
		fmt.Fprintf(&b, "BenchmarkX-4\t100\t%g %s\n", value+value/1000*float64(i*7%10), unit)
	}
	return b.String()
}

func TestDirection(t *testing.T) {
	const (
		noDirection = "nothing says which is better"
		bothWays    = "lower was said to be better before, higher is said to be now"
		zero        = "values at or below zero"
	)
	for _, c := range []struct {
		name     string
		old, new string
		opt      Options
		want     Verdict
		warning  string
	}{
		{"by its words", metric("items/sec", 100), metric("items/sec", 150), Options{}, Improved, ""},
		{"by its words, less", metric("items/sec", 100), metric("items/sec", 50), Options{}, Regressed, ""},
		{"unknown", metric("x", 100), metric("x", 150), Options{}, Changed, noDirection},
		{"unknown and same", metric("x", 100), metric("x", 100), Options{}, Same, ""},
		{"said by the flag", metric("x", 100), metric("x", 150), Options{HigherIsBetter: []string{"x"}}, Improved, ""},
		{"said by the flag, another unit", metric("x", 100), metric("x", 150), Options{HigherIsBetter: []string{"y"}}, Changed, noDirection},
		{"said to be less", metric("x", 100), metric("x", 150), Options{LowerIsBetter: []string{"x"}}, Regressed, ""},
		{"said before", metric("x", 100, "Unit x better=higher"), metric("x", 150), Options{}, Improved, ""},
		{"said now", metric("x", 100), metric("x", 150, "Unit x better=lower"), Options{}, Regressed, ""},
		{"said against its words", metric("misses", 100), metric("misses", 150, "Unit misses better=higher"), Options{}, Improved, ""},
		{"said before against its words", metric("misses", 100, "Unit misses better=higher"), metric("misses", 150), Options{}, Improved, ""},
		{"said both ways", metric("x", 100, "Unit x better=lower"), metric("x", 150, "Unit x better=higher"), Options{}, Changed, bothWays},
		{"flag against line", metric("x", 100), metric("x", 150, "Unit x better=higher"), Options{LowerIsBetter: []string{"x"}}, Regressed, ""},
		{"from zero", metric("errors/op", 0), metric("errors/op", 25), Options{}, Regressed, zero},
		{"to zero", metric("errors/op", 25), metric("errors/op", 0), Options{}, Improved, zero},
		{"hits to zero", metric("hits/op", 25), metric("hits/op", 0), Options{}, Regressed, zero},
		{"zero stays", metric("errors/op", 0), metric("errors/op", 0), Options{}, Same, zero},
		{"below zero", metric("dB", -3), metric("dB", -6), Options{HigherIsBetter: []string{"dB"}}, Regressed, zero},
		{"below zero, too little", metric("dB", -3), metric("dB", -3.03), Options{HigherIsBetter: []string{"dB"}}, Same, zero},
		{"a count of unknown direction", metric("x", 0, "Unit x assume=exact"), metric("x", 25), Options{}, Changed, noDirection},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := New(read(t, c.old), read(t, c.new), c.opt)
			require.NoError(t, err)
			require.Len(t, got.Rows, 1)
			require.Equal(t, c.want, got.Rows[0].Verdict)
			require.Contains(t, strings.Join(got.Rows[0].Warnings, "\n"), c.warning)
			got.OnlyChanges()
			require.Equal(t, c.want != Same && c.want != Inconclusive, len(got.Rows) == 1)
		})
	}
}
