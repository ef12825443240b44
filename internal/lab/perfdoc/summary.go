package perfdoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// shown are the rows that decide whether to use the engine, the worst among them: README's table, and the first of the page.
var shown = []report.Row{
	{Path: "irp", Workload: "20x12"},
	{Path: "irp", Workload: "2000x20"},
	{Path: "irp", Workload: "wds-sysvad"},
	{Path: "fast", Workload: "20x12"},
	{Path: "lookup", Workload: "20x12"},
	{Path: "lookup", Workload: "wdk81-msvad-pcmex"},
}

// speed is the engine's time in these rows, and what the others take as a multiple of it.
func (d *Data) speed() (string, error) {
	var others, legend []string
	for _, impl := range d.Run.Impls {
		if impl.Kind == report.Peer || impl.Name == "bare" {
			others = append(others, impl.Name)
			legend = append(legend, fmt.Sprintf("- *%s* %s", impl.Name, doc.Escape(impl.Description)))
		}
	}
	t := doc.Table{Columns: append([]doc.Column{{Name: "path", Words: true}},
		doc.Figures("workload", append([]string{"engine"}, others...)...)...)}
	rows := d.Run.Rows()
	for _, r := range shown {
		r.Impl = "engine"
		engine := rows[r]
		if engine == nil {
			return "", fmt.Errorf("run.json has no result of %s/%s/engine: measure it, or show another row", r.Workload, r.Path)
		}
		cells := []string{r.Path, r.Workload, doc.Nanoseconds(engine.NsPerOp) + engine.Interval.Within(engine.NsPerOp)}
		for _, other := range others {
			cell := "-"
			for _, ratio := range engine.Ratios {
				if ratio.To == other {
					cell = doc.Times(ratio.Ratio) + ratio.Interval.Within(ratio.Ratio)
				}
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, cells)
	}
	return fmt.Sprintf("%s\n%s\n\n%s.\n", t.Markdown(), strings.Join(legend, "\n"), d.Run.Environment), nil
}

// summary is the page on one screen.
func (d *Data) summary() (string, error) {
	speed, err := d.speed()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(speed + "\n")
	reached, limited := d.Targets.Reached()
	fmt.Fprintf(&b, "- %d of %d targets are reached.", reached, limited)
	if missed := d.Targets.Missed(); len(missed) > 0 {
		fmt.Fprintf(&b, " Missed: `%s`.", strings.Join(missed, "`, `"))
	}
	lost, compared := d.lost()
	fmt.Fprintf(&b, "\n- Another implementation is faster in %d of %d comparisons.\n", len(lost), compared)
	var requests, found int64
	for _, s := range d.Profiles {
		if requests += s.Requests; s.Kind != "cpu" {
			found += s.Counts.Dispatch
		}
	}
	fmt.Fprintf(&b, "- Of the allocations, contentions, waits and collections in profiles of %d million requests, %d belong to a request.\n",
		requests/1e6, found)
	if at := d.sizes(); len(at) > 0 {
		fmt.Fprintf(&b, "- A random hit takes %s.\n", strings.Join(at, ", "))
	}
	return b.String(), nil
}

// sizes tells what a hit takes in the smallest, a middle and the largest table, and in a Go map.
func (d *Data) sizes() (text []string) {
	times := map[int]map[string]float64{}
	var keys []int
	for _, p := range d.Scale.Scale {
		if p.Requests != "random" || p.Batch != 1 {
			continue
		}
		if times[p.Keys] == nil {
			times[p.Keys] = map[string]float64{}
			keys = append(keys, p.Keys)
		}
		times[p.Keys][p.Impl] = p.NsPerOp
	}
	slices.Sort(keys)
	if len(keys) < 3 {
		return nil
	}
	for _, n := range []int{keys[0], keys[len(keys)/2], keys[len(keys)-1]} {
		text = append(text, fmt.Sprintf("%s among %d keys (a Go map: %s)",
			doc.Nanoseconds(times[n]["engine"]), n, doc.Nanoseconds(times[n]["map"])))
	}
	return text
}
