// Package pair times two variants of one thing against each other in one process, as pairs that package verdict can
// judge.
//
// A machine with other users changes its speed by tens of percent from one millisecond to the next: a neighbour takes
// the sibling core, the clock steps, the scheduler gives the processor away for a while. Two variants have only the
// moment in common. So the batches are short, some ten microseconds, and lie side by side in blocks of four, A B B A or
// B A A B. In such a block a linear drift cancels, and most blocks fall wholly into one mode of the machine. Blocks
// that do not become outliers of the ratio, equally often in either direction, and rank tests tolerate those.
//
// A seeded generator draws the variant that begins a block. That keeps the statistics honest: if the variants do not
// differ, swapping them would have swapped the two sums of the block, so the sign of its log-ratio is the toss of a
// coin, independent of every other block's, whatever the machine does.
//
// Longer batches were worse. With nothing changed, at a load of 17 on two cores, the halves of a block with batches of
// 65 µs differed by 1 to 6 % in the median, and by more than 10 % in a third of the blocks; with batches of 1.1 ms they
// differed by a factor of 2.6, and by more than 10 % in nine blocks of ten.
package pair

import (
	"context"
	"math/rand/v2"
	"time"
)

// Config says how to measure.
type Config struct {
	Blocks int    // of four batches, two of each variant
	Seed   uint64 // of the order within the blocks
}

// Measure runs the blocks and returns for each the time in nanoseconds of one batch of a and of b, the mean of two. A batch
// is one call; both variants should take about as long, and neither should allocate. It ends early with the context's error.
func Measure(ctx context.Context, a, b func(), cfg Config) (as, bs []float64, err error) {
	return measure(ctx, a, b, cfg, time.Now)
}

func measure(ctx context.Context, a, b func(), cfg Config, now func() time.Time) (as, bs []float64, err error) {
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x70616972))
	a() // warm up
	b()
	timed := func(f func()) float64 {
		start := now()
		f()
		return float64(now().Sub(start))
	}
	for range cfg.Blocks {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		outer, inner := a, b
		swapped := rng.Uint64()&1 == 1
		if swapped {
			outer, inner = b, a
		}
		first := timed(outer)
		middle := timed(inner) + timed(inner)
		first += timed(outer)
		if swapped {
			first, middle = middle, first
		}
		as, bs = append(as, first/2), append(bs, middle/2)
	}
	return as, bs, nil
}
