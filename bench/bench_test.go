package bench

import (
	"os"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// The workloads as Go benchmarks, for benchstat and for profiles. Names are key=value, so that
//
//	go test -bench . -count 10 ./bench | benchstat -col /impl -
//
// puts the implementations side by side. KSDISPATCH_SEED selects other tables and requests.
func BenchmarkLookup(b *testing.B) { benchmarkPath(b, "lookup") }
func BenchmarkFast(b *testing.B)   { benchmarkPath(b, "fast") }
func BenchmarkIRP(b *testing.B)    { benchmarkPath(b, "irp") }
func BenchmarkMethod(b *testing.B) { benchmarkPath(b, "method") }

func benchmarkPath(b *testing.B, name string) {
	seed := uint64(1) // fixed: two runs are to be compared
	if os.Getenv(testkit.SeedVariable) != "" {
		seed = testkit.Seed(b)
	}
	workloads, err := lab.Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range workloads {
		var stand *lab.Stand // made for the first row that -bench selects
		for _, impl := range lab.Impls(name) {
			b.Run("impl="+impl+"/"+w.Key(), func(b *testing.B) {
				if stand == nil {
					if stand, err = w.Prepare(seed); err != nil {
						b.Fatal(err)
					}
				}
				send := stand.Loop(name, impl)
				b.ReportAllocs()
				b.ResetTimer()
				send(b.N)
			})
		}
		if stand != nil {
			if err := stand.Close(); err != nil {
				b.Error(err)
			}
		}
	}
}
