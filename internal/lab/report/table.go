package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// page is what both the text and the Markdown say, before either has laid it out.
type page struct {
	title    string
	machine  string
	reading  string // how to read a cell
	sections []section
	legend   []string
	warnings []string
	verdict  []string
}

// section is one path: a line per workload, a column per implementation. The first column is text, the others numbers.
type section struct {
	title  string
	header []string
	rows   [][]string
}

func (r *Report) page() page {
	p := page{
		title: fmt.Sprintf("ksbench: nanoseconds per request, median of %d interleaved rounds", r.Settings.Rounds),
		machine: fmt.Sprintf("%s, %d cores, GOMAXPROCS=%d, %s/%s, %s, %s, commit %s, seed %d", printable(r.Environment.CPU),
			r.Environment.Cores, r.Environment.GOMAXPROCS, r.Environment.OS, r.Environment.Arch, r.Environment.GoVersion,
			r.Environment.Level, r.Environment.Commit, r.Settings.Seed),
		reading: "A cell like \"47.0 2.0x ±3%\": 47 ns, 2 times as long as the engine, median and 95 % interval of the ratio; below 1x is faster\n" +
			"than the engine, ~ cannot be told from 1x.",
	}
	if text := r.conduct(); text != "" {
		p.machine += "\n" + text
	}
	rows := r.Rows()
	for _, path := range r.Paths {
		if s := r.section(path, rows); len(s.rows) > 0 {
			p.sections = append(p.sections, s)
		}
	}
	if latencies := r.latencySections(); len(latencies) > 0 {
		p.sections = append(p.sections, latencies...)
		p.reading += "\n" + r.latencyReading()
	}
	p.sections = append(p.sections, r.targetSections()...)
	p.sections = append(p.sections, r.stageSections()...)
	for _, impl := range r.Impls {
		p.legend = append(p.legend, impl.Name+": "+impl.Description)
	}
	p.warnings = append(r.notes(), r.warnings()...)
	if len(r.Results) > 0 {
		p.verdict = r.verdict()
	} else {
		p.title = fmt.Sprintf("ksbench: medians of at least %d interleaved rounds", r.Settings.Rounds)
		p.reading = "What is computed from several times, such as a ratio, is computed within each round, whose batches lie milliseconds apart."
	}
	if len(r.Targets) > 0 {
		p.verdict = append(p.verdict, r.targetVerdict()...)
	}
	return p
}

func (r *Report) section(path Path, rows map[Row]*Result) section {
	s := section{title: path.Name + ": " + path.Description, header: []string{"workload"}}
	for _, impl := range r.Impls {
		s.header = append(s.header, impl.Name)
	}
	s.header = append(s.header, "allocs/op, B/op (others 0)")
	for _, w := range r.Workloads {
		row, found := []string{printable(w.Name)}, false
		engine := rows[Row{w.Name, path.Name, r.engine()}]
		var heap []string
		for _, impl := range r.Impls {
			result := rows[Row{w.Name, path.Name, impl.Name}]
			if result == nil {
				row = append(row, "-")
				continue
			}
			found = true
			row = append(row, cell(result, engine))
			if impl.Kind == Engine || result.AllocsPerOp != 0 || result.BytesPerOp != 0 {
				heap = append(heap, fmt.Sprintf("%s %s, %s B", impl.Name, exact(result.AllocsPerOp), exact(result.BytesPerOp)))
			}
		}
		if len(heap) == 0 {
			heap = []string{"0, 0 B"}
		}
		if found {
			s.rows = append(s.rows, append(row, strings.Join(heap, "; ")))
		}
	}
	return s
}

// cell is "23.1 ±2%" for the engine and "47.0 2.0x ±3%" for the others, where ± belongs to the last number.
func cell(result, engine *Result) string {
	if engine == nil || result == engine {
		return nanoseconds(result.NsPerOp) + plusMinus(result.NsPerOp, result.Interval)
	}
	for _, ratio := range engine.Ratios {
		if ratio.To == result.Impl {
			sign := plusMinus(ratio.Ratio, ratio.Interval)
			if ratio.Interval != nil && undecided(ratio) {
				sign = " ~"
			}
			return nanoseconds(result.NsPerOp) + " " + times(ratio.Ratio) + sign
		}
	}
	return nanoseconds(result.NsPerOp)
}

// plusMinus gives the farther end of the interval as a percentage, or nothing if there is no interval.
func plusMinus(median float64, in *Interval) string {
	if in == nil || median == 0 {
		return ""
	}
	return fmt.Sprintf(" ±%.0f%%", 100*max(in.High-median, median-in.Low)/median)
}

func (r *Report) engine() string {
	for _, impl := range r.Impls {
		if impl.Kind == Engine {
			return impl.Name
		}
	}
	return ""
}

// nanoseconds shows three digits, and never less than a tenth.
func nanoseconds(v float64) string {
	if v >= 99.95 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func times(v float64) string {
	switch {
	case v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64) + "x"
	case v >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64) + "x"
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + "x"
}

// exact shows a count as it is, to four decimals: 0 means none.
func exact(v float64) string {
	rounded := math.Round(v*1e4) / 1e4
	if rounded == 0 && v != 0 {
		return "<0.0001"
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// printable keeps what a manifest calls itself from steering a terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, s)
}
