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
	found          [maxBucket]uint64 // the slots of the bucket being placed

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
//
// Nearly all the time of a build is spent here, on pilots that fail with the first key or the second. Both are tried before
// one branch, which is then seldom mispredicted, and displaced by adding instead of multiplying. With a branch for
// each key the build took 3 % longer.
func (p *placer) put(b uint16) bool {
	rs := p.bucket(b)
	first, second, rest := rs[0].hash, rs[min(1, len(rs)-1)].hash, rs[min(2, len(rs)):]
	taken, free, scale, slot0 := p.taken, uint32(p.shape.free>>32), p.shape.slots, p.slot0
	var d, e uint32 // the displacements of the first key and of the second
pilots:
	for pilot := range uint64(256) {
		s := uint64(uint32(first>>32)^d&free)*scale>>32 - slot0
		t := uint64(uint32(second>>32)^e&free)*scale>>32 - slot0
		d += uint32(first)
		e += uint32(second)
		if (taken[s/64]>>(s%64)|taken[t/64]>>(t%64))&1 != 0 {
			continue
		}
		p.found[0], p.found[1] = s, t
		for i := range rest {
			s := p.slotOf(rest[i].hash, pilot)
			if p.isTaken(s) {
				continue pilots
			}
			p.found[(i+2)%maxBucket] = s
		}
		if slots := p.found[:len(rs)]; distinct(slots) {
			p.tries += int(pilot) + 1
			p.take(b, pilot, slots)
			return true
		}
	}
	p.tries += 256
	return false
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
