package main

import (
	"github.com/dgraph-io/ristretto/v2/z"
	"github.com/ksdispatch/ksdispatch/engine/arena"
)

// allocator is the adapter of something that hands out buffers and takes all of them back at once.
type allocator interface {
	// send takes a buffer of each size, in a cycle, until there are n, and gives all of them back after every batch of
	// them. It writes to each and adds up their lengths.
	send(sizes []uint16, n int) (sum uint64)
	// take and reset are the same one by one, for the test.
	take(size int) []byte
	reset()
	close()
}

const perReset = 64

type engineArena struct{ *arena.Arena }

func newArena() (allocator, error) {
	a, err := arena.New(arena.Config{})
	return engineArena{a}, err
}

func (a engineArena) send(sizes []uint16, n int) (sum uint64) {
	for i := range n {
		b, err := a.AllocUninit(int(sizes[i&(len(sizes)-1)]))
		if err != nil {
			return 0
		}
		b[0] = byte(i)
		sum += uint64(len(b))
		if i%perReset == perReset-1 {
			a.Reset()
		}
	}
	return sum
}

func (a engineArena) take(size int) []byte {
	b, _ := a.AllocUninit(size) // nil is noticed
	return b
}
func (a engineArena) reset() { a.Reset() }
func (a engineArena) close() { _ = a.Close() } // of the heap

type ristretto struct{ *z.Allocator }

func newRistretto() (allocator, error) { return ristretto{z.NewAllocator(64<<10, "peers")}, nil }

func (a ristretto) send(sizes []uint16, n int) (sum uint64) {
	for i := range n {
		b := a.Allocate(int(sizes[i&(len(sizes)-1)]))
		b[0] = byte(i)
		sum += uint64(len(b))
		if i%perReset == perReset-1 {
			a.Reset()
		}
	}
	return sum
}

func (a ristretto) take(size int) []byte { return a.Allocate(size) }
func (a ristretto) reset()               { a.Reset() }
func (a ristretto) close()               { a.Release() }

// heap leaves what it hands out to the collector.
type heap struct{ kept [perReset][]byte }

func newHeap() (allocator, error) { return new(heap), nil }

func (h *heap) send(sizes []uint16, n int) (sum uint64) {
	for i := range n {
		b := make([]byte, sizes[i&(len(sizes)-1)])
		b[0] = byte(i)
		h.kept[i%perReset] = b
		sum += uint64(len(b))
	}
	return sum
}

func (h *heap) take(size int) []byte { return make([]byte, size) }
func (h *heap) reset()               { clear(h.kept[:]) }
func (h *heap) close()               {}
