package verdict

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/ksdispatch/ksdispatch/internal/lab/report"
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
	b := goBench{exact: map[string]bool{"allocs/op": true, "B/op": true}, index: map[goKey]int{}, procs: map[string]bool{}, packages: map[string]bool{}}
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

// goBench collects results. Names are completed at the end, when it is known what tells them apart.
type goBench struct {
	exact    map[string]bool
	index    map[goKey]int
	samples  []goSeries
	packages map[string]bool
	procs    map[string]bool
	env      report.Environment
}

type goKey struct{ pkg, name, procs, unit string }

type goSeries struct {
	goKey
	values []float64
}

// measured are the units of the testing package itself. Others, of b.ReportMetric, may have values below zero.
var measured = map[string]bool{"ns/op": true, "MB/s": true, "B/op": true, "allocs/op": true}

func (b *goBench) add(r *benchfmt.Result) error {
	name, procs := splitProcs(string(r.Name))
	pkg := r.GetConfig("pkg")
	b.packages[pkg], b.procs[procs] = true, true
	b.env.CPU, b.env.OS, b.env.Arch = r.GetConfig("cpu"), r.GetConfig("goos"), r.GetConfig("goarch")
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
		key := goKey{pkg, name, procs, unit}
		i, ok := b.index[key]
		if !ok {
			i = len(b.samples)
			b.index[key] = i
			b.samples = append(b.samples, goSeries{goKey: key})
		}
		b.samples[i].values = append(b.samples[i].values, value)
	}
	return nil
}

func (b *goBench) measurements(source string, units benchfmt.UnitMetadataMap) *Measurements {
	m := &Measurements{Side: Side{Source: source, Environment: b.env}}
	env := &m.Environment
	for _, s := range []*string{&env.CPU, &env.OS, &env.Arch, &env.GoVersion, &env.Level, &env.Commit} {
		if *s == "" {
			*s = unknown
		}
	}
	if len(b.procs) == 1 {
		for procs := range b.procs {
			env.GOMAXPROCS, _ = strconv.Atoi(procs) // digits, of which there may be too many to be true
		}
	}
	for _, s := range b.samples {
		name := s.name
		if len(b.procs) > 1 {
			name += "-" + s.procs
		}
		if len(b.packages) > 1 {
			name = path.Base(s.pkg) + "." + name
		}
		series := Series{Name: name, Unit: s.unit, Values: s.values, Better: Lower}
		series.Exact = b.exact[s.unit]
		if assume := units.Get(s.unit, "assume"); assume != nil {
			series.Exact = assume.Value == "exact"
		}
		if better := units.Get(s.unit, "better"); better != nil && better.Value == "higher" || better == nil && strings.HasSuffix(s.unit, "/s") {
			series.Better = Higher
		}
		m.Series = append(m.Series, series)
	}
	return m
}

// splitProcs takes the GOMAXPROCS off a name. go test leaves it out when it is 1.
func splitProcs(name string) (base, procs string) {
	if i := strings.LastIndexByte(name, '-'); i > 0 && i+1 < len(name) && strings.Trim(name[i+1:], "0123456789") == "" {
		return name[:i], name[i+1:]
	}
	return name, "1"
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
