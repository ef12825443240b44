package table

import "iter"

// partition hashes the keys and groups them by part, in the order of the input within each: a counting sort in as many
// pieces as there are workers. Both of its passes hash, so that no memory has to be made for the hashes. The second processor
// gains nothing here until there are some 100,000 keys, but to leave it out gained nothing either.
func (b *builder) partition() {
	n, pieces := len(b.records), len(b.placers)
	b.ends = make([]int, len(b.shape.parts))
	if len(b.ends) == 1 { // nothing to count and to sort, which was a seventh of the time of building 240 keys
		b.ends[0] = n
		for i, hashes := range b.hashed(0, n) {
			for j, h := range hashes {
				b.records[i+j] = record{h, uint32(i + j)}
			}
		}
		return
	}
	bound := func(piece int) int { return int(uint64(n) * uint64(piece) / uint64(pieces)) }
	next := make([][]int, pieces) // first the number of keys, then the index of the next one, by piece and part
	b.parallel(pieces, func(_, piece int) {
		count := make([]int, len(b.ends))
		for _, hashes := range b.hashed(bound(piece), bound(piece+1)) {
			for _, h := range hashes {
				count[b.partOf[h>>(64-windowBits)]]++
			}
		}
		next[piece] = count
	})
	sum := 0
	for part := range b.ends {
		for piece := range next {
			next[piece][part], sum = sum, sum+next[piece][part]
		}
		b.ends[part] = sum
	}
	b.parallel(pieces, func(_, piece int) {
		next := next[piece]
		for i, hashes := range b.hashed(bound(piece), bound(piece+1)) {
			for j, h := range hashes {
				at := &next[b.partOf[h>>(64-windowBits)]]
				b.records[*at] = record{h, uint32(i + j)}
				*at++
			}
		}
	})
}

// hashed returns the hashes of entries, some at a time, each time with the number of the first.
func (b *builder) hashed(from, to int) iter.Seq2[int, []uint64] {
	return func(yield func(int, []uint64) bool) {
		some := make([]uint64, min(256, to-from))
		for ; from < to; from += len(some) {
			some = some[:min(len(some), to-from)]
			b.hash(some, from)
			if !yield(from, some) {
				return
			}
		}
	}
}

// part returns the records of a part.
func (b *builder) part(i int) []record {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return b.records[from:b.ends[i]]
}
