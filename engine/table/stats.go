package table

// Stats says what a table is made of and what its build cost. Equal input gives equal Stats.
type Stats struct {
	Keys          int
	Slots         int // Keys/Slots is the load factor
	Buckets       int // a byte each: 8*Buckets/Keys bits per key; the rest of an index is the same in all tables
	Parts         int // built independently
	LargestBucket int // in keys
	Seeds         int // attempts; the counts below are those of the last one, which succeeded
	Tries         int // pilots tried on buckets
	Evictions     int // buckets turned out of their slots for another
}

// Stats returns the table's figures.
func (t *Table[V]) Stats() Stats { return t.stats }
