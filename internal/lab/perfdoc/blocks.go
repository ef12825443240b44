package perfdoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
	"github.com/ksdispatch/ksdispatch/internal/lab/scale"
)

// Blocks renders all blocks of the page.
func (d *Data) Blocks() (map[string]string, error) {
	blocks := map[string]string{
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
		if err := rep.WriteMarkdown(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		blocks[name] = b.String()
	}
	var b strings.Builder
	if err := scale.WriteMarkdown(&b, d.Scale); err != nil {
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

// stamp says where figures come from.
func stamp(e report.Environment) string {
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, %s, commit %s", e.CPU, e.Cores, e.OS, e.Arch, e.GoVersion, e.Level, e.Commit)
}

// losses lists every comparison that another implementation wins, its interval included.
func (d *Data) losses() string {
	var lines []string
	compared := 0
	for _, rep := range []*report.Report{d.Run, d.Peers} {
		peers := map[string]bool{}
		for _, impl := range rep.Impls {
			peers[impl.Name] = impl.Kind == report.Peer
		}
		for _, r := range rep.Results {
			for _, ratio := range r.Ratios {
				if !peers[ratio.To] {
					continue
				}
				compared++
				if in := ratio.Interval; in != nil && in.High < 1 {
					lines = append(lines, fmt.Sprintf("| %s | %s | %s | %.2fx | %.2f to %.2f |", r.Workload, r.Path, ratio.To, ratio.Ratio, in.Low, in.High))
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
				lines = append(lines, fmt.Sprintf("| %d keys, %s | lookup | %s | %.2fx | |", p.Keys, p.Requests, q.Impl, q.NsPerOp/p.NsPerOp))
			}
		}
	}
	if len(lines) == 0 {
		return fmt.Sprintf("Nowhere in the %d comparisons of these runs. %s.", compared, stamp(d.Run.Environment))
	}
	return fmt.Sprintf("%d of %d comparisons; the time of the other as a multiple of the engine's, with its 95 %% interval. %s.\n\n"+
		"| workload | path | faster than the engine | ratio | interval |\n|:---|:---|:---|---:|---:|\n%s",
		len(lines), compared, stamp(d.Run.Environment), strings.Join(lines, "\n"))
}

// profiles tells what the committed profiles count.
func (d *Data) profiles() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n| file | requests | says |\n|:---|---:|:---|\n", stamp(d.Profiles[0].Environment))
	for _, s := range d.Profiles {
		fmt.Fprintf(&b, "| [%s](../profiles/%s) | %d | %s |\n", s.File, s.File, s.Requests, s.Says())
	}
	return b.String()
}

// guided compares programs with themselves, built with a profile of their own.
func (d *Data) guided() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Nanoseconds without and with PGO, and the second as a multiple of the first. They come from two runs: read the ratio with "+
		"what *bare* does in mind, and a few percent as noise. %s.\n\n"+
		"| program | workload | path | impl | without | with | ratio |\n|:---|:---|:---|:---|---:|---:|---:|\n", stamp(d.PeersPGO.Environment))
	for _, program := range []struct {
		name          string
		without, with *report.Report
	}{{"bench/peers", d.Peers, d.PeersPGO}, {"cmd/ksbench", d.Run, d.RunPGO}} {
		for _, q := range program.with.Results {
			for _, r := range program.without.Results {
				if q.Name() == r.Name() && slices.Contains([]string{"engine", "switch", "sorted", "bare"}, r.Impl) {
					fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f | %.1f | %.2fx |\n",
						program.name, r.Workload, r.Path, r.Impl, r.NsPerOp, q.NsPerOp, q.NsPerOp/r.NsPerOp)
				}
			}
		}
	}
	return b.String()
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
