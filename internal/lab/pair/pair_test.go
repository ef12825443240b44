package pair

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// host is a machine whose speed is what the test says, at each moment.
type host struct {
	clock time.Time
	log   []byte
	slow  func(t time.Duration) float64
	begun time.Time
}

func (h *host) now() time.Time { return h.clock }

func (h *host) variant(name byte, takes time.Duration) func() {
	return func() {
		h.log = append(h.log, name)
		h.clock = h.clock.Add(time.Duration(float64(takes) * h.slow(h.clock.Sub(h.begun))))
	}
}

func steady(time.Duration) float64 { return 1 }

func run(t *testing.T, slow func(time.Duration) float64, blocks int, seed uint64) (*host, []float64, []float64) {
	h := &host{slow: slow}
	as, bs, err := measure(context.Background(), h.variant('a', 1000), h.variant('b', 1100), Config{Blocks: blocks, Seed: seed}, h.now)
	require.NoError(t, err)
	require.Len(t, as, blocks)
	require.Len(t, bs, blocks)
	return h, as, bs
}

func TestBlocksAreABBAOrBAAB(t *testing.T) {
	seed := testkit.Seed(t)
	h, as, bs := run(t, steady, 1000, seed)
	first := 0
	for i := 2; i < len(h.log); i += 4 { // the first two warm up
		block := string(h.log[i : i+4])
		require.Contains(t, []string{"abba", "baab"}, block)
		if block == "abba" {
			first++
		}
	}
	require.InDelta(t, 500, first, 100) // six standard deviations of a fair coin
	again, _, _ := run(t, steady, 1000, seed)
	require.Equal(t, h.log, again.log)
	for i := range as {
		require.Equal(t, 1000.0, as[i])
		require.Equal(t, 1100.0, bs[i])
	}
}

// A machine that slows down steadily gives every block the same ratio as one that does not.
func TestDriftCancels(t *testing.T) {
	_, as, bs := run(t, func(d time.Duration) float64 { return 1 + d.Seconds()*1000 }, 100, testkit.Seed(t)) // by 40 % in 100 blocks
	require.Greater(t, as[99], 1.3*as[0])
	for i := range as {
		require.InDelta(t, math.Log(1.1), math.Log(bs[i]/as[i]), 0.001)
	}
}

func TestEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	as, bs, err := Measure(ctx, func() {
		if calls++; calls == 10 {
			cancel()
		}
	}, func() {}, Config{Blocks: 1 << 30})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, as)
	require.Nil(t, bs)
}
