package plot

import "fmt"

// palette is how many series look different. The next one looks like the first again.
const palette = 8

// mark draws the symbol of a series: the shapes differ as the colours do.
func mark(series int, x, y, r float64) string {
	class := fmt.Sprintf("mark s%d", series%palette)
	switch series % palette {
	case 0:
		return fmt.Sprintf(`<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, num(x), num(y), num(r))
	case 1:
		return polygon(class, x, y, r, -1, -1, 1, -1, 1, 1, -1, 1)
	case 2:
		return polygon(class, x, y, r*1.2, 0, -1, 1, 0.8, -1, 0.8)
	case 3:
		return polygon(class, x, y, r*1.3, 0, -1, 1, 0, 0, 1, -1, 0)
	case 4:
		return polygon(class, x, y, r*1.2, 0, 1, 1, -0.8, -1, -0.8)
	case 5:
		return polygon(class, x, y, r*1.2, -1, -0.4, -0.4, -0.4, -0.4, -1, 0.4, -1, 0.4, -0.4, 1, -0.4, 1, 0.4, 0.4, 0.4, 0.4, 1, -0.4, 1, -0.4,
			0.4, -1, 0.4)
	case 6:
		return polygon(class, x, y, r*1.2, -1, -0.5, 1, -0.5, 1, 0.5, -1, 0.5)
	}
	return polygon(class, x, y, r*1.2, -0.5, -1, 0.5, -1, 0.5, 1, -0.5, 1)
}

func polygon(class string, x, y, r float64, corners ...float64) string {
	points := ""
	for i := 0; i < len(corners); i += 2 {
		points += num(x+r*corners[i]) + "," + num(y+r*corners[i+1]) + " "
	}
	return fmt.Sprintf(`<polygon class="%s" points="%s"/>`, class, points[:len(points)-1])
}

// legend draws a mark and a name for each series from the top of the figure and returns where it ends. One series needs none.
func (f *Figure) legend(names []string, y float64) float64 {
	if len(names) < 2 {
		return y
	}
	x := 8.0
	f.add(`<g class="legend">`)
	for i, name := range names {
		cut, _ := fit(name, 0.45*f.width)
		w := extent(cut)*1.15 + 34
		if x > 8 && x+w > f.width {
			x, y = 8, y+lineHeight+4
		}
		f.add("%s", mark(i, x+6, y+9, 4.5))
		f.text("", x+17, y+14, 0.45*f.width, name)
		x += w
	}
	f.add("</g>")
	return y + lineHeight + 8
}
