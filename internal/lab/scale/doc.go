// Package scale measures how the table grows: tables of 8 to 4,000,000 keys, with request patterns that use a
// processor's caches well and badly.
//
// # What is measured
//
// A size is a table of random GUIDs with up to 20 ids each, whose entries take 64 bytes as in a dispatcher, and a Go
// map from the same keys to eight bytes, which is less than a dispatcher could do with. Both answer four kinds of
// requests:
//
//	random      hits; every key equally often, in an order that no prefetcher knows
//	sequential  hits in the order of declaration: what a client does that walks all properties
//	zipf        hits; a few keys get most requests (exponent 1.1, the favourites spread over the table)
//	miss        half of them sets that no table has, half ids that the set has not
//
// There are as many prepared requests as keys, rounded up to a power of two, and at least 65,536: fewer would touch
// only part of a large table and leave the caches warm. The table answers one request a call and 256 a call
// (LookupBatch), the map one a call. All loops of a kind take turns (package measure), and their checksums are compared
// before anything is timed.
//
// Bytes per key are live heap after a collection, from several copies where the tables are small. The build is timed as
// users call it: table.Build uses all processors, filling a presized map uses one.
//
// # How to read the curves
//
// A curve is flat while the table fits into a cache and rises where it outgrows one; those sizes are marked. A hit
// reads one byte of the pilots and one line of the entries. So beyond the last cache a request costs about one access
// to memory, sometimes with a walk of the page tables before it, and a request of a batch, which waits for many at
// once, a fraction of that. That access is the physical limit of any table that has to compare the key.
package scale
