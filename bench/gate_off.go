//go:build race || invariants

package bench

const countsAllocations = false
