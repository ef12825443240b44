package verdict

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Measurements are one side of a comparison: where they come from, and a series of samples for each metric of each benchmark.
type Measurements struct {
	Side
	Series   []Series
	Warnings []string

	work   map[string]work // by the workload's name
	primed string          // how many cycles before each batch; "" where the source does not say

	text    bool       // of go test: its GOMAXPROCS is what names seem to say
	mixed   []string   // what differs within the side and forbids to compare its times
	aligned *alignment // with the other sides
}

// work tells workloads of one name apart that are not the same work.
type work struct {
	digest string // of tables and requests; reports of early versions have none
	shape  string
}

// Side says where measurements come from.
type Side struct {
	Source      string             `json:"source"`      // a file, a revision
	Environment report.Environment `json:"environment"` // "unknown" and 0 where the source does not say
}

// Series are the samples of one metric of one benchmark.
type Series struct {
	Benchmark Benchmark // of text; zero elsewhere, where Name tells series apart

	Name   string // for display; Align sets it where there is a Benchmark
	Unit   string
	Kind   report.Kind // of a report's row; "" elsewhere
	Exact  bool
	Better Direction
	Values []float64
	Runs   []int // how many of Values each run gave, one after the other; nil where there was one

	declared bool // Better is what the source says, not what the unit's name does

	id      string    // what it is of, on all sides: set by Align
	control []float64 // what the limits took in the same rounds; nil for none
}

// Units of a report's metrics, named as go test names them.
const (
	unitTime   = "ns/op"
	unitAllocs = "allocs/op"
	unitBytes  = "B/op"
	unitDiffer = "differ" // answers to traffic
)

// FromReport takes the measurements of a report, named workload/path/impl.
func FromReport(r *report.Report, source string) *Measurements {
	m := &Measurements{Side: Side{Source: source, Environment: r.Environment}, work: map[string]work{}, primed: fmt.Sprint(r.Settings.Prime)}
	for _, w := range r.Workloads {
		m.work[w.Name] = work{w.Digest,
			fmt.Sprintf("%d objects, %d items, %d requests of seed %d", w.Objects, w.Items, r.Settings.Requests, r.Settings.Seed)}
	}
	for _, warning := range r.Warnings {
		m.Warnings = append(m.Warnings, source+": "+warning)
	}
	if r.Incomplete {
		m.Warnings = append(m.Warnings, source+": the run was interrupted: rounds or workloads are missing")
	}
	kinds := map[string]report.Kind{}
	for _, impl := range r.Impls {
		kinds[impl.Name] = impl.Kind
	}
	controls := controls(r, kinds)
	for _, result := range r.Results {
		column := func(of func(report.Sample) float64) []float64 {
			values := make([]float64, len(result.Samples))
			for i, s := range result.Samples {
				values[i] = of(s)
			}
			return values
		}
		add := func(unit string, exact bool, values []float64) {
			s := Series{Name: result.Name(), Unit: unit, Kind: kinds[result.Impl], Exact: exact, Better: Lower, Values: values}
			if s.Kind == report.Engine && !exact {
				s.control = controls[result.Workload+"/"+result.Path]
			}
			m.Series = append(m.Series, s)
		}
		add(unitTime, false, column(func(s report.Sample) float64 { return s.NsPerOp }))
		add(unitAllocs, true, counts(column(func(s report.Sample) float64 { return s.AllocsPerOp }), strayAllocs))
		add(unitBytes, true, counts(column(func(s report.Sample) float64 { return s.BytesPerOp }), strayBytes))
	}
	for _, t := range r.Traffic {
		m.Series = append(m.Series, Series{Name: t.Point + "/" + t.Verb + "/" + t.Item, Unit: unitDiffer, Exact: true, Better: Lower,
			Values: []float64{float64(t.Differ)}})
	}
	return m
}

// controls returns the times of the limits by workload/path, a value a round: their geometric mean.
func controls(r *report.Report, kinds map[string]report.Kind) map[string][]float64 {
	all, limits := map[string][]float64{}, 0.0
	for _, impl := range r.Impls {
		if impl.Kind == report.Limit {
			limits++
		}
	}
	for _, result := range r.Results {
		if kinds[result.Impl] != report.Limit {
			continue
		}
		key := result.Workload + "/" + result.Path
		if all[key] == nil {
			all[key] = slices.Repeat([]float64{1}, len(result.Samples))
		}
		for i, s := range result.Samples[:min(len(result.Samples), len(all[key]))] {
			all[key][i] *= math.Pow(s.NsPerOp, 1/limits)
		}
	}
	return all
}

// Ignore forgets configuration keys, which tell no series apart then.
func (m *Measurements) Ignore(keys []string) {
	if len(keys) == 0 {
		return
	}
	index := map[rowOf]int{}
	var kept []Series
	for _, s := range m.Series {
		var config strings.Builder
		for line := range strings.Lines(s.Benchmark.Config) {
			if key, _, _ := strings.Cut(line, ": "); !slices.Contains(keys, key) {
				config.WriteString(line)
			}
		}
		s.Benchmark.Config = config.String()
		of := rowOf{s.Benchmark, s.Unit}
		i, ok := index[of]
		if !ok || s.Benchmark == (Benchmark{}) {
			index[of] = len(kept)
			kept = append(kept, s)
			continue
		}
		first := &kept[i]
		if first.Runs != nil || s.Runs != nil {
			first.Runs = slices.Concat(first.lengths(), s.lengths())
		}
		first.Values = slices.Concat(first.Values, s.Values)
	}
	m.Series, m.aligned = kept, nil
	Align(m)
}

// lengths are Runs, also where there was one.
func (s *Series) lengths() []int {
	if s.Runs == nil {
		return []int{len(s.Values)}
	}
	return s.Runs
}

// Clone copies what Align and Match change.
func (m *Measurements) Clone() *Measurements {
	c := *m
	c.Series, c.aligned = slices.Clone(m.Series), nil
	return &c
}

// Summary is what the samples say.
func (s Series) Summary() Summary { return summarise(s.Values) }

// Match keeps the series whose name matches.
func (m *Measurements) Match(names *regexp.Regexp) {
	m.keep(func(s Series) bool { return names.MatchString(s.Name) })
}

// Exact keeps the counts and drops the times.
func (m *Measurements) Exact() { m.keep(func(s Series) bool { return s.Exact }) }

func (m *Measurements) keep(wanted func(Series) bool) {
	m.Series = slices.DeleteFunc(slices.Clone(m.Series), func(s Series) bool { return !wanted(s) })
}
