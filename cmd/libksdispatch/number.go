package main

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// numbers gives numbers to values that C holds, and finds the value of a number without a lock. A number has the index of its
// slot in the low half, its kind in the two lowest bits of that, and how often the slot was used in the high half, so that one
// that was given back names nothing for as long as a slot is used less than 2^32 times.
type numbers[T any] struct {
	kind   uint64 // 0 to 3, another for each table
	blocks [28]atomic.Pointer[[]slot[T]]

	mu   sync.Mutex
	free []uint32 // slots that had values
	next uint32   // slots that were used ever
}

type slot[T any] struct {
	value atomic.Pointer[entry[T]]
	uses  uint64 // under numbers.mu
}

type entry[T any] struct {
	number uint64
	value  *T
}

// Slots come in blocks that stay where they are: 64 in the first, and as many as there are already in each that follows.
const firstBlock = 6

func place(i uint32) (block, offset int) {
	block = bits.Len32(i >> firstBlock)
	if block == 0 {
		return 0, int(i)
	}
	return block, int(i - 1<<(block+firstBlock-1))
}

func (n *numbers[T]) slot(i uint32) *slot[T] {
	block, offset := place(i)
	if block >= len(n.blocks) {
		return nil
	}
	slots := n.blocks[block].Load()
	if slots == nil {
		return nil
	}
	return &(*slots)[offset]
}

// add returns the number of a value.
func (n *numbers[T]) add(value *T) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	var i uint32
	if k := len(n.free); k != 0 {
		i, n.free = n.free[k-1], n.free[:k-1]
	} else {
		i = n.next
		n.next++
		if block, offset := place(i); offset == 0 {
			slots := make([]slot[T], 1<<(max(block, 1)+firstBlock-1))
			n.blocks[block].Store(&slots)
		}
	}
	s := n.slot(i)
	s.uses++
	number := s.uses<<32 | uint64(i)<<2 | n.kind
	s.value.Store(&entry[T]{number, value})
	return number
}

// get returns the value of a number, or nil.
func (n *numbers[T]) get(number uint64) *T {
	if s := n.slot(uint32(number) >> 2); s != nil {
		if e := s.value.Load(); e != nil && e.number == number {
			return e.value
		}
	}
	return nil
}

// at returns the value in a number's slot, whatever the high half says: what that means is the caller's.
func (n *numbers[T]) at(number uint64) *T {
	if s := n.slot(uint32(number) >> 2); s != nil && number&3 == n.kind {
		if e := s.value.Load(); e != nil {
			return e.value
		}
	}
	return nil
}

// remove takes a number away and returns its value: to one of those who try.
func (n *numbers[T]) remove(number uint64) *T {
	s := n.slot(uint32(number) >> 2)
	if s == nil {
		return nil
	}
	e := s.value.Load()
	if e == nil || e.number != number || !s.value.CompareAndSwap(e, nil) {
		return nil
	}
	n.mu.Lock()
	n.free = append(n.free, uint32(number)>>2)
	n.mu.Unlock()
	return e.value
}
