package report

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/outlier"
	"github.com/ksdispatch/ksdispatch/internal/lab/stats"
)

// Name is what --run matches: workload/path/impl.
func (r Result) Name() string { return r.Workload + "/" + r.Path + "/" + r.Impl }

// Row names a result within its report.
type Row struct{ Workload, Path, Impl string }

// Rows returns the results by what they are of. Who looks up many of a large report would search for minutes otherwise.
func (r *Report) Rows() map[Row]*Result {
	rows := make(map[Row]*Result, len(r.Results))
	for i := range r.Results {
		res := &r.Results[i]
		rows[Row{res.Workload, res.Path, res.Impl}] = res
	}
	return rows
}

// What a value may warn of. The texts carry no numbers, so that a renderer can list the rows of each together.
const (
	warnSpread = "rounds differ by more than 10 %: measure again on a quieter machine"
	warnAllocs = "allocations differ between rounds"
	warnRounds = "fewer than 6 rounds: no interval, no verdict"
)

// NewResult summarises the samples of one implementation, each of which did the same work.
func NewResult(workload, path, impl string, samples []Sample) Result {
	r := NewVaried(workload, path, impl, samples)
	allocs := column(samples, func(s Sample) float64 { return s.AllocsPerOp })
	if slices.Max(allocs)-r.AllocsPerOp >= 0.01 { // less is a stray allocation of the runtime in a long batch
		r.Warnings = append(r.Warnings, warnAllocs)
	}
	return r
}

// NewVaried is NewResult for samples whose work is not the same, so that their allocations may differ.
func NewVaried(workload, path, impl string, samples []Sample) Result {
	r := Result{Workload: workload, Path: path, Impl: impl, Samples: samples, Ratios: []Ratio{}, Warnings: []string{}}
	ns := column(samples, func(s Sample) float64 { return s.NsPerOp })
	allocs := column(samples, func(s Sample) float64 { return s.AllocsPerOp })
	r.NsPerOp = stats.Median(ns)
	r.AllocsPerOp = slices.Min(allocs)
	r.BytesPerOp = slices.Min(column(samples, func(s Sample) float64 { return s.BytesPerOp }))
	r.Spread = stats.Spread(ns)
	r.Interval = interval(ns)
	if o := outlier.Count(ns); o != (outlier.Counts{}) {
		r.Outliers = (*Outliers)(&o)
	}
	if r.Spread > 0.10 {
		r.Warnings = append(r.Warnings, warnSpread)
	}
	if len(samples) < MinRounds {
		r.Warnings = append(r.Warnings, warnRounds)
	}
	return r
}

// Compare fills in the ratios of the engine's rows to every other row of the same workload and path, in the order of
// the results.
func (r *Report) Compare() {
	for i := range r.Results {
		engine := &r.Results[i]
		if r.kind(engine.Impl) != Engine {
			continue
		}
		engine.Ratios = []Ratio{}
		for j, other := range r.Results {
			if i == j || other.Workload != engine.Workload || other.Path != engine.Path {
				continue
			}
			ratios := make([]float64, min(len(engine.Samples), len(other.Samples)))
			for k := range ratios {
				ratios[k] = other.Samples[k].NsPerOp / engine.Samples[k].NsPerOp
			}
			engine.Ratios = append(engine.Ratios, Ratio{To: other.Impl, Ratio: stats.Median(ratios), Interval: interval(ratios)})
		}
	}
}

func (r *Report) kind(impl string) Kind {
	for _, i := range r.Impls {
		if i.Name == impl {
			return i.Kind
		}
	}
	return Peer
}

func column(samples []Sample, of func(Sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return values
}

func interval(values []float64) *Interval {
	in, ok := stats.MedianInterval(values, confidence)
	if !ok {
		return nil
	}
	return &Interval{Low: in.Low, High: in.High, Confidence: in.Confidence}
}
