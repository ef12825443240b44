package table

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// maxSeeds bounds the attempts. One suffices except for the smallest tables, where of ten seeds one may fail.
const maxSeeds = 64

// Config is how a table is built. The zero value is usable.
type Config struct {
	// Seed selects the hash functions. Equal entries and seeds make equal tables, whatever the number of processors.
	Seed uint64

	hash    func(lo, hi uint64, id uint32) uint64 // for tests: instead of the seeded hash, in the build only
	workers int                                   // for tests: goroutines; 0 means GOMAXPROCS
}

// Build makes a table of the entries, which it copies. It fails if two entries have the same key, naming it, if there are
// more than 1<<28, or if no seed in 64 serves, naming the bucket that could not be placed and its keys; keys for which
// that happens are not known. Time and space are linear in the number of entries.
func Build[V any](entries []Entry[V], cfg Config) (*Table[V], error) {
	n := len(entries)
	if n > maxKeys {
		return nil, fmt.Errorf("table: %d entries, the limit is %d", n, maxKeys)
	}
	b := newBuilder(n, cfg.workers)
	t := &Table[V]{buckets: b.shape.buckets, mask: b.shape.mask, pilots: b.pilots, entries: newEntries[V](int(b.shape.slots))}
	t.locate(b.shape)

	// The stages know keys by their hashes only; these three functions are all that depends on V.
	b.key = func(i uint32) Key { return Key{entries[i].Lo, entries[i].Hi, entries[i].ID} }
	b.hash = func(to []uint64, from int) { hashEntries(to, entries[from:][:len(to)], b.seed, cfg.hash) }
	b.fill = func(p *placer) { fill(t.entries, entries, p) }

	var failed *failure
	for attempt := range maxSeeds {
		b.seed = derive(cfg.Seed, attempt)
		b.stats.Seeds++
		if failed = b.attempt(); failed == nil {
			t.mixLo, t.mixHi, t.mixID = b.seed.lo, b.seed.hi, b.seed.id
			t.stats = b.stats
			if n == 0 {
				fillEmpty(t.entries, b.seed, b.shape)
			}
			return t, nil
		}
		if failed.kind == duplicate {
			break
		}
	}
	return nil, b.error(failed)
}

func hashEntries[V any](hashes []uint64, entries []Entry[V], s seed, instead func(lo, hi uint64, id uint32) uint64) {
	for i := range entries {
		e := &entries[i]
		if instead != nil {
			hashes[i] = instead(e.Lo, e.Hi, e.ID)
		} else {
			hashes[i] = s.hash(e.Lo, e.Hi, e.ID)
		}
	}
}

// builder is what the stages of a build share.
type builder struct {
	shape   *shape
	partOf  [windows]uint8 // the part of each window
	seed    seed
	pilots  []byte
	records []record // by part, in the order of the input within each
	ends    []int    // of the parts in records
	placers []*placer
	stats   Stats

	key  func(entry uint32) Key
	hash func(to []uint64, from int) // the hashes of entries, from a number on
	fill func(p *placer)
}

// record is a key under construction: its hash, and the entry that it is of.
type record struct {
	hash  uint64
	entry uint32
}

func newBuilder(n, workers int) *builder {
	b := &builder{shape: newShape(n), records: make([]record, n)}
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	b.pilots = make([]byte, b.shape.buckets)
	b.placers = make([]*placer, min(workers, len(b.shape.parts)))
	for i, p := range b.shape.parts {
		for w := p.first; w < p.end; w++ {
			b.partOf[w] = uint8(i)
		}
	}
	b.stats = Stats{Keys: n, Slots: int(b.shape.slots), Buckets: int(b.shape.buckets), Index: int(b.shape.buckets) + 8*windows,
		Parts: len(b.shape.parts)}
	return b
}

// attempt builds all parts with the seed. If some fail it returns the failure of the lowest, so that the outcome
// does not depend on which goroutine came first.
//
// To find a part's pilots is one job, and to copy its entries another, done when there is none of the first kind to begin with:
// a table that is just worth a second processor has few parts, of unequal length. When each part was one job, one of two
// processors had nothing to do for a sixth of the time in 40,000 keys, and for more in 50,000.
func (b *builder) attempt() *failure {
	b.partition()
	for _, p := range b.placers {
		if p != nil {
			p.tries, p.evictions, p.largest = 0, 0, 0
		}
	}
	parts := len(b.shape.parts)
	failures := make([]*failure, parts)
	var lowest atomic.Int64 // of the parts that failed
	lowest.Store(int64(parts))
	placed := make(chan int, parts)
	b.parallel(2*parts, func(worker, job int) {
		p := b.placer(worker)
		if job >= parts {
			if part := <-placed; lowest.Load() == int64(parts) {
				p.enter(part)
				b.fill(p)
			}
			return
		}
		if int64(job) < lowest.Load() {
			p.enter(job)
			if failures[job] = p.place(); failures[job] != nil {
				for l := lowest.Load(); int64(job) < l && !lowest.CompareAndSwap(l, int64(job)); l = lowest.Load() {
				}
			}
		}
		placed <- job
	})
	if l := lowest.Load(); l < int64(parts) {
		return failures[l]
	}
	for _, p := range b.placers {
		if p != nil {
			b.stats.Tries += p.tries
			b.stats.Evictions += p.evictions
			b.stats.LargestBucket = max(b.stats.LargestBucket, p.largest)
		}
	}
	return nil
}

func (b *builder) placer(worker int) *placer {
	if b.placers[worker] == nil {
		b.placers[worker] = newPlacer(b)
	}
	return b.placers[worker]
}

// parallel calls f for each job, on as many goroutines as there are placers.
func (b *builder) parallel(jobs int, f func(worker, job int)) {
	if len(b.placers) == 1 {
		for job := range jobs {
			f(0, job)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for worker := range b.placers {
		wg.Go(func() {
			for job := int(next.Add(1)) - 1; job < jobs; job = int(next.Add(1)) - 1 {
				f(worker, job)
			}
		})
	}
	wg.Wait()
}
