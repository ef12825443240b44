package scale

import (
	"io"
	"strconv"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/plot"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// WriteCSV writes a line for each point, with a header. An interval that is not known is empty.
func (r Growth) WriteCSV(w io.Writer) error {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	header := []string{"keys", "requests", "impl", "batch", "ns_per_op", "ns_low", "ns_high", "bytes_per_key", "build_ns_per_key"}
	return doc.WriteCSV(w, header, func(yield func([]string) bool) {
		for _, p := range r.Scale {
			low, high := "", ""
			if p.Interval != nil {
				low, high = number(p.Interval.Low), number(p.Interval.High)
			}
			if !yield([]string{strconv.Itoa(p.Keys), p.Requests, p.Impl, strconv.Itoa(p.Batch), number(p.NsPerOp), low, high,
				number(p.BytesPerKey), number(p.BuildNsPerKey)}) {
				return
			}
		}
	})
}

// Charts are the pictures of a report with growth curves: times of lookups, bytes and build time per key. With sizes of
// caches in the report, the number of keys at which the table outgrows each is marked.
func Charts(rep *report.Report) []plot.Lines {
	g := group(rep)
	keys := plot.Axis{Label: "keys", Log: true, Format: doc.Short}
	var rules []plot.Tick
	for _, c := range g.caches {
		if g.table > 0 {
			rules = append(rules, plot.Tick{Value: float64(c.Bytes) / g.table, Label: c.Name + " " + doc.Bytes(float64(c.Bytes))})
		}
	}
	times := plot.Lines{Title: "Time of a lookup by number of keys", X: keys, Y: plot.Axis{Label: "ns per lookup", Log: true}, Rules: rules}
	for i := range letters {
		l := letters[len(letters)-1-i]
		times.Series = append(times.Series, g.series(l.name, l.place, func(p report.ScalePoint) plot.Point {
			point := plot.Point{X: float64(p.Keys), Y: p.NsPerOp}
			if p.Interval != nil && l.shaded {
				point.Low, point.High = p.Interval.Low, p.Interval.High
			}
			return point
		}))
	}
	bytes := plot.Lines{Title: "Memory per key by number of keys", X: keys, Y: plot.Axis{Label: "bytes per key", Zero: true}}
	build := plot.Lines{Title: "Build time per key by number of keys", X: keys, Y: plot.Axis{Label: "ns per key", Zero: true}, Rules: rules}
	for _, s := range []struct{ name, impl string }{{"table, entries of 64 bytes", "engine"}, {"map, values of 8 bytes", "map"}} {
		at := place{0, kinds[0], s.impl, false}
		bytes.Series = append(bytes.Series, g.series(s.name, at, func(p report.ScalePoint) plot.Point {
			return plot.Point{X: float64(p.Keys), Y: p.BytesPerKey}
		}))
		build.Series = append(build.Series, g.series(s.name, at, func(p report.ScalePoint) plot.Point {
			return plot.Point{X: float64(p.Keys), Y: p.BuildNsPerKey}
		}))
	}
	return []plot.Lines{times, bytes, build}
}

func (g grouped) series(name string, at place, point func(report.ScalePoint) plot.Point) plot.Series {
	s := plot.Series{Name: name}
	for _, at.keys = range g.sizes {
		if p, ok := g.points[at]; ok {
			s.Points = append(s.Points, point(p))
		}
	}
	return s
}
