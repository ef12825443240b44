package report

import (
	"fmt"
	"slices"
)

// Source is a report and what to call it in an error: its file.
type Source struct {
	Name   string
	Report *Report
}

// Merge adds runs of the same workloads on like machines into one: samples are appended in the order of the sources,
// histograms are added, and everything else is computed from those, so that the result is what one run with all the rounds
// would have said. Samples of one index stay those of one round.
//
// An error is of type *Unlike: another processor, number of cores, GOMAXPROCS, platform, instruction set, Go version or
// commit, other settings, a workload of the same name with other tables or requests, one with other rows (their rounds
// would not pair), or one run given twice. Targets, stages and scale points hold ratios and differences and do not add.
func Merge(sources []Source) (*Report, error) {
	first := sources[0]
	for i, s := range sources {
		if n := len(s.Report.Targets) + len(s.Report.Stages) + len(s.Report.Scale); n > 0 {
			return nil, &Unlike{first.Name, s.Name, "targets, stages and scale points do not add up: only results of ksbench run merge"}
		}
		if s.Report.Load != nil {
			return nil, &Unlike{first.Name, s.Name, "the clients of two loads do not add up: only results of ksbench run merge"}
		}
		for _, other := range sources[:i] {
			if what := unlike(other.Report, s.Report); what != "" {
				return nil, &Unlike{other.Name, s.Name, what}
			}
		}
	}
	m := &Report{SchemaVersion: SchemaVersion, Environment: first.Report.Environment, Settings: first.Report.Settings}
	m.Settings.Shard, m.Settings.Rounds = "", 0
	groups := map[string][]*Result{} // rows by name, of all sources
	for _, s := range sources {
		m.add(s.Report)
		for i := range s.Report.Results {
			res := &s.Report.Results[i]
			groups[res.Name()] = append(groups[res.Name()], res)
		}
	}
	for _, w := range m.Workloads { // rows in the order of a single run: all of a workload, then the next
		for _, s := range sources {
			for i := range s.Report.Results {
				res := &s.Report.Results[i]
				if res.Workload != w.Name || groups[res.Name()] == nil {
					continue
				}
				sum, err := mergeResults(groups[res.Name()])
				if err != nil {
					return nil, fmt.Errorf("%s: %w", res.Name(), err)
				}
				m.Results = append(m.Results, sum)
				m.Settings.Rounds = max(m.Settings.Rounds, len(sum.Samples))
				groups[res.Name()] = nil
			}
		}
	}
	for _, s := range sources {
		m.AddTraffic(s.Report)
		if len(s.Report.Results) == 0 { // nothing was measured in rounds
			m.Settings.Rounds = max(m.Settings.Rounds, s.Report.Settings.Rounds)
		}
	}
	m.SortTraffic()
	m.Compare()
	return m, m.check()
}

// add takes from a source what is not samples.
func (m *Report) add(r *Report) {
	m.Incomplete = m.Incomplete || r.Incomplete
	if pin := m.Settings.Pin; pin != nil && *pin != *r.Settings.Pin {
		m.Warnings = appendNew(m.Warnings, "the runs were kept on different CPUs")
	}
	if m.Environment.Kernel != r.Environment.Kernel || m.Environment.Virtualization != r.Environment.Virtualization {
		m.Warnings = appendNew(m.Warnings, "the runs had different kernels or hypervisors")
	}
	for _, w := range r.Warnings {
		m.Warnings = appendNew(m.Warnings, w)
	}
	for _, w := range r.Workloads {
		m.Workloads = appendNew(m.Workloads, w)
	}
	for _, p := range r.Paths {
		m.Paths = appendNew(m.Paths, p)
	}
	for _, i := range r.Impls {
		m.Impls = appendNew(m.Impls, i)
	}
	m.Shards = append(m.Shards, r.parts()...)
}

// parts are the runs that a report is of.
func (r *Report) parts() []Shard {
	if len(r.Shards) > 0 {
		return r.Shards
	}
	e := &r.Environment
	return []Shard{{Shard: r.Settings.Shard, Rounds: r.Settings.Rounds, Commit: e.Commit, Time: e.Time, Kernel: e.Kernel}}
}

func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// mergeResults adds the results of one row.
func mergeResults(rows []*Result) (Result, error) {
	var samples []Sample
	var warm *WarmUp
	var passes []*Latency
	for _, r := range rows {
		samples = append(samples, r.Samples...)
		if r.WarmUp != nil {
			if warm == nil {
				warm = &WarmUp{Stable: true}
			}
			warm.Ns += r.WarmUp.Ns
			warm.Batches += r.WarmUp.Batches
			warm.Stable = warm.Stable && r.WarmUp.Stable
		}
		if r.Latency != nil {
			passes = append(passes, r.Latency)
		}
	}
	sum := NewResult(rows[0].Workload, rows[0].Path, rows[0].Impl, samples)
	sum.WarmUp = warm
	if len(passes) > 0 {
		l, err := mergeLatencies(passes)
		if err != nil {
			return sum, err
		}
		sum.Latency = l
	}
	return sum, nil
}
