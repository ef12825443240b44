package plot

import (
	"cmp"
	"slices"
)

// rule is a vertical line with a name: something that happens to all series at one place of the x axis.
type rule struct {
	name     string
	at, from float64 // of the line, and where its name begins
	row      int     // of names above the frame
}

// layRules places the rules that lie within the axis. A name is centred on its line as far as the frame goes, and moves to
// another row where the names before it leave no room.
func (f *Figure) layRules(rules []Tick, a Axis, x scale) (placed []rule, rows int) {
	var ends []float64 // of the last name of each row
	for _, t := range slices.SortedStableFunc(slices.Values(rules), func(a, b Tick) int { return cmp.Compare(a.Value, b.Value) }) {
		if !a.drawable(t.Value) || t.Value < x.low || t.Value > x.high {
			continue
		}
		r := rule{name: t.Label, at: x.at(t.Value)}
		half := min(extent(t.Label)*1.15, x.to-x.from) / 2
		r.from = min(max(r.at, x.from+half), x.to-half) - half
		if r.row = slices.IndexFunc(ends, func(end float64) bool { return end+8 <= r.from }); r.row < 0 {
			r.row, ends = len(ends), append(ends, 0)
		}
		ends[r.row] = r.from + 2*half
		placed = append(placed, r)
	}
	return placed, len(ends)
}

// rules draws them down from the rows of their names, which begin at top, to bottom.
func (f *Figure) rules(placed []rule, top, frame, bottom float64) {
	for _, r := range placed {
		f.add(`<path class="rule" d="M%s %sV%s"/>`, num(r.at), num(frame), num(bottom))
		f.text("axis", r.from, top+float64(r.row)*lineHeight+12, f.width-20-r.from+letter, r.name)
	}
}
