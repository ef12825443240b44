package difftest

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func checkFilter(t *testing.T, c FilterCase) int {
	n, d := c.Run()
	if d != nil {
		t.Error(d)
	}
	return n
}

func TestFiltersAgainstModel(t *testing.T) {
	s, compared := testkit.Seed(t), 0
	for i := range objects() {
		compared += checkFilter(t, GenerateFilter(rand.New(rand.NewPCG(s, i))))
		if t.Failed() {
			t.Fatalf("filter %d of KSDISPATCH_SEED=%d", i, s)
		}
	}
	t.Logf("%d steps agree", compared)
}

// TestFiltersNotice is the control: a filter that the engine knows otherwise than the model is found out, whatever differs.
func TestFiltersNotice(t *testing.T) {
	s := testkit.Seed(t)
	pins := func(change func(*model.FilterPin)) func(*model.Filter) {
		return func(f *model.Filter) {
			for i := range f.Pins {
				change(&f.Pins[i])
			}
		}
	}
	for name, change := range map[string]func(*model.Filter){
		"own":        func(f *model.Filter) { f.Own = append(f.Own, model.Entry{Set: ks.GUID{0xA1}, ID: 9, Value: 1}) },
		"deny":       func(f *model.Filter) { f.DenyUserMode = !f.DenyUserMode },
		"objects":    func(f *model.Filter) { f.MaxObjects = 1 },
		"nodes":      func(f *model.Filter) { f.Nodes = append(f.Nodes, nil) },
		"topology":   func(f *model.Filter) { f.AddNode(ks.GUID{}, ks.GUID{}, nil) },
		"possible":   pins(func(p *model.FilterPin) { p.Possible++ }),
		"pin's own":  pins(func(p *model.FilterPin) { p.Own = nil }),
		"steps":      pins(func(p *model.FilterPin) { p.SingleSteps = !p.SingleSteps }),
		"fixed":      pins(func(p *model.FilterPin) { p.FixedFormat = !p.FixedFormat }),
		"pin denied": pins(func(p *model.FilterPin) { p.DenyUserMode = !p.DenyUserMode }),
		"sample":     pins(func(p *model.FilterPin) { p.LeastSample = 100 }),
		"state":      pins(func(p *model.FilterPin) { p.RefusedState = 1 }),
		"create":     pins(func(p *model.FilterPin) { p.FailsCreate = ks.StatusUnsuccessful }),
		"streams":    pins(func(p *model.FilterPin) { p.Streams = !p.Streams }),
		"reset":      pins(func(p *model.FilterPin) { p.RefusesToBeReset = !p.RefusesToBeReset }),
	} {
		found := false
		for i := uint64(0); i < 1000 && !found; i++ {
			c := GenerateFilter(rand.New(rand.NewPCG(s, i)))
			if name == "topology" && c.Filter.Topology == nil {
				continue
			}
			_, d := c.run(change)
			found = d != nil
		}
		if !found {
			t.Errorf("%s: no case of 1000 finds it", name)
		}
	}
}

func FuzzFiltersAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		checkFilter(t, GenerateFilter(rand.New(newSource(data))))
	})
}

// FuzzConnectAgainstModel judges parameters of creates that no generator made.
func FuzzConnectAgainstModel(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, GeneratePins(rand.New(rand.NewPCG(1, i))).Connects[0])
	}
	f.Fuzz(func(t *testing.T, seed uint64, parameters []byte) {
		c := GeneratePins(rand.New(rand.NewPCG(1, seed%64)))
		c.Requests, c.Connects = nil, [][]byte{parameters}
		checkPins(t, c)
	})
}

// FuzzRangesAgainstModel judges lists of ranges, and formats that are proposed, that no generator made.
func FuzzRangesAgainstModel(f *testing.F) {
	for i := range uint64(20) {
		for _, q := range GeneratePins(rand.New(rand.NewPCG(2, i))).Requests {
			if q.ID == 4 && len(q.Extra) >= 8 {
				f.Add(i, true, q.Extra[8:])
			} else if q.ID == 14 {
				f.Add(i, false, q.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, intersection bool, b []byte) {
		c := GeneratePins(rand.New(rand.NewPCG(2, seed%64)))
		q := model.Request{ID: 14, Flags: ks.PropertyTypeSet, Data: b, Out: uint32(len(b))}
		q.Extra = ks.Pin{PinFlags: uint32(seed >> 8 & 1)}.Bytes()[24:]
		if intersection {
			q.ID, q.Flags, q.Extra, q.Data, q.Out = 4, ks.PropertyTypeGet, append(q.Extra, b...), nil, uint32(seed>>9)%100
		}
		q.In = uint32(24 + len(q.Extra))
		c.Requests, c.Connects = []model.Request{q}, nil
		checkPins(t, c)
	})
}
