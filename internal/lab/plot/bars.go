package plot

import (
	"fmt"
	"strings"
)

// Bars is a chart of sums and their parts: a bar for each row, a piece for each part. There may be more parts than colours, so
// the pieces bear the numbers of the legend where there is room.
type Bars struct {
	Title   string
	Summary string // "" for one made from the numbers
	X       Axis   // linear, from zero
	Bars    []Bar
}

// Bar is one sum. Parts of the same name have the same colour in every bar; what is not above zero is not drawn.
type Bar struct {
	Name  string
	Parts []Part
}

// Part is one piece.
type Part struct {
	Name  string
	Value float64
}

const barHeight = 26.0

// Draw lays the chart out.
func (c Bars) Draw(id string) *Figure {
	f := &Figure{ID: id, Title: c.Title, Summary: c.Summary, width: width}
	c.X.Zero, c.X.Log = true, false
	var names []string
	series := map[string]int{}
	sums := []float64{0}
	for _, bar := range c.Bars {
		sum := 0.0
		for _, p := range bar.Parts {
			if _, seen := series[p.Name]; !seen {
				series[p.Name] = len(names)
				names = append(names, p.Name)
			}
			if c.shown(p) {
				sum += p.Value
			}
		}
		sums = append(sums, sum)
	}
	numbered := make([]string, len(names))
	for i, name := range names {
		numbered[i] = fmt.Sprintf("%d %s", i+1, name)
	}
	top := f.legend(numbered, 4) + 4
	f.height = top + float64(len(c.Bars))*(nameHeight+barHeight+6) + 52
	x := c.X.scale(sums, 22, f.width-26)
	f.xAxis(c.X, x, top, f.height-48)
	for i, bar := range c.Bars {
		f.text("name", 4, top+15, f.width, fmt.Sprintf("%s: %s", bar.Name, c.X.text(sums[i+1])))
		top += nameHeight
		f.bar(c, bar, series, x, top)
		top += barHeight + 6
	}
	c.table(f, names)
	if f.Summary == "" {
		f.Summary = c.summary()
	}
	return f
}

func (c Bars) shown(p Part) bool { return c.X.drawable(p.Value) && p.Value > 0 }

func (f *Figure) bar(c Bars, bar Bar, series map[string]int, x scale, top float64) {
	sum := 0.0
	for _, p := range bar.Parts {
		if !c.shown(p) {
			continue
		}
		from, to := x.at(sum), x.at(sum+p.Value)
		f.add(`<rect class="part s%d" x="%s" y="%s" width="%s" height="%s"><title>%s: %s</title></rect>`, series[p.Name]%palette,
			num(from), num(top), num(to-from), num(barHeight), escape(p.Name), escape(c.X.text(p.Value)))
		if number := fmt.Sprint(series[p.Name] + 1); to-from > 2*extent(number) {
			f.add(`<text class="number middle" x="%s" y="%s">%s</text>`, num((from+to)/2), num(top+barHeight/2+5), number)
		}
		f.Marks++
		sum += p.Value
	}
}

func (c Bars) table(f *Figure, names []string) {
	f.Header = append([]string{"bar"}, names...)
	for _, bar := range c.Bars {
		row := []string{bar.Name}
		for _, name := range names {
			cell := ""
			for _, p := range bar.Parts {
				if p.Name == name {
					cell = c.X.text(p.Value)
				}
			}
			row = append(row, cell)
		}
		f.Table = append(f.Table, row)
	}
}

func (c Bars) summary() string {
	var said []string
	for _, bar := range c.Bars {
		var parts []string
		for _, p := range bar.Parts {
			parts = append(parts, p.Name+" "+c.X.text(p.Value))
		}
		said = append(said, bar.Name+": "+strings.Join(parts, ", "))
	}
	return c.X.Label + ". " + strings.Join(said, "; ") + "."
}
