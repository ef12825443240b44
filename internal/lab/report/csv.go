package report

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes one number a line, which every spreadsheet and data frame can pivot: the samples by round, then the
// quantiles of the latency, whose round is 0. Every line has the same columns and none is empty.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w) // keeps the first error for Error
	_ = c.Write([]string{"workload", "path", "impl", "round", "metric", "unit", "value"})
	for i := range r.Results {
		res := &r.Results[i]
		line := []string{printable(res.Workload), printable(res.Path), printable(res.Impl), "", "", "", ""}
		put := func(round int, metric, unit string, value float64) {
			line[3], line[4], line[5], line[6] = strconv.Itoa(round), metric, unit, strconv.FormatFloat(value, 'g', -1, 64)
			_ = c.Write(line)
		}
		for k, s := range res.Samples {
			put(k+1, "time", "ns/op", s.NsPerOp)
			put(k+1, "allocations", "allocs/op", s.AllocsPerOp)
			put(k+1, "bytes", "B/op", s.BytesPerOp)
			put(k+1, "collections", "cycles", float64(s.GCCycles))
			put(k+1, "operations", "ops", float64(s.Operations))
		}
		if res.Latency == nil {
			continue
		}
		for _, l := range res.Latency.named() {
			for _, q := range l.of.quantiles() {
				put(0, l.name+" "+q.name, "ns", float64(q.value))
			}
			put(0, l.name+" mean", "ns", l.of.Mean)
			put(0, l.name+" count", "ops", float64(l.of.Count))
		}
	}
	c.Flush()
	return c.Error()
}
