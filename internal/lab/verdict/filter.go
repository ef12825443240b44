package verdict

import (
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"
	"golang.org/x/perf/benchunit"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Filter drops the series that a filter of benchstat does not match. Rows of a report are called as in its benchmark format:
// Dispatch/workload=W/path=P/impl=I.
func (m *Measurements) Filter(f *benchproc.Filter) {
	m.Series = slices.DeleteFunc(m.Series, func(s Series) bool {
		match, err := f.Match(s.result(m.Environment))
		return err != nil || !match.Test(0)
	})
}

// result is what the filter sees of a series.
func (s *Series) result(e report.Environment) *benchfmt.Result {
	_, unit := benchunit.Tidy(1, s.Unit)
	r := &benchfmt.Result{Name: benchfmt.Name(s.Benchmark.Name), Values: []benchfmt.Value{{Unit: unit, OrigUnit: s.Unit}}}
	if s.Benchmark == (Benchmark{}) {
		name := "Dispatch"
		parts := strings.Split(s.Name, "/")
		for i, key := range []string{"workload", "path", "impl"} {
			if n := len(parts); n >= 3 { // a workload's name may have slashes of its own
				part := [...]string{strings.Join(parts[:n-2], "%2F"), parts[n-2], parts[n-1]}[i]
				name += "/" + key + "=" + part
			}
		}
		r.Name = benchfmt.Name(name)
		for _, c := range [][2]string{{"cpu", e.CPU}, {"goos", e.OS}, {"goarch", e.Arch}} {
			r.SetConfig(c[0], c[1])
		}
		return r
	}
	r.SetConfig("pkg", s.Benchmark.Package)
	for line := range strings.Lines(s.Benchmark.Config) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		r.SetConfig(key, value)
	}
	return r
}
