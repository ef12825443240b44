package lab

import (
	"regexp"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// The digest changes with everything that is measured, and with nothing else.
func TestDigest(t *testing.T) {
	of := func(w Workload, seed uint64) string {
		b, err := w.prepare(seed)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		return b.digest()
	}
	seen := map[string]string{}
	different := func(name, digest string) {
		if seen[digest] != "" {
			t.Errorf("%s and %s: the same digest", name, seen[digest])
		}
		seen[digest] = name
	}
	base := of(synthetic(20, 12, false), 1)
	if !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(base) {
		t.Errorf("digest %q", base)
	}
	if again := of(synthetic(20, 12, false), 1); again != base {
		t.Errorf("the same workload: %s and %s", base, again)
	}
	different("base", base)
	different("another seed", of(synthetic(20, 12, false), 2))
	different("with misses", of(synthetic(20, 12, true), 1))
	different("another size", of(synthetic(12, 20, false), 1))
	one := func(item engine.PropertyItem) Workload {
		return Workload{generate: func(uint64) []object { return []object{{{Set: ks.GUID{1}, Items: []engine.PropertyItem{item}}}} }}
	}
	for name, item := range map[string]engine.PropertyItem{
		"one item":            {ID: 1, Get: Answer, MinProperty: 24, MinData: 4},
		"another id":          {ID: 2, Get: Answer, MinProperty: 24, MinData: 4},
		"another verb":        {ID: 1, Set: Answer, MinProperty: 24, MinData: 4},
		"another MinData":     {ID: 1, Get: Answer, MinProperty: 24, MinData: 8},
		"another MinProperty": {ID: 1, Get: Answer, MinProperty: 32, MinData: 4},
	} {
		different(name, of(one(item), 1))
	}
}
