package scale

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Growth is a report whose growth is to be shown.
type Growth struct{ *report.Report }

// Document is the growth as tables, and a chart for a terminal.
func (r Growth) Document() *doc.Document {
	g := group(r.Report)
	return &doc.Document{
		Title: fmt.Sprintf("ksbench scale: nanoseconds per lookup by number of keys, median of %d interleaved rounds", r.Settings.Rounds),
		Lead: []string{fmt.Sprintf("%s, seed %d", r.Environment, r.Settings.Seed),
			"Each kind of requests one by one (engine), 256 a call (batch), and of a Go map."},
		Sections: []doc.Section{{Table: g.times()}, {Table: g.costs()}, {Drawing: g.chart()}},
	}
}

// grouped is the points of a report by size, in rising order, and what else the renderers need of it.
type grouped struct {
	sizes  []int
	points map[place]report.ScalePoint
	caches []report.Cache
	table  float64 // bytes per key of the largest table
}

type place struct {
	keys     int
	requests string
	impl     string
	batched  bool
}

func group(rep *report.Report) grouped {
	g := grouped{points: map[place]report.ScalePoint{}, caches: rep.Environment.Caches}
	for _, p := range rep.Scale {
		if len(g.sizes) == 0 || g.sizes[len(g.sizes)-1] != p.Keys {
			g.sizes = append(g.sizes, p.Keys)
		}
		g.points[place{p.Keys, p.Requests, p.Impl, p.Batch > 1}] = p
		if p.Impl == "engine" {
			g.table = p.BytesPerKey
		}
	}
	return g
}

// ways are how a kind of requests was answered.
var ways = []struct {
	name, impl string
	batched    bool
}{{"engine", "engine", false}, {"batch", "engine", true}, {"map", "map", false}}

func (g grouped) times() doc.Table {
	t := doc.Table{Columns: []doc.Column{{Name: "keys"}}}
	for _, kind := range kinds {
		for _, way := range ways {
			t.Columns = append(t.Columns, doc.Column{Name: kind + " " + way.name})
		}
	}
	for _, n := range g.sizes {
		row := []string{strconv.Itoa(n)}
		for _, kind := range kinds {
			for _, way := range ways {
				cell := "-"
				if p, ok := g.points[place{n, kind, way.impl, way.batched}]; ok {
					cell = doc.Number(p.NsPerOp)
				}
				row = append(row, cell)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// costs are the same for every kind of requests; they are those of random.
func (g grouped) costs() doc.Table {
	t := doc.Table{Columns: doc.Figures("", "keys", "table", "fits", "bytes/key", "map bytes/key", "build ns/key", "map build ns/key")[1:]}
	for _, n := range g.sizes {
		of, m := g.points[place{n, kinds[0], "engine", false}], g.points[place{n, kinds[0], "map", false}]
		t.Rows = append(t.Rows, []string{strconv.Itoa(n), doc.Bytes(of.BytesPerKey * float64(n)), g.fits(of.BytesPerKey * float64(n)),
			doc.Number(of.BytesPerKey), doc.Number(m.BytesPerKey), doc.Number(of.BuildNsPerKey), doc.Number(m.BuildNsPerKey)})
	}
	return t
}

// fits names the smallest cache that holds so many bytes.
func (g grouped) fits(bytes float64) string {
	for _, c := range g.caches {
		if bytes <= float64(c.Bytes) {
			return c.Name
		}
	}
	if len(g.caches) == 0 {
		return "?"
	}
	return "memory"
}

// chartWidth is in columns, of time; a line is a size.
const chartWidth = 66

// letters are the curves of the charts, the most important last. Intervals of all would cover each other: one of the table
// and one of the map are drawn.
var letters = []struct {
	letter rune
	name   string
	place  place // keys 0
	shaded bool
}{
	{'m', "map, random", place{0, "random", "map", false}, true},
	{'s', "engine, sequential", place{0, "sequential", "engine", false}, false},
	{'z', "engine, zipf", place{0, "zipf", "engine", false}, false},
	{'x', "engine, miss", place{0, "miss", "engine", false}, false},
	{'b', "engine, random, 256 a call", place{0, "random", "engine", true}, false},
	{'R', "engine, random", place{0, "random", "engine", false}, true},
}

func (g grouped) chart() string {
	low, high := math.Inf(1), 0.0
	for _, p := range g.points {
		low, high = min(low, p.NsPerOp), max(high, p.NsPerOp)
	}
	if high == 0 {
		return ""
	}
	low, high = low*0.95, high*1.05
	column := func(ns float64) int { return int(math.Log(ns/low) / math.Log(high/low) * (chartWidth - 1)) }
	var b strings.Builder
	axis, free := []rune(strings.Repeat(" ", chartWidth)), 0
	for _, v := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000} {
		if text := doc.Number(v); v >= low && v <= high && column(v) >= free && column(v)+len(text) <= chartWidth {
			copy(axis[column(v):], []rune("|"+text))
			free = column(v) + len(text) + 2
		}
	}
	fmt.Fprintf(&b, "  %9s  nanoseconds, logarithmic\n  %9s  %s\n", "keys", "", strings.TrimRight(string(axis), " "))
	caches := g.caches
	for _, n := range g.sizes {
		for len(caches) > 0 && float64(caches[0].Bytes) < g.table*float64(n) {
			text := fmt.Sprintf("-- %s, %s, ends here ", caches[0].Name, doc.Bytes(float64(caches[0].Bytes)))
			fmt.Fprintf(&b, "  %9s  %s\n", "", text+strings.Repeat("-", chartWidth-len(text)))
			caches = caches[1:]
		}
		line := []rune(strings.Repeat(" ", chartWidth))
		for _, l := range letters {
			at := l.place
			at.keys = n
			if p, ok := g.points[at]; ok {
				line[column(p.NsPerOp)] = l.letter
			}
		}
		fmt.Fprintf(&b, "  %9d  %s\n", n, strings.TrimRight(string(line), " "))
	}
	names := make([]string, len(letters))
	for i, l := range letters {
		names[len(letters)-1-i] = string(l.letter) + " " + l.name
	}
	fmt.Fprintf(&b, "  where two meet, the first named is shown:\n  %s\n  %s\n", strings.Join(names[:3], ", "), strings.Join(names[3:], ", "))
	return b.String()
}
