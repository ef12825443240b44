package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ksdispatch/ksdispatch/internal/lab/machine"
	"github.com/ksdispatch/ksdispatch/internal/lab/report"
)

// Total is what came of some of the work. Its fields add in any order; Report brings them into one.
type Total struct {
	Traces   int
	Sum      uint64 // of the hashes of all blocks
	Requests uint64 // at one point
	Faults   []Fault
	Notes    []string // on traces that are not whole
	Timings  []Timing
	Asked    []Ask // of Mine

	Traffic     []report.Traffic
	Differences []report.Difference // the first of each point, by trace and record
}

// Timing is how long a piece of work took on one machine.
type Timing struct {
	Key      string // of the piece
	Point    string
	Machine  report.Environment
	Requests uint64
	Ns       int64
	Service  report.Histogram
}

// add adds another, and keeps the first differences of both.
func (t *Total) add(o *Total, differences int) {
	t.Traces += o.Traces
	t.Sum += o.Sum
	t.Requests += o.Requests
	t.Faults = append(t.Faults, o.Faults...)
	t.Notes = append(t.Notes, o.Notes...)
	t.Timings = append(t.Timings, o.Timings...)
	t.Asked = addAsked(t.Asked, o.Asked)
	sum := report.Report{Traffic: t.Traffic, Differences: t.Differences}
	sum.AddTraffic(&report.Report{Traffic: o.Traffic, Differences: o.Differences})
	report.SortDifferences(sum.Differences)
	t.Traffic, t.Differences = sum.Traffic, first(sum.Differences, differences)
}

// first are the first n of each point of what is sorted.
func first(all []report.Difference, n int) []report.Difference {
	kept, begin := all[:0], 0
	for i := range all {
		if all[i].Point != all[begin].Point {
			begin = i
		}
		if i-begin < n {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// encode is the total as it travels.
func (t *Total) encode() ([]byte, error) { return json.Marshal(t) }

func decodeTotal(b []byte) (*Total, error) {
	t := new(Total)
	return t, json.Unmarshal(b, t)
}

// faults are what cannot be used, in order.
func (t *Total) faults() []string {
	list := make([]string, len(t.Faults))
	for i, f := range t.Faults {
		list[i] = f.Text
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Report is the total as ksbench reads it.
func (t *Total) Report() (*report.Report, error) {
	if t.Requests == 0 {
		return nil, fmt.Errorf("the traces have no requests")
	}
	r := report.New(machine.Describe(), report.Settings{Rounds: 1, Requests: int(t.Requests)})
	r.Traffic, r.Differences = t.Traffic, t.Differences
	r.SortTraffic()
	r.Incomplete = len(t.Faults) > 0
	slices.Sort(t.Notes)
	r.Warnings = append(t.faults(), t.Notes...)
	return r, t.measured(r)
}

// measured adds the times: a row for each point and kind of machine, a sample for each piece of work.
func (t *Total) measured(r *report.Report) error {
	if len(t.Timings) == 0 {
		return nil
	}
	slices.SortFunc(t.Timings, func(a, b Timing) int {
		return cmp.Or(cmp.Compare(a.Point, b.Point), cmp.Compare(kindOf(a.Machine), kindOf(b.Machine)), cmp.Compare(a.Key, b.Key))
	})
	r.Paths = []report.Path{{Name: "replay", Description: "a whole request of a trace, read, sent and counted"}}
	r.Impls = []report.Impl{{Name: "engine", Kind: report.Engine, Description: "the engine with the handlers of the manifest"}}
	r.Settings.Rounds, r.Settings.Latency = 0, true
	for begin := 0; begin < len(t.Timings); {
		first, end := t.Timings[begin], begin
		service, requests, samples := report.NewHistogram(), uint64(0), []report.Sample(nil)
		for ; end < len(t.Timings) && t.Timings[end].Point == first.Point && kindOf(t.Timings[end].Machine) == kindOf(first.Machine); end++ {
			x := &t.Timings[end]
			samples = append(samples, report.Sample{Operations: int(x.Requests), NsPerOp: float64(x.Ns) / float64(x.Requests)})
			requests += x.Requests
			h, err := x.Service.Decode()
			if err != nil {
				return fmt.Errorf("%s: %w", x.Key, err)
			}
			service.Merge(h)
		}
		name := first.Point + " on " + kindOf(first.Machine)
		r.Workloads = append(r.Workloads, report.Workload{Name: name, Description: fmt.Sprintf("%d requests of %d pieces of traces", requests,
			end-begin), Objects: 1, Digest: fmt.Sprintf("%016x", t.Sum)})
		res := report.NewResult(name, "replay", "engine", samples)
		if service.TotalCount() > 0 {
			d, err := report.NewDistribution(service)
			if err != nil {
				return err
			}
			clock, err := report.NewDistribution(clockOf())
			if err != nil {
				return err
			}
			res.Latency = &report.Latency{Every: every, Service: d, Clock: clock}
		}
		r.Results = append(r.Results, res)
		r.Settings.Rounds = max(r.Settings.Rounds, len(samples))
		r.Shards = append(r.Shards, report.Shard{Rounds: len(samples), Commit: first.Machine.Commit, Kernel: first.Machine.Kernel})
		begin = end
	}
	r.Compare()
	return nil
}

// kindOf is what machines must have in common for their times to be in one row.
func kindOf(e report.Environment) string {
	return fmt.Sprintf("%s, %d cores, GOMAXPROCS=%d, %s/%s, %s, %s", e.CPU, e.Cores, e.GOMAXPROCS, e.OS, e.Arch, e.GoVersion, e.Level)
}
