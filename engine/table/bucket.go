package table

import (
	"cmp"
	"slices"
)

// maxBucket bounds the keys of a bucket. With fewer than 3 on average, hashes that are any good do not come near it: the chance that
// a bucket has 30 is below 1e-18.
const maxBucket = 64

// group sorts the records of a part by bucket, in the order of the input within each: a counting sort whose counts and
// records stay in the cache. Bucket i is then p.records[p.starts[i]:p.starts[i+1]].
func (p *placer) group(records []record) {
	if cap(p.records) < len(records) {
		p.records = make([]record, len(records)+len(records)/16)
	}
	p.records = p.records[:len(records)]
	p.starts = p.starts[:p.buckets+2]
	clear(p.starts)
	// Counts, ends and starts share one array: the count of bucket i is made at i+2, its start stands at i+1 until the
	// records that are copied there have pushed it to the end, which is the start of bucket i+1.
	for i := range records {
		p.starts[p.bucketOf(records[i].hash)+2]++
	}
	sum := uint32(0)
	for i := range p.starts {
		sum += p.starts[i]
		p.starts[i] = sum
	}
	for _, r := range records {
		at := &p.starts[p.bucketOf(r.hash)+1]
		p.records[*at] = r
		*at++
	}
}

func (p *placer) bucket(b uint32) []record { return p.records[p.starts[b]:p.starts[int(b)+1]] }

func (p *placer) size(b uint32) uint32 { return p.starts[int(b)+1] - p.starts[b] }

// check finds what no pilot can separate: entries with one key, keys with one hash, a bucket out of bounds. Equal keys
// have equal hashes and so are in one bucket.
func (p *placer) check() *failure {
	var worst *failure
	for b := range uint32(p.buckets) {
		rs := p.bucket(b)
		p.largest = max(p.largest, len(rs))
		if len(rs) <= maxBucket {
			for i := 1; i < len(rs); i++ {
				for j := range i {
					if rs[j].hash == rs[i].hash {
						worst = p.equal(worst, b, rs[j].entry, rs[i].entry)
					}
				}
			}
			continue
		}
		byHash := slices.SortedStableFunc(slices.Values(rs), func(a, b record) int { return cmp.Compare(a.hash, b.hash) })
		for i := 1; i < len(byHash); i++ {
			if byHash[i-1].hash == byHash[i].hash {
				worst = p.equal(worst, b, byHash[i-1].entry, byHash[i].entry)
			}
		}
		if worst == nil {
			worst = p.fail(noPilot, b)
		}
	}
	return worst
}

// equal returns the worse of a failure and that of two entries with one hash; of equals, the one found first in the input.
func (p *placer) equal(worst *failure, bucket uint32, i, j uint32) *failure {
	k := collision
	if p.b.key(i) == p.b.key(j) {
		k = duplicate
	}
	if worst == nil || k > worst.kind || k == worst.kind && j < worst.entries[1] {
		return &failure{k, p.bucket0 + uint64(bucket), []uint32{i, j}}
	}
	return worst
}

// fail blames a bucket.
func (p *placer) fail(k kind, b uint32) *failure {
	f := &failure{kind: k, bucket: p.bucket0 + uint64(b)}
	for _, r := range p.bucket(b) {
		f.entries = append(f.entries, r.entry)
	}
	return f
}

// order lists the buckets by size, largest first and empty ones left out, in p.order: another counting sort.
func (p *placer) sortBySize() {
	var at [maxBucket + 2]uint32
	for b := range uint32(p.buckets) {
		at[maxBucket-p.size(b)+1]++
	}
	for i := 1; i < len(at); i++ {
		at[i] += at[i-1]
	}
	p.order = p.order[:at[maxBucket]]
	for b := range uint32(p.buckets) {
		if size := p.size(b); size > 0 {
			p.order[at[maxBucket-size]] = b
			at[maxBucket-size]++
		}
	}
}
