package selftest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func workloads(t *testing.T) []lab.Workload {
	all, err := lab.Default()
	require.NoError(t, err)
	return all[:2]
}

// Times depend on the machine and are not asserted. Counts do not: the planted allocation is always found.
func TestRun(t *testing.T) {
	calls := 0
	r, err := Run(context.Background(), workloads(t), Options{Seed: testkit.Seed(t), Blocks: 10, Progress: func(done, total int, _ string) {
		calls++
		require.Equal(t, calls, done)
		require.Equal(t, 10, total)
	}})
	require.NoError(t, err)
	require.Equal(t, 10, calls)
	require.Len(t, r.Kinds, len(kinds))
	for i, rows := range []int{4, 2, 2, 2} {
		k := r.Kinds[i]
		require.Len(t, k.Comparison.Rows, rows)
		require.Zero(t, k.Comparison.Counts[verdict.Insufficient], "%s: %+v", k.Name, k.Comparison.Rows)
	}
	allocations := r.Kinds[3]
	require.Equal(t, 2, allocations.Right)
	for _, row := range allocations.Comparison.Rows {
		require.Equal(t, verdict.Regressed, row.Verdict)
		require.InDelta(t, 0.01, row.New.Center-row.Old.Center, 0.002)
	}
	var text bytes.Buffer
	require.NoError(t, doc.Write(&text, r, "text", 0))
	require.Contains(t, text.String(), "  allocation  2 of 2 ok")
}

// A verdict that was wrong is named, and is counted.
func TestWrongVerdictsAreNamed(t *testing.T) {
	tester := &tester{}
	for k := range kinds {
		series := verdict.Series{Name: "w", Unit: "ns/op", Better: verdict.Lower}
		for i := range 50 {
			series.Values = append(series.Values, 100+float64(i%3))
		}
		tester.old[k].Series = []verdict.Series{series}
		tester.new[k].Series = []verdict.Series{series}
	}
	r, err := tester.result() // nothing changed, whatever was planted
	require.NoError(t, err)
	require.False(t, r.OK())
	for i, right := range []int{1, 0, 0, 0} {
		require.Equal(t, right, r.Kinds[i].Right, r.Kinds[i].Name)
		require.Equal(t, 1, r.Kinds[i].Needed)
	}
	var text bytes.Buffer
	require.NoError(t, doc.Write(&text, r, "text", 0))
	require.Contains(t, text.String(), "wrong: 5 % slower: w: same, +0.00%")
	require.Contains(t, text.String(), "cannot be believed")
}

func TestNineteenOfTwentyAreNeeded(t *testing.T) {
	tester := &tester{}
	for k := range kinds {
		for i := range 40 {
			s := verdict.Series{Name: string(rune('A' + i)), Unit: "ns/op", Better: verdict.Lower, Values: []float64{1, 1, 1, 1, 1, 1}}
			tester.old[k].Series = append(tester.old[k].Series, s)
			tester.new[k].Series = append(tester.new[k].Series, s)
		}
	}
	r, err := tester.result()
	require.NoError(t, err)
	require.Equal(t, 38, r.Kinds[0].Needed)
	require.Equal(t, 40, r.Kinds[3].Needed)
}

func TestEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Run(ctx, workloads(t), Options{Blocks: 20})
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}
