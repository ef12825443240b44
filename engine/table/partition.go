package table

// partition hashes the keys and groups them by part, in the order of the input within each: a counting sort in as many
// pieces as there are workers. It returns where each part ends in b.records.
func (b *builder) partition() []int {
	n, pieces := len(b.hashes), len(b.placers)
	if len(b.shape.parts) == 1 { // nothing to count and to sort, which was a seventh of the time of building 240 keys
		b.hash(0, n)
		for i, h := range b.hashes {
			b.records[i] = record{h, uint32(i)}
		}
		return []int{n}
	}
	bound := func(piece int) int { return int(uint64(n) * uint64(piece) / uint64(pieces)) }
	next := make([][]int, pieces) // first the number of keys, then the index of the next one, by piece and part
	b.parallel(pieces, func(_, piece int) {
		from, to := bound(piece), bound(piece+1)
		b.hash(from, to)
		next[piece] = make([]int, len(b.shape.parts))
		for _, h := range b.hashes[from:to] {
			next[piece][b.partOf[h>>(64-windowBits)]]++
		}
	})
	ends := make([]int, len(b.shape.parts))
	sum := 0
	for part := range ends {
		for piece := range next {
			next[piece][part], sum = sum, sum+next[piece][part]
		}
		ends[part] = sum
	}
	b.parallel(pieces, func(_, piece int) {
		next := next[piece]
		for i := bound(piece); i < bound(piece+1); i++ {
			h := b.hashes[i]
			at := &next[b.partOf[h>>(64-windowBits)]]
			b.records[*at] = record{h, uint32(i)}
			*at++
		}
	})
	return ends
}
