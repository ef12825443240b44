package scale

import (
	"math/bits"
	"math/rand/v2"

	"github.com/ksdispatch/ksdispatch/engine/table"
)

// value makes an entry of 64 bytes, as the dispatcher's are.
type value [5]uint64

const (
	itemsPerSet  = 20
	leastStream  = 1 << 16
	zipfExponent = 1.1
	batch        = 256 // keys to a call of LookupBatch
)

// kinds of requests, in the order of reports.
var kinds = []string{"random", "sequential", "zipf", "miss"}

// newEntries makes n keys in sets of 20. The tag, never 0, tells entries apart in a checksum.
func newEntries(n int, rng *rand.Rand) []table.Entry[value] {
	entries := make([]table.Entry[value], n)
	var lo, hi uint64
	for i := range entries {
		if i%itemsPerSet == 0 {
			lo, hi = rng.Uint64(), rng.Uint64()
		}
		entries[i] = table.Entry[value]{Lo: lo, Hi: hi, ID: uint32(i % itemsPerSet), Tag: uint32(i) + 1}
	}
	return entries
}

func keyOf(e *table.Entry[value]) table.Key { return table.Key{Lo: e.Lo, Hi: e.Hi, ID: e.ID} }

// newStream prepares the requests of a kind: a power of two of them.
func newStream(kind string, entries []table.Entry[value], rng *rand.Rand) []table.Key {
	n := len(entries)
	stream := make([]table.Key, max(leastStream, 1<<bits.Len(uint(n-1))))
	next := func(i int) int { return i % n }
	switch kind {
	case "zipf":
		ranks, order := rand.NewZipf(rng, zipfExponent, 1, uint64(n-1)), rng.Perm(n)
		next = func(int) int { return order[ranks.Uint64()] }
	case "random", "miss":
		var order []int
		next = func(i int) int {
			if i%n == 0 {
				order = rng.Perm(n)
			}
			return order[i%n]
		}
	}
	for i := range stream {
		stream[i] = keyOf(&entries[next(i)])
		if kind == "miss" {
			if rng.IntN(2) == 0 {
				stream[i].Lo, stream[i].Hi = rng.Uint64(), rng.Uint64()
			} else {
				stream[i].ID += 1000
			}
		}
	}
	return stream
}

// bed is one size made ready, with the requests of one kind.
type bed struct {
	table  *table.Table[value]
	flat   map[table.Key]uint64
	stream []table.Key
	out    []*table.Entry[value]
}

// The loops ask for the first n requests, in a cycle, and add up the tags of what they find.

func (b *bed) single(n int) (sum uint64) {
	t, stream := b.table, b.stream
	for i := range n {
		k := &stream[i&(len(stream)-1)]
		if e := t.Lookup(k.Lo, k.Hi, k.ID); e != nil {
			sum += uint64(e.Tag)
		}
	}
	return sum
}

// batched expects a multiple of batch.
func (b *bed) batched(n int) (sum uint64) {
	t, stream, out := b.table, b.stream, b.out
	for i := 0; i < n; i += batch {
		from := i & (len(stream) - 1)
		t.LookupBatch(stream[from:from+batch], out)
		for _, e := range out {
			if e != nil {
				sum += uint64(e.Tag)
			}
		}
	}
	return sum
}

func (b *bed) mapped(n int) (sum uint64) {
	m, stream := b.flat, b.stream
	for i := range n {
		sum += m[stream[i&(len(stream)-1)]]
	}
	return sum
}
