package bench

import (
	"os"
	"testing"

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
	workloads, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range paths {
		if p.Name != name {
			continue
		}
		for _, w := range workloads {
			var ready *bed // made for the first row that -bench selects
			for _, impl := range impls {
				if (row{p, impl}).loop() == nil {
					continue
				}
				b.Run("impl="+impl.Name+"/"+w.key, func(b *testing.B) {
					if ready == nil {
						if ready, err = w.prepare(seed); err != nil {
							b.Fatal(err)
						}
					}
					send := row{p, impl}.loop()
					b.ReportAllocs()
					b.ResetTimer()
					sink.Add(send(ready, b.N))
				})
			}
			if ready != nil {
				if err := ready.close(); err != nil {
					b.Error(err)
				}
			}
		}
	}
}
