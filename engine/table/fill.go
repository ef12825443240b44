package table

// fill copies the entries of the part that p has entered to their slots. A slot that stays empty gets a key whose own slot is
// another, so that no lookup can match there: a stranger's key is not it, and it is never looked for there.
func fill[V any](to, from []Entry[V], p *placer) {
	to = to[p.slot0:][:p.slots]
	clear(p.taken)
	for i := range p.records {
		r := &p.records[i]
		s := p.slotOf(r.hash, uint64(p.pilots[p.bucketOf(r.hash)]))
		p.taken[s] = 1
		to[s] = from[r.entry]
	}
	if len(from) == 0 {
		return
	}
	other := Entry[V]{Lo: from[0].Lo, Hi: from[0].Hi, ID: from[0].ID} // in a slot taken, as all keys are
	for s := range to {
		if p.taken[s] == 0 {
			to[s] = other
		}
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
