package report

import (
	"io"
	"strconv"

	"github.com/ksdispatch/ksdispatch/internal/lab/doc"
)

// WriteCSV writes one number a line, which every spreadsheet and data frame can pivot: the samples by round, then the
// quantiles of the latency, whose round is 0. Every line has the same columns and none is empty.
func (r *Report) WriteCSV(w io.Writer) error {
	return doc.WriteCSV(w, []string{"workload", "path", "impl", "round", "metric", "unit", "value"}, func(yield func([]string) bool) {
		for i := range r.Results {
			if !r.Results[i].numbers(yield) {
				return
			}
		}
	})
}

func (res *Result) numbers(yield func([]string) bool) (more bool) {
	more = true
	put := func(round int, metric, unit string, value float64) {
		more = more && yield([]string{res.Workload, res.Path, res.Impl, strconv.Itoa(round), metric, unit,
			strconv.FormatFloat(value, 'g', -1, 64)})
	}
	for k, s := range res.Samples {
		put(k+1, "time", "ns/op", s.NsPerOp)
		put(k+1, "allocations", "allocs/op", s.AllocsPerOp)
		put(k+1, "bytes", "B/op", s.BytesPerOp)
		put(k+1, "collections", "cycles", float64(s.GCCycles))
		put(k+1, "operations", "ops", float64(s.Operations))
	}
	if res.Latency == nil {
		return more
	}
	for _, l := range res.Latency.named() {
		for _, q := range l.of.quantiles() {
			put(0, l.name+" "+q.name, "ns", float64(q.value))
		}
		put(0, l.name+" mean", "ns", l.of.Mean)
		put(0, l.name+" count", "ops", float64(l.of.Count))
	}
	return more
}
