//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// BenchmarkOverhead is what verify costs over a plain replay of the same files, in the time of processors for each request. Plain is to
// replay and compare a file after the other, as ksbench trace verify does; local counts as well, and the pipeline does that in Beam. They
// take turns, so that what disturbs one disturbs all; the overhead is the median of the rounds. Each has the settings of the collector
// that its program has, or those of GOGC. TRACES names files and MANIFEST what they are of; without them there are 2,000,000 requests of
// one device a file, which is the least to read and to replay for each.
func BenchmarkOverhead(b *testing.B) {
	traces, from := os.Getenv("TRACES"), os.Getenv("MANIFEST")
	if traces == "" {
		traces, from = filepath.Join(b.TempDir(), "*.kst"), driver
		for i := range 100 {
			newRecorder(b).record(filepath.Join(filepath.Dir(traces), fmt.Sprint(i)), uint64(i), 1, 20_000, 0)
		}
	}
	names, err := filepath.Glob(traces)
	require.NoError(b, err)
	text, err := os.ReadFile(from)
	require.NoError(b, err)
	job := &Job{Kind: Verify, Points: []Point{{Name: from, Manifest: text}}, Differences: 10}
	ways := []struct {
		name string
		do   func() uint64
	}{
		{"plain", func() (requests uint64) {
			target, err := job.Points[0].target()
			require.NoError(b, err)
			for _, name := range names {
				f, err := traffic.Open(name)
				require.NoError(b, err)
				res, err := trace.Replay(b.Context(), f.Reader, target.Open, trace.ReplayOptions{Verify: true, Pends: &target.Pends})
				require.NoError(b, err)
				requests += res.Requests
				require.NoError(b, f.Close())
			}
			return requests
		}},
		{"local", func() uint64 {
			t, err := alone(b.Context(), job, names, func(*Work) {})
			require.NoError(b, err)
			return t.Requests
		}},
		{"pipeline", func() uint64 {
			c := common{Runner: "prism"}
			t, err := c.total(context.Background(), job, names, 1)
			require.NoError(b, err)
			return t.Requests
		}},
	}
	took := make([][]float64, len(ways)) // ns for each request, by round
	requests := uint64(0)
	round := func(first int) {
		for i := range ways {
			way := (first + i) % len(ways)
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(100) // Go's, as ksbench has it
			}
			if way > 0 {
				collector()
			}
			runtime.GC()
			begin := used(b)
			n := uint64(0)
			pprof.Do(b.Context(), pprof.Labels("way", ways[way].name), func(context.Context) { n = ways[way].do() })
			took[way] = append(took[way], float64(used(b)-begin)/float64(n))
			require.True(b, requests == 0 || n == requests)
			requests = n
		}
	}
	round(0) // files are in memory, and Beam has started
	clear(took)
	first := 0
	for b.Loop() {
		round(first)
		first++
	}
	for i, way := range ways {
		b.ReportMetric(median(took[i]), way.name+"-cpu-ns/request")
		if i > 0 {
			over := make([]float64, len(took[i]))
			for round := range over {
				over[round] = 100 * (took[i][round]/took[0][round] - 1)
			}
			b.ReportMetric(median(over), way.name+"-overhead-%")
		}
	}
	b.ReportMetric(float64(requests), "requests")
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// used is how long processors have worked for this process, in nanoseconds: other processes do not add to it.
func used(b *testing.B) int64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}
