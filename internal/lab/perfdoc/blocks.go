package perfdoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/scale"
)

// Pages renders the blocks of each page, by its path in the source's root.
func (d *Data) Pages() (map[string]map[string]string, error) {
	blocks, err := d.blocks()
	if err != nil {
		return nil, err
	}
	speed, err := d.speed()
	if err != nil {
		return nil, err
	}
	return map[string]map[string]string{"docs/performance.md": blocks, "README.md": {"speed": speed}}, nil
}

// blocks renders those of docs/performance.md.
func (d *Data) blocks() (map[string]string, error) {
	summary, err := d.summary()
	if err != nil {
		return nil, err
	}
	blocks := map[string]string{
		"summary":   summary,
		"losses":    d.losses(),
		"profiles":  d.profiles(),
		"pgo":       d.guided(),
		"reproduce": reproduce(),
	}
	for name, rep := range map[string]*report.Report{
		"targets": d.Targets,
		"stages":  stagesOf(d.Stages, func(s report.Stage) bool { return s.Kind != report.StageLimit }),
		"limit":   stagesOf(d.Stages, func(s report.Stage) bool { return s.Kind == report.StageLimit }),
		"run":     d.Run,
		"peers":   d.Peers,
	} {
		var b strings.Builder
		if err := doc.Write(&b, rep, "md", 0); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		blocks[name] = b.String()
	}
	var b strings.Builder
	if err := doc.Write(&b, scale.Growth{Report: d.Scale}, "md", 0); err != nil {
		return nil, err
	}
	blocks["scale"] = b.String()
	return blocks, nil
}

func stagesOf(rep *report.Report, keep func(report.Stage) bool) *report.Report {
	some := *rep
	some.Stages = slices.DeleteFunc(slices.Clone(rep.Stages), func(s report.Stage) bool { return !keep(s) })
	return &some
}

// losses lists every comparison that another implementation wins, its interval included.
func (d *Data) losses() string {
	rows, compared := d.lost()
	if len(rows) == 0 {
		return fmt.Sprintf("Nowhere in the %d comparisons of these runs. %s.", compared, d.Run.Environment)
	}
	t := doc.Table{Rows: rows, Columns: []doc.Column{{Name: "workload", Words: true}, {Name: "path", Words: true},
		{Name: "faster than the engine", Words: true}, {Name: "ratio"}, {Name: "interval"}}}
	return fmt.Sprintf("%d of %d comparisons; the time of the other as a multiple of the engine's, with its 95 %% interval. %s.\n\n%s",
		len(rows), compared, d.Run.Environment, t.Markdown())
}

// lost are the rows of losses, and of how many comparisons.
func (d *Data) lost() (rows [][]string, compared int) {
	compare := func(workload, path, other string, ratio float64, in *report.Interval) {
		compared++
		if in != nil && in.High < 1 {
			rows = append(rows, []string{workload, path, other, doc.Times(ratio), doc.Times(in.Low) + " to " + doc.Times(in.High)})
		}
	}
	for _, rep := range []*report.Report{d.Run, d.Peers} {
		peers := map[string]bool{}
		for _, impl := range rep.Impls {
			peers[impl.Name] = impl.Kind == report.Peer
		}
		for _, r := range rep.Results {
			for _, ratio := range r.Ratios {
				if peers[ratio.To] {
					compare(r.Workload, r.Path, ratio.To, ratio.Ratio, ratio.Interval)
				}
			}
		}
	}
	for _, p := range d.Scale.Scale {
		if p.Impl != "engine" || p.Batch != 1 {
			continue
		}
		for _, q := range d.Scale.Scale {
			if q.Impl == "engine" || q.Keys != p.Keys || q.Requests != p.Requests {
				continue
			}
			compared++
			if p.Interval != nil && q.Interval != nil && q.Interval.High < p.Interval.Low {
				rows = append(rows,
					[]string{fmt.Sprintf("%d keys, %s", p.Keys, p.Requests), "lookup", q.Impl, doc.Times(q.NsPerOp / p.NsPerOp), ""})
			}
		}
	}
	for _, t := range d.Targets.Targets {
		if rival, found := strings.CutPrefix(t.Name, crowd+"/irp/"); found {
			compare(crowd, "irp", rival, t.Value, t.Interval)
		}
	}
	return rows, compared
}

// crowd is the workload of many devices used in turn, which only the targets measure.
const crowd = "devices/64"

// profiles tells what the committed profiles count.
func (d *Data) profiles() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n| file | requests | says |\n|:---|---:|:---|\n", d.Profiles[0].Environment)
	for _, s := range d.Profiles {
		fmt.Fprintf(&b, "| [%s](../profiles/%s) | %d | %s |\n", s.File, s.File, s.Requests, s.Says())
	}
	return b.String()
}

// guided compares programs with themselves, built with a profile of their own.
func (d *Data) guided() string {
	t := doc.Table{Columns: append([]doc.Column{{Name: "program", Words: true}, {Name: "workload", Words: true}, {Name: "path", Words: true}},
		doc.Figures("impl", "without", "with", "ratio")...)}
	for _, program := range []struct {
		name          string
		without, with *report.Report
	}{{"bench/peers", d.Peers, d.PeersPGO}, {"cmd/ksbench", d.Run, d.RunPGO}} {
		for _, q := range program.with.Results {
			for _, r := range program.without.Results {
				if q.Name() == r.Name() && slices.Contains([]string{"engine", "switch", "sorted", "bare"}, r.Impl) {
					t.Rows = append(t.Rows, []string{program.name, r.Workload, r.Path, r.Impl,
						doc.Number(r.NsPerOp), doc.Number(q.NsPerOp), doc.Times(q.NsPerOp / r.NsPerOp)})
				}
			}
		}
	}
	return fmt.Sprintf("Nanoseconds without and with PGO, and the second as a multiple of the first. They come from two runs: read the "+
		"ratio with "+
		"what *bare* does in mind, and a few percent as noise. %s.\n\n%s", d.PeersPGO.Environment, t.Markdown())
}

// reproduce lists the commands.
func reproduce() string {
	var b strings.Builder
	b.WriteString("| figures | command |\n|:---|:---|\n")
	for _, c := range Commands {
		words := make([]string, len(c.Args))
		for i, a := range c.Args {
			if words[i] = a; strings.ContainsAny(a, "^|()") {
				words[i] = "'" + strings.ReplaceAll(a, "|", `\|`) + "'"
			}
		}
		fmt.Fprintf(&b, "| %s | `go %s` |\n", c.Figure, strings.Join(words, " "))
	}
	return b.String()
}
