package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/sheet"
)

// writePage writes the filters of the files as one HTML page that needs nothing else.
func (files checkedFiles) writePage(w io.Writer) error {
	return checkPage.Execute(w, struct {
		sheet.Head
		Files checkedFiles
	}{sheet.Head{Sheet: checkSheet, Title: "filters"}, files})
}

// FormatList is the formats of a pin, each of them once.
func (p checkedPin) FormatList() string { return strings.Join(unique(p.Formats), "; ") }

var checkSheet = sheet.New(`th,td{text-align:left}
figure{margin:1rem 0;overflow-x:auto}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}
svg rect{fill:var(--card);stroke:var(--muted)}
svg rect.pin{stroke:var(--good);stroke-width:2}
svg path{fill:none;stroke:var(--muted)}
`)

var checkPage = sheet.Template(`{{template "head" .}}<body>
{{range .Files}}{{$file := .}}<h1>{{or .Driver .File}}</h1>
{{with .Source}}<p>Source: {{.}}</p>{{end}}{{with .Error}}<p>{{.}}</p>{{end}}
{{range .Objects}}{{if or .Pins .Nodes}}<h2>{{.Object}}</h2>
{{if .Pins}}<table><thead>
<tr><th>pin</th><th>flow</th><th>communication</th><th>possible</th><th>formats</th><th>connected to</th></tr></thead><tbody>
{{range .Pins}}<tr><td>{{.ID}}</td><td>{{.Flow}}</td><td>{{.Communication}}</td><td>{{.Possible}}</td>` +
	`<td>{{.FormatList}}</td><td>{{.Connected}}</td></tr>
{{end}}</tbody></table>{{end}}
{{with .Graph}}{{if .Boxes}}<figure><svg role="img" aria-label="how the nodes are connected" width="{{.Width}}" height="{{.Height}}" ` +
	`viewBox="0 0 {{.Width}} {{.Height}}">
{{range .Lines}}<path d="M{{.X1}} {{.Y1}} C{{.C1}} {{.Y1}} {{.C2}} {{.Y2}} {{.X2}} {{.Y2}}"><title>{{.Title}}</title></path>
{{end}}{{range .Boxes}}<rect{{if .Pin}} class="pin"{{end}} x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="26" rx="4"/>` +
	`<text x="{{.TextX}}" y="{{.TextY}}" text-anchor="middle">{{.Label}}</text>
{{end}}</svg></figure>{{end}}{{end}}{{end}}{{end}}{{end}}
</body></html>
`)

// graph is the picture of a topology: boxes in columns, data going from left to right, where they do not go round.
type graph struct {
	Width, Height int
	Boxes         []box
	Lines         []line
}

type box struct {
	X, Y, Width int
	Label       string
	Pin         bool
}

func (b box) TextX() int { return b.X + b.Width/2 }
func (b box) TextY() int { return b.Y + 17 }

type line struct {
	X1, Y1, X2, Y2 int
	Title          string
}

// C1 and C2 bend a line, so that it leaves and enters boxes to the right.
func (l line) C1() int { return l.X1 + bend }
func (l line) C2() int { return l.X2 - bend }

const (
	boxWidth, columnWidth, rowHeight, margin, bend = 106, 142, 40, 8, 20
)

// place is a box before it has its place: a node, or a pin of the filter on the side where data enter or leave.
type place struct {
	node, pin int32 // node -1: the pin
	leaves    bool
}

func (o *checkedObject) Graph() *graph {
	const filter = -1
	from := func(c [4]int32) place {
		if c[0] == filter {
			return place{filter, c[1], false}
		}
		return place{node: c[0]}
	}
	to := func(c [4]int32) place {
		if c[2] == filter {
			return place{filter, c[3], true}
		}
		return place{node: c[2]}
	}
	var order []place
	column := make(map[place]int)
	add := func(p place) {
		if _, ok := column[p]; !ok {
			column[p], order = 0, append(order, p)
		}
	}
	for _, c := range o.Connections {
		add(from(c))
		add(to(c))
	}
	// The column of a box is the length of the longest way to it. A way that goes round would be endless, so there are as many
	// rounds as boxes at most.
	last := 0
	for moved, rounds := true, 0; moved && rounds < len(order); rounds++ {
		moved = false
		for _, c := range o.Connections {
			a, b := from(c), to(c)
			if next := column[a] + 1; a != b && column[b] < next && next < len(order) {
				column[b], moved = next, true
			}
			last = max(last, column[b])
		}
	}
	g := &graph{Width: 2*margin + last*columnWidth + boxWidth}
	at, rows := make(map[place]box), make(map[int]int)
	for _, p := range order {
		x := column[p]
		if p.leaves {
			x = last
		}
		b := box{X: margin + x*columnWidth, Y: margin + rows[x]*rowHeight, Width: boxWidth, Pin: p.node == filter}
		rows[x]++
		b.Label = fmt.Sprintf("pin %d", p.pin)
		if !b.Pin {
			b.Label = strings.Trim(o.nodeLabel(p.node), "[]")
		}
		at[p] = b
		g.Boxes = append(g.Boxes, b)
		g.Height = max(g.Height, b.Y+rowHeight)
	}
	const middle = 13
	for _, c := range o.Connections {
		a, b := at[from(c)], at[to(c)]
		g.Lines = append(g.Lines, line{a.X + a.Width, a.Y + middle, b.X, b.Y + middle,
			fmt.Sprintf("%s, pin %d, to %s, pin %d", a.Label, c[1], b.Label, c[3])})
	}
	return g
}
