package report

import (
	"fmt"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Document is the report for people: a table for each path, a line for each workload, a column for each implementation.
func (r *Report) Document() *doc.Document {
	d := &doc.Document{
		Title: fmt.Sprintf("ksbench: nanoseconds per request, median of %d interleaved rounds", r.Settings.Rounds),
		Lead:  append([]string{fmt.Sprintf("%s, seed %d", r.Environment, r.Settings.Seed)}, r.conduct()...),
	}
	switch {
	case len(r.Results) == 0 && len(r.Traffic) > 0:
		d.Title = fmt.Sprintf("ksbench: traffic, %d answers of which differ", r.Differ())
	case len(r.Results) == 0:
		d.Title = fmt.Sprintf("ksbench: medians of at least %d interleaved rounds", r.Settings.Rounds)
		d.Lead = append(d.Lead, "Ratios and other figures made of several times are computed within each round, whose batches lie "+
			"milliseconds apart.")
	default:
		d.Lead = append(d.Lead, `A cell like "47 2x ±3%": 47 ns, 2 times as long as the engine, median and 95 % interval of the ratio; `+
			"below 1x is faster than the engine, ~ cannot be told from 1x.")
		d.Summary = r.Summary()
	}
	if r.Load != nil {
		d.Title = fmt.Sprintf("ksbench load: nanoseconds per request, median of %s", doc.Plural(r.Settings.Rounds, "interval"))
		d.Lead = append(d.Lead[:1:1], r.Load.Lines()...)
		d.Summary = nil
	}
	rows := r.Rows()
	for _, path := range r.Paths {
		d.Sections = append(d.Sections, r.section(path, rows)...)
	}
	if latencies := r.latencySections(); len(latencies) > 0 {
		d.Sections = append(d.Sections, latencies...)
		d.Lead = append(d.Lead, r.latencyReading()...)
	}
	if r.Load != nil {
		d.Sections = append(d.Sections, r.Load.Tables()...)
	}
	d.Sections = append(d.Sections, r.targetSections()...)
	d.Sections = append(d.Sections, r.stageSections()...)
	d.Sections = append(d.Sections, r.TrafficTables()...)
	for _, impl := range r.Impls {
		d.Notes = append(d.Notes, impl.Name+": "+impl.Description)
	}
	for _, text := range append(r.notes(), r.RowWarnings()...) {
		d.Notes = append(d.Notes, "warning: "+text)
	}
	if len(r.Targets) > 0 {
		d.Summary = append(d.Summary, r.targetVerdict()...)
	}
	return d
}

// section is the table of a path, none if nothing was measured on it.
func (r *Report) section(path Path, rows map[Row]*Result) []doc.Section {
	t := doc.Table{Columns: doc.Figures("workload")}
	for _, impl := range r.Impls {
		t.Columns = append(t.Columns, doc.Column{Name: impl.Name})
	}
	t.Columns = append(t.Columns, doc.Column{Name: "allocs/op, B/op (others 0)", Words: true})
	for _, w := range r.Workloads {
		row, found := []string{w.Name}, false
		engine := rows[Row{w.Name, path.Name, r.Engine()}]
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
				heap = append(heap, fmt.Sprintf("%s %s, %s B", impl.Name, doc.Count(result.AllocsPerOp), doc.Count(result.BytesPerOp)))
			}
		}
		if len(heap) == 0 {
			heap = []string{"0, 0 B"}
		}
		if found {
			t.Rows = append(t.Rows, append(row, strings.Join(heap, "; ")))
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return []doc.Section{{Title: path.Name + ": " + path.Description, Table: t}}
}

// cell is "23.1 ±2%" for the engine and "47 2x ±3%" for the others, where ± belongs to the last number.
func cell(result, engine *Result) string {
	text := doc.Number(result.NsPerOp)
	if engine == nil || result == engine {
		return text + result.Interval.Within(result.NsPerOp)
	}
	for _, ratio := range engine.Ratios {
		if ratio.To == result.Impl {
			text += " " + doc.Times(ratio.Ratio)
			if ratio.Interval != nil && ratio.Judge() == Undecided {
				return text + " ~"
			}
			return text + ratio.Interval.Within(ratio.Ratio)
		}
	}
	return text
}

// Within is " ±2%", nothing if there is no interval.
func (in *Interval) Within(median float64) string {
	if in == nil {
		return ""
	}
	return doc.Within(median, in.Low, in.High)
}

// between is both ends of the interval, a dash if there is none.
func (in *Interval) between(text func(float64) string) string {
	if in == nil {
		return "-"
	}
	return text(in.Low) + " to " + text(in.High)
}

// Engine is the name of what is measured.
func (r *Report) Engine() string {
	for _, impl := range r.Impls {
		if impl.Kind == Engine {
			return impl.Name
		}
	}
	return ""
}

// String is the machine and the build in a line, as far as they are known.
func (e Environment) String() string {
	var known []string
	add := func(format string, v any) {
		if text := fmt.Sprint(v); text != "" && text != "0" && text != "/" && text != "unknown" && text != "unknown/unknown" {
			known = append(known, fmt.Sprintf(format, text))
		}
	}
	add("%s", e.CPU)
	add("%s cores", e.Cores)
	add("GOMAXPROCS=%s", e.GOMAXPROCS)
	add("%s", e.OS+"/"+e.Arch)
	add("%s", e.GoVersion)
	add("%s", e.Level)
	add("commit %s", e.Commit)
	return strings.Join(known, ", ")
}
