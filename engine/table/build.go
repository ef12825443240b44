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
	b.hash = func(from, to int) { hashEntries(b.hashes[from:to], entries[from:to], b.seed, cfg.hash) }
	b.fill = func(p *placer, records []record) { fill(t.entries, entries, p, records) }

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
	hashes  []uint64 // in the order of the input
	records []record // by part
	placers []*placer
	stats   Stats

	key  func(entry uint32) Key
	hash func(from, to int)
	fill func(p *placer, records []record)
}

// record is a key under construction: its hash, and the entry that it is of.
type record struct {
	hash  uint64
	entry uint32
}

func newBuilder(n, workers int) *builder {
	b := &builder{shape: newShape(n), hashes: make([]uint64, n), records: make([]record, n)}
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
	b.stats = Stats{Keys: n, Slots: int(b.shape.slots), Buckets: int(b.shape.buckets), Index: int(b.shape.buckets) + 8*windows, Parts: len(b.shape.parts)}
	return b
}

// attempt builds all parts with the seed. If some fail it returns the failure of the lowest, so that the outcome
// does not depend on which goroutine came first.
func (b *builder) attempt() *failure {
	ends := b.partition()
	parts := len(b.shape.parts)
	failures := make([]*failure, parts)
	var lowest atomic.Int64 // of the parts that failed
	lowest.Store(int64(parts))
	b.parallel(parts, func(worker, part int) {
		if int64(part) > lowest.Load() {
			return
		}
		p := b.placers[worker]
		if p == nil {
			p = newPlacer(b)
			b.placers[worker] = p
		}
		from := 0
		if part > 0 {
			from = ends[part-1]
		}
		records := b.records[from:ends[part]]
		if failures[part] = p.build(part, records); failures[part] == nil {
			b.fill(p, records)
			return
		}
		for l := lowest.Load(); int64(part) < l && !lowest.CompareAndSwap(l, int64(part)); l = lowest.Load() {
		}
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
