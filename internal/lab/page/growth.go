package page

import (
	"fmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/scale"
)

// growth is how the table grows with its keys.
func growth(in Input) (*section, error) {
	r := in.last(func(r Report) bool { return len(r.Scale) > 0 })
	if len(r.Scale) == 0 {
		return nil, nil
	}
	s := &section{ID: "growth", Title: "Growth", Text: []string{
		"From a handful of keys to millions. A flat curve does not care how many there are. The dashed lines stand where the table outgrows a " +
			"cache of the processor: " +
			"what is right of them waits for slower memory, whatever the algorithm. Shaded is the 95 % interval.",
	}}
	for i, c := range scale.Charts(r.Report) {
		drawn := 0
		for _, curve := range c.Series {
			drawn += len(curve.Points)
		}
		if drawn > 0 {
			s.Figures = append(s.Figures, c.Draw(fmt.Sprintf("growth-%d", i)))
		}
	}
	if len(s.Figures) == 0 {
		return nil, nil
	}
	return s, nil
}
