package report

import (
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// Unlike says why reports do not merge or compare: a difference that would be taken for one of what was measured.
type Unlike struct {
	A, B string // names of the sources
	What string // what differs, and what each of them says
}

func (e *Unlike) Error() string { return fmt.Sprintf("%s and %s: %s", e.A, e.B, e.What) }

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
		{"untimed cycles before a batch", s.Prime, t.Prime},
		{"latency pass", s.Latency, t.Latency}, {"rate", s.Rate, t.Rate}, {"kept on one CPU", s.Pin != nil, t.Pin != nil},
	} {
		if c.a != c.b {
			return fmt.Sprintf("%s: %v and %v", c.what, quoted(c.a), quoted(c.b))
		}
	}
	for _, p := range a.parts() {
		for _, q := range b.parts() {
			if p.Time != "" && p == q {
				return "the same run: adding it twice would make the intervals narrower than they are"
			}
		}
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
				return fmt.Sprintf("workload %s: %s and %s", doc.Printable(w.Name), w.identity(), v.identity())
			}
			if !slices.Equal(a.rowsOf(w.Name), b.rowsOf(w.Name)) {
				return fmt.Sprintf("workload %s: other rows were measured, so that rounds do not pair", doc.Printable(w.Name))
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
	return "digest " + doc.Printable(w.Digest)
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
