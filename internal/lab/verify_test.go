package lab

import (
	"testing"

	"github.com/ksdispatch/ksdispatch/engine"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/lab/rival"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func TestPeersAnswerAsTheEngineDoes(t *testing.T) {
	seed := testkit.Seed(t)
	workloads, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		if w.misses {
			continue // the same table as without
		}
		n := 3000
		if testing.Short() || raceEnabled {
			n = 300
		}
		if err := verify(w.generate(seed), seed, n); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
}

// small is an object in which every rule that the peers share can be violated.
func small() []object {
	return []object{{
		{Set: ks.GUID{1}, Items: []engine.PropertyItem{
			{ID: 0, Get: Answer, Set: Answer, MinProperty: 32, MinData: 8},
			{ID: 1, Get: Answer},
			{ID: 2, Set: Answer, MinData: 5},
		}},
		{Set: ks.GUID{2}, Items: []engine.PropertyItem{{ID: 0, Get: Answer, Set: Answer, MinData: 4}}},
		{Set: ks.GUID{1}, Items: []engine.PropertyItem{{ID: 9, Get: Answer, MinProperty: 40}}},
	}}
}

// Negative controls: a peer with one thing wrong must be found out, and by the step that is wrong.
func TestVerifyNoticesAWrongPeer(t *testing.T) {
	seed := testkit.Seed(t)
	if err := verify(small(), seed, 3000); err != nil {
		t.Fatalf("undamaged: %v", err)
	}
	for _, c := range []struct {
		name   string
		damage func(sets []engine.PropertySet) []engine.PropertySet
	}{
		{"MinData", func(s []engine.PropertySet) []engine.PropertySet { s[0].Items[0].MinData--; return s }},
		{"MinProperty", func(s []engine.PropertySet) []engine.PropertySet { s[0].Items[0].MinProperty++; return s }},
		{"missing item", func(s []engine.PropertySet) []engine.PropertySet { s[0].Items = s[0].Items[:2]; return s }},
		{"missing set", func(s []engine.PropertySet) []engine.PropertySet { return s[:2] }},
		{"missing verb", func(s []engine.PropertySet) []engine.PropertySet { s[1].Items[0].Set = nil; return s }},
		{"missing fast verb", func(s []engine.PropertySet) []engine.PropertySet { s[1].FastIO[0].Get = nil; return s }},
		{"another item's handler", func(s []engine.PropertySet) []engine.PropertySet {
			s[0].Items[1].Get = s[0].Items[0].Get
			return s
		}},
		{"a wrong status", func(s []engine.PropertySet) []engine.PropertySet {
			get := s[0].Items[1].Get
			s[0].Items[1].Get = func(irp *engine.IRP, request, data []byte) ks.Status {
				if status := get(irp, request, data); status != ks.StatusInvalidDeviceRequest {
					return status
				}
				return ks.StatusNotSupported
			}
			return s
		}},
	} {
		for step, name := range steps {
			b, log, err := newVerifier(small())
			if err != nil {
				t.Fatal(err)
			}
			n := uint64(0)
			config := b.objects[0].compile(func(int, int) (engine.Handler, engine.FastHandler) {
				n++
				return log.handlers(n)
			})
			h, err := rival.NewHandle(rival.NewTable(c.damage(config.PropertySets)), rival.Step(step), false)
			if err != nil {
				t.Fatal(err)
			}
			b.peers[step][0] = h
			// The first difference ends it. One request in a thousand shows that MinData is one less: of 60,000, none is
			// not to be expected in the life of the project.
			if err := b.verify(log, seed, 60000); err == nil {
				t.Errorf("%s, %s: 60,000 random requests found no difference", c.name, name)
			}
		}
	}
}
