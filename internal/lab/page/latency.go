package page

import (
	"fmt"
	"math"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// latencies draws the time of single requests by percentile: a figure for each workload and path that was measured so.
func latencies(in Input) (*section, error) {
	r := in.main()
	s := &section{ID: "latency", Title: "Single requests", Text: []string{
		"How long one request takes, from the middle to the rarest: at 99 % stands the time that one request in a hundred exceeds. Both axes " +
			"are logarithmic; each step to the right is ten times rarer. " +
			"The far right is made by the machine, not by the engine: interrupts, other programs, the collector. A timed request includes one " +
			"reading of the clock, which the curve " +
			"of the clock alone shows; nothing is subtracted.",
	}}
	open := false
	for _, path := range r.Paths {
		f := fold{Title: path.Name + ": " + path.Description, Open: len(s.Folds) == 0}
		for _, w := range r.Workloads {
			c := plot.Lines{Title: "Latency of " + w.Name + ", " + path.Name,
				Y: plot.Axis{Label: "time of one request", Log: true, Format: doc.Nanoseconds},
				X: plot.Axis{Label: "share of the requests that take less", Log: true}}
			var clock *report.Distribution
			for _, impl := range r.Impls {
				res := r.find(w.Name, path.Name, impl.Name)
				if res == nil || res.Latency == nil {
					continue
				}
				clock = &res.Latency.Clock
				name := impl.Name
				if res.Latency.Response != nil {
					open = true
					if err := addCurve(&c, name+", with waiting", res.Latency.Response); err != nil {
						return nil, fmt.Errorf("%s: %s: %w", r.Name, res.Name(), err)
					}
					name += ", alone"
				}
				if err := addCurve(&c, name, &res.Latency.Service); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", r.Name, res.Name(), err)
				}
			}
			if clock == nil {
				continue
			}
			if err := addCurve(&c, "clock", clock); err != nil {
				return nil, fmt.Errorf("%s: the clock: %w", r.Name, err)
			}
			c.X.Ticks = rarities(c)
			f.Figures = append(f.Figures, c.Draw(fmt.Sprintf("latency-%d-%d", len(s.Folds), len(f.Figures))))
		}
		if len(f.Figures) > 0 {
			s.Folds = append(s.Folds, f)
		}
	}
	if open {
		s.Text = append(s.Text, fmt.Sprintf("Requests came at a rate of %s per second, whether or not the one before was done. With waiting "+
			"counts from the intended start, "+
			"alone from the real one: the first is what a caller sees (coordinated omission is the name for leaving the waiting out).",
			doc.Number(r.Settings.Rate)))
	}
	if len(s.Folds) == 0 {
		return nil, nil
	}
	return s, nil
}

// curvePoints are the percentiles of a curve: three to each factor of ten in rarity.
const curvePoints = 3

// addCurve draws a histogram up to its rarest value; a percentile is placed by the rarity of what exceeds it.
func addCurve(c *plot.Lines, name string, d *report.Distribution) error {
	h, err := d.Histogram.Decode()
	if err != nil {
		return err
	}
	s := plot.Series{Name: name, Plain: true}
	for k := 0; ; k++ {
		rarity := 2 * math.Pow(10, float64(k)/curvePoints) // one request in so many exceeds it; the median first
		if rarity > float64(h.TotalCount()) || rarity > 1e9 {
			break
		}
		s.Points = append(s.Points, plot.Point{X: rarity, Y: float64(h.ValueAtPercentile(100 - 100/rarity))})
	}
	s.Points = append(s.Points, plot.Point{X: max(float64(h.TotalCount()), 2), Y: float64(h.Max())})
	c.Series = append(c.Series, s)
	return nil
}

// rarities are the ticks for one request in 2, 10, 100... as percentages.
func rarities(c plot.Lines) []plot.Tick {
	rarest := 0.0
	for _, s := range c.Series {
		for _, p := range s.Points {
			rarest = max(rarest, p.X)
		}
	}
	ticks := []plot.Tick{{Value: 2, Label: "50 %"}}
	for n, rarity := 0, 10.0; rarity <= rarest && n < 10; n, rarity = n+1, rarity*10 {
		ticks = append(ticks, plot.Tick{Value: rarity, Label: fmt.Sprintf("%.*f %%", max(n-1, 0), 100-100/rarity)})
	}
	return ticks
}
