package main

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbers(t *testing.T) {
	n := numbers[int]{kind: 2}
	other := numbers[int]{kind: 1}
	given := map[uint64]*int{}
	var stale []uint64
	for i := range 5000 {
		v := &i
		number := n.add(v)
		require.NotContains(t, given, number)
		given[number] = v
		if i%3 == 0 {
			require.Same(t, v, n.remove(number))
			require.Nil(t, n.remove(number), "a number was given back twice")
			delete(given, number)
			stale = append(stale, number)
		}
	}
	for number, v := range given {
		require.Same(t, v, n.get(number))
		require.Nil(t, other.get(number), "a number of another kind")
	}
	for _, number := range stale {
		require.Nil(t, n.get(number), "%#x is stale", number)
	}
	for range 100_000 {
		if number := rand.Uint64(); given[number] == nil {
			require.Nil(t, n.get(number))
			require.Nil(t, n.remove(number))
		}
	}
	for _, number := range []uint64{0, 1, 2, 3, 1 << 32, 1<<64 - 1, 1<<64 - 2} {
		require.Nil(t, n.get(number))
	}
}

// A number is given back once, whoever tries, and what it names is never another value's.
func TestNumbersRace(t *testing.T) {
	n := numbers[uint64]{kind: 1}
	var removed atomic.Int64
	for range 200 {
		v := new(uint64)
		number := n.add(v)
		atomic.StoreUint64(v, number)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if got := n.get(number); got != nil && atomic.LoadUint64(got) != number {
					t.Error("a number names another value")
				}
				if n.remove(number) != nil {
					removed.Add(1)
					w := new(uint64)
					atomic.StoreUint64(w, n.add(w)) // takes the slot again
				}
			})
		}
		all.Wait()
	}
	require.EqualValues(t, 200, removed.Load())
}
