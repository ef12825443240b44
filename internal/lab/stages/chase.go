package stages

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ksdispatch/ksdispatch/internal/lab/measure"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// steps are the loads of a round.
const steps = 1 << 14

// line is a cache line that says which comes next.
type line [lineBytes / 4]uint32

const lineBytes = 64

// chase is a walk through lines in a random order that comes by each of them before the first again. Every load waits for
// the one before, and no prefetcher sees a pattern. Where the lines are more than the translation buffer covers, finding
// the address is part of a load, as it is of a lookup's.
type chase struct {
	name  string
	bytes int
	lines []line
	at    uint32
}

// chases doubles the working set from 8 KiB to four times the last cache, at least to 16 and at most to 256 MiB.
func chases(caches []report.Cache) (all []*chase) {
	last := 16 << 20
	for _, c := range caches {
		last = max(last, 4*c.Bytes)
	}
	for size := 8 << 10; size <= min(last, 256<<20); size *= 2 {
		all = append(all, &chase{name: name(size, caches), bytes: size})
	}
	return all
}

// name says the size, and the level that holds it. Where a level is full to the brim, some of its lines belong to others.
func name(size int, caches []report.Cache) string {
	text := fmt.Sprintf("load, %d KiB", size>>10)
	if size >= 1<<20 {
		text = fmt.Sprintf("load, %d MiB", size>>20)
	}
	for _, c := range caches {
		if size <= c.Bytes {
			return text + ", " + c.Name
		}
	}
	if len(caches) == 0 {
		return text
	}
	return text + ", DRAM"
}

// prepare lays out the walk: Sattolo's shuffle makes a permutation of one cycle.
func (c *chase) prepare(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, uint64(c.bytes)))
	c.lines = make([]line, c.bytes/lineBytes)
	for i := range c.lines {
		c.lines[i][0] = uint32(i)
	}
	for i := len(c.lines) - 1; i > 0; i-- {
		j := rng.IntN(i)
		c.lines[i][0], c.lines[j][0] = c.lines[j][0], c.lines[i][0]
	}
}

// walk returns the time of a load in each of some rounds, in ns. Unlike the loops, chases do not take turns with others, which
// would leave them caches full of something else: all lines are visited once first. A walk goes on from where it ended, so
// that a round in a large set does not see the lines of the one before.
func (c *chase) walk(ctx context.Context, rounds int) (ns []float64, err error) {
	c.step(len(c.lines))
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start, loads, took := time.Now(), 0, time.Duration(0)
		for took < measure.Visible() {
			c.step(steps)
			loads, took = loads+steps, time.Since(start)
		}
		ns = append(ns, float64(took)/float64(loads))
	}
	return ns, nil
}

func (c *chase) step(n int) {
	lines, at := c.lines, c.at
	for range n {
		at = lines[at][0]
	}
	c.at = at
}

// stage measures a chase. Its memory is not needed longer.
func (c *chase) stage(ctx context.Context, seed uint64, rounds int) (report.Stage, error) {
	c.prepare(seed)
	ns, err := c.walk(ctx, rounds)
	s := report.NewStage(c.name, report.StageLimit, "",
		fmt.Sprintf("load that waits for the one before, at random among %d cache lines", len(c.lines)), ns)
	s.Bytes, c.lines = c.bytes, nil
	return s, err
}
