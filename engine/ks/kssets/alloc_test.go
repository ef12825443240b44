//go:build !race

package kssets

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

var (
	sinkSet  *Set
	sinkItem *Item
	sinkName string
)

func TestNoAllocations(t *testing.T) {
	for name, f := range map[string]func(){
		"ByGUID":          func() { sinkSet = ByGUID(KSPROPSETID_Audio) },
		"ByGUID stranger": func() { sinkSet = ByGUID(ks.GUID{1}) },
		"ByName":          func() { sinkSet = ByName("KSPROPSETID_Audio") },
		"Item":            func() { sinkItem = sinkSet.Item(KSPROPERTY_AUDIO_VOLUMELEVEL) },
		"All":             func() { all(&sinkSet) },
	} {
		if n := testkit.Allocs(f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	// The control: a string that has to be made must show.
	if n := testkit.Allocs(func() { sinkName = PropertyName(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL) }); n < 1 {
		t.Errorf("control PropertyName allocates %v times; want at least 1", n)
	}
}

func all(last **Set) {
	for s := range All() {
		*last = s
	}
}

func BenchmarkByGUID(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		sinkSet = ByGUID(sets[i%len(sets)].GUID)
	}
}

func BenchmarkPropertyName(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		sinkName = PropertyName(KSPROPSETID_Audio, uint32(i%64))
	}
}
