package table

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

// denseEntries returns distinct keys of some sets: ids from 0, from elsewhere, with gaps, or anywhere.
func denseEntries(rng *rand.Rand) (entries []Entry[[40]byte]) {
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

// A Dense finds what a table finds, and no strangers: not one that differs in a bit, nor one that is led to the place of another.
func TestDenseFindsWhatATableFinds(t *testing.T) {
	rng := testkit.Rand(t)
	built := 0
	for range 2000 {
		entries := denseEntries(rng)
		x, err := Build(entries, Config{})
		if err != nil {
			t.Fatal(err)
		}
		d := BuildDense(entries)
		ask := func(lo, hi uint64, id uint32) {
			got, want := d.Lookup(lo, hi, id), x.Lookup(lo, hi, id)
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Fatalf("%x %x %d: %v, a table finds %v", lo, hi, id, got, want)
			}
			if e, ok := d.Find(lo, hi, uint64(id)|rng.Uint64()<<32); ok != (want != nil) || ok && *e != *want {
				t.Fatalf("%x %x %d: Find: %v, %v, a table finds %v", lo, hi, id, e, ok, want)
			}
		}
		if !d.Ready() { // one that finds nothing wrong all the same
			x, _ = Build(entries[:min(1, len(entries))], Config{})
			for _, e := range entries {
				ask(e.Lo, e.Hi, e.ID)
			}
			ask(1, 1, 1)
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
	if built < 200 {
		t.Errorf("%d of 2000 are dense: the test tests little", built)
	}
}

// TestDenseGroups: no group leads beyond the places, which is what Lookup does not check.
func TestDenseGroups(t *testing.T) {
	rng := testkit.Rand(t)
	for range 500 {
		d, groups, places := buildDense(denseEntries(rng))
		if d.Ready() && (len(groups) != int(d.mask>>denseShift)+1 || len(groups)&(len(groups)-1) != 0) {
			t.Fatalf("%d groups, mask %#x", len(groups), d.mask)
		}
		for _, g := range groups {
			if from, to := bounds(places, g); from < 0 || to <= from || to > len(places) {
				t.Fatalf("a group has the places from %d to %d of %d", from, to, len(places))
			}
		}
	}
}

// What is none for a Dense is left to a Table.
func TestDenseRefuses(t *testing.T) {
	key := func(lo uint64, id uint32) Entry[[40]byte] { return Entry[[40]byte]{Lo: lo, Hi: 7, ID: id} }
	var many, limit []Entry[[40]byte]
	for i := range uint64(denseSets + 1) {
		many = append(many, key(i*golden, 1))
	}
	limit = many[:denseSets]
	for _, c := range []struct {
		name    string
		entries []Entry[[40]byte]
		ready   bool
	}{
		{"nothing", nil, false},
		{"one", []Entry[[40]byte]{key(1, 1<<31)}, true},
		{"as many sets as there may be", limit, true},
		{"one set more", many, false},
		{"ids from elsewhere", []Entry[[40]byte]{key(1, 1000), key(1, 1001), key(1, 1002)}, true},
		{"ids far apart", []Entry[[40]byte]{key(1, 0), key(1, 1<<16)}, false},
		{"GUIDs whose halves are the same alike", []Entry[[40]byte]{{Lo: 1, Hi: 2}, {Lo: 2, Hi: 1}}, false},
	} {
		if d := BuildDense(c.entries); d.Ready() != c.ready {
			t.Errorf("%s: ready %v", c.name, d.Ready())
		}
	}
}

// Sets lie side by side, whatever their masks are: 20 of 12 ids, and what the mask of the last reaches beyond.
func TestDensePlaces(t *testing.T) {
	var entries []Entry[[40]byte]
	for set := range uint64(20) {
		for id := range uint32(12) {
			entries = append(entries, Entry[[40]byte]{Lo: set * golden, Hi: 7, ID: id})
		}
	}
	d, _, places := buildDense(entries)
	if !d.Ready() || len(places) != 20*12+4 {
		t.Fatalf("%d places", len(places))
	}
	for _, e := range entries {
		if got := d.Lookup(e.Lo, e.Hi, e.ID); got == nil || *got != e {
			t.Fatalf("%+v: %+v", e, got)
		}
		if got := d.Lookup(e.Lo, e.Hi, e.ID+12); got != nil {
			t.Fatalf("a stranger finds %+v", got)
		}
	}
}
