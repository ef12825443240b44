package verdict

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// ReadGoBench reads the output of go test -bench. Units that the source calls exact ("Unit bits/key assume=exact", as for
// benchstat), those in exact, and allocs/op and B/op are counts. Of a unit that ends in /s more is better, of any other less,
// unless the source says otherwise.
//
// Output that ends within a line, and output of a run that failed, is refused: the rows that are missing could be the ones
// that got worse. So are values that nothing can be measured to be.
func ReadGoBench(r io.Reader, source string, exact []string) (*Measurements, error) {
	whole := &watcher{r: bufio.NewReader(r)}
	reader := benchfmt.NewReader(whole, source)
	b := goBench{exact: map[string]bool{"allocs/op": true, "B/op": true}, index: map[rowOf]int{}}
	for _, unit := range exact {
		b.exact[unit] = true
	}
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			if err := b.add(rec); err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(reader.Err(), whole.check(source)); err != nil {
		return nil, err
	}
	if len(b.samples) == 0 {
		return nil, fmt.Errorf("%s: no line is a benchmark's result", source)
	}
	return b.measurements(source, reader.Units()), nil
}

// goBench collects results.
type goBench struct {
	exact   map[string]bool
	index   map[rowOf]int
	samples []Series
	machine [len(machineKeys)][]string // every value of each key
}

// rowOf is what is one series within a side, whatever the other side has.
type rowOf struct {
	Benchmark
	unit string
}

// measured are the units of the testing package itself. Others, of b.ReportMetric, may have values below zero.
var measured = map[string]bool{"ns/op": true, "MB/s": true, "B/op": true, "allocs/op": true}

func (b *goBench) add(r *benchfmt.Result) error {
	of := Benchmark{Package: r.GetConfig("pkg"), Name: string(r.Name), Config: config(r)}
	for i, key := range machineKeys {
		if value := r.GetConfig(key); value != "" && !slices.Contains(b.machine[i], value) {
			b.machine[i] = append(b.machine[i], value)
		}
	}
	wrong := func(format string, args ...any) error {
		file, line := r.Pos()
		return fmt.Errorf("%s:%d: %s: %s; mend the line or leave it out", file, line, r.Name, fmt.Sprintf(format, args...))
	}
	if r.Iters < 1 {
		return wrong("%d iterations cannot be", r.Iters)
	}
	for k, v := range r.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		if math.IsNaN(value) || math.IsInf(value, 0) || value < 0 && measured[unit] {
			return wrong("%v %s cannot be", value, unit)
		}
		if slices.ContainsFunc(r.Values[:k], func(w benchfmt.Value) bool { return w.Unit == v.Unit }) {
			return wrong("%s is there twice", unit)
		}
		key := rowOf{of, unit}
		i, ok := b.index[key]
		if !ok {
			i = len(b.samples)
			b.index[key] = i
			b.samples = append(b.samples, Series{Benchmark: of, Unit: unit})
		}
		b.samples[i].Values = append(b.samples[i].Values, value)
	}
	return nil
}

// config writes all configuration but the package.
func config(r *benchfmt.Result) string {
	var lines []string
	for _, c := range r.Config {
		if c.Key != "pkg" {
			lines = append(lines, c.Key+": "+string(c.Value)+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (b *goBench) measurements(source string, units benchfmt.UnitMetadataMap) *Measurements {
	m := &Measurements{Side: Side{Source: source}, text: true}
	env := &m.Environment
	env.GoVersion, env.Level, env.Commit = unknown, unknown, unknown
	for i, s := range []*string{&env.CPU, &env.Arch, &env.OS} { // as machineKeys
		values := b.machine[i]
		*s = cmp.Or(strings.Join(values, " and "), unknown)
		if len(values) > 1 {
			m.mixed = append(m.mixed, fmt.Sprintf("%s has figures of more than one %s: %s; split it", source, machineKeys[i], doc.Printable(doc.Listed(values))))
		}
	}
	m.Series = b.samples
	for i := range m.Series {
		s := &m.Series[i]
		s.Better, s.Exact = DirectionOf(s.Unit), b.exact[s.Unit]
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

// watcher passes text on and notes what the format does not tell: where a test failed, and whether the last line ended.
type watcher struct {
	r      *bufio.Reader
	rest   []byte
	line   int
	last   byte
	failed int // the first line that says so
}

func (w *watcher) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		line, err := w.r.ReadSlice('\n')
		if len(line) == 0 {
			return 0, err
		}
		if w.last == '\n' || w.last == 0 {
			w.line++
			if w.failed == 0 && (bytes.HasPrefix(line, []byte("FAIL")) || bytes.HasPrefix(line, []byte("--- FAIL"))) {
				w.failed = w.line
			}
		}
		w.rest, w.last = line, line[len(line)-1]
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *watcher) check(source string) error {
	switch {
	case w.failed > 0:
		return fmt.Errorf("%s:%d: the test run failed: its figures are not all there", source, w.failed)
	case w.line > 0 && w.last != '\n':
		return fmt.Errorf("%s:%d: ends within a line: it is truncated", source, w.line)
	}
	return nil
}
