//go:build !race && !invariants

package bench

// countsAllocations says that heap allocations are the handlers': instrumented builds allocate themselves.
const countsAllocations = true
