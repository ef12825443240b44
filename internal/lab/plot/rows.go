package plot

import (
	"fmt"
	"math"
	"strings"
)

// Rows is a chart of values along one common axis: a row of intervals (a forest plot), of distributions (violins), or both.
type Rows struct {
	Title   string
	Summary string // "" for one made from the numbers
	X       Axis
	Rule    *Tick    // a value to compare with, such as 1×; nil for none
	Series  []string // names of the items' series
	Rows    []Row
}

// Row is a name and what is to be compared under it.
type Row struct {
	Name  string
	Items []Item
}

// Item is one line of a row: the single values with their density, if there are any, and over them the middle one with
// its interval, if Low < High.
type Item struct {
	Series         int
	Values         []float64
	Mid, Low, High float64
}

// Heights of a row's name, of a line with a distribution and of one without.
const (
	nameHeight    = 21.0
	violinHeight  = 38.0
	bareHeight    = 15.0
	densityPlaces = 30
)

func (it Item) height() float64 {
	if len(it.Values) > 0 {
		return violinHeight
	}
	return bareHeight
}

// Draw lays the chart out.
func (c Rows) Draw(id string) *Figure {
	f := &Figure{ID: id, Title: c.Title, Summary: c.Summary, width: width}
	values, height := c.extent()
	top := f.legend(c.Series, 4) + 4
	if c.Rule != nil {
		top += lineHeight
	}
	f.height = top + height + 52
	x := c.X.scale(values, 14, f.width-18)
	bottom := f.height - 48
	f.xAxis(c.X, x, top, bottom)
	if c.Rule != nil && c.X.drawable(c.Rule.Value) {
		at := x.at(c.Rule.Value)
		f.add(`<path class="rule" d="M%s %sV%s"/>`, num(at), num(top-4), num(bottom))
		half := 0.6 * extent(c.Rule.Label)
		f.text("tick middle", min(max(at, half), f.width-half), top-8, f.width, c.Rule.Label)
	}
	for _, row := range c.Rows {
		f.text("name", 4, top+15, f.width, row.Name)
		top += nameHeight
		for _, it := range row.Items {
			f.item(c, it, x, top)
			top += it.height()
		}
	}
	c.table(f)
	if f.Summary == "" {
		f.Summary = c.summary()
	}
	return f
}

func (c Rows) extent() (values []float64, height float64) {
	if c.Rule != nil {
		values = append(values, c.Rule.Value)
	}
	for _, row := range c.Rows {
		height += nameHeight
		for _, it := range row.Items {
			height += it.height()
			values = append(append(values, it.Values...), it.Mid)
			if it.Low < it.High {
				values = append(values, it.Low, it.High)
			}
		}
	}
	return values, height
}

func (f *Figure) item(c Rows, it Item, x scale, top float64) {
	class := fmt.Sprintf("s%d", it.Series%palette)
	middle := top + it.height()/2
	f.violin(c, it, x, middle, class)
	f.add(`<g class="%s">`, class)
	for _, v := range it.Values {
		if c.X.drawable(v) {
			f.add(`<circle class="dot" cx="%s" cy="%s" r="2.2"/>`, num(x.at(v)), num(middle))
			f.Marks++
		}
	}
	if it.Low < it.High && c.X.drawable(it.Low) && c.X.drawable(it.High) {
		low, high := num(x.at(it.Low)), num(x.at(it.High))
		f.add(`<path class="span" d="M%s %sH%sM%s %sv8M%s %sv8"/>`, low, num(middle), high, low, num(middle-4), high, num(middle-4))
	}
	f.add("</g>")
	if c.X.drawable(it.Mid) {
		f.add("%s", mark(it.Series, x.at(it.Mid), middle, 4.5))
		f.Marks++
	}
}

// violin draws the density to both sides of the middle line.
func (f *Figure) violin(c Rows, it Item, x scale, middle float64, class string) {
	var inner []float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range it.Values {
		if c.X.drawable(v) {
			inner = append(inner, x.inner(v))
			low, high = min(low, x.inner(v)), max(high, x.inner(v))
		}
	}
	room := bandwidth(inner)
	at := density(inner, low-2*room, high+2*room, densityPlaces)
	if at == nil {
		return
	}
	var upper, lower strings.Builder
	for i := range at {
		place := func(k int) string {
			v := low - 2*room + (high-low+4*room)*float64(k)/(densityPlaces-1)
			return num(min(max(x.at(x.outer(v)), 0), f.width))
		}
		k := len(at) - 1 - i
		fmt.Fprintf(&upper, "%s,%s ", place(i), num(middle-at[i]*0.46*violinHeight))
		fmt.Fprintf(&lower, "%s,%s ", place(k), num(middle+at[k]*0.46*violinHeight))
	}
	f.add(`<polygon class="area %s" points="%s"/>`, class, strings.TrimSpace(upper.String()+lower.String()))
}

func (c Rows) name(it Item) string {
	if it.Series < len(c.Series) {
		return c.Series[it.Series]
	}
	return ""
}

func (c Rows) table(f *Figure) {
	f.Header = []string{"row", "item", c.X.Label, "interval", "values"}
	for _, row := range c.Rows {
		for _, it := range row.Items {
			interval, values := "", ""
			if it.Low < it.High {
				interval = c.X.text(it.Low) + " to " + c.X.text(it.High)
			}
			for _, v := range it.Values {
				values += " " + c.X.text(v)
			}
			f.Table = append(f.Table, []string{row.Name, c.name(it), c.X.text(it.Mid), interval, strings.TrimSpace(values)})
		}
	}
}

// summary says the middle values, as far as anybody would listen.
func (c Rows) summary() string {
	const enough = 12
	var said []string
	for _, row := range c.Rows {
		for _, it := range row.Items {
			said = append(said, strings.TrimSpace(row.Name+" "+c.name(it))+": "+c.X.text(it.Mid))
		}
	}
	more := ""
	if len(said) > enough {
		more = fmt.Sprintf("; and %d more in the table", len(said)-enough)
		said = said[:enough]
	}
	return c.X.Label + ". " + strings.Join(said, "; ") + more + "."
}
