package plot

import (
	"math"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Axis is one of the two directions of a chart.
type Axis struct {
	Label string // what and in which unit, such as "nanoseconds per request"
	Log   bool   // logarithmic: values of zero and below are not drawn
	Zero  bool   // a linear axis begins at zero

	Ticks  []Tick               // nil: chosen from the values
	Format func(float64) string // of the values on ticks and in the table; nil for [doc.Number]
}

// Tick is a place on an axis with a name of its own.
type Tick struct {
	Value float64
	Label string
}

func (a Axis) text(v float64) string {
	if a.Format != nil {
		return a.Format(v)
	}
	return doc.Number(v)
}

// title is the label with what a reader must not miss.
func (a Axis) title(s scale) string {
	switch {
	case a.Log:
		return a.Label + " (logarithmic)"
	case s.low > 0 && len(a.Ticks) == 0:
		return a.Label + " (does not begin at 0)"
	}
	return a.Label
}

// scale maps values to places in the picture.
type scale struct {
	low, high float64 // values at the two ends
	from, to  float64 // their places
	log       bool
}

// drawable reports whether a value has a place on the axis at all.
func (a Axis) drawable(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!a.Log || v > 0)
}

// scale encloses the drawable values with a little room. Without any it spans 1 to 10, so that a figure without data is an
// empty frame and no division by zero.
func (a Axis) scale(values []float64, from, to float64) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if a.drawable(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	for _, t := range a.Ticks {
		if a.drawable(t.Value) {
			low, high = min(low, t.Value), max(high, t.Value)
		}
	}
	if low > high {
		low, high = 1, 10
	}
	s := scale{low: low, high: high, from: from, to: to, log: a.Log}
	switch {
	case len(a.Ticks) > 0 && high > low:
	case a.Log:
		room := max(math.Pow(high/low, 0.04), 1.02)
		s.low, s.high = low/room, high*room
	default:
		room := 0.04 * (high - low)
		if room == 0 {
			room = max(math.Abs(high)*0.1, 1e-9)
		}
		s.low, s.high = low-room, high+room
		if a.Zero || low >= 0 && s.low < 0 {
			s.low = min(0, low)
		}
	}
	return s
}

func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

// inner and outer turn values into the space in which the axis is even, and back.
func (s scale) inner(v float64) float64 {
	if s.log {
		return math.Log(v)
	}
	return v
}

func (s scale) outer(v float64) float64 {
	if s.log {
		return math.Exp(v)
	}
	return v
}

// ticks are about n round values within the scale.
func (s scale) ticks(n int) []float64 {
	if s.log && s.high/s.low >= 5 {
		return s.logTicks(n)
	}
	step := math.Pow(10, math.Floor(math.Log10((s.high-s.low)/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (s.high-s.low)/(m*step) <= float64(n) {
			step *= m
			break
		}
	}
	var ticks []float64
	for i := math.Ceil(s.low / step); i*step <= s.high && len(ticks) <= 2*n; i++ {
		ticks = append(ticks, i*step)
	}
	return ticks
}

// logTicks are powers of ten, with 2 and 5 times them where there are few, and only every second, third... where there are many.
func (s scale) logTicks(n int) []float64 {
	first, last := int(math.Floor(math.Log10(s.low))), int(math.Ceil(math.Log10(s.high)))
	multiples, every := []float64{1}, 1
	switch decades := math.Log10(s.high / s.low); {
	case decades < 2:
		multiples = []float64{1, 2, 5}
	case decades < float64(n)/2:
		multiples = []float64{1, 3}
	default:
		every = max(int(math.Round(decades/float64(n))), 1)
	}
	var ticks []float64
	for e := first; e <= last; e++ {
		if e%every != 0 {
			continue
		}
		for _, m := range multiples {
			if v := m * math.Pow(10, float64(e)); v >= s.low && v <= s.high {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}
