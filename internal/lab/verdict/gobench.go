package verdict

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/benchtext"
	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// ReadGoBench reads the output of go test -bench, as text or as events (-json). Units that the source calls exact ("Unit bits/key
// assume=exact", as for benchstat), those in exact, and allocs/op and B/op are counts. What is better is what the source says, else
// what the words of the unit do.
//
// Output that ends within a line, and output of a run that failed, is refused: the rows that are missing could be the ones
// that got worse. So are values that nothing can be measured to be.
func ReadGoBench(r io.Reader, source string, exact []string) (*Measurements, error) {
	text, err := benchtext.Read(r, source)
	if err != nil {
		return nil, err
	}
	return measurementsOf(text, source, exact), nil
}

func measurementsOf(text *benchtext.Text, source string, exact []string) *Measurements {
	b := goBench{index: map[rowOf]int{}, configs: map[string]string{}}
	for _, result := range text.Results {
		b.add(result)
	}
	return b.measurements(source, text.Units, append(slices.Clone(exact), unitAllocs, unitBytes))
}

// goBench collects results.
type goBench struct {
	index   map[rowOf]int
	series  []Series
	configs map[string]string          // each once
	machine [len(machineKeys)][]string // every value of each key
}

// rowOf is what is one series within a side, whatever the other side has.
type rowOf struct {
	Benchmark
	unit string
}

func (b *goBench) add(r benchtext.Result) {
	of := Benchmark{Package: r.Package, Name: r.Name, Config: b.config(r.Config)}
	for _, v := range r.Values {
		key := rowOf{of, v.Unit}
		i, ok := b.index[key]
		if !ok {
			i = len(b.series)
			b.index[key] = i
			b.series = append(b.series, Series{Benchmark: of, Unit: v.Unit})
		}
		b.series[i].Values = append(b.series[i].Values, v.Value)
	}
}

// config writes configuration, and notes what it says of the machine.
func (b *goBench) config(pairs []benchtext.Pair) string {
	var text strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&text, "%s: %s\n", p.Key, p.Value)
	}
	config, ok := b.configs[text.String()]
	if ok {
		return config
	}
	for _, p := range pairs {
		if i := slices.Index(machineKeys[:], p.Key); i >= 0 && !slices.Contains(b.machine[i], p.Value) {
			b.machine[i] = append(b.machine[i], p.Value)
		}
	}
	b.configs[text.String()] = text.String()
	return text.String()
}

func (b *goBench) measurements(source string, units benchfmt.UnitMetadataMap, exact []string) *Measurements {
	m := &Measurements{Side: Side{Source: source}, Series: b.series, text: true}
	env := &m.Environment
	env.GoVersion, env.Level, env.Commit = unknown, unknown, unknown
	for i, s := range []*string{&env.CPU, &env.Arch, &env.OS} { // as machineKeys
		values := b.machine[i]
		*s = cmp.Or(strings.Join(values, " and "), unknown)
		if len(values) > 1 {
			m.mixed = append(m.mixed, fmt.Sprintf("%s has figures of more than one %s: %s; split it", source, machineKeys[i],
				doc.Printable(doc.Listed(values))))
		}
	}
	for i := range m.Series {
		s := &m.Series[i]
		s.Better, s.Exact = DirectionOf(s.Unit), slices.Contains(exact, s.Unit)
		if assume := units.Get(s.Unit, "assume"); assume != nil {
			s.Exact = assume.Value == "exact"
		}
		if better := units.Get(s.Unit, "better"); better != nil {
			switch d := Direction(better.Value); d {
			case Lower, Higher:
				s.Better, s.declared = d, true
			}
		}
	}
	Align(m)
	return m
}
