// Package table is a perfect-hash table from (GUID, id) to values: built once, then searched by any number of goroutines.
// A search reads one byte of an index and one entry, which holds the key and the value; there is no probing.
//
// # Terms
//
// A key is a GUID, as the two little-endian halves of its wire form, and a 32-bit id. An entry is a key with its value
// and four bytes for the caller. Entries lie in slots. A key's hash is 64 bits made with a seed. It names a bucket
// and a window. A bucket has 8/3 keys on average, or 2 in a table of at most 32,000 keys; a window is one of 64 intervals of
// slots. Each bucket has a pilot, a byte found by the build, such that hash and pilot together name a slot of the window that
// no other key of the table has. A stranger is a key that the table was not built with.
//
// # Layout
//
//	           hash                 pilots: a byte per bucket      entries: one per slot
//	63      32 31       0          +--+--+--+--+--+--+--+-        +------------------ 64 bytes -------------------+
//	+---------+---------+  bucket  |  |  |  | p|  |  |  |         | Lo | Hi | ID | Tag | Value (40 bytes)         |
//	|  upper  |  lower  | -------> +--+--+--+--+--+--+--+-        +---------------------------------------------- +
//	+---------+---------+                     |                   | Lo | Hi | ID | Tag | Value                    |
//	     |         |                          |       +------->  +-----------------------------------------------+
//	     |         |                          |       |    slot   | Lo | Hi | ID | Tag | Value                    |
//	     +---------+--------------------------+------(+)------->  +-----------------------------------------------+
//	     |                                            |           | Lo | Hi | ID | Tag | Value                    |
//	     +------> windows: 64 addresses of entries ---+           +-----------------------------------------------+
//
// An entry whose value has 40 bytes is as long as a cache line and lies on one. So a hit touches two lines beside the table's
// own, which hold the windows: one with the pilots of 64 buckets and the one of the entry. The key lies beside its value because
// the search ends by comparing it; with keys elsewhere a hit would touch a third line.
//
// # Lookup
//
//	hash   = low(m) ^ reverse(high(m))  where m = (Lo ^ seed.lo) * (Hi ^ seed.hi ^ id*seed.id), 128 bits
//	bucket = upper * buckets >> 32
//	slot   = windows[hash >> 58] + (upper ^ hash*pilot >> 16) & mask
//
// The entry in that slot is the answer if it has the key. The comparison covers the whole key, 20 bytes, so a stranger never
// gets an answer, whatever it hashes to. A slot without an entry holds a copy of a key that has its own slot elsewhere: a search
// for that key does not come here, and a search for any other key does not match. No value has to mean empty, so any key may be
// in a table, the one of zeros included.
//
// # Direct
//
// A Direct has no pilots and is for up to 1,024 keys: a product of the GUID and one of the id, added, lead to an entry. A build tries pairs
// of factors until no two keys share a place, with up to sixteen places for a key, and gives up where that would take too long.
//
// # Build
//
// The keys are hashed and sorted by bucket. Buckets are placed in the order of their size, the largest first, while
// there is room: pilots 0 to 255 are tried until one sends all keys of the bucket to free slots. If none does, the
// build takes the pilot that evicts the least, counted by the squares of the sizes of the evicted buckets, and places those
// again. Keys with equal hashes are found first, among the few of a bucket: equal keys are an error, which names them, and
// different keys need another seed.
//
// A table of more than 32,000 keys has parts: some windows that follow one another, with buckets and slots of their own.
// As many goroutines build parts as there are processors, and the result does not depend on their number.
//
// # Windows
//
// A mask finds a slot sooner than scaling to the number of slots does, and both must wait for the pilot. But a mask needs a power
// of two, and a large table with a load factor of 0.97 has another number of slots. So a key may have the slots of a window,
// whose length is a power of two, and the hash's top bits choose the window while the pilot is on its way.
//
//	up to 994 keys     the number of slots is a power of two: all windows are the whole table    load 0.48 to 1
//	up to 32,000       half of the windows are at the beginning of the table, half at its end     0.93
//	more               the same in each part                                                      0.97
//
// A window is at least half as long as its part. Slots where two windows overlap fill twice as fast, and the last keys have to
// find a free slot at the end of the part that their window covers. An overlap that is small, or nearly the whole window,
// matters little; with an overlap of a third the build takes 20 tries per key at load 0.97, and 5 at 0.93. So dynamic
// programming over the costs of parts (shape.divide) chooses lengths of windows and parts that avoid it, and a key takes 8 to
// 14 tries. Windows spread evenly over a part made builds fail, because the keys of the middle windows had no end to go to.
//
// # Bounds
//
// The build ends. A bucket is placed in at most 512 tries or evicts others. When a part has evicted one bucket in sixteen, far
// more than random keys need, the attempt is given up for another seed, and after 64 seeds the build fails and names the bucket
// and its keys. The build is a function of the keys and Config.Seed, and tests fix the number of tries for fourteen families of
// keys (testdata/cost.golden): about 4 tries and next to no evictions per key in 240 and in 4,096, 9 tries and 0.002 evictions
// in more than 32,000. Tables of 8, 16 or 32 keys have no empty slot and take up to 25.
//
// # Costs
//
// Measured with loops over b.N on 2 virtual cores of an AMD EPYC (Zen 3, 3.2 GHz), Go 1.26.8, the least of many
// interleaved runs on a busy machine; go test -bench . shows them. In ns per lookup:
//
//	keys                          1     4     8   240  4,000  40,000  2,000,000
//	reads the request (floor)   1.0   1.0   1.0   1.0    1.0     1.0        1.9
//	Lookup                      4.7   4.5   4.4   4.6    5.7    10.7         65
//	linear scan                 2.2   7.4    11    93
//	map[Key]*Entry               23    23    23    27     44      95        682
//	nested maps                  26    32    35    43     60     115       1481
//	LookupBatch                                   5.3            6.4         17
//
// The table loses to a linear scan of one or two keys, whose comparisons a processor predicts. Beside the entries an index
// takes 3 bits per key; up to 32,000 keys it takes 4 bits per key and 512 bytes. A build takes 138 ns per key for 240 keys and
// 79 for 2,000,000 on two processors.
//
// The hash is one wide multiplication, because a lookup is a chain of some 31 instructions, most of which wait for another.
// Adding the id to both halves of the product took 6.1 ns where Lookup took 5.4. docs/rationale.md has the other variants.
//
// # Limits
//
// At most 1<<28 keys. The seed is not secret and the hash no defence against an adversary who chooses keys: such keys can
// make a build fail, but not hang. A table takes no more keys once it is built; compile another.
//
// # Sources
//
// Hash, displace and compress: Belazzougui, Botelho, Dietzfelbinger, "Hash, displace, and compress", ESA 2009 (CHD).
// Pilots and the order of buckets: Pibiri, Trani, "PTHash: revisiting FCH minimal perfect hashing", SIGIR 2021.
// One-byte pilots, three keys per bucket, eviction, parts: Groot Koerkamp, "PtrHash: minimal perfect hashing at RAM
// throughput", SEA 2025. Scaling by multiplication: Lemire, "Fast random integer generation in an interval", 2019.
// The wide multiplication as a mixer: Wang Yi, wyhash, https://github.com/wangyi-fudan/wyhash.
package table
