package table

// placer builds parts, one at a time: it finds a pilot for each bucket so that all keys have slots of their own. Its
// memory, about 50 bytes per key of a part, is reused from part to part.
type placer struct {
	b       *builder
	shape   shape
	buckets int // of a part
	slots   int // of a part

	// The part.
	bucket0, slot0 uint64   // its first bucket and slot
	pilots         []byte   // of its buckets
	records        []record // by bucket
	starts         []uint32 // of the buckets in records; two more than buckets (see group)
	order          []uint16 // its buckets that have keys, largest first
	taken          []uint64 // a bit per slot
	owner          []uint16 // the bucket in each slot taken
	homeless       []uint16 // buckets turned out and not yet placed again
	budget         int      // buckets that may still be placed by eviction
	random         uint64

	tries, evictions, largest int
}

func newPlacer(b *builder) *placer {
	buckets, slots := int(b.shape.buckets)/b.parts, int(b.shape.slots)/b.parts
	return &placer{
		b: b, shape: b.shape, buckets: buckets, slots: slots,
		starts: make([]uint32, buckets+2),
		order:  make([]uint16, buckets),
		taken:  make([]uint64, slots/64+1),
		owner:  make([]uint16, slots),
	}
}

func (p *placer) bucketOf(h uint64) uint64      { return p.shape.bucket(h) - p.bucket0 }
func (p *placer) slotOf(h, pilot uint64) uint64 { return p.shape.slot(h, pilot) - p.slot0 }
func (p *placer) isTaken(s uint64) bool         { return p.taken[s/64]>>(s%64)&1 != 0 }

// build finds the pilots of a part.
func (p *placer) build(part int, records []record) *failure {
	p.bucket0, p.slot0 = uint64(part*p.buckets), uint64(part*p.slots)
	p.pilots = p.b.pilots[p.bucket0:][:p.buckets]
	p.group(records)
	if f := p.check(); f != nil {
		return f
	}
	p.sortBySize()
	if len(records) > p.slots {
		return p.fail(noRoom, p.order[0])
	}
	clear(p.pilots)
	clear(p.taken)
	p.budget, p.random = 32+p.buckets/16, 0
	for _, b := range p.order {
		if !p.put(b) && !p.evict(b) {
			return p.fail(noPilot, b)
		}
	}
	return nil
}

// put finds the first pilot that sends the keys of a bucket to free slots.
func (p *placer) put(b uint16) bool {
	rs := p.bucket(b)
	var slots [maxBucket]uint64
	for pilot := range uint64(256) {
		if p.fits(rs, pilot, &slots) {
			p.tries += int(pilot) + 1
			p.take(b, pilot, slots[:len(rs)])
			return true
		}
	}
	p.tries += 256
	return false
}

// fits says whether a pilot sends keys to free slots, and which.
func (p *placer) fits(rs []record, pilot uint64, slots *[maxBucket]uint64) bool {
	for i := range rs {
		s := p.slotOf(rs[i].hash, pilot)
		if p.isTaken(s) {
			return false
		}
		slots[i%maxBucket] = s
	}
	return distinct(slots[:len(rs)])
}

func distinct(slots []uint64) bool {
	for i := 1; i < len(slots); i++ {
		for j := range i {
			if slots[i] == slots[j] {
				return false
			}
		}
	}
	return true
}

// take gives slots to a bucket.
func (p *placer) take(b uint16, pilot uint64, slots []uint64) {
	p.pilots[b] = byte(pilot)
	for _, s := range slots {
		p.taken[s/64] |= 1 << (s % 64)
		p.owner[s] = b
	}
}
