package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
	"golang.org/x/perf/benchfmt"
)

// WriteGoBench writes the samples in the format of go test -bench, a line each, so that benchstat compares files:
//
//	BenchmarkDispatch/workload=20x12/path=irp/impl=engine-2 65536 23.1 ns/op 0 B/op 0 allocs/op
//	BenchmarkLatency/workload=20x12/path=irp/impl=engine-2 131072 49 p50-ns 61 p90-ns 90 p99-ns 310 p99.9-ns
//
// Of the machine only what go test says becomes configuration: benchstat puts files of different configuration into
// different tables, and two commits are to be compared. The rest is a comment. Heap figures are rounded, objects to a
// hundredth and bytes to whole ones: a stray allocation of the runtime in a long batch is no allocation of a request, and the
// units are declared exact.
func (r *Report) WriteGoBench(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	e := &r.Environment
	fmt.Fprintf(buffered, "# ksbench: %s, seed %d\n", doc.Printable(e.String()), r.Settings.Seed)
	for _, text := range r.notes() {
		fmt.Fprintf(buffered, "# %s\n", doc.Printable(text))
	}
	out := goBenchWriter{w: benchfmt.NewWriter(buffered)}
	for _, config := range [][2]string{{"goos", e.OS}, {"goarch", e.Arch}, {"pkg", "github.com/ksdispatch/ksdispatch/bench"}, {"cpu", e.CPU}} {
		out.config = append(out.config, benchfmt.Config{Key: config[0], Value: []byte(doc.Printable(config[1])), File: true})
	}
	for _, unit := range []string{"allocs/op", "B/op"} {
		out.write(&benchfmt.UnitMetadata{UnitMetadataKey: benchfmt.UnitMetadataKey{Unit: unit, Key: "assume"}, OrigUnit: unit, Value: "exact"})
	}
	for i := range r.Results {
		out.result(&r.Results[i], r.Environment.GOMAXPROCS)
	}
	if out.err != nil {
		return out.err
	}
	return buffered.Flush()
}

type goBenchWriter struct {
	w      *benchfmt.Writer
	config []benchfmt.Config
	err    error
}

func (g *goBenchWriter) write(rec benchfmt.Record) {
	if g.err == nil {
		g.err = g.w.Write(rec)
	}
}

func (g *goBenchWriter) result(r *Result, procs int) {
	row := fmt.Sprintf("/workload=%s/path=%s/impl=%s", goName(r.Workload), goName(r.Path), goName(r.Impl))
	if procs > 1 { // as go test does
		row += "-" + strconv.Itoa(procs)
	}
	line := benchfmt.Result{Config: g.config, Name: benchfmt.Name("Dispatch" + row)}
	for _, s := range r.Samples {
		line.Iters = s.Operations
		line.Values = append(line.Values[:0], value(s.NsPerOp, "ns/op"), value(math.Round(s.BytesPerOp), "B/op"),
			value(math.Round(s.AllocsPerOp*100)/100, "allocs/op"))
		g.write(&line)
	}
	if r.Latency == nil {
		return
	}
	g.latency("Latency"+row, &r.Latency.Service)
	if r.Latency.Response != nil {
		g.latency("Response"+row, r.Latency.Response)
	}
}

func (g *goBenchWriter) latency(name string, d *Distribution) {
	line := benchfmt.Result{Config: g.config, Name: benchfmt.Name(name), Iters: int(min(d.Count, math.MaxInt32))}
	for _, q := range d.quantiles() {
		if strings.HasPrefix(q.name, "p") && q.name != "p99.99" { // the others are one event, nothing to compare
			line.Values = append(line.Values, value(float64(q.value), q.name+"-ns"))
		}
	}
	g.write(&line)
}

func value(v float64, unit string) benchfmt.Value { return benchfmt.Value{Value: v, Unit: unit} }

// goName writes what would end a part of a benchmark's name as %XX, so that no two names become one.
func goName(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c == '/' || c == '%' || c == '=' || unicode.IsSpace(c) || !unicode.IsPrint(c) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}
