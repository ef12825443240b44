package table

// fill copies the entries of the part that p has entered to their slots. A slot that stays empty gets a key whose own slot is
// another, so that no lookup can match there: a stranger's key is not it, and it is never looked for there.
//
// What goes to each slot is written down first, so that the slots, most of which are not in the cache, are written one after the
// other and the entries read in any order: reads overlap further than writes do.
func fill[V any](to, from []Entry[V], p *placer) {
	if len(from) == 0 {
		return
	}
	to = to[p.slot0:][:p.slots]
	source := p.owner[:p.slots] // the entry of each slot, plus 1
	clear(source)
	for i := range p.records {
		r := &p.records[i]
		source[p.slotOf(r.hash, uint64(p.pilots[p.bucketOf(r.hash)]))] = r.entry + 1
	}
	other := Entry[V]{Lo: from[0].Lo, Hi: from[0].Hi, ID: from[0].ID} // in a slot taken, as all keys are
	for s, n := range source {
		e := &other
		if n > 0 {
			e = &from[n-1]
		}
		to[s] = *e
	}
}

// fillEmpty does the same for a table of no keys: it has two slots, and each gets a key that belongs in the other.
func fillEmpty[V any](to []Entry[V], s seed, sh *shape) {
	for id, found := uint32(0), uint64(0); found != 1|2; id++ {
		own := sh.slot(s.hash(uint64(id), 0, id), 0)
		to[1-own] = Entry[V]{Lo: uint64(id), ID: id}
		found |= 1 << own
	}
}
