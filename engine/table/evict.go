package table

import "slices"

// evict places a bucket that no pilot sends to free slots: it takes the slots of the buckets that cost least, by the sum
// of the squares of their sizes, and places those in turn (Groot Koerkamp 2025). It gives up when the part's budget is
// spent. Random keys need it for one bucket in four hundred, the budget allows one in sixteen.
func (p *placer) evict(b uint32) bool {
	var recent [16]uint32 // the buckets last placed here stay, lest two turn each other out for ever
	for i := range recent {
		recent[i] = b
	}
	p.homeless = append(p.homeless[:0], b)
	for turn := 0; len(p.homeless) > 0; {
		b := p.homeless[len(p.homeless)-1]
		p.homeless = p.homeless[:len(p.homeless)-1]
		if p.put(b) {
			continue
		}
		if p.budget--; p.budget < 0 {
			return false
		}
		pilot, ok := p.cheapest(b, &recent)
		if !ok {
			return false
		}
		p.displace(b, pilot)
		recent[turn%len(recent)] = b
		turn++
	}
	return true
}

// cheap is what costs so little that nothing cheaper is looked for: a bucket of two keys.
const cheap = 2 * 2

// cheapest finds the pilot that turns out least. It begins at a random one, so that buckets that meet again try others.
func (p *placer) cheapest(b uint32, recent *[16]uint32) (best uint64, ok bool) {
	hashes := p.bucket(b)
	lowest := ^uint32(0)
	p.random = splitmix(p.random + golden)
	slots := &p.found
pilots:
	for i := range uint64(256) {
		pilot := (p.random + i) % 256
		p.tries++
		cost := uint32(0)
		for j := range hashes {
			s := p.slotOf(hashes[j], pilot)
			slots[j%maxBucket] = s
			if p.taken[s] == 0 {
				continue
			}
			o := p.owner[s]
			if cost += p.size(o) * p.size(o); cost >= lowest || slices.Contains(recent[:], o) {
				continue pilots
			}
		}
		if distinct(slots[:len(hashes)]) {
			best, lowest, ok = pilot, cost, true
			if cost <= cheap {
				break
			}
		}
	}
	return best, ok
}

// displace gives a bucket the slots of a pilot, whoever has them.
func (p *placer) displace(b uint32, pilot uint64) {
	hashes := p.bucket(b)
	slots := &p.found
	for i := range hashes {
		s := p.slotOf(hashes[i], pilot)
		slots[i%maxBucket] = s
		if p.taken[s] == 0 {
			continue
		}
		o := p.owner[s]
		for _, h := range p.bucket(o) {
			s := p.slotOf(h, uint64(p.pilots[o]))
			p.taken[s] = 0
		}
		p.homeless = append(p.homeless, o)
		p.evictions++
	}
	p.take(b, pilot, slots[:len(hashes)])
}
