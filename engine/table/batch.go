package table

// batch is how many keys are under way at a time.
const batch = 32

// LookupBatch looks up many keys at once: out[i] becomes what Lookup of keys[i] returns. It panics if out is shorter than
// keys. In a table larger than the caches it is several times faster than as many calls of Lookup, whose misses overlap
// only as far as the processor sees past them.
func (t *Table[V]) LookupBatch(keys []Key, out []*Entry[V]) {
	out = out[:len(keys)]
	seed, shape := t.seed(), t.shape()
	var slots, los [batch]uint64
	for len(keys) > 0 {
		n := min(len(keys), batch)
		for i := range keys[:n] {
			k := &keys[i]
			h := seed.hash(k.Lo, k.Hi, k.ID)
			slots[i%batch] = shape.slot(h, t.pilot(shape.bucket(h)))
		}
		for i := range n {
			los[i%batch] = t.entry(slots[i%batch]).Lo
		}
		for i := range keys[:n] {
			k, e := &keys[i], t.entry(slots[i%batch])
			if los[i%batch] != k.Lo || e.Hi != k.Hi || e.ID != k.ID {
				e = nil
			}
			out[i] = e
		}
		keys, out = keys[n:], out[n:]
	}
}
