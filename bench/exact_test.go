package bench

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab"
)

// BenchmarkExact counts what does not depend on the machine: the size of each workload's index, what building it took, and what its
// requests allocate. testdata/exact is a baseline of it, against which every change is held:
//
//	go test -run '^$' -bench '^BenchmarkExact$' -benchtime 1x -count 6 ./bench |
//	    ksbench gate --baseline bench/testdata/exact --exact bits/key,tries/key,allocs/request,B/request --time soft --only-changes
//
// and which the same pipe into "ksbench baseline --dir bench/testdata save exact" renews.
func BenchmarkExact(b *testing.B) {
	workloads, err := lab.Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range workloads {
		stand, err := w.Prepare(1)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("table/"+w.Key(), func(b *testing.B) {
			keys, bits, tries := stand.Build()
			b.ReportMetric(float64(bits)/float64(keys), "bits/key")
			b.ReportMetric(float64(tries)/float64(keys), "tries/key")
			b.ReportMetric(0, "ns/op") // says nothing of one operation
		})
		for _, path := range []string{"lookup", "fast", "irp"} {
			send := stand.Loop(path, "engine")
			b.Run(path+"/"+w.Key(), func(b *testing.B) {
				allocs, bytes, elapsed := pass(func() { send(lab.Requests) })
				b.ReportMetric(allocs, "allocs/request")
				b.ReportMetric(bytes, "B/request")
				b.ReportMetric(elapsed, "ns/request")
				b.ReportMetric(0, "ns/op")
			})
		}
		if err := stand.Close(); err != nil {
			b.Error(err)
		}
	}
}

// pass sends all requests three times and returns the least of what one took. Others of the process can only add to the
// counts; they are rounded, as a stray allocation beside 65,536 requests is none of theirs.
func pass(send func()) (allocs, bytes, ns float64) {
	allocs, bytes, ns = math.Inf(1), math.Inf(1), math.Inf(1)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		send()
		elapsed := time.Since(start)
		runtime.ReadMemStats(&after)
		allocs = min(allocs, math.Round(1000*float64(after.Mallocs-before.Mallocs)/lab.Requests)/1000)
		bytes = min(bytes, math.Round(10*float64(after.TotalAlloc-before.TotalAlloc)/lab.Requests)/10)
		ns = min(ns, float64(elapsed)/lab.Requests)
	}
	return allocs, bytes, ns
}
