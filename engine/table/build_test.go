package table

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// TestSizes builds tables of every size that has an edge, with a fresh seed each.
func TestSizes(t *testing.T) {
	rng := testkit.Rand(t)
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 9, 33, 100, 240}
	for k := 3; k <= 16; k++ {
		sizes = append(sizes, 1<<k-1, 1<<k, 1<<k+1)
	}
	sizes = append(sizes, onePart-1, onePart, onePart+1, 2*onePart, 2*onePart+1)
	if !testing.Short() && !slow {
		sizes = append(sizes, 1_000_000, 2_000_000)
	}
	for _, n := range sizes {
		f := families[rng.IntN(len(families))]
		entries := f.entries(n)
		table := mustBuild(t, entries, Config{Seed: rng.Uint64()})
		verify(t, table, entries)
		refuse(t, table, entries, rng)
	}
}

func TestFamilies(t *testing.T) {
	rng := testkit.Rand(t)
	for _, f := range families {
		for _, n := range []int{1, 2, 3, 7, 8, 20, 240, 1024, 3000} {
			entries := f.entries(n)
			table, err := Build(entries, Config{Seed: rng.Uint64()})
			if err != nil {
				t.Fatalf("%s, %d keys: %v", f.name, n, err)
			}
			verify(t, table, entries)
			refuse(t, table, entries, rng)
		}
	}
}

// TestEveryTinyTable builds the sizes whose tables have no empty slot, or all of them, with many seeds: among them one
// whose first word is zero, which makes a hash lose one half of every GUID whose other half is zero.
func TestEveryTinyTable(t *testing.T) {
	rng := testkit.Rand(t)
	for n := range 34 {
		for i := range 50 {
			seed := rng.Uint64()
			if i == 0 {
				seed = 1<<64 - golden
			}
			entries := families[rng.IntN(len(families))].entries(n)
			table := mustBuild(t, entries, Config{Seed: seed})
			verify(t, table, entries)
			refuse(t, table, entries, rng)
		}
	}
}

func TestLoadAndIndex(t *testing.T) {
	for _, n := range []int{1, 10, 129, 240, 513, smallSlots, 4096, onePart, onePart + 1, 40_000, 3*onePart + 7} {
		s := mustBuild(t, families[0].entries(n), Config{}).Stats()
		if load := float64(s.Keys) / float64(s.Slots); load < leastLoad(n) {
			t.Errorf("%d keys: load factor %.3f", n, load)
		}
		if bits := 8 * float64(s.Index) / float64(s.Keys); n >= 40_000 && bits > 3 {
			t.Errorf("%d keys: %.2f bits per key", n, bits)
		}
	}
}

// leastLoad is the load factor that a table of n keys has at least.
func leastLoad(n int) float64 {
	switch {
	case n <= smallSlots*smallLoad/100:
		return 0.5 * smallLoad / 100
	case n <= onePart:
		return 0.93
	}
	return 0.97
}

// TestDeterminism builds tables with one and with many goroutines and expects equal ones.
func TestDeterminism(t *testing.T) {
	rng := testkit.Rand(t)
	for _, n := range []int{5, 1000, 3*onePart + 1} {
		seed, f := rng.Uint64(), families[rng.IntN(len(families))]
		entries := f.entries(n)
		one := mustBuild(t, entries, Config{Seed: seed, workers: 1})
		for workers := 2; workers <= 5; workers++ {
			many := mustBuild(t, entries, Config{Seed: seed, workers: workers})
			if many.Stats() != one.Stats() || !slices.Equal(many.pilots, one.pilots) || !slices.Equal(many.entries, one.entries) {
				t.Fatalf("%s, %d keys, seed %d: one goroutine made %+v, %d made %+v", f.name, n, seed, one.Stats(), workers, many.Stats())
			}
		}
		other := mustBuild(t, entries, Config{Seed: seed + 1})
		if n >= 1000 && slices.Equal(other.pilots, one.pilots) { // few pilots may well be equal
			t.Errorf("%d keys: seeds %d and %d made the same pilots", n, seed, seed+1)
		}
	}
}

func TestBuildCopies(t *testing.T) {
	entries := families[0].entries(10)
	table := mustBuild(t, entries, Config{})
	kept := slices.Clone(entries)
	clear(entries)
	verify(t, table, kept)
}

