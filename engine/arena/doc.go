// Package arena hands out byte buffers that live as long as a request, at the price of moving an offset.
//
// # Terms
//
// A buffer is what Alloc returns. A chunk is a piece of memory that buffers are taken from; one chunk is current. The bump
// offset of a chunk divides its free memory, below, from what was handed out, above. A buffer above it is live, or it was
// freed and its memory is dead, that is, not on offer until the bump offset passes it or the chunk is empty. A fence is a granule,
// 16 bytes, that nobody owns. The owner is the goroutine that uses the arena now.
//
// # Layout
//
//	offset 0                  Arena.off                                                 chunk.top      len(mem)
//	   |  free                    | newest    | dead      | live      | fence | live      |   slack   |
//	   |  <------ allocations grow this way   |           |           |       |  oldest   | 16 bytes  |
//
// Offsets and sizes are multiples of 16. A buffer has no header: nothing is written for it and nothing lies between two
// buffers. Three facts do the work of a header:
//
//   - The newest buffer begins at the bump offset. A free compares one address to know that it frees the newest, and takes
//     the size from the capacity, which is why buffers are capped and must keep their capacity.
//   - Any other free adds the size to the dead bytes of its chunk. When the dead bytes are all bytes above the bump offset,
//     nothing in the chunk is live. Only this path looks for the chunk: the current one first, then a binary search of the
//     chunks by address, which also tells strangers.
//   - The 16 bytes of slack make the address at the bump offset of an empty chunk the chunk's own, so that no foreign
//     buffer can be taken for the newest. An arena without a chunk has one of zero bytes, so that it is no special case.
//
// Allocations go downwards because then a single comparison, new offset below old offset, refuses everything that the fast
// path cannot serve: a full chunk, an empty request, a negative one, and one so large that the subtraction wraps
// (Fitzgerald, "Always bump downwards", https://fitzgen.com/2019/11/01/always-bump-downwards.html).
//
// # Rules
//
// Free of the newest buffer rewinds the bump offset; what lies beneath it is the newest then. Free of another buffer makes
// its memory dead. A chunk in which nothing is live is recycled: the current one begins anew when an allocation finds it
// full or a Free finds it empty, others go to a list of free chunks. A request that no common chunk holds gets a chunk of its own,
// which never becomes current; free ones are kept up to sixteen times Config.ChunkSize together. Under Config.Limit, free
// chunks make room for a request that needs another size.
//
// Mark remembers the bump offset, and Release returns to it. The mark's fence lies between what is older and what is newer:
// no older buffer is the newest while the mark is open, so that the fast path cannot move the bump offset above the mark,
// and frees of older buffers are entered into the mark's accounts, from which Release computes what is left.
//
// Pin sets a bit for the buffer, in a bitmap of the chunk, and raises a fence for the same reason. A Release that finds
// pinned buffers newer than its mark declares everything around them dead instead of moving the bump offset; a chunk of
// pinned buffers stays active beside the current one until they are freed. Reset and Close end pinned buffers too.
//
// FreeRemote pushes the buffer onto a list in the memory of the freed buffers themselves: two words, which is what the
// granule is for. Any goroutine may push, with a compare-and-swap; the owner takes the whole list with one swap (Treiber,
// "Systems programming: coping with parallelism", IBM RJ 5118, 1986; mimalloc's thread-free list, Leijen, Zorn and de
// Moura, 2019, is the same idea). The fast paths never look at the list: a chunk that runs full does.
//
// # Concurrency
//
// One goroutine at a time owns an arena; handing it over needs what handing over any value needs, a channel or a lock.
// FreeRemote is for everybody, for as long as the buffer is live. The words that it touches lie on cache lines of their own.
//
// # Misuse
//
// Builds with the tag invariants, or with -race, keep a record of each buffer, fill free memory with 0xCC, and panic on:
// a double free, a free of a foreign buffer or of a part of one, a write to freed memory (seen when the memory is handed
// out again, and sometimes when its chunk is recycled), a write past the end, a Release of a mark that has ended. They
// serve no request by the fast path, so that none goes unnoticed.
//
// Production builds never follow the address of a stranger: it is compared, found outside and counted (Stats.Strays). They
// cannot tell a double free of a dead buffer, whose memory may then have two owners, nor a slice with a shorter capacity
// than was handed out, whose rest stays dead until its chunk is empty by Release or Reset. Heap-backed memory is safe even then:
// the garbage collector keeps a chunk for as long as a slice of it exists. Off the heap nothing keeps it after Close.
//
// No Go pointer may live in an arena: the garbage collector takes chunks for plain bytes. Make, which gives typed memory,
// refuses types that hold one; copy the bytes of strings.
//
// # Costs
//
// Alloc and free of 64 bytes, newest first, take 1.5 ns where an indirect call takes 2.8, sync.Pool 11, and make with the
// garbage collector 57 to 95 (Linux, amd64, AMD EPYC (family 26), Go 1.26.8, medians of interleaved rounds on a busy machine).
//
// To free another buffer than the newest costs about 20 ns in a few chunks, and grows with the logarithm of their number.
//
// Memory is reclaimed by chunks, and a chunk lives until its last buffer ends. If n of its buffers stay for random, memoryless
// times, a chunk lives ln n times their mean. When the newest buffer ends, dead memory beneath it stays until the chunk is empty,
// because TryFree would have to look for it. In the workload of TestPendedIsFlat, chunks of 200,000 bytes reserve 19 times what
// is live for these two reasons, and chunks of 4,000 bytes 11 times. A smaller ChunkSize lowers that, and so does a second arena
// for the buffers that stay.
//
// # Sources
//
// Hanson, "Fast allocation and deallocation of memory based on object lifetimes", Software Practice and Experience 20(1),
// 1990; GNU obstacks, for freeing the newest; the conventions of
// https://github.com/cockroachdb/pebble/blob/master/internal/arenaskl/arena.go, and its invariant builds, for poison and
// checked twins.
package arena
