package plot

import (
	"fmt"
	"slices"
	"strings"
)

// Lines is a chart of curves over a common axis.
type Lines struct {
	Title   string
	Summary string // for those who cannot see the picture; "" for one made from the numbers
	X, Y    Axis
	Series  []Series
	Rules   []Tick // vertical lines across all series: where a cache ends
}

// Series is one curve; its points are joined in their order.
type Series struct {
	Name   string
	Points []Point
	Plain  bool // without marks, for curves of very many points
}

// Point is one value; Low and High, if Low < High, the interval around it.
type Point struct{ X, Y, Low, High float64 }

// Draw lays the chart out.
func (c Lines) Draw(id string) *Figure {
	f := &Figure{ID: id, Title: c.Title, Summary: c.Summary, width: width, height: 330}
	var xs, ys []float64
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		names[i] = s.Name
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
			if p.Low < p.High {
				ys = append(ys, p.Low, p.High)
			}
		}
	}
	top := f.legend(names, 4)
	f.height += top
	left := f.labelRoom(c.Y, c.Y.scale(ys, 0, 1))
	x := c.X.scale(xs, left, f.width-20)
	rules, rows := f.layRules(c.Rules, c.X, x)
	frame := top + 28 + float64(rows)*lineHeight
	f.height += frame - top - 28
	y := c.Y.scale(ys, f.height-48, frame)
	f.text("axis", 4, top+14, f.width, c.Y.title(y))
	f.yAxis(c.Y, y, left)
	f.xAxis(c.X, x, frame, f.height-48)
	f.rules(rules, top+22, frame, f.height-48)
	for i, s := range c.Series {
		f.curve(c, i, s, x, y)
	}
	c.table(f)
	if f.Summary == "" {
		f.Summary = c.summary()
	}
	return f
}

func (f *Figure) curve(c Lines, i int, s Series, x, y scale) {
	var points, upper, lower []string
	place := func(vx, vy float64) string { return num(x.at(vx)) + "," + num(y.at(vy)) }
	class := fmt.Sprintf("s%d", i%palette)
	for _, p := range s.Points {
		if !c.X.drawable(p.X) || !c.Y.drawable(p.Y) {
			continue
		}
		points = append(points, place(p.X, p.Y))
		if p.Low < p.High && c.Y.drawable(p.Low) && c.Y.drawable(p.High) {
			upper, lower = append(upper, place(p.X, p.High)), append(lower, place(p.X, p.Low))
		}
	}
	slices.Reverse(lower)
	if len(upper) > 1 {
		f.add(`<polygon class="area %s" points="%s %s"/>`, class, strings.Join(upper, " "), strings.Join(lower, " "))
	} else if len(upper) == 1 {
		f.add(`<polyline class="span %s" points="%s %s"/>`, class, upper[0], lower[0])
	}
	plain := s.Plain && len(points) > 1
	if plain {
		class += " plain"
	}
	if len(points) > 1 {
		f.add(`<polyline class="line %s" points="%s"/>`, class, strings.Join(points, " "))
	}
	f.Marks += len(points)
	if plain {
		return
	}
	for _, p := range s.Points {
		if c.X.drawable(p.X) && c.Y.drawable(p.Y) {
			f.add("%s", mark(i, x.at(p.X), y.at(p.Y), 3.5))
		}
	}
}

// labelRoom is where the y axis stands: right of its longest label.
func (f *Figure) labelRoom(a Axis, s scale) float64 {
	room := 24.0
	for _, t := range a.places(s, 6) {
		room = max(room, extent(t.Label)*1.3+14)
	}
	return min(room, 110)
}

// places are the ticks of an axis.
func (a Axis) places(s scale, n int) []Tick {
	if len(a.Ticks) > 0 {
		return a.Ticks
	}
	var ticks []Tick
	for _, v := range s.ticks(n) {
		ticks = append(ticks, Tick{v, a.text(v)})
	}
	return ticks
}

func (f *Figure) yAxis(a Axis, s scale, left float64) {
	for _, t := range a.places(s, 6) {
		y := s.at(t.Value)
		f.add(`<path class="grid" d="M%s %sH%s"/>`, num(left), num(y), num(f.width-8))
		f.add(`<text class="tick end" x="%s" y="%s">%s</text>`, num(left-6), num(y+4), escape(t.Label))
	}
}

func (f *Figure) xAxis(a Axis, s scale, top, bottom float64) {
	f.add(`<path class="base" d="M%s %sH%s"/>`, num(s.from), num(bottom), num(f.width-8))
	end := -1e9
	for _, t := range a.places(s, 6) {
		x, half := s.at(t.Value), extent(t.Label)*0.7
		f.add(`<path class="grid" d="M%s %sV%s"/>`, num(x), num(top), num(bottom))
		if x-half < end { // it would touch the label before
			continue
		}
		end = x + half + 4
		f.add(`<text class="tick middle" x="%s" y="%s">%s</text>`, num(min(x, f.width-half-1)), num(bottom+18), escape(t.Label))
	}
	f.add(`<text class="axis end" x="%s" y="%s">%s</text>`, num(f.width-8), num(bottom+39), escape(a.title(s)))
}

func (c Lines) table(f *Figure) {
	f.Header = []string{c.X.Label}
	var xs []float64
	for _, s := range c.Series {
		f.Header = append(f.Header, s.Name)
		for _, p := range s.Points {
			xs = append(xs, p.X)
		}
	}
	slices.Sort(xs)
	for _, x := range slices.Compact(xs) {
		row := []string{c.X.name(x)}
		for _, s := range c.Series {
			cell := ""
			for _, p := range s.Points {
				if p.X == x {
					cell = c.Y.text(p.Y) + span(c.Y, p.Low, p.High)
				}
			}
			row = append(row, cell)
		}
		f.Table = append(f.Table, row)
	}
}

// name is the tick's label where the value has one.
func (a Axis) name(v float64) string {
	for _, t := range a.Ticks {
		if t.Value == v {
			return t.Label
		}
	}
	return a.text(v)
}

func span(a Axis, low, high float64) string {
	if !(low < high) {
		return ""
	}
	return " (" + a.text(low) + " to " + a.text(high) + ")"
}

func (c Lines) summary() string {
	var said []string
	for _, s := range c.Series {
		if n := len(s.Points); n > 0 {
			first, last := s.Points[0], s.Points[n-1]
			said = append(said, fmt.Sprintf("%s: %s at %s, %s at %s", s.Name, c.Y.text(first.Y), c.X.name(first.X), c.Y.text(last.Y),
				c.X.name(last.X)))
		}
	}
	return c.Y.Label + " over " + c.X.Label + ". " + strings.Join(said, "; ") + "."
}
