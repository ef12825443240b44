// Package scale measures how the table grows: tables of 8 to 4,000,000 keys, each asked in the ways that decide what a
// processor's caches are worth.
//
// # What is measured
//
// A size is a table of random GUIDs with up to 20 ids each, whose entries are 64 bytes as in a dispatcher, and a Go map of
// the same keys to eight bytes, which is less than a dispatcher could do with. Both answer four kinds of requests:
//
//	random      hits; every key equally often, in an order that no prefetcher knows
//	sequential  hits in the order of declaration: what a client does that walks all properties
//	zipf        hits; a few keys get most requests (exponent 1.1, the favourites spread over the table)
//	miss        half of them sets that no table has, half ids that the set has not
//
// The prepared requests are as many as keys, rounded up to a power of two and at least 65,536: fewer would leave most of a
// large table untouched and in no cache's way. The table is asked one by one and 256 a call (LookupBatch), the map one by one;
// all of a kind take turns (package measure), and their checksums are compared before anything is timed.
//
// Bytes per key are live heap after a collection, from several copies where the tables are small. The build is timed as
// users call it: table.Build uses all processors, filling a map that was sized in advance uses one.
//
// # How to read the curves
//
// A curve is flat while the table fits a cache and rises where it outgrows one; those sizes are marked. A hit reads one byte
// of the pilots and one line of the entries, so that beyond the last cache a request costs about one access to memory
// (sometimes a walk of the page tables before it), and a batch, which waits for many at once, a fraction of that. That
// access is the physical limit of any table that has to look at the key.
package scale
