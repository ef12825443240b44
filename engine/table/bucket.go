package table

import (
	"cmp"
	"slices"
)

// maxBucket bounds the keys of a bucket. With fewer than 3 on average, hashes that are any good do not come near it: the chance that
// a bucket has 30 is below 1e-18.
const maxBucket = 64

// group sorts the hashes of a part by bucket, in the order of the input within each: a counting sort whose counts and
// hashes stay in the cache. Those of bucket i are then p.hashes[p.starts[i]:p.starts[i+1]].
func (p *placer) group() {
	if cap(p.hashes) < len(p.records) {
		p.hashes = make([]uint64, len(p.records)+len(p.records)/16)
	}
	p.hashes = p.hashes[:len(p.records)]
	p.starts = p.starts[:p.buckets+2]
	clear(p.starts)
	// Counts, ends and starts share one array: the count of bucket i is made at i+2, its start stands at i+1 until the
	// hashes that are copied there have pushed it to the end, which is the start of bucket i+1.
	for i := range p.records {
		p.starts[p.bucketOf(p.records[i].hash)+2]++
	}
	sum := uint32(0)
	for i := range p.starts {
		sum += p.starts[i]
		p.starts[i] = sum
	}
	for i := range p.records {
		h := p.records[i].hash
		at := &p.starts[p.bucketOf(h)+1]
		p.hashes[*at] = h
		*at++
	}
}

func (p *placer) bucket(b uint32) []uint64 { return p.hashes[p.starts[b]:p.starts[int(b)+1]] }

func (p *placer) size(b uint32) uint32 { return p.starts[int(b)+1] - p.starts[b] }

// fail says why the part cannot be built: what no pilot can separate, which are entries with one key, keys with one hash and a bucket
// out of bounds, or else what the placer says, of bucket b. Only then are they looked for.
func (p *placer) fail(k kind, b uint32) *failure {
	bad := map[uint32]bool{}
	for b := range uint32(p.buckets) {
		if hashes := p.bucket(b); len(hashes) > maxBucket || !distinct(hashes) {
			bad[b] = true
		}
	}
	if len(bad) > 0 {
		return p.worst(bad)
	}
	return p.blame(k, b)
}

// worst returns the failure of a part with such buckets: two entries with one key, else with one hash, else a bucket that is too
// large. Of several pairs it is the one whose second entry comes first in the input, and its first the first. Only here do
// entries matter.
func (p *placer) worst(bad map[uint32]bool) (worst *failure) {
	var records []record
	for _, r := range p.records {
		if bad[uint32(p.bucketOf(r.hash))] {
			records = append(records, r)
		}
	}
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.hash, b.hash) })
	first, oldest := map[Key]uint32{}, uint32(0) // of the hash: the first entry of each key, and of all
	for i, r := range records {
		if i > 0 && r.hash != records[i-1].hash {
			clear(first)
		}
		key, k := p.b.key(r.entry), duplicate
		other, equal := first[key]
		if !equal {
			first[key] = r.entry
			if len(first) == 1 {
				oldest = r.entry
				continue
			}
			other, k = oldest, collision
		}
		if worst == nil || k > worst.kind || k == worst.kind && r.entry < worst.entries[1] {
			worst = &failure{k, p.bucket0 + p.bucketOf(r.hash), []uint32{other, r.entry}}
		}
	}
	for b := uint32(0); worst == nil; b++ {
		if bad[b] {
			worst = p.blame(noPilot, b)
		}
	}
	return worst
}

// blame is the failure of a bucket.
func (p *placer) blame(k kind, b uint32) *failure {
	f := &failure{kind: k, bucket: p.bucket0 + uint64(b)}
	for _, r := range p.records {
		if p.bucketOf(r.hash) == uint64(b) {
			f.entries = append(f.entries, r.entry)
		}
	}
	return f
}

// sortBySize lists the buckets by size, largest first and empty ones left out, in p.order: another counting sort. It reports false if one
// is out of bounds.
func (p *placer) sortBySize() bool {
	var at [maxBucket + 2]uint32
	for b := range uint32(p.buckets) {
		size := p.size(b)
		if size > maxBucket {
			return false
		}
		at[maxBucket-size+1]++
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
	if len(p.order) > 0 {
		p.largest = max(p.largest, int(p.size(p.order[0])))
	}
	return true
}
