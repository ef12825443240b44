package table

// Stats says what a table is made of and what its build cost. Equal input gives equal Stats.
type Stats struct {
	Keys          int
	Slots         int // Keys/Slots is the load factor
	Buckets       int // with a pilot of a byte each
	Index         int // bytes beside the entries: the pilots, and where the windows begin
	Parts         int // built independently
	LargestBucket int // in keys
	Seeds         int // attempts; the counts below are those of the last one, which succeeded
	Tries         int // pilots tried on buckets
	Evictions     int // buckets turned out of their slots for another
}

// Stats returns the table's figures.
func (t *Table[V]) Stats() Stats { return t.stats }
