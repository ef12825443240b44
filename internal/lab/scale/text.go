package scale

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// WriteText writes the growth of a report as tables and a chart for a terminal.
func WriteText(w io.Writer, rep *report.Report) error {
	var b strings.Builder
	e := rep.Environment
	fmt.Fprintf(&b, "ksbench scale: nanoseconds per lookup by number of keys, median of %d interleaved rounds\n", rep.Settings.Rounds)
	fmt.Fprintf(&b, "%s, %d cores, %s/%s, %s, %s, commit %s, seed %d\n\n", e.CPU, e.Cores, e.OS, e.Arch, e.GoVersion, e.Level, e.Commit, rep.Settings.Seed)
	g := group(rep)
	b.WriteString(aligned(g.times()))
	b.WriteString("\n")
	b.WriteString(aligned(g.costs()))
	b.WriteString("\n")
	b.WriteString(g.chart())
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the tables as Markdown.
func WriteMarkdown(w io.Writer, rep *report.Report) error {
	var b strings.Builder
	e := rep.Environment
	fmt.Fprintf(&b, "Nanoseconds per lookup, median of %d interleaved rounds: one by one, 256 a call (batch), and a Go map. %s, %d cores, %s/%s, "+
		"%s, %s, commit %s, seed %d.\n\n", rep.Settings.Rounds, e.CPU, e.Cores, e.OS, e.Arch, e.GoVersion, e.Level, e.Commit, rep.Settings.Seed)
	g := group(rep)
	times := g.times()[1:]
	for i := 1; i < len(times[0]); i++ {
		times[0][i] = kinds[(i-1)/len(ways)] + " " + times[0][i]
	}
	for i, lines := range [][][]string{times, g.costs()} {
		if i > 0 {
			b.WriteString("\n")
		}
		for j, line := range lines {
			b.WriteString("| " + strings.Join(line, " | ") + " |\n")
			if j == 0 {
				b.WriteString("|" + strings.Repeat("---:|", len(line)) + "\n")
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
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

func (g grouped) times() [][]string {
	top, header := []string{""}, []string{"keys"}
	for _, kind := range kinds {
		for i, way := range ways {
			top = append(top, "")
			if i == 0 {
				top[len(top)-1] = kind
			}
			header = append(header, way.name)
		}
	}
	lines := [][]string{top, header}
	for _, n := range g.sizes {
		line := []string{strconv.Itoa(n)}
		for _, kind := range kinds {
			for _, way := range ways {
				cell := "-"
				if p, ok := g.points[place{n, kind, way.impl, way.batched}]; ok {
					cell = digits(p.NsPerOp)
				}
				line = append(line, cell)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// costs are the same for every kind of requests; they are those of random.
func (g grouped) costs() [][]string {
	lines := [][]string{{"keys", "table", "fits", "bytes/key", "map", "build ns/key", "map"}}
	for _, n := range g.sizes {
		t, m := g.points[place{n, kinds[0], "engine", false}], g.points[place{n, kinds[0], "map", false}]
		lines = append(lines, []string{strconv.Itoa(n), volume(t.BytesPerKey * float64(n)), g.fits(t.BytesPerKey * float64(n)),
			digits(t.BytesPerKey), digits(m.BytesPerKey), digits(t.BuildNsPerKey), digits(m.BuildNsPerKey)})
	}
	return lines
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
const chartWidth = 72

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
		if text := digits(v); v >= low && v <= high && column(v) >= free && column(v)+len(text) <= chartWidth {
			copy(axis[column(v):], []rune("|"+text))
			free = column(v) + len(text) + 2
		}
	}
	fmt.Fprintf(&b, "  %9s  %s\n", "keys", strings.TrimRight(string(axis), " ")+"  ns, logarithmic")
	caches := g.caches
	for _, n := range g.sizes {
		for len(caches) > 0 && float64(caches[0].Bytes) < g.table*float64(n) {
			text := fmt.Sprintf("-- %s, %s, ends here ", caches[0].Name, volume(float64(caches[0].Bytes)))
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
	fmt.Fprintf(&b, "  %s; where two meet, the first named is shown\n", strings.Join(names, ", "))
	return b.String()
}

// aligned puts columns under each other, numbers to the right.
func aligned(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		row := ""
		for i, text := range line {
			row += fmt.Sprintf("  %*s", widths[i], text)
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}

// digits shows three of them.
func digits(v float64) string {
	switch {
	case v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995 || v == math.Trunc(v):
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// volume writes bytes in a binary unit.
func volume(v float64) string {
	for _, u := range []struct {
		unit float64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if v >= u.unit {
			return digits(v/u.unit) + " " + u.name
		}
	}
	return digits(v) + " B"
}
