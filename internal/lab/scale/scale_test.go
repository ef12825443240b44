package scale

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksdispatch/ksdispatch/engine/table"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	require.Equal(t, []int{8}, Sizes(8))
	require.Equal(t, []int{8, 9}, Sizes(9))
	require.Equal(t, []int{8, 32, 128, 512, 1000}, Sizes(1000))
	all := Sizes(MaxKeys)
	require.Equal(t, MaxKeys, all[len(all)-1])
	require.True(t, slices.IsSorted(all))
}

// Requests are of the kind that they say, and reach the whole table.
func TestStreams(t *testing.T) {
	rng := testkit.Rand(t)
	n := 1 + rng.IntN(3000)
	entries := newEntries(n, rng)
	known := map[table.Key]int{}
	sets := map[[2]uint64]bool{}
	for i := range entries {
		known[keyOf(&entries[i])] = i
		sets[[2]uint64{entries[i].Lo, entries[i].Hi}] = true
	}
	require.Len(t, known, n, "keys differ")
	for _, kind := range kinds {
		stream := newStream(kind, entries, rng)
		require.Zero(t, len(stream)&(len(stream)-1), "a power of two")
		require.GreaterOrEqual(t, len(stream), max(n, leastStream))
		counts, strangers := make([]int, n), 0
		for i, k := range stream {
			at, ok := known[k]
			switch {
			case kind == "miss":
				require.False(t, ok)
				if !sets[[2]uint64{k.Lo, k.Hi}] {
					strangers++
				}
				continue
			case kind == "sequential":
				require.Equal(t, i%n, at)
			}
			require.True(t, ok)
			counts[at]++
		}
		switch kind {
		case "miss":
			require.InDelta(t, 0.5, float64(strangers)/float64(len(stream)), 0.02)
		case "random":
			require.LessOrEqual(t, slices.Max(counts)-slices.Min(counts), 1, "every key equally often")
		case "zipf":
			require.Greater(t, slices.Max(counts), len(stream)/20, "there is a favourite")
		}
	}
}

// The three ways of asking find the same; a table that lost a key is noticed.
func TestChecksumsAreCompared(t *testing.T) {
	rng := testkit.Rand(t)
	entries := newEntries(500, rng)
	opt := Options{Rounds: 1}
	for _, kind := range kinds {
		b := newTestBed(t, entries)
		b.stream = newStream(kind, entries, rng)
		_, err := b.measure(context.Background(), opt, nil)
		require.NoError(t, err)
		if kind == "miss" {
			require.Zero(t, b.single(len(b.stream)))
			continue
		}
		require.NotZero(t, b.single(len(b.stream)))
		delete(b.flat, b.stream[rng.IntN(len(b.stream))])
		_, err = b.measure(context.Background(), opt, nil)
		require.ErrorContains(t, err, "the checksum of map")
	}
}

func newTestBed(t *testing.T, entries []table.Entry[value]) *bed {
	t.Helper()
	built, err := table.Build(entries, table.Config{})
	require.NoError(t, err)
	b := &bed{table: built, flat: map[table.Key]uint64{}, out: make([]*table.Entry[value], batch)}
	for i := range entries {
		b.flat[keyOf(&entries[i])] = uint64(entries[i].Tag)
	}
	return b
}

func TestRun(t *testing.T) {
	calls, last := 0, 0
	rep, err := Run(context.Background(), Options{Max: 100, Rounds: 6, Batch: time.Microsecond, Seed: testkit.Seed(t),
		Progress: func(done, total int, _ string) { calls++; last = total - done }})
	require.NoError(t, err)
	require.Len(t, rep.Scale, len(Sizes(100))*len(kinds)*len(rows))
	require.Equal(t, len(rep.Scale)*6, calls)
	require.Zero(t, last)
	for _, p := range rep.Scale {
		require.Positive(t, p.NsPerOp)
		require.Len(t, p.Samples, 6)
		require.NotNil(t, p.Interval)
		require.Positive(t, p.BuildNsPerKey)
		if p.Impl == "engine" {
			require.Greater(t, p.BytesPerKey, 64.0, "an entry is 64 bytes")
			require.Less(t, p.BytesPerKey, 200.0)
		}
	}
	var text, lines bytes.Buffer
	require.NoError(t, doc.Write(&text, Growth{rep}, "text", 0))
	require.Contains(t, text.String(), "      100 ")
	var page bytes.Buffer
	require.NoError(t, doc.Write(&page, Growth{rep}, "md", 0))
	require.Contains(t, page.String(), "| keys | random engine | random batch | random map | sequential engine |")
	require.Equal(t, 2*len(Sizes(100)),
		strings.Count(page.String(), "\n| 8 |")+strings.Count(page.String(), "\n| 32 |")+strings.Count(page.String(), "\n| 100 |"))
	require.NoError(t, doc.Write(&lines, Growth{rep}, "csv", 0))
	records, err := csv.NewReader(&lines).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 1+len(rep.Scale))
	for _, chart := range Charts(rep) {
		f := chart.Draw("c")
		want := 0
		for _, s := range chart.Series {
			require.Len(t, s.Points, len(Sizes(100)), s.Name)
			want += len(s.Points)
		}
		require.Equal(t, want, f.Marks, "every value is drawn")
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Run(ctx, Options{Max: 100, Rounds: 6, Progress: func(int, int, string) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
}

// The terminal's chart has a letter for each curve, in the column of its time, and the caches between the sizes they end at.
func TestChart(t *testing.T) {
	rep := &report.Report{Environment: report.Environment{Caches: []report.Cache{{Name: "L1d", Bytes: 32 << 10},
		{Name: "L2", Bytes: 512 << 10}}}}
	add := func(keys int, requests, impl string, batch int, ns float64) {
		p := report.NewScalePoint(keys, requests, impl, batch, []float64{ns})
		p.BytesPerKey = 66
		rep.Scale = append(rep.Scale, p)
	}
	for i, n := range []int{8, 1000, 5000, 20_000} {
		add(n, "random", "engine", 1, 4*float64(i+1))
		add(n, "random", "map", 1, 40)
	}
	lines := strings.Split(group(rep).chart(), "\n")
	for i, want := range []string{"keys", "|5", "8", "L1d, 32 KiB, ends here", "1000", "5000", "L2, 512 KiB, ends here", "20000",
		"where two meet"} {
		require.Contains(t, lines[i], want)
	}
	last := 0
	for _, i := range []int{2, 4, 5, 7} {
		require.Equal(t, 1, strings.Count(lines[i], "R"), lines[i])
		require.Equal(t, strings.Index(lines[2], "m"), strings.Index(lines[i], "m"), "the same time is the same column")
		require.Greater(t, strings.Index(lines[i], "R"), last, "more time is farther to the right")
		last = strings.Index(lines[i], "R")
	}
	require.Empty(t, group(&report.Report{}).chart())
}

func TestFits(t *testing.T) {
	g := grouped{caches: []report.Cache{{Name: "L1d", Bytes: 100}, {Name: "L2", Bytes: 1000}}}
	require.Equal(t, []string{"L1d", "L2", "memory", "?"}, []string{g.fits(100), g.fits(101), g.fits(1001), grouped{}.fits(1)})
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	rep := &report.Report{Scale: []report.ScalePoint{report.NewScalePoint(8, "random", "engine", 1, []float64{rand.Float64() + 1})}}
	for _, format := range []string{"text", "md", "csv"} {
		require.ErrorIs(t, doc.Write(full{}, Growth{rep}, format, 0), errFull, format)
	}
}
