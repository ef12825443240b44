//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/engine/trace"
	"github.com/ksdispatch/ksdispatch/internal/traffic"
)

// BenchmarkVerify is what a request costs: replayed and compared file by file, with counting, and in a pipeline. TRACES names files and
// MANIFEST what they are of; without them there are small ones.
func BenchmarkVerify(b *testing.B) {
	traces, from := os.Getenv("TRACES"), os.Getenv("MANIFEST")
	if traces == "" {
		traces, from = filepath.Join(b.TempDir(), "*.kst"), driver
		for i := range 20 {
			newRecorder(b).record(filepath.Join(filepath.Dir(traces), fmt.Sprint(i)), uint64(i), 1, 20_000, 0)
		}
	}
	names, err := filepath.Glob(traces)
	require.NoError(b, err)
	text, err := os.ReadFile(from)
	require.NoError(b, err)
	job := &Job{Kind: Verify, Points: []Point{{Name: from, Manifest: text}}, Differences: 10}
	run := func(name string, f func() uint64) {
		b.Run(name, func(b *testing.B) {
			requests, begin := uint64(0), used(b)
			for b.Loop() {
				requests += f()
			}
			b.ReportMetric(float64(used(b)-begin)/float64(requests), "cpu-ns/request")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(requests), "ns/request")
		})
	}
	run("plain", func() (requests uint64) {
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
	})
	run("alone", func() uint64 {
		t, err := alone(b.Context(), job, names, func(*Work) {})
		require.NoError(b, err)
		return t.Requests
	})
	run("pipeline", func() uint64 {
		c := common{Runner: "prism"}
		t, err := c.total(context.Background(), job, names, 1)
		require.NoError(b, err)
		return t.Requests
	})
}

// used is how long processors have worked for this process, in nanoseconds: other processes do not add to it.
func used(b *testing.B) int64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}
