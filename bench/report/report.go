// Package report is what a run of the benchmark says, and how it is written down: as a table for people, as Markdown for
// a page, as JSON for programs. All three come from one Report, so they cannot disagree.
//
// The JSON is versioned and described by report.schema.json beside this file. It carries the raw sample of every round,
// so that another tool can draw its own conclusions, and the machine, without which the numbers mean nothing. Samples
// with the same index were taken in the same round; that is what makes a ratio per round, and Ratio is the median of
// those. Values that cannot be known are absent (an interval from too few rounds) or "unknown" (a commit), never zero.
package report

import (
	"slices"

	"github.com/ksdispatch/ksdispatch/bench/internal/stats"
)

// SchemaVersion is raised when a field changes its meaning or goes away.
const SchemaVersion = 1

// confidence is what the intervals of a report promise at least; MinRounds is the fewest rounds that can give it.
const (
	confidence = 0.95
	MinRounds  = 6
)

// Report is one run.
type Report struct {
	SchemaVersion int         `json:"schemaVersion"`
	Environment   Environment `json:"environment"`
	Settings      Settings    `json:"settings"`
	Workloads     []Workload  `json:"workloads"`
	Paths         []Path      `json:"paths"`
	Impls         []Impl      `json:"impls"`
	Results       []Result    `json:"results"`

	Targets []Target     `json:"targets,omitempty"`
	Stages  []Stage      `json:"stages,omitempty"`
	Scale   []ScalePoint `json:"scale,omitempty"`
}

// Environment is the machine and the build. Strings that could not be found out are "unknown".
type Environment struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	GoVersion  string `json:"go_version"`
	Level      string `json:"level"`  // the compiler's instruction set, such as "GOAMD64=v1"
	Commit     string `json:"commit"` // of ksdispatch, with "+dirty" for a changed tree

	Caches []Cache `json:"caches,omitempty"` // from the first level on; none if they could not be found out
}

// Settings are what the run was asked to do: the same settings make the same requests in the same order.
type Settings struct {
	Seed     uint64 `json:"seed"`
	Rounds   int    `json:"rounds"`
	Requests int    `json:"requests"` // prepared requests per workload
	BatchNs  int64  `json:"batch_ns"` // least length of a batch
}

// Workload is a table of properties and the requests to it.
type Workload struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Objects     int    `json:"objects"`
	Items       int    `json:"items"` // over all objects
}

// Path is a way through the engine, from a table lookup to a whole request.
type Path struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Kind says what an implementation is measured for.
type Kind string

const (
	Engine Kind = "engine" // what is measured
	Peer   Kind = "peer"   // does the same in another way
	Limit  Kind = "limit"  // does less than any dispatcher can, on the same requests
)

// Impl is one of the implementations.
type Impl struct {
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Description string `json:"description"`
}

// Result is one implementation on one path of one workload.
type Result struct {
	Workload    string    `json:"workload"`
	Path        string    `json:"path"`
	Impl        string    `json:"impl"`
	NsPerOp     float64   `json:"ns_per_op"`     // median of the rounds
	AllocsPerOp float64   `json:"allocs_per_op"` // least of the rounds: other goroutines can only add
	BytesPerOp  float64   `json:"bytes_per_op"`  // likewise
	Spread      float64   `json:"spread"`        // median distance from the median, as a fraction of it
	Interval    *Interval `json:"interval,omitempty"`
	Samples     []Sample  `json:"samples"`
	Ratios      []Ratio   `json:"ratios"` // of the engine's row to the other implementations; empty for theirs
	Warnings    []string  `json:"warnings"`
}

// Interval encloses a median with at least the confidence it names.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// Sample is one round.
type Sample struct {
	Operations  int     `json:"operations"`
	NsPerOp     float64 `json:"ns_per_op"`
	AllocsPerOp float64 `json:"allocs_per_op"`
	BytesPerOp  float64 `json:"bytes_per_op"`
}

// Ratio is the time of another implementation divided by the engine's in the same round: above 1 the engine is faster.
type Ratio struct {
	To       string    `json:"to"`
	Ratio    float64   `json:"ratio"` // median of the rounds
	Interval *Interval `json:"interval,omitempty"`
}

// Name is what --run matches: workload/path/impl.
func (r Result) Name() string { return r.Workload + "/" + r.Path + "/" + r.Impl }

// What a value may warn of. The texts carry no numbers, so that a renderer can list the rows of each together.
const (
	warnSpread = "rounds differ by more than 10 %: measure again on a quieter machine"
	warnAllocs = "allocations differ between rounds"
	warnRounds = "fewer than 6 rounds: no interval, no verdict"
)

// NewResult summarises the samples of one implementation.
func NewResult(workload, path, impl string, samples []Sample) Result {
	r := Result{Workload: workload, Path: path, Impl: impl, Samples: samples, Ratios: []Ratio{}, Warnings: []string{}}
	ns := column(samples, func(s Sample) float64 { return s.NsPerOp })
	allocs := column(samples, func(s Sample) float64 { return s.AllocsPerOp })
	r.NsPerOp = stats.Median(ns)
	r.AllocsPerOp = slices.Min(allocs)
	r.BytesPerOp = slices.Min(column(samples, func(s Sample) float64 { return s.BytesPerOp }))
	r.Spread = stats.Spread(ns)
	r.Interval = interval(ns)
	if r.Spread > 0.10 {
		r.Warnings = append(r.Warnings, warnSpread)
	}
	if slices.Max(allocs)-r.AllocsPerOp >= 0.01 { // less is a stray allocation of the runtime in a long batch
		r.Warnings = append(r.Warnings, warnAllocs)
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
