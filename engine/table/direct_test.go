package table

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// directEntries returns distinct keys of some sets: ids from 0, from elsewhere, with gaps, or anywhere.
func directEntries(rng *rand.Rand) (entries []Entry[[40]byte]) {
	seen := map[Key]bool{}
	for range rng.IntN(20) {
		k := Key{Lo: rng.Uint64N(1 << (1 + rng.UintN(63))), Hi: rng.Uint64N(3)}
		from, step := rng.Uint32()>>rng.UintN(32), uint32(1)
		switch rng.IntN(3) {
		case 0:
			from = 0
		case 1:
			step = 1 + rng.Uint32N(3)
		}
		for i := range 1 + rng.Uint32N(12) {
			if k.ID = from + i*step; !seen[k] {
				seen[k] = true
				entries = append(entries, Entry[[40]byte]{Lo: k.Lo, Hi: k.Hi, ID: k.ID, Tag: uint32(len(entries))})
			}
		}
	}
	return entries
}

// A Direct finds what a table finds, and no strangers: not one that differs in a bit, nor one that is led to the place of another.
func TestDirectFindsWhatATableFinds(t *testing.T) {
	rng := testkit.Rand(t)
	built := 0
	for range 2000 {
		entries := directEntries(rng)
		x, err := Build(entries, Config{})
		if err != nil {
			t.Fatal(err)
		}
		d := BuildDirect(entries)
		ask := func(lo, hi uint64, id uint32) {
			got, want := d.Lookup(lo, hi, id), x.Lookup(lo, hi, id)
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Fatalf("%x %x %d: %v, a table finds %v", lo, hi, id, got, want)
			}
			if e, ok := d.Find(lo, hi, uint64(id)|rng.Uint64()<<32); ok != (want != nil) || ok && *e != *want {
				t.Fatalf("%x %x %d: Find: %v, %v, a table finds %v", lo, hi, id, e, ok, want)
			}
		}
		if !d.Ready() {
			continue
		}
		built++
		for _, e := range entries {
			ask(e.Lo, e.Hi, e.ID)
			ask(e.Lo^1<<rng.UintN(64), e.Hi, e.ID)
			ask(e.Lo, e.Hi^1<<rng.UintN(64), e.ID)
			ask(e.Lo, e.Hi, e.ID^1<<rng.UintN(32))
			ask(e.Lo, e.Hi, rng.Uint32N(64))
			ask(rng.Uint64(), rng.Uint64(), e.ID)
		}
		ask(0, 0, 0)
	}
	if built < 1000 {
		t.Errorf("%d of 2000 are ready: the test tests little", built)
	}
}

// TestDirectPlaces: whatever is asked for leads to a place, which Lookup does not check, and each entry to one that is its own.
func TestDirectPlaces(t *testing.T) {
	rng := testkit.Rand(t)
	for range 500 {
		entries := directEntries(rng)
		d, places := buildDirect(entries)
		if !d.Ready() {
			continue
		}
		if n := len(places); n&(n-1) != 0 || n > directPlaces || d.mask() != uint64(n-1)<<directLine {
			t.Fatalf("%d places, mask %#x", n, d.mask())
		}
		if d.mixID<<32 != 0 {
			t.Fatalf("what lies above an id counts: %#x", d.mixID)
		}
		for _, e := range entries {
			if got := places[d.place(e.Lo, e.Hi, e.ID)]; got != e {
				t.Fatalf("%+v has the place of %+v", e, got)
			}
		}
	}
}

// What is none for a Direct is left to a Table.
func TestDirectRefuses(t *testing.T) {
	key := func(lo uint64, id uint32) Entry[[40]byte] { return Entry[[40]byte]{Lo: lo, Hi: 7, ID: id} }
	sets := func(n uint64, ids uint32, step uint32) (entries []Entry[[40]byte]) {
		for set := range n {
			for id := range ids {
				entries = append(entries, key((set+1)*golden, id*step))
			}
		}
		return entries
	}
	var last []Entry[[40]byte]
	for i := range uint64(10) {
		last = append(last, Entry[[40]byte]{Lo: 7, Hi: 7 + i<<56}, Entry[[40]byte]{Lo: 7, Hi: 7 + i<<56, ID: 1})
	}
	for _, c := range []struct {
		name    string
		entries []Entry[[40]byte]
		ready   bool
		places  int
	}{
		{"nothing", nil, false, 0},
		{"one", []Entry[[40]byte]{key(1, 1<<31)}, true, 2},
		{"one set", sets(1, 8, 1), true, 8},
		{"20 of 12", sets(20, 12, 1), true, 1024},
		{"a set of as many as there are places", sets(1, directPlaces, 1), true, directPlaces},
		{"one more", sets(1, directPlaces+1, 1), false, 0},
		{"200 of 20", sets(200, 20, 1), false, 0},
		{"ids from elsewhere", []Entry[[40]byte]{key(1, 1000), key(1, 1001), key(1, 1002)}, true, 4},
		{"ids far apart", sets(2, 3, 1<<20+7), true, 0},
		{"ids that differ in their upper bits alone", sets(1, 100, 1<<25), false, 0},
		{"two ids that differ in the uppermost bit alone", sets(1, 2, 1<<31), false, 0},
		{"GUIDs that differ in their last byte alone", last, true, 0},
		{"GUIDs whose halves are the same alike", []Entry[[40]byte]{{Lo: 1, Hi: 2 << 56}, {Lo: 2, Hi: 1 << 56}}, false, 0},
	} {
		if d, places := buildDirect(c.entries); d.Ready() != c.ready || !c.ready && places != nil || c.places != 0 && len(places) != c.places {
			t.Errorf("%s: ready %v, %d places", c.name, d.Ready(), len(places))
		}
	}
}

func BenchmarkBuildDirect(b *testing.B) {
	var entries []Entry[[40]byte]
	for set := range uint64(20) {
		for id := range uint32(12) {
			entries = append(entries, Entry[[40]byte]{Lo: set * golden, Hi: 7, ID: id})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		BuildDirect(entries)
	}
}
