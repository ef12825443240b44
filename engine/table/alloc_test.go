//go:build !race

package table

import (
	"runtime"
	"testing"

	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var sinkEntry *Entry[int]

func TestNoAllocations(t *testing.T) {
	entries := families[1].entries(240)
	table := mustBuild(t, entries, Config{})
	keys, out := make([]Key, 240), make([]*Entry[int], 240)
	for i := range keys {
		keys[i] = keyOf(&entries[i])
	}
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"hit", func() { sinkEntry = table.Lookup(keys[3].Lo, keys[3].Hi, keys[3].ID) }},
		{"stranger", func() { sinkEntry = table.Lookup(1, 2, 3) }},
		{"KeyOf", func() { k := KeyOf([16]byte{1, 2}, 3); sinkEntry = table.Lookup(k.Lo, k.Hi, k.ID) }},
		{"batch", func() { table.LookupBatch(keys, out) }},
		{"short batch", func() { table.LookupBatch(keys[:few], out) }},
		{"Stats", func() { _ = table.Stats() }},
	} {
		if n := testkit.Allocs(c.f); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	// Negative control: the measurement notices one.
	if n := testkit.Allocs(func() { sinkEntry = new(Entry[int]) }); n != 1 {
		t.Errorf("an allocation counts as %v", n)
	}
	runtime.KeepAlive(out)
}
