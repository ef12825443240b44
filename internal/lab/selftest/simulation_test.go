package selftest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/verdict"
)

// Few trials of a fixed seed, which either hold what is promised or do not.
func TestSimulationHoldsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("computes: for minutes, under the race detector, and on one goroutine")
	}
	s, err := Simulate(context.Background(), 1, 40, nil)
	require.NoError(t, err)
	require.True(t, s.OK(), "%+v", s.Promises)
	var twice [2]*Simulation
	for i := range twice {
		twice[i], err = Simulate(context.Background(), 7, 3, nil)
		require.NoError(t, err)
	}
	require.Equal(t, twice[0].rates(), twice[1].rates(), "the seed decides")

	var text bytes.Buffer
	require.NoError(t, doc.Write(&text, s, "text", 0))
	require.Contains(t, text.String(), "40 rows, B/op vary")
	require.Contains(t, text.String(), "All promises hold.")
	s.Promises[0].Rate = 0.5
	text.Reset()
	require.NoError(t, doc.Write(&text, s, "text", 0))
	require.Contains(t, text.String(), "1 promise does not hold")
}

func (s *Simulation) rates() (rates []float64) {
	for _, p := range s.Promises {
		rates = append(rates, p.Rate)
	}
	return rates
}

// What the promises protect from: each row for itself, every value for one, or one run for all, as a naive gate takes them.
func TestSimulationFindsNaiveVerdicts(t *testing.T) {
	const trials = 30
	for name, noisy := range map[string]trial{
		"AR(1)":   {rows: 20, n: 10, noise: serial(0.8)},
		"between": {rows: 20, n: 10, noise: normal, between: 0.03},
	} {
		alarms := 0
		for i := range trials {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			old, new := noisy.read(t, rng), noisy.read(t, rng)
			for k, s := range new.Series {
				if r := verdict.Compare(old.Series[k].Values, s.Values, verdict.Options{Effect: gateEffect}); r.Verdict == verdict.Regressed {
					alarms++
					break
				}
			}
		}
		require.Greater(t, alarms, trials/4, name)
	}
}

func (t trial) read(test *testing.T, rng *rand.Rand) *verdict.Measurements {
	m, err := t.measure(rng, false)
	require.NoError(test, err)
	return m
}

func TestSimulationEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Simulate(ctx, 1, 10, nil)
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}
