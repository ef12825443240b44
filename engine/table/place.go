package table

// placer builds parts, one at a time: it finds a pilot for each bucket so that all keys have slots of their own. Its
// memory, about 16 bytes per key of a part, is reused from part to part.
type placer struct {
	b       *builder
	shape   *shape
	buckets int // of a part
	slots   int // of a part

	// The part.
	bucket0, slot0 uint64   // its first bucket and slot
	pilots         []byte   // of its buckets
	records        []record // in the order of the input
	hashes         []uint64 // of the records, by bucket
	starts         []uint32 // of the buckets in hashes; two more than buckets (see group)
	order          []uint32 // its buckets that have keys, largest first
	taken          []byte   // 1 for each slot taken
	owner          []uint32 // the bucket in each slot taken
	homeless       []uint32 // buckets turned out and not yet placed again
	budget         int      // buckets that may still be placed by eviction
	random         uint64
	found          [maxBucket]uint64 // the slots of the bucket being placed

	tries, evictions, largest int
}

func newPlacer(b *builder) *placer {
	buckets, slots := uint64(0), uint64(0)
	for _, part := range b.shape.parts {
		from, to := b.shape.bucketsOf(part)
		buckets = max(buckets, to-from)
		from, to = b.shape.slotsOf(part)
		slots = max(slots, to-from)
	}
	return &placer{
		b: b, shape: b.shape,
		starts: make([]uint32, buckets+2),
		order:  make([]uint32, buckets),
		taken:  make([]byte, slots),
		owner:  make([]uint32, slots),
	}
}

func (p *placer) bucketOf(h uint64) uint64      { return p.shape.bucket(h) - p.bucket0 }
func (p *placer) slotOf(h, pilot uint64) uint64 { return p.shape.slot(h, pilot) - p.slot0 }

// enter makes a part the placer's.
func (p *placer) enter(part int) {
	from, to := p.shape.bucketsOf(p.shape.parts[part])
	p.bucket0, p.buckets = from, int(to-from)
	from, to = p.shape.slotsOf(p.shape.parts[part])
	p.slot0, p.slots = from, int(to-from)
	p.pilots = p.b.pilots[p.bucket0:][:p.buckets]
	p.records = p.b.part(part)
}

// place finds the pilots of the part.
func (p *placer) place() *failure {
	p.group()
	if !p.sortBySize() {
		return p.fail(noPilot, 0)
	}
	if len(p.records) > p.slots {
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
func (p *placer) put(b uint32) bool {
	hashes := p.bucket(b)
	first, second := hashes[0], hashes[min(1, len(hashes)-1)]
	here, there, slots := p.window(first), p.window(second), p.found[:len(hashes)]
pilots:
	for pilot := search(here, there, first, second, 0); pilot < 256; pilot = search(here, there, first, second, pilot+1) {
		for i, h := range hashes {
			s := p.slotOf(h, pilot)
			if p.taken[s] != 0 {
				continue pilots
			}
			slots[i] = s
		}
		if distinct(slots) {
			p.tries += int(pilot) + 1
			p.take(b, pilot, slots)
			return true
		}
	}
	p.tries += 256
	return false
}

// window returns which slots are taken of those that a key may have.
func (p *placer) window(h uint64) []byte {
	return p.taken[uint64(p.shape.bases[h>>(64-windowBits)])-p.slot0:][:p.shape.mask+1]
}

// search returns the first pilot from one on that sends two keys to free slots of their windows, or 256.
//
// Nearly all the time of a build is spent here, on pilots that fail with the first key or the second. Both are tried before
// one branch, which is then seldom mispredicted, and multiplied by adding: with a branch for each key the build took 3 %
// longer. It is a function of its own so that the loop has its variables in registers, and slots taken are bytes, not bits:
// written out in put, with bits, the loop had three times as many instructions.
//
//go:noinline
func search(here, there []byte, first, second, pilot uint64) uint64 {
	if len(here) == 0 || len(there) != len(here) {
		return 256
	}
	mask := uint64(len(here) - 1)
	d, e := first*pilot, second*pilot
	x, y := first>>32, second>>32
	for ; pilot < 256; pilot++ {
		if here[(x^d>>16)&mask]|there[(y^e>>16)&mask] == 0 {
			break
		}
		d += first
		e += second
	}
	return pilot
}

func distinct(list []uint64) bool {
	for i := 1; i < len(list); i++ {
		for j := range i {
			if list[i] == list[j] {
				return false
			}
		}
	}
	return true
}

// take gives slots to a bucket.
func (p *placer) take(b uint32, pilot uint64, slots []uint64) {
	p.pilots[b] = byte(pilot)
	for _, s := range slots {
		p.taken[s] = 1
		p.owner[s] = b
	}
}
