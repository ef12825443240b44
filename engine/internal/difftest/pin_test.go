package difftest

import (
	"math/rand/v2"
	"testing"

	"github.com/ksdispatch/ksdispatch/engine/internal/model"
	"github.com/ksdispatch/ksdispatch/engine/ks"
	"github.com/ksdispatch/ksdispatch/internal/testkit"
)

func checkPins(t *testing.T, c PinCase) int {
	n, d := c.Run()
	if d != nil {
		t.Error(d)
	}
	return n
}

func TestPinsAgainstModel(t *testing.T) {
	s, compared := testkit.Seed(t), 0
	for i := range objects() {
		compared += checkPins(t, GeneratePins(rand.New(rand.NewPCG(s, i))))
		if t.Failed() {
			t.Fatalf("pins %d of KSDISPATCH_SEED=%d", i, s)
		}
	}
	t.Logf("%d requests agree", compared)
}

// TestPinsNotice is the control: a pin that the engine knows otherwise than the model is found out, whatever differs.
func TestPinsNotice(t *testing.T) {
	s := testkit.Seed(t)
	for name, change := range map[string]func(*model.Pin){
		"flow":          func(p *model.Pin) { p.Flow ^= 3 },
		"communication": func(p *model.Pin) { p.Communication ^= 1 },
		"category":      func(p *model.Pin) { p.Category = &ks.GUID{9} },
		"name":          func(p *model.Pin) { p.Name = &ks.GUID{9} },
		"necessary":     func(p *model.Pin) { p.Necessary++ },
		"possible":      func(p *model.Pin) { p.Possible++ },
		"connection":    func(p *model.Pin) { p.Connected = !p.Connected },
		"interfaces":    func(p *model.Pin) { p.Interfaces = append(p.Interfaces, [24]byte{7}) },
		"mediums":       func(p *model.Pin) { p.Mediums = append(p.Mediums, [24]byte{7}) },
		"ranges":        func(p *model.Pin) { p.Ranges = append(p.Ranges, ks.AnalogRange().Bytes()) },
		"constrained":   func(p *model.Pin) { p.Constrained = append(p.Constrained, ks.AnalogRange().Bytes()) },
		"asked":         func(p *model.Pin) { p.Asked = ks.StatusUnsuccessful - 1 },
	} {
		found := false
		for i := uint64(0); i < 50 && !found; i++ {
			c := GeneratePins(rand.New(rand.NewPCG(s, i)))
			var asked [][2]uint32
			declared := c.declare(&asked)
			wrong := c
			wrong.Pins.Pins = append([]model.Pin(nil), c.Pins.Pins...)
			for j := range wrong.Pins.Pins {
				change(&wrong.Pins.Pins[j])
			}
			_, d := wrong.compare(declared, &asked)
			found = d != nil
		}
		if !found {
			t.Errorf("%s: no case of 50 finds it", name)
		}
	}
}

func FuzzPinsAgainstModel(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		checkPins(t, GeneratePins(rand.New(newSource(data))))
	})
}