func TestDuplicates(t *testing.T) {
	rng := testkit.Rand(t)
	for _, n := range []int{2, 3, 240, 3*onePart + 1} {
		entries := families[1].entries(n)
		i, j := rng.IntN(n-1), n-1
		entries[j].Lo, entries[j].Hi, entries[j].ID = entries[i].Lo, entries[i].Hi, entries[i].ID
		_, err := Build(entries, Config{})
		k := keyOf(&entries[i])
		want := fmt.Sprintf("table: entries %d and %d have the same key %s: remove one", i, j, k.text())
		if err == nil || err.Error() != want {
			t.Errorf("%d keys:\n got %v\nwant %s", n, err, want)
		}
	}
	many := make([]Entry[int], 500) // more than a bucket may hold
	if _, err := Build(many, Config{}); err == nil || !strings.Contains(err.Error(), "entries 0 and 1 have the same key 00000000-") {
		t.Errorf("500 zero keys: %v", err)
	}
	// Of equal keys among others of the same hash, the pair is named whose second comes first.
	several := []Entry[int]{{ID: 9}, {ID: 3}, {ID: 5}, {ID: 3}, {ID: 9}, {ID: 5}}
	for _, hash := range []func(lo, hi uint64, id uint32) uint64{nil, func(uint64, uint64, uint32) uint64 { return 1 }} {
		if _, err := Build(several, Config{hash: hash}); err == nil || !strings.Contains(err.Error(), "entries 1 and 3 have the same key") {
			t.Errorf("three keys twice: %v", err)
		}
	}
	_, err := Build([]Entry[int]{{ID: 1}, {ID: 9}, {ID: 5}}, Config{hash: func(uint64, uint64, uint32) uint64 { return 1 }})
	if err == nil || !strings.Contains(err.Error(), "id 1, ") || !strings.Contains(err.Error(), "id 9 have one hash") {
		t.Errorf("three keys of one hash: %v", err)
	}
}

// TestStatsAreOfTheLastAttempt: what an attempt that failed did is not counted, whoever did it.
func TestStatsAreOfTheLastAttempt(t *testing.T) {
	entries := families[0].entries(3 * onePart)
	for workers := 1; workers <= 4; workers++ {
		var hashed atomic.Int64
		table := mustBuild(t, entries, Config{workers: workers, hash: func(lo, hi uint64, id uint32) uint64 {
			// The first 2 n hashes are the first attempt's, and those of the last part are equal there.
			h := seed{1, 2, 3}.hash(lo, hi, id)
			if hashed.Add(1) <= 2*int64(len(entries)) && h>>58 == 63 {
				return 63 << 58
			}
			return h
		}})
		one := mustBuild(t, entries, Config{workers: 1, hash: seed{1, 2, 3}.hash})
		got, want := table.Stats(), one.Stats()
		want.Seeds = 2
		if got != want {
			t.Errorf("%d workers: %+v, want %+v", workers, got, want)
		}
	}
}

// TestDegenerateHash replaces the hash by ones that cannot work. The build must end and name the bucket.
func TestDegenerateHash(t *testing.T) {
	mix := func(lo, hi uint64, id uint32) uint64 { return seed{1, 2, 3}.hash(lo, hi, id) }
	for _, c := range []struct {
		name string
		hash func(lo, hi uint64, id uint32) uint64
		n    int
		want string
	}{
		{"constant", func(lo, hi uint64, id uint32) uint64 { return 0 }, 2, "have one hash"},
		{"constant, all ones", func(lo, hi uint64, id uint32) uint64 { return ^uint64(0) }, 2, "have one hash"},
		{"constant", func(lo, hi uint64, id uint32) uint64 { return 0 }, 1000, "have one hash"},
		{"constant", func(lo, hi uint64, id uint32) uint64 { return 0 }, 2*onePart + 1, "have one hash"},
		{"one bit", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) & 1 }, 1000, "have one hash"},
		{"top bit", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) & (1 << 63) }, 1000, "have one hash"},
		{"lower half", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) >> 32 }, 1000, "no pilot places its"},
		{"lower half", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) >> 32 }, 60, "no pilot places its"},
		{"upper half", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) >> 32 << 32 }, 1000, "no pilot places its"},
		{"one part", func(lo, hi uint64, id uint32) uint64 { return mix(lo, hi, id) >> 1 }, onePart + 10_000, "has too many keys"},
	} {
		_, err := Build(families[0].entries(c.n), Config{hash: c.hash})
		if err == nil || !strings.HasPrefix(err.Error(), "table: bucket ") || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), " id ") {
			t.Errorf("%s hash, %d keys: %v", c.name, c.n, err)
		} else if len(err.Error()) > 600 {
			t.Errorf("%s hash, %d keys: an error of %d bytes", c.name, c.n, len(err.Error()))
		}
	}
}

func TestKeyText(t *testing.T) {
	k := base
	k.ID = 7
	if got, want := k.text(), "45e15d4a-5c2f-4bd0-8e5a-00a0c9062821 id 7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
