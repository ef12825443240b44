package report

import (
	"fmt"
	"reflect"
	"slices"
)

// Source is a report and what to call it in an error: its file.
type Source struct {
	Name   string
	Report *Report
}

// Unlike says why reports do not merge or compare: a difference that would be taken for one of what was measured.
type Unlike struct {
	A, B string // names of the sources
	What string // what differs, and what each of them says
}

func (e *Unlike) Error() string { return fmt.Sprintf("%s and %s: %s", e.A, e.B, e.What) }

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
	if len(r.Shards) > 0 {
		m.Shards = append(m.Shards, r.Shards...)
		return
	}
	e := &r.Environment
	m.Shards = append(m.Shards, Shard{Shard: r.Settings.Shard, Rounds: r.Settings.Rounds, Commit: e.Commit, Time: e.Time, Kernel: e.Kernel})
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

// unlike returns what keeps two reports from being of one piece, or "".
func unlike(a, b *Report) string {
	e, f, s, t := &a.Environment, &b.Environment, &a.Settings, &b.Settings
	for _, c := range []struct {
		what string
		a, b any
	}{
		{"processor", e.CPU, f.CPU}, {"cores", e.Cores, f.Cores}, {"GOMAXPROCS", e.GOMAXPROCS, f.GOMAXPROCS},
		{"operating system", e.OS, f.OS}, {"architecture", e.Arch, f.Arch}, {"instruction set", e.Level, f.Level},
		{"Go version", e.GoVersion, f.GoVersion}, {"commit", e.Commit, f.Commit},
		{"seed", s.Seed, t.Seed}, {"requests", s.Requests, t.Requests}, {"batch_ns", s.BatchNs, t.BatchNs},
		{"latency pass", s.Latency, t.Latency}, {"rate", s.Rate, t.Rate}, {"kept on one CPU", s.Pin != nil, t.Pin != nil},
	} {
		if c.a != c.b {
			return fmt.Sprintf("%s: %v and %v", c.what, quoted(c.a), quoted(c.b))
		}
	}
	if e.Time != "" && e.Time == f.Time && reflect.DeepEqual(a.Results, b.Results) {
		return "the same run: adding it twice would make the intervals narrower than they are"
	}
	for _, p := range a.Paths {
		for _, q := range b.Paths {
			if p.Name == q.Name && p != q {
				return fmt.Sprintf("path %s: described in two ways", p.Name)
			}
		}
	}
	for _, p := range a.Impls {
		for _, q := range b.Impls {
			if p.Name == q.Name && p != q {
				return fmt.Sprintf("implementation %s: described in two ways", p.Name)
			}
		}
	}
	for _, w := range a.Workloads {
		for _, v := range b.Workloads {
			if w.Name != v.Name {
				continue
			}
			if w != v {
				return fmt.Sprintf("workload %s: %s and %s", printable(w.Name), w.identity(), v.identity())
			}
			if !slices.Equal(a.rowsOf(w.Name), b.rowsOf(w.Name)) {
				return fmt.Sprintf("workload %s: other rows were measured, so that rounds do not pair", printable(w.Name))
			}
		}
	}
	return ""
}

func quoted(v any) any {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return v
}

func (w Workload) identity() string {
	if w.Digest == "" {
		return fmt.Sprintf("%d objects with %d items and no digest", w.Objects, w.Items)
	}
	return "digest " + printable(w.Digest)
}

// rowsOf names the rows of a workload in their order.
func (r *Report) rowsOf(workload string) (rows []string) {
	for i := range r.Results {
		if res := &r.Results[i]; res.Workload == workload {
			rows = append(rows, res.Name())
		}
	}
	return rows
}
