// Package benchtext reads what go test -bench prints, in the shapes that occur in practice.
//
// Package benchfmt reads the format itself, but a run prints more than that. Programs log to the same stream: before
// the header, between a name and its figures, and without a newline. A log line can look like configuration or like a
// failure. A run can end in a panic, or be recorded with -json from several packages at once. This package finds the
// results in such text and leaves each line to benchfmt.
//
// It guarantees two things. It drops no result because something was printed into it, and it never attributes figures
// to another benchmark or another configuration. Where the text is ambiguous, it refuses the text and names the line.
package benchtext

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Result is a line of figures.
type Result struct {
	Package    string // import path; "" if nothing says it
	Name       string // without "Benchmark", with the GOMAXPROCS that go test appends
	Config     []Pair // the other configuration in force, sorted by key
	Iterations int
	Values     []Value
}

// Pair is a line of configuration, "key: value".
type Pair struct{ Key, Value string }

// Value is a figure with its unit, as they are written.
type Value struct {
	Value float64
	Unit  string
}

// Text is what the output of go test says.
type Text struct {
	Results []Result
	Units   benchfmt.UnitMetadataMap
}

// ErrNoResult says that text is something else.
var ErrNoResult = errors.New("no line is a benchmark's result")

// mostLine is the longest line that is read.
const mostLine = 1 << 20

// Read reads the output of go test -bench, or the events of go test -json. source names it in errors, which have the line.
//
// Output that ends within a line, and output of a run that failed, is refused: the results that are missing could be the ones that
// got worse. So are values that nothing can be measured to be.
func Read(r io.Reader, source string) (*Text, error) {
	d := demux{source: source, text: &stream{source: source}, byName: map[string]*eventStream{}}
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:%d: %w", source, n, err)
		}
		if len(line) > 0 {
			if err := d.line(line, n); err != nil {
				return nil, err
			}
		}
		if err != nil {
			break
		}
	}
	streams, err := d.streams()
	if err != nil {
		return nil, err
	}
	t := &Text{}
	var reader benchfmt.Reader
	for _, s := range streams {
		if err := t.add(&reader, s); err != nil {
			return nil, err
		}
	}
	t.Units = reader.Units()
	if len(t.Results) == 0 {
		return nil, fmt.Errorf("%s: %w", source, ErrNoResult)
	}
	return t, nil
}

// readLine returns a line with its newline. The last may have none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > mostLine {
			return nil, fmt.Errorf("a line of more than %d bytes", mostLine)
		}
	}
}

// add reads the lines that a stream kept.
func (t *Text) add(reader *benchfmt.Reader, s *stream) error {
	var text bytes.Buffer
	for _, line := range s.kept {
		text.WriteString(line.text)
		text.WriteByte('\n')
	}
	var initial []string
	if s.pkg != "" {
		initial = []string{"pkg", s.pkg}
	}
	reader.Reset(&text, s.source, initial...)
	for reader.Scan() {
		_, at := reader.Result().Pos()
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			line := s.kept[at-1]
			return fmt.Errorf("%s:%d: %s: %q", s.source, line.number, rec.Msg, brief(line.text))
		case *benchfmt.Result:
			if err := check(rec); err != nil {
				return fmt.Errorf("%s:%d: %s: %w; mend the line or leave it out", s.source, s.kept[at-1].number, rec.Name, err)
			}
			t.Results = append(t.Results, result(rec))
		}
	}
	return reader.Err()
}

func result(r *benchfmt.Result) Result {
	out := Result{Package: r.GetConfig("pkg"), Name: string(r.Name), Iterations: r.Iters}
	for _, c := range r.Config {
		if c.Key != "pkg" {
			out.Config = append(out.Config, Pair{c.Key, string(c.Value)})
		}
	}
	slices.SortFunc(out.Config, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	for _, v := range r.Values {
		value := Value{v.Value, v.Unit}
		if v.OrigUnit != "" {
			value = Value{v.OrigValue, v.OrigUnit}
		}
		out.Values = append(out.Values, value)
	}
	return out
}

// measured are the units of the testing package itself. Others, of b.ReportMetric, may have values below zero.
var measured = map[string]bool{"ns/op": true, "MB/s": true, "B/op": true, "allocs/op": true}

// check reports figures that cannot be.
func check(r *benchfmt.Result) error {
	if r.Iters < 1 {
		return fmt.Errorf("%d iterations cannot be", r.Iters)
	}
	for i, v := range result(r).Values {
		if _, err := strconv.ParseFloat(v.Unit, 64); err == nil {
			return fmt.Errorf("%s is no unit", v.Unit)
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 && measured[v.Unit] {
			return fmt.Errorf("%v %s cannot be", v.Value, v.Unit)
		}
		if slices.ContainsFunc(r.Values[:i], func(w benchfmt.Value) bool { return w.Unit == r.Values[i].Unit }) {
			return fmt.Errorf("%s is there twice", v.Unit)
		}
	}
	return nil
}

// brief shortens a line that an error quotes.
func brief(line string) string {
	const most = 200
	if line = strings.TrimSpace(line); len(line) > most {
		return line[:most] + "..."
	}
	return line
}
